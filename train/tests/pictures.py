"""Made-up pictures for the hider's tests: smooth colours, edges, texture, and areas at both ends of the range."""
import io

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F


def scene(h, w, seed=0):
    """uint8 [3][h][w]."""
    rng = np.random.default_rng(seed)
    coarse = torch.tensor(rng.uniform(-60, 315, (1, 3, h // 24 + 2, w // 24 + 2)))
    x = F.interpolate(coarse, size=(h, w), mode="bicubic", align_corners=True)[0].numpy()
    yy, xx = np.mgrid[:h, :w]
    x += 25 * np.sin(xx * 0.05 * (1 + yy / h * 8)) * (yy > h / 2)
    for _ in range(4):
        y0, x0 = rng.integers(h), rng.integers(w)
        x[:, y0 : y0 + h // 4, x0 : x0 + w // 4] += rng.uniform(-120, 120, (3, 1, 1))
    x += rng.normal(0, 5, x.shape) * (xx < w / 3)
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def batch(h, w, count=2):
    return torch.tensor(np.stack([scene(h, w, s) for s in range(count)])).float()


def through_pillow(x, kind, **options):
    """[3][h][w] through a real codec, encoded and decoded by Pillow's libraries."""
    file = io.BytesIO()
    Image.fromarray(x.permute(1, 2, 0).byte().numpy()).save(file, kind, **options)
    return torch.tensor(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1).float()


def psnr(a, b):
    return float(10 * torch.log10(255**2 / (a - b).square().mean()))
