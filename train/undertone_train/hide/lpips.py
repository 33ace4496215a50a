"""LPIPS (Zhang et al. 2018): the distance of two pictures in a classifier's features, weighted for each channel as people judged.

The weights are others' and not here.  The loader takes the standard files, torchvision's of the classifier and the LPIPS authors' linear layers (version 0.1):

    net       classifier                            linear
    alex      alexnet-owt-7be5be79.pth              alex.pth
    vgg       vgg16-397923af.pth                    vgg.pth
    squeeze   squeezenet1_1-b8a52dc0.pth            squeeze.pth

and refuses a file whose names, shapes or numbers are not those; the eight digits in a classifier's name are the beginning of its SHA-256 and are checked.  The linear
files carry no such mark: calibrate() then sees whether the whole behaves like a distance.  Only the numbers are read, never pickled code.
"""
import hashlib
import pickle
import re
from pathlib import Path

import torch
from torch import nn

_VGG = [(64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)]
CHANNELS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512), "squeeze": (64, 128, 256, 384, 384, 512, 512)}
TAPS = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29), "squeeze": (1, 4, 7, 9, 10, 11, 12)}
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of RGB in -1..1
CLASSIFIERS = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth", "squeeze": "squeezenet1_1-b8a52dc0.pth"}


class Fire(nn.Module):
    """SqueezeNet's: a 1x1 convolution to few channels, then 1x1 and 3x3 side by side."""

    def __init__(self, inputs, few, each):
        super().__init__()
        self.squeeze, self.expand1x1, self.expand3x3 = nn.Conv2d(inputs, few, 1), nn.Conv2d(few, each, 1), nn.Conv2d(few, each, 3, padding=1)

    def forward(self, x):
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu()


def features(net):
    """The classifier's convolutions as one Sequential whose indices are torchvision's."""
    if net == "alex":
        layers = [nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)]
        for a, b in ((192, 384), (384, 256), (256, 256)):
            layers += [nn.Conv2d(a, b, 3, padding=1), nn.ReLU()]
    elif net == "vgg":
        layers, last = [], 3
        for block in _VGG:
            for c in block:
                layers += [nn.Conv2d(last, c, 3, padding=1), nn.ReLU()]
                last = c
            layers.append(nn.MaxPool2d(2, 2))
        layers.pop()  # behind the last tap
    elif net == "squeeze":
        pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
        layers = [nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(), Fire(128, 32, 128), Fire(256, 32, 128), pool(),
                  Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)]
    else:
        raise ValueError(f"LPIPS net is {net!r}; use one of {', '.join(CHANNELS)}")
    return nn.Sequential(*layers)


class Lpips(nn.Module):
    """forward(a, b) -> [batch], 0 for equal pictures; RGB in 0..255.  Frozen: gradients reach the pictures only."""

    def __init__(self, net="alex"):
        super().__init__()
        self.net, self.features = net, features(net)
        self.linear = nn.ParameterList(nn.Parameter(torch.full((1, c, 1, 1), 1 / c)) for c in CHANNELS[net])
        self.register_buffer("shift", torch.tensor(SHIFT).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).reshape(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def taps(self, x):
        x, out = (x / 127.5 - 1 - self.shift) / self.scale, []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in TAPS[self.net]:
                out.append(x / ((x.square().sum(1, keepdim=True) + 1e-20).sqrt() + 1e-10))
        return out

    def forward(self, a, b):
        return sum((w * (x - y).square()).sum(1).mean((1, 2)) for w, x, y in zip(self.linear, self.taps(a), self.taps(b)))


def _read(path):
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; LPIPS needs the standard weight files (names in undertone_train/hide/lpips.py)") from None
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as e:
        raise ValueError(f"{path}: not a file of tensors ({str(e).splitlines()[0][:80]})") from None
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise ValueError(f"{path}: not a dictionary of tensors")
    return state


def _check(path, state, want):
    """state has exactly want's names and shapes, finite floating-point numbers."""
    for kind, names in (("lacks", set(want) - set(state)), ("has unknown", set(state) - set(want))):
        if names:
            raise ValueError(f"{path}: {kind} {sorted(names)[0]!r}" + (f" and {len(names) - 1} more" if len(names) > 1 else ""))
    for name, shape in want.items():
        v = state[name]
        if tuple(v.shape) != tuple(shape):
            raise ValueError(f"{path}: {name} is {tuple(v.shape)}, not {tuple(shape)}")
        if not v.is_floating_point() or not torch.isfinite(v).all():
            raise ValueError(f"{path}: {name} has values that are not finite numbers")


def load(net, classifier, linear):
    """-> Lpips with the two files' weights, calibrated; ValueError with one line that names what is wrong."""
    model = Lpips(net)
    for path in (classifier, linear):
        if not Path(path).is_file():
            raise ValueError(f"{path or 'no file given'}: LPIPS with {net} needs {CLASSIFIERS[net]} and {net}.pth, which are not part of this project")
    mark = re.search(r"-([0-9a-f]{8})\.pth$", Path(classifier).name)
    if mark and hashlib.sha256(Path(classifier).read_bytes()).hexdigest()[:8] != mark[1]:
        raise ValueError(f"{classifier}: its SHA-256 does not begin with {mark[1]}; the file is damaged or another one")
    state = {k.removeprefix("features."): v for k, v in _read(classifier).items() if not k.startswith("classifier.")}
    _check(classifier, state, {k: v.shape for k, v in model.features.state_dict().items()})
    lines = _read(linear)
    _check(linear, lines, {f"lin{i}.model.1.weight": (1, c, 1, 1) for i, c in enumerate(CHANNELS[net])})
    model.features.load_state_dict(state)
    for i, p in enumerate(model.linear):
        v = lines[f"lin{i}.model.1.weight"]
        if v.min() < 0 or v.max() <= 0:
            raise ValueError(f"{linear}: lin{i} has negative weights or none above zero; LPIPS trains them non-negative")
        p.copy_(v)
    calibrate(model, linear)
    return model


@torch.no_grad()
def calibrate(model, name="LPIPS"):
    """Whether it behaves like a distance: nothing for equal pictures, the same both ways, and more for more noise."""
    g = torch.Generator().manual_seed(0)
    picture = nn.functional.interpolate(torch.rand(1, 3, 9, 9, generator=g) * 255, size=(96, 96), mode="bicubic").clamp(0, 255)
    noise = torch.randn(picture.shape, generator=g)
    steps = [float(model(picture, (picture + s * noise).clamp(0, 255))) for s in (0, 4, 16, 64)]
    back = float(model((picture + 16 * noise).clamp(0, 255), picture))
    if steps[0] > 1e-6 or not all(b > a for a, b in zip(steps, steps[1:])) or abs(back - steps[2]) > 1e-4 * steps[2] or not steps[3] < 10:
        raise ValueError(f"{name}: does not behave like LPIPS (0, 4, 16, 64 grey levels of noise give {', '.join(f'{s:.3g}' for s in steps)})")
