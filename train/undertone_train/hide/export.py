"""Writes a run's INN for the C library: EMA weights as safetensors, names as in the network's own tables (couplings.0. ..., trust.).

    python -m undertone_train.hide.export RUN_DIR OUT.safetensors [--f16]
"""
import argparse
import json
import sys
from pathlib import Path

import torch

from .. import checkpoint
from ..export import write_safetensors
from .inn import Inn, InnConfig


def load(run, which="best"):
    """EMA weights of a run, as a network, and the checkpoint's meta."""
    found = checkpoint.find(Path(run) / which)
    if found is None:
        raise ValueError(f"{run}: no {which}/")
    meta = json.loads((found / "meta.json").read_text())
    if meta["config"]["kind"] != "inn":
        raise ValueError(f"{run}: a run of {meta['config']['kind']}, not of an INN")
    net = Inn(InnConfig(**meta["config"]["model"]))
    net.load_state_dict(checkpoint.load_tensors(found, "ema"))
    return net.eval(), meta


def tensors(net):
    named, metadata = net.weights()
    named = {k: v.detach().float().cpu().contiguous() for k, v in named.items()}
    for k, v in named.items():
        if not torch.isfinite(v).all():
            raise ValueError(f"{k}: holds values that are not finite")
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
