import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from undertone_train import checkpoint, config, export, run
from undertone_train.detect import network
from undertone_train.hide import config as hide_config
from undertone_train.hide import guide, settings
from undertone_train.metricgan import Discriminator

TRAIN = Path(__file__).parents[1]


def smoke(stage, out, *extra):
    return run.main([str(TRAIN / "configs" / f"small-{stage}.toml"), "--smoke", "--out", str(out), *extra])


def log(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("path", sorted((TRAIN / "configs").glob("*.toml")), ids=lambda p: p.stem)
def test_every_config_reads(path):
    readers = {"detect-": network, "hide-attack": settings, "hide-guide": guide, "hide-": hide_config}
    next((r for start, r in readers.items() if path.stem.startswith(start)), config).read(path)


def test_a_typo_is_an_error(tmp_path, capsys):
    bad = tmp_path / "bad.toml"
    bad.write_text("[run]\nstepz = 3\n")
    assert run.main([str(bad)]) == 2
    assert "stepz" in capsys.readouterr().err


@pytest.fixture(scope="module")
def stage_a(tmp_path_factory):
    out = tmp_path_factory.mktemp("a")
    assert smoke("a", out) == 0
    return out


def test_stage_a_then_b_then_c_then_export(stage_a, tmp_path):
    assert smoke("b", tmp_path / "b", "--init", str(stage_a)) == 0
    assert smoke("c", tmp_path / "c", "--init", str(tmp_path / "b")) == 0
    rows = log(tmp_path / "c")
    assert rows[-1]["event"] == "finished" and any("gan_error" in r for r in rows)
    export.main([str(tmp_path / "c"), str(tmp_path / "m.safetensors")])
    assert "stage C" in (tmp_path / "m.md").read_text()


@pytest.mark.parametrize("name", ["small-c", "small-c-one-expert"])
def test_stage_c_on_true_pesq(tmp_path, name):
    """As --smoke, but with the labels of a real run, and resumed half-way with its discriminator."""
    pytest.importorskip("pesq")
    for steps in (2, 4):
        c = config.shrink(config.read(TRAIN / "configs" / f"{name}.toml"))
        c.run.out, c.run.init, c.run.steps, c.gan.labels, c.run.log_every = str(tmp_path), "", steps, "pesq", 1
        trainer = run.Trainer(c, run.World(), 0)
        assert trainer.train() and len(trainer.gan.net.experts) == (1 if "one" in name else 4)
    rows = [r for r in log(tmp_path) if "loss" in r]
    assert [r["step"] for r in rows] == [1, 2, 3, 4]
    assert all(0 < r["gan_error"] < 1 for r in rows) and any(r["gan_open"] for r in rows)
    labels = torch.stack([item[2] for item in trainer.gan.replay.items])
    assert (labels[:, 0] > 0.99).any() and (labels[:, 0] < 0.9).any()  # clean ones, and others


@pytest.mark.parametrize("kind", ["small", "cpu"])
def test_the_ablation_differs_in_experts_alone(kind):
    full, one = (config.read(TRAIN / "configs" / f"{kind}-c{tail}.toml") for tail in ("", "-one-expert"))
    assert (full.gan.experts, one.gan.experts) == (4, 1)
    full.gan.experts, full.run.out = 1, one.run.out
    assert full == one


def test_resumes_where_it_stopped(tmp_path):
    """Four steps and four more end at step eight, and the moments come back."""
    assert smoke("a", tmp_path, "--steps", "4") == 0
    moments = checkpoint.load_tensors(tmp_path / "last", "optim")
    assert any(k.endswith("exp_avg") and v.abs().sum() > 0 for k, v in moments.items())
    assert smoke("a", tmp_path) == 0
    assert [r["step"] for r in log(tmp_path) if r.get("event") == "start"] == [0, 4]
    assert json.loads((tmp_path / "last" / "meta.json").read_text())["step"] == 8


def test_other_stage_or_model_is_not_resumed(stage_a):
    assert smoke("b", stage_a) == 2


def test_stops_and_saves_in_time(tmp_path):
    assert smoke("a", tmp_path, "--steps", "1000000", "--max-seconds", str(run.SAVE_SECONDS + 2)) == 0
    last = log(tmp_path)[-1]
    assert last["event"] == "out of time" and last["step"] >= 1
    assert json.loads((tmp_path / "last" / "meta.json").read_text())["step"] == last["step"]


def test_the_last_step_is_validated_even_off_the_beat(tmp_path):
    assert smoke("a", tmp_path, "--steps", "3") == 0
    assert [r["step"] for r in log(tmp_path) if r.get("event") == "validation"] == [3]


def test_loss_falls_when_one_batch_is_repeated(tmp_path):
    c = config.shrink(config.read(TRAIN / "configs" / "small-a.toml"))
    c.run.out, c.run.lr, c.run.steps = str(tmp_path), 3e-3, 1000
    trainer = run.Trainer(c, run.World(), 0)
    mix, target = next(trainer.batches())
    losses = [trainer.train_step(mix, target)["loss"].item() for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]


def test_bfloat16_step_is_finite(tmp_path):
    c = config.shrink(config.read(TRAIN / "configs" / "small-b.toml"))
    c.run.out, c.run.bf16, c.run.init = str(tmp_path), "on", ""
    trainer = run.Trainer(c, run.World(), 0)
    row = trainer.train_step(*next(trainer.batches()))
    assert torch.isfinite(row["loss"]) and torch.isfinite(row["norm"])


def torchrun(stage, out):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TRAIN), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "undertone_train.run",
         str(TRAIN / "configs" / f"small-{stage}.toml"), "--smoke", "--out", str(out)],
        env=env, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("stage", ["a", "c"])
