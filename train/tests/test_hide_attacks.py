import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, features
from pictures import batch, psnr, through_pillow

from undertone_train.hide import attacks, avif, webp
from undertone_train.hide.attacks import Attack, AttackConfig, Step, parse
from undertone_train.hide.profiles import profile
from undertone_train.hide.resize import new_size, resize, taps
from undertone_train.hide.rounding import Rounding, to_pixels

ROOT = Path(__file__).parents[2]
PILLOW = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC, "area": Image.Resampling.BOX}


def need(codec):
    if not features.check(codec):
        pytest.skip(f"Pillow has no {codec}")


@pytest.mark.parametrize("kernel", PILLOW)
@pytest.mark.parametrize("size", [(30, 41), (77, 64), (50, 125)])
def test_resizing_is_pillows(kernel, size):
    """One axis at a time: newer versions go down first where that is less work, which changes what is clipped between."""
    x = batch(60, 77, 1)
    got = resize(x, *size, kernel)[0]
    im = Image.fromarray(x[0].permute(1, 2, 0).byte().numpy()).resize((size[1], 60), PILLOW[kernel]).resize(size[::-1], PILLOW[kernel])
    want = torch.tensor(np.array(im)).permute(2, 0, 1).float()
    assert got.shape == want.shape and (got - want).abs().max() <= 1
    assert ((got - want) != 0).float().mean() < 0.01


@pytest.mark.parametrize("factor", [0.75, 0.4, 1.3])
def test_lanczos_is_our_programs_bit_for_bit(tmp_path, factor):
    program = ROOT / "build" / "undertone"
    if not program.exists():
        pytest.skip("build/undertone is not built")
    x = batch(70, 93, 1)
    Image.fromarray(x[0].permute(1, 2, 0).byte().numpy()).save(tmp_path / "in.png")
    subprocess.run([program, "channel", tmp_path / "in.png", tmp_path / "out.png", "--through", f"resize:{factor}", "-q"], check=True)
    want = torch.tensor(np.array(Image.open(tmp_path / "out.png").convert("RGB"))).permute(2, 0, 1).float()
    assert torch.equal(resize(x, new_size(70, factor), new_size(93, factor))[0], want)


def test_taps_sum_to_one_and_are_named_wrongly_with_a_message():
    for kernel in PILLOW:
        for old, new in ((7, 3), (3, 7), (100, 33), (5, 5), (1, 4)):
            assert torch.equal(taps(old, new, kernel).sum(1), torch.ones(new, dtype=torch.float64))
    with pytest.raises(ValueError, match="nearest.*lanczos"):
        taps(4, 2, "nearest")


def test_resizing_soft_is_linear_inside_the_range():
    """Its gradient is the transpose of its taps."""
    x = (80 + 0.3 * batch(24, 30, 1)).double().requires_grad_()
    g = torch.randn(1, 3, 17, 40, dtype=torch.float64)
    (got,) = torch.autograd.grad((resize(x, 17, 40, "bicubic", Rounding("soft")) * g).sum(), x)
    assert torch.allclose(got, taps(24, 17, "bicubic").T @ g @ taps(30, 40, "bicubic"), atol=1e-9)


def test_webp_step_tables():
    """Ends and knees of RFC 6386's tables, and the quality's way to an index."""
    assert len(webp.DC_STEPS) == len(webp.AC_STEPS) == 128
    assert all(sorted(t) == t for t in (webp.DC_STEPS, webp.AC_STEPS))
    assert (webp.DC_STEPS[0], webp.DC_STEPS[127], webp.AC_STEPS[127]) == (4, 157, 284)
    assert [webp.step_index(q) for q in (0, 50, 75, 100)] == [127, 38, 26, 0]


