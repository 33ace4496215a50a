"""Writes a model file with random weights, to try the C side before there is a trained model.

    python tools/random_model.py OUT.safetensors [--size ship|cl|tiny] [--variant offline] [--norm plain] [--seed 0] [--f16]

Norms, slopes and biases are far from their starting values, so that leaving one out shows."""
import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train import export  # noqa: E402
from undertone_train.dccrn import PAPER_CL, PAPER_E, Dccrn, ModelConfig  # noqa: E402

SIZES = {
    "ship": dict(variant="offline", hop=256),
    "cl": PAPER_CL,
    "e": PAPER_E,
    "tiny": dict(n_fft=64, win_length=64, hop=16, channels=[4, 8, 12], lstm_hidden=5),
}


def worn(config, seed, steps=3):
    """A network in eval mode with random weights whose output stays of the input's order of size."""
    torch.manual_seed(seed)
    model = Dccrn(config).train()
    for name, p in model.named_parameters():
        if name.endswith(("bias", "act.weight", "beta", "gamma", "norm.weight", "gain_slope")):
            torch.nn.init.normal_(p, p.mean().item(), 0.2)
        elif "lstm" in name:
            torch.nn.init.normal_(p, 0, 1.5 * p.shape[-1] ** -0.5 if p.dim() > 1 else 0.2)
    last = model.decoder[-1].conv
    with torch.no_grad():
        last.wr.mul_(5), last.wi.mul_(5)  # away from the identity
        for _ in range(steps):  # running statistics of the norms
            model(0.3 * torch.randn(2, 4000))
    return model.eval()


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("out", type=Path)
    ap.add_argument("--size", choices=SIZES, default="ship")
    ap.add_argument("--variant", choices=("E", "CL", "offline"), help="default: the size's own")
    ap.add_argument("--norm", choices=("plain", "whitening"), default="plain")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--f16", action="store_true", help="16-bit numbers")
    a = ap.parse_args(argv)
    config = ModelConfig(**SIZES[a.size] | dict(norm=a.norm) | (dict(variant=a.variant) if a.variant else {}))
    export.write_model(a.out, worn(config, a.seed), f16=a.f16)
    print(f"{a.out}: {a.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
