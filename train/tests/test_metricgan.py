import math

import numpy as np
import pytest
import torch
from conftest import voice

from undertone_train.metricgan import Discriminator, Guard, Labeller, Replay, discriminator_pairs


@pytest.fixture(scope="module")
def batch():
    clean = torch.tensor(np.stack([voice(1, s) for s in range(8)]))
    return clean, clean + 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))


def test_labels_order_and_skip_silence(batch):
    clean, mix = batch
    labeller = Labeller("proxy")
    good, bad = labeller(clean, clean), labeller(mix, clean)
    assert (good >= bad).all() and (good[:, 0] > 0.95).all() and ((bad >= 0) & (bad <= 1)).all()
    assert labeller(mix[:1], torch.zeros_like(clean[:1])).isnan().all()


def test_true_pesq_labels(batch):
    pytest.importorskip("pesq")
    clean, mix = batch
    good, bad = (Labeller("pesq")(y[:2], clean[:2]) for y in (clean, mix))
    assert (good[:, 0] > 0.99).all() and (bad[:, 0] < 0.9).all()


def test_unknown_labels_are_refused():
    with pytest.raises(ValueError, match="pesq or proxy"):
        Labeller("mos")


def test_discriminator_learns_to_rank_and_its_gradient_reaches_the_output(batch):
    torch.manual_seed(0)
    clean, mix = batch
    d, rng, labeller = Discriminator(width=8, experts=3), np.random.default_rng(0), Labeller("proxy")
    degraded, ref = discriminator_pairs(mix, clean, clean + 0.3 * torch.randn_like(clean), rng)
    labels = labeller(degraded, ref)
    opt = torch.optim.AdamW(d.parameters(), 3e-3)
    errors = []
    for _ in range(40):
        loss = (d(degraded, ref) - labels).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        errors.append(loss.item())
    assert errors[-1] < 0.5 * errors[0]
    y = mix.clone().requires_grad_()
    d(y, clean).sum().backward()
    assert torch.isfinite(y.grad).all() and y.grad.abs().sum() > 0


def test_each_metric_has_its_own_gate():
    d = Discriminator(width=4, experts=3)
    assert len(d.gates) == len(d.heads) == 2 and d.gates[0].out_features == 3


def test_replay_keeps_the_latest(batch):
    clean, mix = batch
    replay = Replay(5)
    replay.add(mix, clean, torch.arange(16.0).view(8, 2))
    assert len(replay.items) == 5
    out, ref, labels = replay.draw(20)
    assert out.shape == (20, clean.shape[1]) and labels[:, 0].min() >= 6 and torch.allclose(ref, ref)
    i = int(labels[0, 0] / 2)
    assert torch.allclose(out[0], mix[i], atol=1e-3)


def test_guard():
    g = Guard(max_error=0.02, max_drop_db=0.5)
    assert not g.open
    g.saw_error(0.01)
    assert g.open
    g.saw(dict(sisdr=15.0, ssnr=8.0))
    g.saw(dict(sisdr=14.6, ssnr=9.0))
    assert g.open
    g.saw(dict(sisdr=14.4, ssnr=9.0))
    assert not g.open and g.fell
    g.saw(dict(sisdr=15.0, ssnr=7.4))  # a PESQ that rises while the figure never trained on falls is gamed
    assert g.fell
    g.saw(dict(sisdr=15.0, ssnr=math.nan))
    assert g.fell and g.now["ssnr"] == 7.4
    g.saw_error(math.nan)
    assert g.error == 0.01
