import json
from pathlib import Path

import numpy as np
import pytest
import torch

from undertone_train.detect import network
from undertone_train.detect.network import made_up_pairs, turn
from undertone_train.detect.pairs import photo_of
from undertone_train.detect.srnet import SRNet
from undertone_train.detect.zhunet import ZhuNet, kernels

CONFIGS = Path(__file__).parents[1] / "configs"


def count(net):
    return sum(p.numel() for p in net.parameters())


def test_srnet_has_the_papers_layers():
    convolutions = [(1, 64), (64, 16)] + 10 * [(16, 16)] + [(16, 16), (16, 16), (16, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256)]
    convolutions += [(256, 512), (512, 512)]
    shortcuts = [(16, 16), (16, 64), (64, 128), (128, 256)]
    want = sum(9 * a * b + 2 * b for a, b in convolutions) + sum(a * b + 2 * b for a, b in shortcuts) + 512 * 2 + 2
    assert count(SRNet()) == want == 4776962


def test_zhunet_has_the_papers_layers():
    blocks = [(30, 32), (32, 32), (32, 64), (64, 128)]
    separable = 2 * (9 * 60 + 60 * 30 + 2 * 30)
    papers = 25 * 9 + 5 * 25 + separable + sum(9 * a * b + 2 * b for a, b in blocks) + 2688 * 1024 + 1024 + 1024 * 2 + 2
    assert count(ZhuNet()) == papers + 8 * (25 - 9)


@pytest.mark.parametrize("net", [SRNet, ZhuNet])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_at_several_sizes(net, channels):
    torch.manual_seed(0)
    n = net(channels).eval()
    for h, w in ((64, 64), (72, 104)):
        assert n(torch.rand(2, channels, h, w) * 255).shape == (2, 2)


def test_srnet_does_not_pool_before_its_eighth_layer():
    n = SRNet().eval()
    assert n.middle[:5](n.front(torch.zeros(1, 1, 40, 40))).shape == (1, 16, 40, 40)
    assert n.middle(n.front(torch.zeros(1, 1, 64, 64))).shape == (1, 256, 4, 4)


def test_zhunet_starts_from_thirty_different_high_pass_kernels():
    small, large = kernels()
    padded = np.concatenate([np.pad(small, ((0, 0), (1, 1), (1, 1))), large])
    assert len(padded) == len({k.tobytes() for k in padded}) == 30
    assert np.abs(padded.sum((1, 2))).max() < 1e-6 and np.allclose(padded[:, 2, 2], -1)


def test_the_eight_turns_are_different():
    x = torch.arange(9.0).reshape(3, 3)
    assert len({tuple(turn(x, i).flatten().tolist()) for i in range(8)}) == 8


def trainer(tmp_path, steps, **run):
    c = network.Config()
    c.model.net, c.run.out, c.run.steps, c.run.batch = "zhunet", str(tmp_path), steps, 2
    c.run.validate_every, c.run.log_every, c.run.lr, c.run.lr_end = 1000, 1000, 1e-3, 1e-3
    for k, v in run.items():
        setattr(c.run, k, v)
    return network.Trainer(c, made_up_pairs(size=32), 0.0)


def test_cover_and_stego_share_a_batch_and_their_turn(tmp_path):
    t = trainer(tmp_path, 1)
    x, label = t.batch()
    assert x.shape == (4, 1, 32, 32) and label.tolist() == [0, 0, 1, 1]
    assert (x[:2] - x[2:]).abs().max() <= 4  # made_up_pairs differ by 4; another turn would differ by far more


def test_split_keeps_photos_apart(tmp_path):
    t = trainer(tmp_path, 1)
    parts = [{photo_of(t.names[i]) for i in rows} for rows in (t.train_rows, t.validation, t.test)]
    assert all(parts) and not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_a_resumed_run_goes_on_as_if_never_stopped(tmp_path):
    """Nearly: checkpoints keep large moments as bfloat16."""
    whole = trainer(tmp_path / "a", 4)
    whole.train()
    trainer(tmp_path / "b", 2).train()
    rest = trainer(tmp_path / "b", 4)
    assert rest.step == 2
    rest.train()
    start = trainer(tmp_path / "c", 4).net
    moved, apart = (sum((a - b).square().sum() for a, b in zip(whole.net.parameters(), n.parameters())).sqrt() for n in (start, rest.net))
    assert apart < 0.1 * moved


def test_a_loud_signal_is_learnt(tmp_path):
    t = trainer(tmp_path, 25, batch=6)
    t.train()
    assert t.result()["p_e"] <= 0.13
    assert json.loads((tmp_path / "result.json").read_text())["pairs"] == 4


@pytest.mark.parametrize("config", ["detect-srnet", "detect-zhunet"])
def test_smoke(config, tmp_path, capsys):
    assert network.main([str(CONFIGS / f"{config}.toml"), "--smoke", "--out", str(tmp_path)]) == 0
    assert "result" in capsys.readouterr().out


@pytest.mark.parametrize("text, complaint", [
    ("[model]\nnet = 'resnet'", "srnet"), ("[run]\noptimizer = 'adam'", "adamax or sgd"), ("[run]\nstep = 3", "unknown keys"), ("[nets]", "unknown tables"),
    ("[model]\nnet = 'srnet'", "names no file"),
])
def test_bad_configurations_are_one_clear_line(text, complaint, tmp_path, capsys):
    (tmp_path / "c.toml").write_text(text)
    assert network.main([str(tmp_path / "c.toml"), "--out", str(tmp_path / "run")]) == 2
    out = capsys.readouterr()
    assert complaint in out.err and out.err.count("\n") == 1
