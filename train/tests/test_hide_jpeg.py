import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pictures import batch, psnr, through_pillow

from undertone_train.hide.jpeg import CHROMA, LUMA, jpeg, tables, through_table, transform_matrix
from undertone_train.hide.rounding import MODES, Rounding, soft_round, to_pixels

ROOT = Path(__file__).parents[2]
SAMPLINGS = {"444": 0, "422": 1, "420": 2}  # Pillow's names
SIZES = [(64, 64), (61, 75), (33, 18), (9, 4), (2, 3), (1, 1)]


def pillow(x, quality, sampling, **more):
    return torch.stack([through_pillow(p, "JPEG", quality=quality, subsampling=SAMPLINGS[sampling], **more) for p in x])


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("quality", [3, 25, 50, 75, 90, 100])
def test_forward_is_the_library_bit_for_bit(quality, sampling):
    for h, w in SIZES:
        x = batch(h, w)
        want = pillow(x, quality, sampling)
        for mode in ("ste", "hybrid"):
            assert torch.equal(jpeg(x, tables(quality), sampling, Rounding(mode)), want), (h, w, mode)


def test_the_comparison_can_fail():
    """What the library makes of another sampling or the next quality is not what the layer gives."""
    x = batch(64, 64)
    got = jpeg(x, tables(75), "420")
    for quality, sampling in ((75, "422"), (75, "444"), (76, "420")):
        assert not torch.equal(got, pillow(x, quality, sampling))


def test_noise_and_flat_extremes_are_exact_too():
    g = torch.Generator().manual_seed(5)
    x = torch.randint(0, 256, (2, 3, 48, 40), generator=g).float()
    x = torch.cat([x, 255 * (x > 127).float(), torch.zeros(1, 3, 48, 40), torch.full((1, 3, 48, 40), 255.0)])
    for quality in (20, 75, 95):
        assert torch.equal(jpeg(x, tables(quality), "420"), pillow(x, quality, "420"))


def test_tables_of_all_qualities():
    x = batch(16, 16, 1)[0]
    assert torch.equal(tables(50), torch.stack([LUMA, CHROMA]).float())
    for q in range(1, 101):
        file = through_tables(x, q)
        assert torch.equal(tables(q), file), q
    for q in (0, 101, 50.5):
        with pytest.raises(ValueError, match="1 to 100"):
            tables(q)


def through_tables(x, q):
    import io

    file = io.BytesIO()
    Image.fromarray(x.permute(1, 2, 0).byte().numpy()).save(file, "JPEG", quality=q)
    found = Image.open(file).quantization
    return torch.tensor([found[0], found[1]]).reshape(2, 8, 8).float()


def test_a_table_for_each_picture():
    x = batch(40, 40)
    got = jpeg(x, torch.stack([tables(40), tables(90)]), "420")
    assert torch.equal(got[0], jpeg(x[:1], tables(40), "420")[0]) and torch.equal(got[1], jpeg(x[1:], tables(90), "420")[0])


def test_our_own_program_agrees_on_whatsapps_measured_table(tmp_path):
    from undertone_train.hide.profiles import profile

    program = ROOT / "build" / "undertone"
    if not program.exists():
        pytest.skip("build/undertone is not built")
    x = batch(72, 88, 1)
    Image.fromarray(x[0].permute(1, 2, 0).byte().numpy()).save(tmp_path / "in.png")
    subprocess.run([program, "channel", tmp_path / "in.png", tmp_path / "out.jpg", "--through", "whatsapp", "-q"], check=True)
    with Image.open(tmp_path / "out.jpg") as im:
        want = torch.tensor(np.array(im.convert("RGB"))).permute(2, 0, 1).float()
    p = profile("whatsapp")
    assert torch.equal(jpeg(x, p.tables(), p.subsampling)[0], want)


def test_transform_is_nearly_the_dct():
    m = transform_matrix() / (8192 * 8**0.5)
    assert (m @ m.T - torch.eye(8)).abs().max() < 2e-4
    n = torch.arange(8, dtype=torch.float64)
    dct = torch.cos((2 * n[None] + 1) * n[:, None] * torch.pi / 16) / 2
    dct[0] /= 2**0.5
    assert (m - dct).abs().max() < 1e-4


