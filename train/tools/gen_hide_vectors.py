"""Writes tests/vectors/hide/*.safetensors: small networks with random weights, what they are given, and what PyTorch makes of it.

    python tools/gen_hide_vectors.py ../tests/vectors/hide
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train.hide.condition import Condition, features
from undertone_train.hide.export import _tensors, export_guide, export_inn


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
        tensors |= _tensors(name + ".", net)
        for i, y in enumerate(stages(net, features(x)[None])):
            tensors[f"{name}.stage.{i}"] = y[0].contiguous()
    save_file(tensors, path, {"format": "1"})


A, T, TAU = 1.4, 2.0, 32.0


def couple(x, o):
    a, t = torch.exp(A * torch.tanh(o[:64])) - 1, T * torch.tanh(o[64:])
    return x + a * TAU * x / (TAU + x.abs()) + t


@torch.no_grad()
def inn(path):
    """Two couplings and the trust network: coefficients, which of them are carriers, what comes out of each coupling, and the classes."""
    torch.manual_seed(3)
    rows, columns = 12, 7
    x = coefficients(rows, columns)
    k, y, bx = torch.meshgrid(torch.arange(64), torch.arange(rows), torch.arange(columns), indexing="ij")
    carriers = (k > 0) & (k // 8 + k % 8 < 6) & (torch.rand(k.shape) < 0.9)
    nets = [network(128, 8, 2) for _ in range(2)]
    trust = network(64, 8, 2)
    tensors, u = {"x": x.half(), "carriers": carriers.half()}, x
    tensors["classes"] = torch.floor(4 + trust(features(x)[None])[0]).clamp(0, 7).half()
    for i, net in enumerate(nets):
        active = carriers & ((k // 8 + k % 8 + bx + y + i) % 2 == 0)
        o = net(features(torch.where(active, 0, u))[None])[0]
        u = torch.where(active, couple(u, o), u)
        tensors[f"after.{i}"] = u.contiguous()
    export_inn(nets, trust, path.with_name("inn_weights.safetensors"))
    save_file(tensors, path, {"format": "1"})


if __name__ == "__main__":
    out = Path(sys.argv[1])
    condition(out / "condition.safetensors")
    inn(out / "inn.safetensors")
    export_guide(network(64, 8, 1), out / "guide_weights.safetensors")
