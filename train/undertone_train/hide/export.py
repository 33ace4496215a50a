"""Writes a run's networks for the C library: EMA weights as safetensors, as src/stage/hide/guide.h and inn.h read them.

    python -m undertone_train.hide.export RUN_DIR OUT.safetensors [--f16]
"""
import argparse
import json
import sys
from pathlib import Path

from .. import checkpoint
from ..export import write_safetensors
from .guide import Guide, ModelConfig
from .inn import Inn, InnConfig

NETS = {"inn": lambda m: Inn(InnConfig(**m)), "guide": lambda m: Guide(**vars(ModelConfig(**m)))}
MOST = 1000  # beyond it the runtime refuses a weight


def load(run, which="best"):
    """EMA weights of a run, as a network, and the checkpoint's meta."""
    found = checkpoint.find(Path(run) / which)
    if found is None:
        raise ValueError(f"{run}: no {which}/")
    meta = json.loads((found / "meta.json").read_text())
    if meta["config"]["kind"] not in NETS:
        raise ValueError(f"{run}: a run of {meta['config']['kind']}, not of an INN or a guide")
    net = NETS[meta["config"]["kind"]](meta["config"]["model"])
    net.load_state_dict(checkpoint.load_tensors(found, "ema"))
    return net.eval(), meta


def prefixed(prefix, module):
    return {prefix + name: t for name, t in module.state_dict().items()}


def tensors(net):
    """What the program needs of an Inn or a Guide: {name: float tensor} and metadata."""
    named, metadata = net.weights()
    named = {k: v.detach().float().cpu().contiguous() for k, v in named.items()}
    for k, v in named.items():
        if not v.isfinite().all() or v.abs().max() > MOST:
            raise ValueError(f"{k}: holds values that the runtime refuses: not finite, or beyond {MOST}")
    return named, metadata


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.hide.export")
    ap.add_argument("run")
    ap.add_argument("out")
    ap.add_argument("--f16", action="store_true")
    a = ap.parse_args(argv)
    try:
        net, meta = load(a.run)
        named, metadata = tensors(net)
        write_safetensors(a.out, named, metadata, a.f16)
    except (ValueError, OSError) as e:
        print(f"export: {e}", file=sys.stderr)
        return 2
    print(f"step {meta['step']}: {len(named)} tensors, {sum(v.numel() for v in named.values())} numbers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