@pytest.mark.parametrize("name, model, quality", [("webp", webp.webp, 80), ("webp", webp.webp, 50), ("avif", avif.avif, 60)])
def test_models_err_as_much_as_the_codecs(name, model, quality):
    """As much as on photos within what a made-up picture allows; and in the same places more than anywhere else."""
    need(name)
    x = batch(128, 128, 3)
    want = torch.stack([through_pillow(p, name.upper(), quality=quality) for p in x])
    got = model(x, quality, Rounding("ste"))
    assert abs(psnr(got, x) - psnr(want, x)) < 1.5
    assert torch.corrcoef(torch.stack([(got - x).flatten(), (want - x).flatten()]))[0, 1] > 0.3


@pytest.mark.parametrize("name, model", [("webp", webp.webp), ("avif", avif.avif)])
def test_models_lose_more_at_lower_quality_and_keep_odd_sizes(name, model):
    """Grey pictures: halved colours would lose most of all, at any quality."""
    x = batch(45, 59).mean(1, keepdim=True).round().expand(-1, 3, -1, -1)
    error = [float((model(x, q, Rounding("ste")) - x).square().mean()) for q in (95, 80, 60, 40)]
    assert error == sorted(error) and error[0] < error[-1] / 3
    each = model(x, [95, 40], Rounding("ste"))
    assert each.shape == x.shape
    assert torch.equal(each[0], model(x[:1], 95, Rounding("ste"))[0]) and torch.equal(each[1], model(x[1:], 40, Rounding("ste"))[0])


@pytest.mark.parametrize("model", [lambda x, r: webp.webp(x, 70, r), lambda x, r: avif.avif(x, 60, r)])
@pytest.mark.parametrize("mode", ["ste", "hybrid", "soft", "noise"])
def test_models_have_finite_gradients(model, mode):
    x = batch(32, 48).requires_grad_()
    (g,) = torch.autograd.grad(model(x, Rounding(mode)).square().mean(), x)
    assert torch.isfinite(g).all() and g.abs().sum() > 0


def test_platform_profiles():
    w = profile("whatsapp")
    assert w.tables()[0, 0].tolist() == [6, 6, 6, 7, 10, 15, 22, 34] and w.subsampling == "420"
    assert torch.equal(w.tables()[1], attacks.tables(67)[1])
    i = profile("instagram")
    assert torch.equal(i.tables()[0], i.tables()[1])
    assert torch.equal(profile("facebook").tables(80), attacks.tables(80)) and profile("telegram").quality == (87, 87)
    with pytest.raises(ValueError, match="myspace.*whatsapp"):
        profile("myspace")


@pytest.mark.parametrize("text, complaint", [
    ("luma = 1 2 3\nchroma_quality = 50", "64 numbers"), ("quality = 90\nsubsampling = 411", "subsampling"), ("luma = a", "whole numbers"), ("", "64 numbers"),
])
def test_bad_profiles_are_one_clear_line(text, complaint, tmp_path):
    (tmp_path / "p.profile").write_text(text)
    with pytest.raises(ValueError, match=complaint):
        profile("p", tmp_path)


def test_channels_parse():
    assert parse("jpeg:50-95") == (Step("jpeg", 50, 95, "420"),)
    assert parse("resize:0.5-0.9:area+jpeg:80:444+webp:75") == (Step("resize", 0.5, 0.9, "area"), Step("jpeg", 80, 80, "444"), Step("webp", 75, 75))
    assert parse("whatsapp")[0].profile == "whatsapp" and parse("facebook")[0].least == 71
    assert parse("png") == ()


@pytest.mark.parametrize("text, complaint", [
    ("jpeg", "1 to 100"), ("jpeg:0", "1 to 100"), ("jpeg:95-50", "range"), ("jpeg:75.5", "1 to 100"), ("jpeg:75:411", "411"), ("webp:101", "0 to 100"),
    ("avif:5", "30 to 95"), ("resize:9", "0.05 to 4"), ("resize:0.5:nearest", "nearest"), ("webp:80:444", "444"), ("jpeg:75+", "no profile"), ("whatsapp:80", "no argument"),
    ("gif:3", "no argument"),
])
def test_bad_channels_are_one_clear_line(text, complaint):
    with pytest.raises(ValueError, match=complaint) as e:
        parse(text)
    assert "\n" not in str(e.value)


