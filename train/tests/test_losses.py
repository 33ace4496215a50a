import numpy as np
import pytest
import torch
from conftest import RATE, voice

from undertone_train import losses as losses_module
from undertone_train import stft as stft_module
from undertone_train.losses import PESQ_MAX, PesqProxy, StageA, StageB, Stoi, si_sdr
from undertone_train.stft import Stft, compress

pystoi = pytest.importorskip("pystoi")


@pytest.fixture(scope="module")
def clean():
    return torch.tensor(np.stack([voice(3, s) for s in range(3)]))


def noisy(clean, snr_db, seed=0):
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
    return clean + noise * clean.square().mean(-1, keepdim=True).sqrt() * 10 ** (-snr_db / 20)


def test_si_sdr_is_the_ratio_and_ignores_scale(clean):
    for snr in (-5, 10):
        y = noisy(clean, snr)
        assert torch.allclose(si_sdr(y, clean), torch.tensor(float(snr)), atol=0.3)
        assert torch.allclose(si_sdr(3 * y, clean), si_sdr(y, clean), atol=1e-3)


@pytest.mark.parametrize("snr", [-5, 0, 10, 25])
def test_stoi_equals_pystoi(clean, snr):
    y = noisy(clean, snr)
    got = Stoi()(y, clean)
    for i in range(3):
        assert abs(got[i].item() - pystoi.stoi(clean[i].numpy(), y[i].numpy(), RATE)) < 0.005


def test_proxy_is_perfect_on_identity_at_any_level_and_falls_with_noise(clean):
    proxy = PesqProxy()
    assert torch.allclose(proxy(clean, clean)[0], torch.tensor(PESQ_MAX), atol=0.01)
    assert torch.allclose(proxy(0.1 * clean, clean)[0], torch.tensor(PESQ_MAX), atol=0.01)
    scores = torch.stack([proxy(noisy(clean, snr), clean)[0] for snr in (40, 25, 15, 5, -5)])
    assert (scores.diff(dim=0) < 0).all() and (scores[-1] < 1.6).all() and (scores[0] > 3).all()


def test_proxy_tone_calibration():
    proxy = PesqProxy()
    tone = (2 * 1e7 * 10**-3.9) ** 0.5 * torch.sin(2 * torch.pi * 1000 / RATE * torch.arange(8192))
    p = proxy._bark_power(tone[None])
    assert abs(p[0, :, 8].max() / 1e4 - 1) < 1e-3
    assert abs((proxy._loudness(p) * proxy.width).sum(1)[0, 8] - 1) < 1e-3
    assert torch.allclose(proxy.bank[:, 3:-1].sum(0), torch.ones(253), atol=1e-5)  # every bin's power lands in the bands once


def test_extra_noise_costs_more_than_missing_sound(clean):
    """P.862's asymmetry: the same energy added is worse than removed."""
    proxy = PesqProxy()
    hole = clean.clone()
    hole[:, 8000:16000] *= 0.7
    added = clean.clone()
    added[:, 8000:16000] += 0.3 * clean[:, 8000:16000].flip(1)
    assert (proxy(added, clean)[1] > proxy(hole, clean)[1]).all()


def losses(clean, y):
    stft = Stft(512, 512, 128)
    a = StageA()(y, stft(y), clean, clean)[0]
    return a, StageB()(y, clean, clean)[0]


def test_both_losses_fall_towards_clean_and_have_finite_gradients(clean):
    with torch.no_grad():
        rows = [losses(clean, noisy(clean, snr)) for snr in (-5, 5, 15, 40)]
    for stage in (0, 1):
        values = [r[stage].item() for r in rows]
        assert values == sorted(values, reverse=True)
    x = clean.clone()
    x[2] = 0  # silence in target and output
    y = noisy(x, 5).requires_grad_()
    (sum(losses(x, y))).backward()
    assert torch.isfinite(y.grad).all() and y.grad[:2].abs().sum() > 0


@pytest.mark.parametrize("which", ["proxy", "stoi"])
def test_following_the_gradient_raises_the_score(clean, which):
    metric = (lambda y: -PesqProxy()(y, clean)[1]) if which == "proxy" else (lambda y: Stoi()(y, clean))
    y = noisy(clean, 5).requires_grad_()
    before = metric(y).mean()
    (g,) = torch.autograd.grad(before, y)
    after = metric(y + 0.002 * g / g.abs().mean()).mean()
    assert after > before


def test_level_is_pinned(clean):
    assert losses(clean, 1.5 * clean)[0] > losses(clean, clean)[0] + 0.02


def plain_stoi(y, x):
    """STOI of one pair at 10 kHz in torch's plain operations, as Stoi._one first was."""
    m = Stoi()
    cx, cy = x.unfold(0, 256, 128) * m.window, y.unfold(0, 256, 128) * m.window
    level = 20 * torch.log10(cx.norm(dim=1) + 1e-16)
    keep = level > level.max() - 40
    joined = torch.stack([cy[keep], cx[keep]])
    total = (int(keep.sum()) - 1) * 128 + 256
    joined = torch.nn.functional.fold(joined.transpose(1, 2), (1, total), (1, 256), stride=(1, 128)).reshape(2, total)
    spec = torch.fft.rfft(joined.unfold(1, 256, 128) * m.window, n=512)
    ye, xe = (torch.matmul(spec.real**2 + spec.imag**2, m.bank.T) + 1e-12).sqrt().transpose(1, 2).unfold(2, 30, 1)
    ye = ye * (xe.norm(dim=-1, keepdim=True) / (ye.norm(dim=-1, keepdim=True) + 1e-8))
    ye = torch.minimum(ye, xe * (1 + 10 ** (15 / 20)))
    ye, xe = (e - e.mean(-1, keepdim=True) for e in (ye, xe))
    ye, xe = (e / (e.norm(dim=-1, keepdim=True) + 1e-8) for e in (ye, xe))
    return (ye * xe).sum(-1).mean()


def test_fast_stage_b_equals_the_plain_one(clean, monkeypatch):
    """Loss and gradient, with torch's own operations and derivatives in place of ours."""
    def run():
        y = noisy(clean, 3).requires_grad_()
        loss = StageB()(y, clean, noisy(clean, 3, 1))[0]
        return loss.detach(), *torch.autograd.grad(loss, y)

    fast = run()
    magnitude = lambda z, p, eps: (lambda a: (a.real**2 + a.imag**2 + 1e-9).sqrt())(compress(z, p, eps))
    for module in (losses_module, stft_module):
        monkeypatch.setattr(module, "rfft", torch.fft.rfft)
        monkeypatch.setattr(module, "cut_frames", lambda w, window, hop: w.unfold(-1, len(window), hop) * window)
    monkeypatch.setattr(losses_module, "energy", lambda z: z.real**2 + z.imag**2)
    monkeypatch.setattr(losses_module, "compressed_magnitude", magnitude)
    monkeypatch.setattr(Stoi, "_one", lambda self, y, x: plain_stoi(y, x))
    plain = run()
    assert torch.allclose(fast[0], plain[0], rtol=1e-6)
    assert (fast[1] - plain[1]).norm() < 1e-4 * plain[1].norm()
