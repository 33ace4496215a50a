"""The guide: the ideal coder it is trained through, the measure it is trained for, its training."""
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from pictures import batch
from undertone_train.hide import export_run, guide
from undertone_train.hide.carriers import planes
from undertone_train.hide.coder import MARGIN, add_noise, entropy, expected_change, moves, turn_probability
from undertone_train.hide.jpeg import tables
from undertone_train.hide.rounding import Rounding
from undertone_train.hide.seen import fitted

CONFIG = Path(__file__).resolve().parents[1] / "configs/hide-guide.toml"


def photo():
    rgb = batch(64, 96)
    return rgb, planes(rgb, Rounding("soft")), tables(75)[0].reshape(1, 64).expand(len(rgb), 64).float()


def test_moves_end_on_safe_values_of_the_right_parity():
    _, x, table = photo()
    q = table[:, :, None, None]
    keep, turn = moves(x, table)
    cell = lambda v: torch.floor(v / q + 0.5)
    for change, other in ((keep, 0), (turn, 1)):
        y = x + change
        assert ((cell(y) - cell(x)).abs() % 2 == other).all()
        edge = ((y / q + 0.5) - torch.floor(y / q + 0.5)).clamp(0, 1) * q
        assert (torch.minimum(edge, q - edge) > MARGIN - 0.02).all()
    assert (keep.abs() <= MARGIN + 1e-3).all() and (turn.abs() >= keep.abs() - 2 * MARGIN - 1e-3).all()


@pytest.mark.parametrize("bpp", (0.05, 0.4))
def test_payload_is_met_and_dearer_prices_alike_change_nothing(bpp):
    torch.manual_seed(0)
    price = torch.rand(2, 63, 6, 5).square().requires_grad_()
    want = torch.tensor([bpp, bpp / 2])
    p = turn_probability(price, want)
    assert torch.allclose(entropy(p).flatten(1).sum(1), want * 6 * 5 * 64, rtol=1e-3)
    assert torch.allclose(turn_probability(price * 7, want), p, atol=1e-4)
    g, = torch.autograd.grad((p * torch.rand_like(p)).sum(), price)
    along = (g * price).detach()
    assert abs(float(along.sum())) < 1e-3 * float(along.abs().sum())


def test_gradient_of_a_price_agrees_with_differences():
    torch.manual_seed(1)
    price = torch.rand(1, 63, 3, 3, dtype=torch.float64).requires_grad_()
    want = torch.tensor([0.2], dtype=torch.float64)
    value = lambda v: (turn_probability(v, want, 60) * weights).sum()
    weights = torch.rand_like(price)
    g, = torch.autograd.grad(value(price), price)
    step = torch.zeros_like(price)
    step[0, 5, 1, 1] = 1e-4
    with torch.no_grad():
        assert float(value(price + step) - value(price - step)) / 2e-4 == pytest.approx(float(g[0, 5, 1, 1]), rel=1e-3)


def test_dear_places_are_spared():
    rgb, x, table = photo()
    w = torch.ones_like(x)
    w[..., : x.shape[-1] // 2] = 20
    e = expected_change(x, table, w, torch.full((len(rgb),), 0.2))
    even = expected_change(x, table, torch.ones_like(x), torch.full((len(rgb),), 0.2))
    half = x.shape[-1] // 2
    assert e[..., :half].sum() < 0.5 * even[..., :half].sum() and e[..., half:].sum() > even[..., half:].sum() and not e[:, 0].any()


@pytest.mark.parametrize("name", ("butteraugli", "ssimulacra"))
def test_seen_grows_with_the_change(name):
    rgb, x, _ = photo()
    net = fitted(name)
    with torch.no_grad():
        values = [net(rgb, add_noise(rgb, torch.full_like(x, s * s), torch.Generator().manual_seed(0))) for s in (0.0, 0.5, 1.0, 2.0)]
    assert all((a < b).all() for a, b in zip(values, values[1:]))
    growth = (values[3] / values[2]).log() / np.log(2) / float(net.shape[1])
    assert ((growth > 0.7) & (growth < 1.3)).all()  # about proportional, once its exponent is undone


def test_a_new_guide_says_one():
    net = guide.Guide(guide.ModelConfig(16, 1))
    assert torch.equal(net(planes(batch(32, 40))), torch.ones(2, 64, 4, 5))


def run(tmp_path, steps, **changes):
    c = guide.read(CONFIG)
    c.run.out = str(tmp_path)
    guide.smoke(c)
    c.run.steps, c.run.lr, c.run.ema = steps, 1e-2, 0.5
    for name, value in changes.items():
        table, key = name.split("__")
        setattr(getattr(c, table), key, value)
    rng = np.random.default_rng(0)
    pixels = rng.uniform(60, 190, (10, 3, 1, 1)) + np.linspace(-20, 20, 64)[None, None, None] + np.zeros((1, 1, 64, 1))
    pixels[..., 32:] += rng.normal(0, 25, (10, 1, 64, 32))  # one half smooth, one noisy
    return guide.Trainer(c, (np.clip(np.rint(pixels), 0, 255).astype(np.uint8), [f"p{i}.0" for i in range(10)]))


def test_training_learns_to_prefer_noise_to_smoothness_and_goes_on_where_it_stopped(tmp_path):
    t = run(tmp_path, 16)
    assert t.train()
    rgb = t.held[:1]
    w = t.ema(planes(rgb, Rounding("soft")))[0, 1:].log()
    half = w.shape[-1] // 2
    assert w[..., : half - 1].mean() > w[..., half + 1 :].mean() + 0.05
    again = run(tmp_path, 18)
    assert again.step == 16 and again.train() and again.step == 18
    rows = (tmp_path / "log.jsonl").read_text()
    assert '"validation"' in rows
    assert export_run.main([str(tmp_path), str(tmp_path / "g.safetensors")]) == 0
    with safe_open(tmp_path / "g.safetensors", "pt") as f:
        assert f.metadata()["kind"] == "guide" and torch.equal(f.get_tensor("guide.inp.weight"), export_run.load(tmp_path)[0].net.inp.weight)


def test_the_detector_is_heard(tmp_path):
    t = run(tmp_path, 5, adversary__net="critic", adversary__ahead=1, loss__adversarial=0.5)
    assert t.train() and t.adversary.steps == 5
    again = run(tmp_path, 6, adversary__net="critic", adversary__ahead=1, loss__adversarial=0.5)
    assert again.adversary.steps == 5


@pytest.mark.parametrize("text, message", (("[loss]\nadversarial = 1.0", "names no net"), ("[adversary]\nnet = 'x'", "net is 'x'"), ("[lss]\n", "unknown tables"),
                                           ("[loss]\nleast_rate = 0.0", "least_rate")))
def test_config_mistakes_are_named(tmp_path, text, message):
    f = tmp_path / "c.toml"
    f.write_text(text)
    with pytest.raises(ValueError, match=message):
        guide.read(f)


def test_command_says_what_is_wrong(tmp_path, capsys):
    assert guide.main([str(CONFIG), "--out", str(tmp_path)]) == 2
    assert "pack-crops.npz" in capsys.readouterr().err
