"""Stage C, Multi-MetricGAN: a discriminator learns to predict the true PESQ and STOI of (output, clean); the enhancer then climbs its prediction.

The discriminator is a multi-gate mixture of experts (Ma et al. 2018): one trunk, K experts, and for each metric its own softmax gate over
the experts and its own head.  Scores are scaled to 0..1: (PESQ - 1) / 3.64 and STOI.  No published system is known to do this; compare with
experts = 1, which is a plain two-headed discriminator, before believing in it.
"""
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from .losses import PesqProxy, Stoi, si_sdr
from .stft import Stft, compress

PESQ_SPAN = 3.6439


class Discriminator(nn.Module):
    """(output, clean) waves [batch, samples] -> [batch, 2], PESQ and STOI scaled to 0..1."""

    def __init__(self, width=24, experts=4, features=32, metrics=2):
        super().__init__()
        self.stft = Stft(512, 512, 256)
        layers, cin = [], 3
        for cout in (width, 2 * width, 2 * width):
            layers += [spectral_norm(nn.Conv2d(cin, cout, 5, (2, 2), 2)), nn.LeakyReLU(0.3)]
            cin = cout
        self.trunk = nn.Sequential(*layers)
        self.experts = nn.ModuleList(
            nn.Sequential(spectral_norm(nn.Conv2d(cin, features, 3, (2, 1), 1)), nn.LeakyReLU(0.3)) for _ in range(experts))
        self.gates = nn.ModuleList(nn.Linear(2 * cin, experts) for _ in range(metrics))
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(2 * features, 32), nn.LeakyReLU(0.3), nn.Linear(32, 1)) for _ in range(metrics))

    @staticmethod
    def _pool(x):
        """Mean and spread over time and frequency: a short burst must still show."""
        return torch.cat([x.mean((2, 3)), (x.var((2, 3), unbiased=False) + 1e-6).sqrt()], 1)

    def _magnitude(self, wave):
        z = compress(self.stft(wave / (wave.square().mean(-1, keepdim=True) + 1e-8).sqrt()), 0.3, 1e-6)
        return (z.real**2 + z.imag**2 + 1e-9).sqrt()

    def forward(self, output, clean):
        a, b = self._magnitude(output), self._magnitude(clean)
        x = self.trunk(torch.stack([a, b, a - b], 1))
        views = torch.stack([self._pool(e(x)) for e in self.experts], 1)  # [batch, expert, features]
        pooled, scores = self._pool(x), []
        for gate, head in zip(self.gates, self.heads):
            share = torch.softmax(gate(pooled), -1)
            scores.append(head((share[..., None] * views).sum(1)))
        return torch.sigmoid(torch.cat(scores, 1))


def _pesq_one(pair):
    """True WB-PESQ of one pair, NaN where it cannot be computed (silence, say)."""
    from pesq import PesqError, pesq

    output, clean = pair
    if np.abs(clean).max() < 1e-3 or not np.isfinite(output).all():
        return math.nan
    score = pesq(16000, clean, output, "wb", on_error=PesqError.RETURN_VALUES)
    return float(score) if score >= 1 else math.nan


class Labeller:
    """Scores pairs.  kind "pesq" needs the development-only `pesq` package; "proxy" uses our own estimate and serves smoke tests."""

    def __init__(self, kind="pesq", workers=0):
        if kind not in ("pesq", "proxy"):
            raise ValueError(f"[gan] labels is {kind!r}; use pesq or proxy")
        self.kind, self.stoi, self.proxy = kind, Stoi(), PesqProxy()
        if kind == "pesq":
            try:
                import pesq  # noqa: F401
            except ImportError:
                raise ValueError("[gan] labels = \"pesq\" needs the pesq package: pip install pesq") from None
        self.pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn")) if kind == "pesq" and workers else None

    @torch.no_grad()
    def __call__(self, output, clean):
        """[batch, 2] scaled labels on the CPU; a row with NaN is one to skip."""
        output, clean = output.detach().float().cpu(), clean.detach().float().cpu()
        if self.kind == "proxy":
            lqo = self.proxy(output, clean)[0]
        else:
            pairs = list(zip(output.numpy(), clean.numpy()))
            lqo = torch.tensor(list((self.pool.map if self.pool else map)(_pesq_one, pairs)))
        labels = torch.stack([(lqo - 1) / PESQ_SPAN, self.stoi(output, clean)], 1).clamp(0, 1)  # clamp keeps NaN
        labels[clean.square().mean(-1).sqrt() < 1e-4] = math.nan
        return labels

    def close(self):
        if self.pool:
            self.pool.shutdown()


class Replay:
    """The last `capacity` scored pairs as float16 on the CPU, so that the discriminator does not forget earlier outputs."""

    def __init__(self, capacity, seed=0):
        self.capacity, self.items, self.next = capacity, [], 0
        self.rng = np.random.default_rng(seed)

    def add(self, output, clean, labels):
        for row in zip(output.detach().half().cpu(), clean.detach().half().cpu(), labels):
            if len(self.items) < self.capacity:
                self.items.append(row)
            else:
                self.items[self.next] = row
            self.next = (self.next + 1) % self.capacity

    def draw(self, n):
        picks = self.rng.integers(len(self.items), size=n)
        out, clean, labels = zip(*(self.items[i] for i in picks))
        return torch.stack(out).float(), torch.stack(clean).float(), torch.stack(labels)


class Guard:
    """Decides whether the enhancer may follow the discriminator.

    It may once the discriminator's running error is under `max_error` (its advice is worth something), and as long as two figures of the validation,
    which nothing in this stage rewards enough to be gamed, stay within `max_drop_db` of where the stage started: SI-SDR, and the segmental SNR,
    which no stage trains on.
    """

    WATCHED = ("sisdr", "ssnr")

    def __init__(self, max_error=0.02, max_drop_db=0.5):
        self.max_error, self.max_drop_db = max_error, max_drop_db
        self.error, self.start, self.now = None, {}, {}

    def saw_error(self, value):
        if math.isfinite(value):
            self.error = value if self.error is None else 0.95 * self.error + 0.05 * value

    def saw(self, row):
        """A validation's figures."""
        for name in self.WATCHED:
            if math.isfinite(row[name]):
                self.start.setdefault(name, row[name])
                self.now[name] = row[name]

    @property
    def fell(self):
        return any(self.now[name] < self.start[name] - self.max_drop_db for name in self.start)

    @property
    def open(self):
        return self.error is not None and self.error < self.max_error and not self.fell


def discriminator_pairs(output, clean, mixture, rng):
    """A quarter each of outputs, mixtures, clean, and blends of clean and mixture, so that scores from bad to perfect are seen."""
    n = max(1, len(clean) // 4)
    i = torch.from_numpy(rng.permutation(len(clean))[:n])
    blend = torch.from_numpy(rng.uniform(0.3, 0.97, (n, 1))).to(clean)
    degraded = [output, mixture[i], clean[i], blend * clean[i] + (1 - blend) * mixture[i]]
    return torch.cat(degraded).detach(), torch.cat([clean, clean[i], clean[i], clean[i]])


def mean_si_sdr(output, clean):
    return si_sdr(output, clean)[clean.square().mean(-1) > 1e-6].mean().item()
