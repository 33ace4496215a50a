"""Writes a run's network, an INN or a guide, for the C library: the EMA weights of its best validation.

    python -m undertone_train.hide.export_run RUN_DIR OUT.safetensors
"""
import argparse
import json
import sys
from pathlib import Path

from .. import checkpoint
from .export import export_guide, export_inn
from .guide import Guide, ModelConfig
from .inn import Inn, InnConfig

NETS = {"inn": lambda m: Inn(InnConfig(**m)), "guide": lambda m: Guide(ModelConfig(**m))}


def load(run, which="best"):
    """EMA weights of a run, as a network, and the checkpoint's meta."""
    found = checkpoint.find(Path(run) / which)
    if found is None:
        raise ValueError(f"{run}: no {which}/")
    meta = json.loads((found / "meta.json").read_text())
    kind = meta["config"].get("kind")
    if kind not in NETS:
        raise ValueError(f"{run}: a run of {kind}, not of an INN or a guide")
    net = NETS[kind](meta["config"]["model"])
    net.load_state_dict(checkpoint.load_tensors(found, "ema"))
    return net.eval(), meta


def write(net, path):
    c = net.config
    if not (c.channel and c.spatial and getattr(c, "trust", True)):
        raise ValueError("an ablation has no counterpart in the program and is not exported")
    if isinstance(net, Guide):
        export_guide(net.net, path)
    else:
        export_inn(net.couplings, net.trust, path)


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.hide.export_run")
    ap.add_argument("run")
    ap.add_argument("out")
    a = ap.parse_args(argv)
    try:
        net, meta = load(a.run)
        write(net, a.out)
    except (ValueError, OSError) as e:
        print(f"export: {e}", file=sys.stderr)
        return 2
    print(f"step {meta['step']} of {a.run}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
