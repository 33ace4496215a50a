"""Writes tests/vectors/hide/*.safetensors: small networks with random weights, what they are given, and what PyTorch makes of it.

    python tools/gen_hide_vectors.py ../tests/vectors/hide
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train.hide.condition import Condition, features
from undertone_train.hide.export import prefixed


def coefficients(rows, columns):
    """Like a photo's: DC at random, the others Laplacian, smaller at higher frequencies; in sixteenths that 16 bits hold."""
    u, v = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    size = (120 / (1 + u + v)).reshape(64, 1, 1) * torch.rand(1, rows, columns) * 2
    x = torch.distributions.Laplace(0.0, 0.4).sample((64, rows, columns)) * size
    x[0] = torch.rand(rows, columns) * 1600 - 800
    return x.half().float()


def network(outputs, width, blocks, **gates):
    net = Condition(width=width, blocks=blocks, outputs=outputs, **gates).eval()
    for p in net.parameters():
        torch.nn.init.normal_(p, 0, 1.4 / max(1, p[0].numel()) ** 0.5 if p.dim() > 1 else 0.3)
    return net


def stages(net, x):
    """What the head says after each block."""
    h = net.inp(x)
    for block in net.blocks:
        h = block(h)
        yield net.outp(torch.relu(h))


@torch.no_grad()
def condition(path):
    torch.manual_seed(1)
    x = coefficients(26, 9)
    tensors = {"x": x.half()}
    for name, gates in {"full": {}, "channel": {"spatial": False}, "spatial": {"channel": False}, "plain": {"channel": False, "spatial": False}}.items():
        full = name == "full"
        net = network(8 if full else 4, 16, 3 if full else 1, **gates)
        tensors |= prefixed(name + ".", net)
        for i, y in enumerate(stages(net, features(x)[None])):
            tensors[f"{name}.stage.{i}"] = y[0].contiguous()
    save_file(tensors, path, {"format": "1"})


if __name__ == "__main__":
    out = Path(sys.argv[1])
    condition(out / "condition.safetensors")
