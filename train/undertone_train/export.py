"""Exports EMA weights for the C library: batch norm folded, complex convolutions as real ones, safetensors plus a card.

    python -m undertone_train.export RUN_DIR OUT.safetensors [--f16]

Tensors (float32, or float16 with --f16):
  encoder.I.weight [2*cout, 2*cin, 5, 2], decoder.I.weight [2*cin, 2*cout, 5, 2] (transposed convolution), .bias [2*cout], .slope [2*cout] (PReLU; none on
  the last decoder); bottleneck.* LSTM matrices in PyTorch's gate order i, f, g, o with both biases added into one; proj; gain_slope [bins].
  Channels are the real parts, then the imaginary parts.  The configuration is the metadata entry "config", JSON.
A module this file does not know stops the export: nothing is left out in silence.
"""
import argparse
import json
import struct
from pathlib import Path

import numpy as np
import torch
from torch import nn

from . import checkpoint
from .complexnn import ComplexConv2d, ComplexConvTranspose2d, ComplexLstm, PlainBatchNorm, WhiteningBatchNorm
from .dccrn import ComplexBottleneck, Dccrn, DecoderLayer, EncoderLayer, ModelConfig, RealBottleneck, macs_per_second, parameter_count
from .stft import Stft


def norm_matrix(norm):
    """Batch norm as a real matrix [2C, 2C] and shift [2C] on stacked channels."""
    m, b = norm.affine_matrix()
    full = torch.cat([torch.cat([m[:, 0, 0].diag(), m[:, 0, 1].diag()], 1), torch.cat([m[:, 1, 0].diag(), m[:, 1, 1].diag()], 1)], 0)
    return full, b.T.flatten()


def fold(conv, norm):
    """(real weight, bias) of the convolution followed by the norm.  Exact: the norm acts per position and the padding lies before it."""
    weight, bias = conv.real_weight(), conv.bias
    if isinstance(norm, (PlainBatchNorm, WhiteningBatchNorm)):
        m, shift = norm_matrix(norm)
        weight = torch.einsum("oc,icft->ioft" if conv.transposed else "oc,cift->oift", m, weight)
        bias = m @ bias + shift
    elif not isinstance(norm, nn.Identity):
        raise TypeError(f"cannot fold {type(norm).__name__}")
    return weight, bias


def _lstm(lstm, prefix, out):
    for layer in range(lstm.num_layers):
        for way in ("", "_reverse") if lstm.bidirectional else ("",):
            tag, p = f"_l{layer}{way}", f"{prefix}{layer}.{'backward' if way else 'forward'}"
            out[f"{p}.input"] = getattr(lstm, "weight_ih" + tag)
            out[f"{p}.recurrent"] = getattr(lstm, "weight_hh" + tag)
            out[f"{p}.bias"] = getattr(lstm, "bias_ih" + tag) + getattr(lstm, "bias_hh" + tag)


def _check(name, module):
    """Every module inside must be one whose meaning is written down above."""
    known = (Dccrn, EncoderLayer, DecoderLayer, RealBottleneck, ComplexBottleneck, ComplexConv2d, ComplexConvTranspose2d, ComplexLstm,
             PlainBatchNorm, WhiteningBatchNorm, nn.LSTM, nn.Linear, nn.PReLU, nn.LeakyReLU, nn.Identity, nn.ModuleList, Stft)
    if type(module) not in known:
        raise TypeError(f"{name}: the exporter does not know {type(module).__name__}; teach it and the C side first")
    if isinstance(module, nn.LSTM) and (module.proj_size or not module.bias or not module.batch_first):
        raise TypeError(f"{name}: this form of LSTM is not exported")


@torch.no_grad()
def tensors(model):
    """{name: float32 tensor} of the folded model."""
    for name, module in model.named_modules():
        _check(name or "model", module)
    out, used = {}, set()
    for part in ("encoder", "decoder"):
        for i, layer in enumerate(getattr(model, part)):
            out[f"{part}.{i}.weight"], out[f"{part}.{i}.bias"] = fold(layer.conv, layer.norm)
            if isinstance(layer.act, nn.PReLU):
                out[f"{part}.{i}.slope"] = layer.act.weight
            elif isinstance(layer.act, nn.LeakyReLU):  # the same thing to the C side
                out[f"{part}.{i}.slope"] = torch.full_like(out[f"{part}.{i}.bias"], layer.act.negative_slope)
            used |= {f"{part}.{i}.{n}" for n, _ in layer.named_parameters()}
    b = model.bottleneck
    if isinstance(b, RealBottleneck):
        _lstm(b.lstm, "bottleneck.real.", out)
        out["bottleneck.proj.weight"], out["bottleneck.proj.bias"] = b.proj.weight, b.proj.bias
    else:
        for i, layer in enumerate(b.lstm):
            for kind in ("re", "im"):
                _lstm(getattr(layer, kind), f"bottleneck.{i}.{kind}.", out)
        for kind in ("re", "im"):
            proj = getattr(b, f"proj_{kind}")
            out[f"bottleneck.proj_{kind}.weight"], out[f"bottleneck.proj_{kind}.bias"] = proj.weight, proj.bias
    used |= {f"bottleneck.{n}" for n, _ in b.named_parameters()}
    if model.config.variant == "offline":
        out["gain_slope"] = model.gain_slope
        used.add("gain_slope")
    missed = {n for n, _ in model.named_parameters()} - used
    if missed:
        raise TypeError(f"parameters that would be left out: {sorted(missed)}")
    out = {k: v.detach().float().contiguous().cpu() for k, v in out.items()}
    for k, v in out.items():
        if not torch.isfinite(v).all():
            raise ValueError(f"{k}: holds values that are not finite")
    return out


