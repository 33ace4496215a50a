"""Writes a run's INN for the C library: the EMA weights of its best validation.

    python -m undertone_train.hide.export_inn RUN_DIR OUT.safetensors
"""
import argparse
import json
import sys
from pathlib import Path

from .. import checkpoint
from .export import export_inn
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


def write(net, path):
    c = net.config
    if not (c.channel and c.spatial and c.trust):
        raise ValueError("an ablation has no counterpart in the program and is not exported")
    export_inn(net.couplings, net.trust, path)


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.hide.export_inn")
    ap.add_argument("run")
    ap.add_argument("out")
    a = ap.parse_args(argv)
    try:
        net, meta = load(a.run)
        write(net, a.out)
    except (ValueError, OSError) as e:
        print(f"export: {e}", file=sys.stderr)
        return 2
    print(f"step {meta['step']} of {a.run}, {sum(p.numel() for m in (net.couplings, net.trust) for p in m.parameters())} numbers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
