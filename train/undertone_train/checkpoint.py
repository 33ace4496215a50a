"""Checkpoints: a folder with weights, EMA weights and optimiser state in separate files, none over 15 MiB, and meta.json.

A folder is written beside the old one and then swapped in, so an interrupted save leaves the old one whole.
"""
import json
import shutil
from pathlib import Path

import torch

LIMIT = 15 << 20


def save_tensors(folder, name, tensors):
    """Splits {key: tensor} over NAME-000.pt, NAME-001.pt, ...; a tensor that alone exceeds the limit is an error."""
    part, size, number = {}, 0, 0
    for key, t in tensors.items():
        nbytes = t.numel() * t.element_size() + 1024  # the container adds a little to each
        if nbytes > LIMIT:
            raise ValueError(f"{key}: {nbytes} bytes do not fit one checkpoint file of {LIMIT}")
        if part and size + nbytes > LIMIT:
            torch.save(part, folder / f"{name}-{number:03d}.pt")
            part, size, number = {}, 0, number + 1
        part[key] = t.detach().cpu().clone()  # a clone: a view would drag its whole storage along
        size += nbytes
    torch.save(part, folder / f"{name}-{number:03d}.pt")


def load_tensors(folder, name):
    files = sorted(Path(folder).glob(f"{name}-[0-9][0-9][0-9].pt"))
    if not files:
        raise ValueError(f"{folder}: no {name}-000.pt in this checkpoint")
    return {k: v for f in files for k, v in torch.load(f, map_location="cpu", weights_only=True).items()}


def optimizer_tensors(optimizer):
    """AdamW's moments; large ones as bfloat16, whose range is a float's and whose 8 bits suffice for a moment."""
    out = {}
    for i, state in optimizer.state_dict()["state"].items():
        for key, t in state.items():
            out[f"{i}/{key}"] = t.bfloat16() if t.numel() > 1 else t
    return out


def restore_optimizer(optimizer, tensors):
    state = {}
    for key, t in tensors.items():
        i, name = key.split("/")
        state.setdefault(int(i), {})[name] = t.float()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def save(folder, groups, meta):
    """groups: {name: {key: tensor}}."""
    folder = Path(folder)
    fresh, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for stale in (fresh, old):
        shutil.rmtree(stale, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, tensors in groups.items():
        save_tensors(fresh, name, tensors)
    (fresh / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def find(folder):
    """The folder itself, or the old one an interrupted save left; None where there is neither."""
    folder = Path(folder)
    for f in (folder, folder.with_name(folder.name + ".old")):
        if (f / "meta.json").exists():
            return f
    return None