def test_soft_rounding_figures():
    """The check figures of shared/research/hiding.md, section 4."""
    x = torch.tensor([0, 0.25, 0.5, 0.75, 1.3, -0.6], dtype=torch.float64, requires_grad=True)
    y = soft_round(x)
    (g,) = torch.autograd.grad(y.sum(), x)
    assert torch.allclose(y, torch.tensor([0, 0.015625, 0.125, 0.984375, 1.027, -0.936], dtype=torch.float64), atol=1e-12)
    assert torch.allclose(g, torch.tensor([0, 0.1875, 0.75, 0.1875, 0.27, 0.48], dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_each_modes_rounding(mode):
    x = torch.linspace(-2.4, 2.4, 49, dtype=torch.float64, requires_grad=True)
    r = Rounding(mode, torch.Generator().manual_seed(1))
    y = r.coarse(x)
    (g,) = torch.autograd.grad(y.sum(), x)
    cubic = 3 * (x.detach() - x.detach().round()).square()
    assert torch.allclose(g, cubic if mode in ("soft", "hybrid") else torch.ones_like(x), atol=1e-9)
    if mode in ("ste", "hybrid"):
        assert torch.equal(y, torch.sign(x) * (x.abs() + 0.5).floor())
    if mode == "noise":
        zero = x.abs() < 0.5
        assert (y[zero] == 0).all() and ((y - x).abs() <= 0.5).all() and len((y - x)[~zero].unique()) > 30
    assert (r.fine(x) == x).all().item() == (mode in ("soft", "noise"))


def test_a_dead_zone_zeroes_more():
    x = torch.tensor([-1.7, -0.6, 0.55, 0.66, 1.6, 2.7], requires_grad=True)
    for mode in ("ste", "hybrid"):
        assert Rounding(mode).coarse(x, 0.35).tolist() == [-2, 0, 0, 1, 1, 3]
    (g,) = torch.autograd.grad(Rounding("soft").coarse(x, 0.35).sum(), x)
    assert torch.allclose(g, 3 * torch.tensor([0.09, 0.36, 0.3025, 0.1156, 0.36, 0.09]), atol=1e-5)


def test_an_unknown_mode_or_sampling_is_named():
    with pytest.raises(ValueError, match="hard.*ste, hybrid, soft, noise"):
        Rounding("hard")
    with pytest.raises(ValueError, match="411.*444, 422, 420"):
        jpeg(batch(8, 8), tables(50), "411")


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_soft_gradient_by_finite_differences(sampling):
    """Along random directions, central differences; the picture stays off 0 and 255, where clipping has a kink."""
    g = torch.Generator().manual_seed(2)
    x = (60 + 0.5 * batch(20, 21)).double().requires_grad_()
    weight = torch.randn(x.shape, generator=g, dtype=torch.float64)
    f = lambda v: (jpeg(v, tables(60), sampling, Rounding("soft")) * weight).sum()
    (grad,) = torch.autograd.grad(f(x), x)
    for _ in range(6):
        d = torch.randn(x.shape, generator=g, dtype=torch.float64)
        step = 1e-7
        with torch.no_grad():
            slope = (f(x + step * d) - f(x - step * d)) / (2 * step)
        assert abs(slope - (grad * d).sum()) < 1e-4 * abs(slope) + 1e-3


def test_straight_through_gradient_is_that_of_the_chain_without_rounding():
    """One block of luma, quantiser passed with gradient one: the transforms cancel, and the gradient is the identity to a thousandth."""
    x = (90 + 0.3 * batch(16, 16)[:, 0]).double().requires_grad_()
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    (g,) = torch.autograd.grad((through_table(x, tables(50)[0], Rounding("ste")) * weight).sum(), x)
    assert (g - weight).abs().max() < 1e-3 * weight.abs().max()


def test_hybrid_backward_is_soft_backward_where_their_coefficients_agree():
    """The first quantiser sees the same coefficients but for fine roundings, so the two gradients point the same way; straight-through's does so less."""
    x = (60 + 0.5 * batch(64, 64)).requires_grad_()
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    grads = {m: torch.autograd.grad((jpeg(x, tables(75), "444", Rounding(m)) * weight).sum(), x)[0].flatten() for m in ("ste", "hybrid", "soft")}
    like = lambda a, b: torch.cosine_similarity(grads[a], grads[b], 0)
    assert like("hybrid", "soft") > 0.95 > like("ste", "soft")


def test_clipped_pixels_get_no_gradient():
    x = torch.tensor([[-4.0, 0.4, 100.6, 254.6, 259.0]], requires_grad=True)
    y = to_pixels(x)
    (g,) = torch.autograd.grad(y.sum(), x)
    assert y.tolist() == [[0, 0, 101, 255, 255]] and g.tolist() == [[0, 1, 1, 1, 0]]


def test_following_the_gradient_carries_a_bit_through():
    """What training needs: a coefficient of the received picture is pushed a whole step by gradients alone."""
    x = (100 + 0.2 * batch(16, 16, 1)).requires_grad_()
    with torch.no_grad():
        before = jpeg(x, tables(50), "420")
    want = before + 12 * torch.cos((2 * torch.arange(16.0) + 1) * torch.pi / 16)
    opt = torch.optim.Adam([x], lr=0.5)
    loss = lambda: (jpeg(x, tables(50), "420", Rounding("hybrid")) - want).square().mean()
    first = loss().item()
    for _ in range(60):
        opt.zero_grad()
        loss().backward()
        opt.step()
    assert loss().item() < 0.4 * first


def test_soft_forward_is_close_and_too_kind():
    """Its error is smaller than the codec's own, which is why hybrid exists."""
    x = batch(128, 128)
    for q in (50, 75):
        real, soft = pillow(x, q, "420"), jpeg(x, tables(q), "420", Rounding("soft"))
        assert psnr(soft, real) > psnr(x, real) + 5
        assert (soft - x).square().mean() < 0.97 * (real - x).square().mean()
