"""The C network against PyTorch on freshly made models, tensor by tensor.  Needs a build: build/tools/enhance_trace, or UT_ENHANCE_TRACE."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import voice
from reference import enhance

from undertone_train import export
from undertone_train.dccrn import PAPER_CL, PAPER_E, ModelConfig
from undertone_train.stft import compress

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "train" / "tools"))
from random_model import worn  # noqa: E402

PROGRAM = os.environ.get("UT_ENHANCE_TRACE") or shutil.which(ROOT / "build" / "tools" / "enhance_trace")
needs_c = pytest.mark.skipif(not PROGRAM, reason="build/tools/enhance_trace is not built")


def run_c(folder, model_file, wave, *kernels):
    """{name: [rows, frames]} of every intermediate result, and "wave" [samples]."""
    wave = np.ascontiguousarray(wave, "<f4")
    wave.tofile(folder / "in.f32")
    got = subprocess.run([PROGRAM, model_file, folder / "in.f32", folder, *kernels], capture_output=True, text=True)
    if got.returncode:
        raise RuntimeError(got.stderr.strip())
    out = {}
    for line in got.stdout.splitlines():
        name, rows, frames = line.split()
        out[name] = np.fromfile(folder / f"{name}.f32", "<f4").reshape(int(rows), int(frames))
    out["wave"] = out["wave"].reshape(-1)
    return out


def torch_trace(model, wave):
    """The same from the PyTorch module itself, by hooks (E's LSTM layers but the last are inside one module)."""
    out, hooks = {}, []

    def keep(name, x):
        out[name] = x.reshape(-1, x.shape[-1])

    for part in ("encoder", "decoder"):
        for i, layer in enumerate(getattr(model, part)):
            hooks.append(layer.register_forward_hook(lambda m, a, y, n=f"{part}.{i}": keep(n, y[0])))
    hooks.append(model.bottleneck.register_forward_hook(lambda m, a, y: keep("bottleneck", y[0])))
    if model.config.variant == "E":
        last = model.config.lstm_layers - 1
        hooks.append(model.bottleneck.lstm.register_forward_hook(lambda m, a, y: keep(f"lstm.{last}", y[0][0].T)))
    else:
        for i, layer in enumerate(model.bottleneck.lstm):
            hooks.append(layer.register_forward_hook(lambda m, a, y, n=i: [keep(f"lstm.{n}.{k}", v[0].T) for k, v in zip(("re", "im"), y)] and None))
    with torch.inference_mode():
        wave, spectrum = model(wave[None])
        seen = model.stft(wave)[0]
    for h in hooks:
        h.remove()
    keep("enhanced.re", spectrum[0].real), keep("enhanced.im", spectrum[0].imag)
    out["wave"] = wave[0]
    return out


def snr_db(want, got):
    want, got = np.asarray(want, np.float64), np.asarray(got, np.float64)
    return 10 * np.log10((want**2).sum() / max(((got - want) ** 2).sum(), 1e-300))


TINY = dict(n_fft=64, win_length=64, hop=16, channels=[4, 8, 12], lstm_hidden=5)
SHIP = dict(hop=256)


def models():
    for variant in ("E", "CL", "offline"):
        for norm in ("plain", "whitening"):
            yield f"{variant}-{norm}", dict(TINY, variant=variant, norm=norm)
    yield "causal", dict(TINY, lookahead=False)
    yield "odd", dict(n_fft=128, win_length=100, hop=33, channels=[2, 6, 10, 18], lstm_hidden=17, lstm_layers=3)
    yield "leaky", dict(TINY, act="leaky")
    yield "ship", SHIP
    yield "ship-whitening", dict(SHIP, norm="whitening")
    yield "cl", PAPER_CL
    yield "e", PAPER_E


@needs_c
@pytest.mark.parametrize("kernels", ["plain", "avx2", "avx512"])
@pytest.mark.parametrize("config", [pytest.param(c, id=n) for n, c in models()])
def test_c_computes_what_pytorch_does(tmp_path, config, kernels):
    model = worn(ModelConfig(**config), 3)
    export.write_model(tmp_path / "m.safetensors", model)
    wave = voice(1.3, 5)[:20001]
    want = torch_trace(model, torch.from_numpy(wave))
    got = run_c(tmp_path, tmp_path / "m.safetensors", wave, kernels)
    assert want["wave"].square().mean() > 1e-6
    missing = set(want) - set(got)
    assert not missing
    worst = {k: round(float(snr_db(v, got[k]))) for k, v in want.items()}
    print(worst)
    assert all(v >= 90 for v in worst.values()), worst


@needs_c
@pytest.mark.parametrize("variant", ["E", "CL", "offline"])
def test_rounded_weights(tmp_path, variant):
    """With 16-bit weights C still computes what those weights say, and they differ from the unrounded ones."""
    model = worn(ModelConfig(**dict(TINY, variant=variant)), 3)
    export.write_model(tmp_path / "m.safetensors", model, f16=True)
    config, t = export.read_model(tmp_path / "m.safetensors")
    wave = torch.from_numpy(voice(0.5, 1))
    trace = {}
    with torch.inference_mode():
        want = enhance(t, config.to_dict(), wave.double(), trace)
        unrounded = model(wave[None])[0][0]
    got = run_c(tmp_path, tmp_path / "m.safetensors", wave.numpy())
    trace["wave"] = want
    worst = {k: float(snr_db(v, got[k])) for k, v in trace.items()}
    assert set(got) == set(trace) and min(worst.values()) >= 90, worst
    assert snr_db(unrounded, got["wave"]) < 80


@needs_c
@pytest.mark.parametrize("path", [p for p in sorted((ROOT / "models").glob("*.safetensors")) if b"undertone-dccrn-1" in p.read_bytes()[:65536]], ids=lambda p: p.stem)
def test_shipped_models(tmp_path, path):
    """What is in models/, from the numbers in the file, over several blocks of frames: the waveform, and every tensor on the way."""
    config, t = export.read_model(path)
    wave = voice(3.3, 8) + 0.02 * np.random.default_rng(1).standard_normal(52800).astype(np.float32)
    trace = {}
    with torch.inference_mode():
        trace["wave"] = enhance(t, config.to_dict(), torch.from_numpy(wave).double(), trace)
    for kernels in ("plain", "avx512"):
        got = run_c(tmp_path, path, wave, kernels)
        worst = {k: round(float(snr_db(v, got[k]))) for k, v in trace.items()}
        print(kernels, worst)
        assert set(got) == set(trace) and min(worst.values()) >= 90, worst


EDGES = {
    "silence": np.zeros(3000),
    "full scale": np.sign(np.sin(np.arange(4000) * 0.05)),
    "sine": np.sin(np.arange(4000) * 0.05),
    "dc": np.ones(3000),
    "one sample": np.ones(1),
    "two samples": np.array([0.5, -0.5]),
    "one frame less one": voice(1, 2)[:15],
    "two frames": voice(1, 2)[:16],
    "three frames": voice(1, 2)[:17],
    "odd": voice(1, 2)[:4097],
}


@needs_c
@pytest.mark.parametrize("variant", ["E", "CL", "offline"])
@pytest.mark.parametrize("edge", EDGES)
def test_edges(tmp_path, edge, variant):
    """Against double precision: single precision's own transform drowns the empty bins of pure tones in noise, which compression lifts."""
    model = worn(ModelConfig(**dict(TINY, variant=variant)), 4)
    export.write_model(tmp_path / "m.safetensors", model)
    config, t = export.read_model(tmp_path / "m.safetensors")
    wave = EDGES[edge].astype(np.float32)
    with torch.inference_mode():
        want = enhance(t, config.to_dict(), torch.from_numpy(wave).double())
    got = run_c(tmp_path, tmp_path / "m.safetensors", wave)["wave"]
    if edge == "silence" and variant != "offline":
        assert not got.any()  # a mask cannot make sound out of nothing
    else:
        assert snr_db(want, got) >= 90


@needs_c
def test_what_is_not_a_number_is_refused(tmp_path):
    export.write_model(tmp_path / "m.safetensors", worn(ModelConfig(**TINY), 4))
    wave = voice(0.1, 1)
    wave[777] = np.nan
    with pytest.raises(RuntimeError, match="sample 777 .* not a finite number"):
        run_c(tmp_path, tmp_path / "m.safetensors", wave)
