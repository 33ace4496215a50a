import hashlib
import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import batch
from torch import nn

from undertone_train.detect.srnet import SRNet
from undertone_train.detect.zhunet import ZhuNet
from undertone_train.hide import lpips, objective, settings, visibility
from undertone_train.hide.jpeg import to_ycc
from undertone_train.hide.objective import LossConfig, Objective, adversarial, judged, payload_bits, payload_l1
from undertone_train.hide.perceptual import linear, opponent, perceptual
from undertone_train.hide.rounding import Rounding
from undertone_train.hide.visibility import LUMA_THRESHOLDS, PUBLISHED, ms_ssim, watson, watson_slack

signal = pytest.importorskip("scipy.signal")
CONFIGS = Path(__file__).parents[1] / "configs"
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import visibility as tool  # noqa: E402


def noisy(x, level, seed=0):
    return (x + level * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))).clamp(0, 255)


# --- visibility

def plain_ms_ssim(a, b, scales):
    """From the paper's formulae, in numpy, with a two-dimensional window."""
    t = np.arange(-5, 6)
    window = np.exp(-(t[:, None] ** 2 + t[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    f = lambda x: signal.convolve2d(x, window, mode="valid")
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333][:scales])
    out = 1.0
    for k, w in enumerate(weights / weights.sum()):
        ma, mb = f(a), f(b)
        va, vb, vab = f(a * a) - ma**2, f(b * b) - mb**2, f(a * b) - ma * mb
        cs = (2 * vab + 58.5225) / (va + vb + 58.5225)
        out *= ((cs * (2 * ma * mb + 6.5025) / (ma**2 + mb**2 + 6.5025)) if k == scales - 1 else cs).mean() ** w
        a, b = (x[: x.shape[0] // 2 * 2, : x.shape[1] // 2 * 2].reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2).mean((1, 3)) for x in (a, b))
    return out


@pytest.mark.parametrize("size, scales", [((180, 190), 5), ((64, 91), 3), ((12, 30), 1)])
def test_ms_ssim_is_the_papers(size, scales):
    a = batch(*size).double()
    b = noisy(a, 12).double()
    luma = [to_ycc(x, Rounding("soft"))[0].numpy() for x in (a, b)]
    for got, x, y in zip(ms_ssim(a, b), *luma):
        assert abs(got - plain_ms_ssim(x, y, scales)) < 1e-9


@pytest.mark.parametrize("measure", [lambda a, b: 1 - ms_ssim(a, b), watson, lambda a, b: watson(a, b, **PUBLISHED), perceptual])
def test_measures_are_zero_on_identity_grow_with_noise_and_have_gradients(measure):
    a = batch(96, 104)
    values = torch.stack([measure(a, noisy(a, level)) for level in (0, 2, 6, 18)])
    assert values[0].abs().max() < 1e-6 and (values.diff(dim=0) > 0).all()
    for b in (noisy(a, 5), a.clone()):
        b.requires_grad_()
        (g,) = torch.autograd.grad(measure(a, b).sum(), b)
        assert torch.isfinite(g).all()
    assert (g.abs().max() < 1e-3) and torch.autograd.grad(measure(a, noisy(a, 5).requires_grad_()).sum(), b, allow_unused=True)[0] is None


@pytest.mark.parametrize("measure", [lambda a, b: 1 - ms_ssim(a, b), watson, lambda a, b: watson(a, b, **PUBLISHED), perceptual])
def test_texture_masks(measure):
    """The same change is seen less where the picture is busy."""
    flat = torch.full((1, 3, 96, 96), 128.0)
    busy = noisy(flat, 30, seed=4)
    d = 4 * torch.randn(1, 1, 96, 96, generator=torch.Generator().manual_seed(1))
    assert measure(busy, busy + d) < 0.6 * measure(flat, flat + d)


def test_watson_at_threshold_is_one_coefficient():
    """One luma coefficient of every block changed by its threshold: (1/64)^(1/4) on the grid it lies on, by hand."""
    flat = torch.full((1, 3, 48, 48), 128.0, dtype=torch.float64)
    m = visibility.dct(8, torch.float64)
    for u, v in ((0, 1), (3, 2), (7, 7)):
        c = torch.zeros(8, 8, dtype=torch.float64)
        c[u, v] = LUMA_THRESHOLDS[u, v].double()
        stego = flat + (m.T @ c @ m).repeat(6, 6)
        d = (stego - flat)[:, :1].repeat(1, 3, 1, 1)
        other = (m @ visibility.in_blocks(d[:, 0, 4:-4, 4:-4], 8) @ m.T / LUMA_THRESHOLDS.double()).abs().pow(4).mean()
        assert abs(watson(flat, stego, **PUBLISHED) - ((1 / 64 + other) / 2) ** 0.25) < 1e-3


def test_watson_masking_rules():
    block = torch.zeros(1, 8, 8)
    base = watson_slack(block, LUMA_THRESHOLDS)[0]
    assert torch.equal(base, LUMA_THRESHOLDS)
    block[0, 2, 1] = 50.0
    masked = watson_slack(block, LUMA_THRESHOLDS)[0]
    assert abs(masked[2, 1] - 50**0.7 * 1.32**0.3) < 1e-4 and (masked != base).sum() == 1
    bright, dark, black = (watson_slack(torch.full((1, 8, 8), 0.0), LUMA_THRESHOLDS, torch.tensor([[[dc]]]))[0] for dc in (512.0, -512.0, -1024.0))
    assert torch.allclose(bright, base * 1.5**0.649) and torch.allclose(dark, base * 0.5**0.649) and torch.allclose(black, base * 0.125**0.649)
    block[0, 0, 0] = 500.0  # DC masks no contrast
    assert watson_slack(block, LUMA_THRESHOLDS)[0, 0, 0] == LUMA_THRESHOLDS[0, 0] * torch.tensor(1524 / 1024) ** 0.649


def test_watson_settings_do_what_they_say():
    a = batch(64, 64, 1)
    b = noisy(a, 4)
    grey = a + (b - a).mean(1, keepdim=True)  # the same change in all colours: luma alone
    assert torch.allclose(watson(a, grey, chroma=0.0), watson(a, grey, chroma=9.0), rtol=1e-2)
    assert watson(a, b, chroma=0.0) < watson(a, b, chroma=0.1) < watson(a, b, chroma=1.0)
    dark = a / 16
    assert watson(dark, dark + 2 * (grey - a), luminance=0.649) > 1.5 * watson(dark, dark + 2 * (grey - a), luminance=0.0)
    assert watson(a, b, pool=4.0) > watson(a, b, pool=2.0) and watson(a, b, contrast=0.0) > watson(a, b)


def test_too_small_pictures_are_named():
    for measure, least in ((ms_ssim, "11"), (watson, "12"), (perceptual, "8")):
        with pytest.raises(ValueError, match=f"sides of {least} or more"):
            measure(torch.zeros(1, 3, 7, 40), torch.zeros(1, 3, 7, 40))


def test_perceptual_colours_are_xyb():
    """Grey has equal cones; linear light by sRGB's own definition at its knee and ends."""
    v = linear(torch.tensor([0.0, 10.31475, 127.5, 255.0, 300.0], dtype=torch.float64))
    assert torch.allclose(v, torch.tensor([0.0, 0.0031308, 0.2140411, 1.0, 1.0], dtype=torch.float64), atol=1e-6)
    x, y, sy = opponent(torch.full((1, 3, 1, 1), 0.5, dtype=torch.float64)).flatten()
    assert abs(x) < 1e-8 and abs(sy) < 1e-7 and abs(y - (0.5 + 0.0037930734) ** (1 / 3)) < 1e-8
    red, green = (opponent(torch.tensor(c).reshape(1, 3, 1, 1))[0, 0] for c in ([0.5, 0.0, 0.0], [0.0, 0.5, 0.0]))
    assert red > 0 > green


def test_perceptual_is_a_length_and_knows_the_place():
    cover = torch.full((1, 3, 128, 128), 120.0)
    cover[..., 64:] = noisy(cover[..., 64:], 25, seed=4)
    d = torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(1))
    left = (torch.arange(128) < 64).float()
    strength = [float(perceptual(cover, cover + s * d)) for s in (1, 2, 4)]
    assert 1.9 < strength[1] / strength[0] < 2.1 and 1.9 < strength[2] / strength[1] < 2.1
    smooth, evenly, textured = (float(perceptual(cover, cover + 2 * d * m)) for m in (left * 2**0.5, torch.ones(128), (1 - left) * 2**0.5))
    assert smooth > 1.2 * evenly and evenly > 1.2 * textured
    mean_square = [(d * m).square().mean() for m in (left * 2**0.5, (1 - left) * 2**0.5)]
    assert abs(mean_square[0] / mean_square[1] - 1) < 0.1  # the energy is the same


def test_perceptual_sees_colour_less_and_no_cover_gradient():
    cover = batch(64, 64)
    d = 4 * torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    blue = torch.cat([torch.zeros_like(d), torch.zeros_like(d), d], 1)
    assert (0 < perceptual(cover, cover + blue)).all() and (perceptual(cover, cover + blue) < 0.5 * perceptual(cover, cover + d)).all()
    a, b = cover.clone().requires_grad_(), noisy(cover, 3).requires_grad_()
    perceptual(a, b).sum().backward()
    assert b.grad.abs().sum() > 0


# --- LPIPS

@pytest.mark.parametrize("net, parameters", [("alex", 2469696), ("vgg", 14714688), ("squeeze", 722496)])
def test_lpips_has_the_classifiers_layers(net, parameters):
    """The well-known counts of the three networks' convolutions."""
    assert sum(p.numel() for p in lpips.features(net).parameters()) == parameters


@pytest.mark.parametrize("net, sides", [("alex", (15, 7, 3, 3, 3)), ("vgg", (64, 32, 16, 8, 4)), ("squeeze", (31, 15, 7, 3, 3, 3, 3))])
def test_lpips_taps(net, sides):
    torch.manual_seed(0)
    model = lpips.Lpips(net)
    found = model.taps(batch(64, 64, 1))
    assert [t.shape[1] for t in found] == list(lpips.CHANNELS[net]) and tuple(t.shape[2] for t in found) == sides
    norms = torch.cat([t.square().sum(1).flatten() for t in found])
    assert ((norms - 1).abs() < 1e-3).float().mean() > 0.99  # unit length wherever a feature is on


def weight_files(folder, net="alex", spoil=lambda classifier, linear: None):
    """Made-up files of the standard structure, the classifier under a name that says its hash."""
    torch.manual_seed(1)
    classifier = {f"features.{k}": v.clone() for k, v in lpips.features(net).state_dict().items()}
    classifier["classifier.1.weight"] = torch.zeros(2, 2)
    linear = {f"lin{i}.model.1.weight": torch.rand(1, c, 1, 1) for i, c in enumerate(lpips.CHANNELS[net])}
    spoil(classifier, linear)
    torch.save(classifier, folder / "c.pth")
    torch.save(linear, folder / f"{net}.pth")
    mark = hashlib.sha256((folder / "c.pth").read_bytes()).hexdigest()[:8]
    return (folder / "c.pth").rename(folder / f"made-up-{mark}.pth"), folder / f"{net}.pth"


@pytest.mark.parametrize("net", lpips.CHANNELS)
def test_standard_files_load(net, tmp_path):
    model = lpips.load(net, *weight_files(tmp_path, net))
    a = batch(64, 64)
    b = noisy(a, 8).requires_grad_()
    d = model(a, b)
    (g,) = torch.autograd.grad(d.sum(), b)
    assert d.shape == (2,) and (d > 0).all() and g.abs().sum() > 0 and torch.allclose(model(a, a), torch.zeros(2))
    assert not any(p.requires_grad for p in model.parameters())


def test_lpips_weighs_channels_as_the_file_says(tmp_path):
    def one_channel(classifier, linear):
        for k, v in linear.items():
            v.zero_()
            v[0, 3] = 2.0
    model = lpips.load("alex", *weight_files(tmp_path, spoil=one_channel))
    a = batch(64, 64, 1)
    b = noisy(a, 8)
    want = sum(2 * (x - y)[:, 3].square().mean() for x, y in zip(model.taps(a), model.taps(b)))
    assert torch.allclose(model(a, b), want, rtol=1e-5)


def _set(which, key, value):
    def spoil(classifier, linear):
        (classifier if which == "c" else linear)[key] = value
    return spoil


@pytest.mark.parametrize("spoil, complaint", [
    (lambda c, l: c.pop("features.3.bias"), "lacks '3.bias'"), (_set("c", "features.99.weight", torch.zeros(1)), "unknown '99.weight'"),
    (_set("c", "features.0.weight", torch.zeros(64, 3, 3, 3)), r"0.weight is \(64, 3, 3, 3\), not \(64, 3, 11, 11\)"),
    (_set("c", "features.0.bias", torch.full((64,), float("nan"))), "not finite"), (_set("c", "features.0.bias", torch.zeros(64, dtype=torch.int32)), "not finite"),
    (lambda c, l: l.pop("lin4.model.1.weight"), "lacks 'lin4"), (_set("l", "lin1.model.1.weight", -torch.ones(1, 192, 1, 1)), "lin1 has negative"),
    (_set("l", "lin1.model.1.weight", torch.zeros(1, 192, 1, 1)), "none above zero"), (_set("l", "lin0.model.1.weight", torch.full((1, 64, 1, 1), 1e4)), "does not behave"),
    (_set("l", "extra", 3), "dictionary of tensors"),
])
def test_wrong_weight_files_are_one_clear_line(spoil, complaint, tmp_path):
    with pytest.raises(ValueError, match=complaint) as e:
        lpips.load("alex", *weight_files(tmp_path, spoil=spoil))
    assert "\n" not in str(e.value) and str(tmp_path) in str(e.value)


def test_missing_damaged_and_hostile_files_are_one_clear_line(tmp_path):
    classifier, linear = weight_files(tmp_path)
    with pytest.raises(ValueError, match="alexnet-owt-7be5be79.pth and alex.pth"):
        lpips.load("alex", "", linear)
    with pytest.raises(ValueError, match="squeezenet1_1"):
        lpips.load("squeeze", classifier, tmp_path / "none.pth")
    data = bytearray(classifier.read_bytes())
    data[len(data) // 2] ^= 1
    classifier.write_bytes(data)
    with pytest.raises(ValueError, match="SHA-256"):
        lpips.load("alex", classifier, linear)
    (tmp_path / "text.pth").write_text("no tensors")
    with pytest.raises(ValueError, match="not a file of tensors"):
        lpips.load("alex", tmp_path / "text.pth", linear)
    torch.save({"x": Path}, tmp_path / "code.pth")  # a pickled class: refused, not run
    with pytest.raises(ValueError, match="not a file of tensors"):
        lpips.load("alex", tmp_path / "code.pth", linear)


def test_calibration_refuses_what_is_no_distance():
    class Backwards(lpips.Lpips):
        def forward(self, a, b):
            return 1 / (super().forward(a, b) + 1)
    with pytest.raises(ValueError, match="does not behave like LPIPS"):
        lpips.calibrate(Backwards("alex"))


# --- payload, adversary, and the sum

def test_payload_losses_know_the_sign_and_the_scale():
    bits = torch.tensor([0.0, 1.0])
    sure, wrong, nothing = (torch.tensor(v) for v in ([30.0, -30.0], [-30.0, 30.0], [0.0, 0.0]))  # positive says 0
    assert payload_bits(sure, bits) < 1e-9 < payload_l1(wrong, bits) and payload_l1(sure, bits) < 1e-9
    assert abs(payload_bits(nothing, bits) - 1) < 1e-6 and payload_l1(nothing, bits) == 0.5
    assert payload_bits(wrong, bits) > 40 and payload_l1(wrong, bits) > 0.999


def test_rate_of_calibrated_llrs_is_the_channels_capacity():
    """A binary symmetric channel with 11 % errors carries half a bit."""
    g = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (200000,), generator=g).float()
    received = (bits + (torch.rand(bits.shape, generator=g) < 0.11)) % 2
    llr = (1 - 2 * received) * np.log(0.89 / 0.11)
    assert abs(1 - payload_bits(llr, bits) - 0.5) < 0.01


@pytest.mark.parametrize("net, channels", [(SRNet, 1), (ZhuNet, 3)])
def test_the_adversary_judges_without_being_changed(net, channels):
    torch.manual_seed(0)
    detector = net(channels)
    for m in detector.modules():  # statistics as after training; a fresh network's would drive the logits so far apart that no gradient is left
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = 1.0
    detector.train()
    with torch.no_grad():
        detector(batch(40, 40, 4)[:, :channels])
    before = {k: v.clone() for k, v in detector.state_dict().items()}
    x = batch(40, 40).requires_grad_()
    loss = adversarial(judged(detector, x, channels))
    loss.backward()
    assert x.grad.abs().sum() > 0 and all(p.grad is None and p.requires_grad for p in detector.parameters())
    assert detector.training and all(torch.equal(v, before[k]) for k, v in detector.state_dict().items())


def test_adversarial_is_one_bit_at_guessing_and_falls_towards_cover():
    values = [float(adversarial(torch.tensor([[v, -v]]))) for v in (-3.0, 0.0, 3.0)]
    assert values == sorted(values, reverse=True) and abs(values[1] - 1) < 1e-6


def test_objective_weighs_and_names_its_parts():
    cover = batch(64, 64)
    stego = noisy(cover, 3).requires_grad_()
    llr, bits = torch.randn(100, requires_grad=True), torch.randint(0, 2, (100,)).float()
    c = LossConfig(bce=1, l1=2, mse=3, perceptual=7, ms_ssim=4, watson=5, adversarial=6)
    loss, parts = Objective(c)(cover, stego, llr, bits, torch.zeros(2, 2))
    assert set(parts) == {"bce", "l1", "mse", "perceptual", "ms_ssim", "watson", "adversarial", "rate"}
    assert torch.allclose(loss, sum(getattr(c, k) * v for k, v in parts.items() if k != "rate"))
    loss.backward()
    assert stego.grad.abs().sum() > 0 and llr.grad.abs().sum() > 0
    assert set(Objective(LossConfig())(cover, stego, llr, bits)[1]) == {"bce", "perceptual", "rate"}
    with pytest.raises(ValueError, match="no detector"):
        Objective(c)(cover, stego, llr, bits)


def test_lpips_enters_by_its_files(tmp_path):
    classifier, linear = weight_files(tmp_path)
    o = Objective(LossConfig(lpips=1.0, lpips_classifier=str(classifier), lpips_linear=str(linear)))
    cover = batch(64, 64)
    assert o(cover, noisy(cover, 9), torch.zeros(4), torch.zeros(4))[1]["lpips"] > 0
    with pytest.raises(ValueError, match="not part of this project"):
        Objective(LossConfig(lpips=1.0))


def test_the_shipped_config():
    s = settings.read(CONFIGS / "hide-attack.toml")
    assert s.attack.channels[2] == "whatsapp" and s.loss == LossConfig()


@pytest.mark.parametrize("text, complaint", [
    ("[attacks]", "unknown tables.*attacks"), ("[attack]\nreel = 1", "unknown keys.*reel"), ("[attack]\nchannels = ['jpeg:0']", "1 to 100"),
    ("[loss]\nwatson = -1", "watson is -1"), ("[loss]\nbce = 0", "carry the payload"), ("[loss]\nlpips_net = 'resnet'", "squeeze"), ("[loss]\nmse = nan", "mse is nan"),
    ("[loss]\nwatson_pool = 0", "watson_pool 1 to 16"),
])
def test_bad_settings_are_one_clear_line(text, complaint, tmp_path):
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ValueError, match=complaint) as e:
        settings.read(tmp_path / "c.toml")
    assert "\n" not in str(e.value)


# --- the tool that asks others

def fake(folder, name, text, status=0):
    path = folder / name
    path.write_text(f"#!/bin/sh\nprintf '{text}'\nexit {status}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_visibility_tool_reads_the_programs(tmp_path, monkeypatch):
    fake(tmp_path, "butteraugli_main", "1.5000000000\\n3-norm: 0.750000\\n")
    fake(tmp_path, "ssimulacra_main", "0.02500000\\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin" if not shutil.which("ssimulacra2") else str(tmp_path))
    a = batch(32, 32, 1)
    rows = tool.measure(a, noisy(a, 4).round())
    assert (rows["butteraugli"], rows["butteraugli 3-norm"], rows["ssimulacra 1"]) == (1.5, 0.75, 0.025) and 30 < rows["PSNR dB"] < 40
    fake(tmp_path, "ssimulacra_main", "bad file", 1)
    with pytest.raises(ValueError, match="ssimulacra_main failed.*bad file"):
        tool.measure(a, a)
    with pytest.raises(ValueError, match="differ in size: 32x32 and 16x32"):
        tool.measure(a, a[..., :16])


def test_hiders_noise_is_put_where_it_says_with_the_same_energy():
    x = torch.full((1, 3, 128, 128), 128.0)
    x[..., 64:] = noisy(x[..., 64:], 20).round()
    made = [(y - x).square() for y in tool.hiders_noise(x)]
    assert len(made) == 33
    for evenly, smooth, textured in zip(made[0::3], made[1::3], made[2::3]):
        assert smooth[..., 64:].max() == 0 and textured[..., :64].max() == 0 and evenly[..., :64].sum() > 0 < evenly[..., 64:].sum()
        assert all(abs(float(p.mean() / evenly.mean()) - 1) < 0.12 for p in (smooth, textured))


def test_agreement_and_placement_tables(capsys):
    """A measure that is the reference agrees in all; one that is its reverse in rank alone."""
    ref = np.random.default_rng(0).random((2, 6)) + 1
    cube = np.stack([ref, ref, 3 - ref], -1)
    names = ["butteraugli 3-norm", "ssimulacra 1", "other"]
    tool.agreement(names, cube)
    tool.placement(names, cube)
    lines = capsys.readouterr().out.splitlines()
    assert "| ssimulacra 1 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 |" in lines and "| other | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 |" in lines
    assert [line.split("|")[-3].strip() for line in lines[-3:]] == ["100 %", "100 %", "0 %"]


def test_visibility_tool_with_the_real_programs_where_installed():
    if not shutil.which("butteraugli_main"):
        pytest.skip("butteraugli_main is not installed")
    a = batch(64, 64, 1)
    little, much = (tool.measure(a, noisy(a, s).round()) for s in (2, 10))
    for name in ("butteraugli", "butteraugli 3-norm", "ssimulacra 1", "Watson (ours)"):
        assert 0 < little[name] < much[name], name
