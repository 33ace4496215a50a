import numpy as np
import pytest
import torch
from conftest import RATE, voice

from undertone_train.losses import PESQ_MAX, PesqProxy, StageA, StageB, Stoi, si_sdr
from undertone_train.stft import Stft

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