def test_two_processes_stay_equal(tmp_path, stage):
    done = torchrun(stage, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    sums = re.findall(r"process (\d) weight sum (\S+)", done.stdout)
    assert sorted(r for r, _ in sums) == ["0", "1"]
    if stage == "a":  # trained parameters agree; running statistics are each process's own
        assert sums[0][1] == sums[1][1]
    assert log(tmp_path)[0]["processes"] == 2


def test_discriminator_is_not_trained_by_the_generator(tmp_path):
    c = config.shrink(config.read(TRAIN / "configs" / "small-c.toml"))
    c.run.init = ""
    c.run.out = str(tmp_path)
    gan = run.Gan(c, run.World())
    gan.guard.saw_error(0.0)
    wave = torch.randn(2, 16000, requires_grad=True)
    loss = gan.generator_loss(wave, torch.randn(2, 16000), {})
    loss.backward()
    assert isinstance(gan.net, Discriminator) and wave.grad.abs().sum() > 0
    assert all(p.grad is None for p in gan.net.parameters())


def test_loader_processes_make_the_same_mixtures(tmp_path):
    batches = []
    for workers in (0, 2):
        c = config.shrink(config.read(TRAIN / "configs" / "small-a.toml"))
        c.run.out, c.run.workers = str(tmp_path / str(workers)), workers
        source = run.Trainer(c, run.World(), 0).batches()
        batches.append([next(source) for _ in range(3)])
        source.close()
    for a, b in zip(*batches):
        assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])


@pytest.mark.parametrize("stage", ["a", "b"])
def test_two_threads_train_one_set_of_weights(tmp_path, stage):
    c = config.shrink(config.read(TRAIN / "configs" / f"small-{stage}.toml"))
    c.run.out, c.run.init, c.run.threads, c.run.steps, c.run.lr, c.run.log_every = str(tmp_path), "", 2, 40, 3e-3, 1
    trainer = run.Trainer(c, run.World(), 0)
    before = {k: v.clone() for k, v in trainer.model.named_parameters()}
    assert trainer.train()
    losses = [r["loss"] for r in log(tmp_path) if "loss" in r]
    assert [r["step"] for r in log(tmp_path) if "loss" in r] == list(range(1, 41))
    assert np.mean(losses[-8:]) < np.mean(losses[:8])
    assert all(not torch.equal(v, before[k]) for k, v in trainer.model.named_parameters())
    saved = run.checkpoint.load_tensors(tmp_path / "last", "weights")
    assert all(torch.equal(saved[k], v) for k, v in trainer.model.named_parameters())


def test_threads_are_refused_where_they_cannot_work(tmp_path):
    c = config.shrink(config.read(TRAIN / "configs" / "small-c.toml"))
    c.run.out, c.run.init, c.run.threads = str(tmp_path), "", 2
    with pytest.raises(ValueError, match="threads"):
        run.Trainer(c, run.World(), 0)