def write_safetensors(path, named, metadata, f16=False):
    """The safetensors format: 8-byte little-endian header length, JSON header padded to 8 with spaces, data end to end.

    f16: numbers rounded to 16-bit floats, which halves the file; the C side widens them.  What would overflow stops the export."""
    header, offset, size = {"__metadata__": metadata}, 0, 2 if f16 else 4
    for name in sorted(named):
        n = named[name].numel() * size
        if f16 and named[name].abs().max() > 65504:
            raise ValueError(f"{name}: holds values that 16-bit floats cannot")
        header[name] = dict(dtype="F16" if f16 else "F32", shape=list(named[name].shape), data_offsets=[offset, offset + n])
        offset += n
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(named):
            f.write(named[name].numpy().astype("<f2" if f16 else "<f4").tobytes())


def read_model(path):
    """(config, {name: float32 tensor}) of an exported file: exactly the numbers that the C side computes with."""
    raw = Path(path).read_bytes()
    (n,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + n])
    meta, out = header.pop("__metadata__"), {}
    for name, t in header.items():
        a, b = t["data_offsets"]
        x = np.frombuffer(raw[8 + n + a : 8 + n + b], {"F32": "<f4", "F16": "<f2"}[t["dtype"]])
        out[name] = torch.from_numpy(x.astype(np.float32)).view(t["shape"])
    return ModelConfig.from_dict(json.loads(meta["config"])), out


def write_model(path, model, f16=False):
    """Exports model (in eval mode); returns its tensors."""
    named = tensors(model)
    write_safetensors(path, named, dict(format="undertone-dccrn-1", config=json.dumps(model.config.to_dict(), sort_keys=True)), f16)
    return named


CARD = """# {name}

| | |
|---|---|
| architecture | DCCRN, variant {variant} (see docs/TRAINING.md) |
| parameters | {parameters} in training, {numbers} numbers in the file |
| cost | {gmacs:.2f} GMAC per second of audio |
| trained | stage {stage}, {step} steps, PyTorch {torch} |
| commit | TO FILL: the commit the run was made from |
| data | TO FILL: corpora, hours, their licences |
| licence of the weights | Apache-2.0 |

## Configuration

```json
{config}
```

## Validation during training (held-out speakers and noises, made-up mixtures; no test set)

{validation}

## Measured on the test set

TO FILL before this file is committed: WB-PESQ (name the implementation), STOI, SI-SDR of noisy input and of output, mean and median, count of files
worse than the input, real-time factor in C with the processor's name, greatest difference between C and PyTorch.

## Limits

TO FILL: what it was not trained on, where it fails.
"""


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.export")
    ap.add_argument("run", help="a run's folder, or a checkpoint's")
    ap.add_argument("out", type=Path)
    ap.add_argument("--f16", action="store_true", help="16-bit numbers: half the size")
    a = ap.parse_args(argv)
    found = checkpoint.find(Path(a.run) / "best") or checkpoint.find(Path(a.run) / "last") or checkpoint.find(a.run)
    if found is None:
        ap.error(f"{a.run}: no checkpoint here")
    meta = json.loads((found / "meta.json").read_text())
    config = ModelConfig.from_dict(meta["config"]["model"])
    model = Dccrn(config)
    model.load_state_dict(checkpoint.load_tensors(found, "ema"))
    named = write_model(a.out, model.eval(), a.f16)
    rows = "\n".join(f"- {k}: {v:.4g}" for k, v in meta.get("validation", {}).items()) or "none recorded"
    card = a.out.with_suffix(".md")
    card.write_text(CARD.format(name=a.out.stem, variant=config.variant, parameters=parameter_count(model), numbers=sum(t.numel() for t in named.values()),
                                gmacs=macs_per_second(config) / 1e9, stage=meta["config"]["run"]["stage"], step=meta["step"],
                                torch=meta.get("torch", torch.__version__), config=json.dumps(meta["config"], indent=1), validation=rows))
    print(f"{a.out}: {len(named)} tensors, {a.out.stat().st_size} bytes; card {card}")


if __name__ == "__main__":
    main()