CHANNELS = ["jpeg:40-95", "jpeg:75:444", "whatsapp", "webp:60-90", "resize:0.6-0.9+jpeg:80"]


def attack(**more):
    return Attack(AttackConfig(channels=CHANNELS, **more))


def test_a_plan_depends_on_seed_step_and_place_alone():
    a = attack(seed=3)
    assert a.plan(7, 20) == attack(seed=3).plan(7, 20) and a.plan(7, 20)[:5] == a.plan(7, 5)
    assert a.plan(7, 20) != a.plan(8, 20) and a.plan(7, 20) != attack(seed=4).plan(7, 20)


def test_shares_weights_and_ranges_are_kept():
    a = attack(real=0.2, simulated=0.5, none=0.3, weights=[4, 1, 1, 2, 0])
    items = [i for s in range(20) for i in a.plan(s, 100)]
    share = lambda f: sum(map(f, items)) / len(items)
    for way, want in (("real", 0.2), ("simulated", 0.5), ("none", 0.3)):
        assert abs(share(lambda i: i.way == way) - want) < 0.035
    for channel, want in zip(CHANNELS, (0.35, 0.0875, 0.0875, 0.175, 0)):
        assert abs(share(lambda i: i.channel == channel) - want) < 0.035
    q = [s.least for i in items for s in i.steps if i.channel == CHANNELS[0]]
    assert min(q) == 40 and max(q) == 95 and len(set(q)) == 56


def test_each_picture_goes_through_what_its_plan_says():
    need("webp")
    a = attack(real=0.4, simulated=0.4, none=0.2, rounding="ste")
    x = batch(40, 56, 12) + 0.3
    y, plan = a(x, 0)
    assert y.shape == x.shape and {i.way for i in plan} == {"real", "simulated", "none"}
    for i, item in enumerate(plan):
        want = to_pixels(x[i : i + 1])
        for s in item.steps:
            if s.kind == "resize":
                want = resize(want, new_size(40, s.least), new_size(56, s.least))
            elif s.kind == "jpeg":
                want = attacks.jpeg(want, attacks.jpeg_tables([s]), s.how)
            elif item.way == "real":
                want = through_pillow(want[0], "WEBP", quality=s.least, method=4)[None]
            else:
                want = webp.webp(want, s.least, Rounding("ste"))
        if want.shape != x[:1].shape:
            want = resize(want, 40, 56)
        assert torch.equal(y[i], want[0]), item


def test_worker_threads_change_nothing():
    x = batch(32, 32, 6)
    assert torch.equal(attack(real=1, simulated=0, none=0, workers=2)(x, 1)[0], attack(real=1, simulated=0, none=0)(x, 1)[0])


@pytest.mark.parametrize("how", attacks.GRADIENTS)
def test_the_real_codecs_gradient(how):
    a = Attack(AttackConfig(channels=["jpeg:60"], real=1, simulated=0, none=0, real_gradient=how, rounding="hybrid"))
    x = (60 + 0.5 * batch(24, 24)).requires_grad_()
    y, _ = a(x, 0)
    assert torch.equal(y.detach().round(), attacks.jpeg(x.detach(), attacks.tables(60)))
    if how == "none":
        assert not y.requires_grad
        return
    (g,) = torch.autograd.grad(y.square().mean(), x)
    z = attacks.jpeg(x, attacks.tables(60)) if how == "model" else to_pixels(x) + (y - to_pixels(x)).detach()
    assert torch.allclose(g, torch.autograd.grad(z.square().mean(), x)[0], atol=1e-6)


@pytest.mark.parametrize("more, complaint", [
    (dict(rounding="hard"), "rounding"), (dict(real_gradient="some"), "real_gradient"), (dict(real=0.9), "sum to 1"), (dict(channels=[]), "empty"),
    (dict(weights=[1]), "one for each"), (dict(channels=["jpeg:0"]), "1 to 100"),
])
def test_bad_attacks_are_one_clear_line(more, complaint):
    with pytest.raises(ValueError, match=complaint):
        Attack(AttackConfig(**more))
