"""Model 1: deep complex convolutional recurrent network (Hu et al., Interspeech 2020) and the variant trained for offline use.

`ModelConfig` selects one of three nets that share encoder and decoder:
  E        one real LSTM; mask in polar form, |M| through tanh (paper, eq. 8)
  CL       complex LSTM and complex mask
  offline  compressed spectrum in, bidirectional complex LSTM, magnitude gain up to `gain_max` plus complex residual: the residual
           can restore phase and energy that no bounded mask reaches.  Looks at the whole recording; the C side runs it in overlapping chunks.
Channel numbers count real plus imaginary channels, as the paper does.
"""
from dataclasses import asdict, dataclass, field, fields

import torch
import torch.nn.functional as F
from torch import nn

from .complexnn import (ComplexConv2d, ComplexConvTranspose2d, ComplexLstm, PlainBatchNorm, WhiteningBatchNorm, complex_cat, stack, unstack)
from .stft import Stft, compress, decompress


@dataclass
class ModelConfig:
    variant: str = "offline"  # E, CL or offline
    n_fft: int = 512
    win_length: int = 512
    hop: int = 128
    channels: list = field(default_factory=lambda: [16, 32, 64, 128, 128, 128])
    lstm_hidden: int = 64  # of each real LSTM inside a complex one; of the real LSTM in E
    lstm_layers: int = 2
    norm: str = "plain"  # plain or whitening
    act: str = "prelu"  # prelu (paper: a slope learnt for each channel) or leaky (0.2 for all: a quarter of the time of a training step on a CPU)
    power: float = 0.3  # spectrum compression, offline only
    gain_max: float = 2.0
    lookahead: bool = True  # each decoder layer sees one frame ahead; without it every layer is causal

    def __post_init__(self):
        if self.variant not in ("E", "CL", "offline"):
            raise ValueError(f"model.variant is {self.variant!r}; use E, CL or offline")
        if self.norm not in ("plain", "whitening"):
            raise ValueError(f"model.norm is {self.norm!r}; use plain or whitening")
        if self.act not in ("prelu", "leaky"):
            raise ValueError(f"model.act is {self.act!r}; use prelu or leaky")
        bins, div = self.n_fft // 2, 2 ** len(self.channels)
        if bins % div or any(c % 2 or c <= 0 for c in self.channels):
            raise ValueError(f"model: {bins} bins must divide by {div} and every channel number must be even")

    @classmethod
    def from_dict(cls, d):
        unknown = set(d) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"[model] has unknown keys {sorted(unknown)}")
        return cls(**d)

    to_dict = asdict


PAPER_E = dict(variant="E", win_length=400, hop=100, channels=[16, 32, 64, 128, 256, 256], lstm_hidden=256)
PAPER_CL = dict(variant="CL", win_length=400, hop=100, channels=[32, 64, 128, 256, 256, 256], lstm_hidden=128)


LEAK = 0.2


def activation(kind, channels):
    return nn.PReLU(channels) if kind == "prelu" else nn.LeakyReLU(LEAK)


def activate(act, x):
    """PReLU in x's own precision: not every device's autocast casts its slopes."""
    return F.prelu(x, act.weight.to(x.dtype)) if isinstance(act, nn.PReLU) else act(x)


class EncoderLayer(nn.Module):
    """Halves frequency; looks one frame back."""

    def __init__(self, cin, cout, norm, act):
        super().__init__()
        self.conv = ComplexConv2d(cin, cout, (5, 2), (2, 1), (2, 0))
        self.norm = norm(cout)
        self.act = activation(act, 2 * cout)

    def forward(self, x):
        return activate(self.act, self.norm(self.conv(F.pad(x, (1, 0)))))


class DecoderLayer(nn.Module):
    """Doubles frequency.  The transposed kernel yields one frame more than it gets: leaving out the first looks ahead, leaving out the last does not."""

    def __init__(self, cin, cout, norm, act, lookahead):
        super().__init__()
        # One frame of padding cuts both ends of the result; a zero frame put in front or behind beforehand saves the one that is wanted.  Slicing the
        # result would do as well, but leaves it scattered in memory, which makes every later step slower.
        self.conv = ComplexConvTranspose2d(cin, cout, (5, 2), (2, 1), (2, 1), (1, 0))
        self.norm = norm(cout) if norm else nn.Identity()
        self.act = activation(act, 2 * cout) if norm else nn.Identity()
        self.lookahead = lookahead

    def forward(self, x):
        y = self.conv(F.pad(x, (0, 1) if self.lookahead else (1, 0)))
        return activate(self.act, self.norm(y))


class RealBottleneck(nn.Module):
    """DCCRN-E: one real LSTM stack over all features, then a linear layer back."""

    def __init__(self, features, hidden, layers):
        super().__init__()
        self.lstm = nn.LSTM(2 * features, hidden, layers, batch_first=True)
        self.proj = nn.Linear(hidden, 2 * features)

    def forward(self, x):
        b, c, f, t = x.shape
        with torch.autocast(x.device.type, enabled=False):
            y = self.proj(self.lstm(x.float().permute(0, 3, 1, 2).reshape(b, t, c * f))[0])
        return y.view(b, t, c, f).permute(0, 2, 3, 1)


class ComplexBottleneck(nn.Module):
    """Complex LSTM stack with one real projection for each part."""

    def __init__(self, features, hidden, layers, bidirectional):
        super().__init__()
        width = hidden * (2 if bidirectional else 1)
        self.lstm = nn.ModuleList(ComplexLstm(features if i == 0 else width, hidden, bidirectional) for i in range(layers))
        self.proj_re = nn.Linear(width, features)
        self.proj_im = nn.Linear(width, features)

    def forward(self, x):
        b, c, f, t = x.shape
        re, im = (p.float().permute(0, 3, 1, 2).reshape(b, t, c // 2 * f) for p in x.chunk(2, 1))
        for lstm in self.lstm:
            re, im = lstm(re, im)
        with torch.autocast(x.device.type, enabled=False):
            re, im = self.proj_re(re), self.proj_im(im)
        return torch.cat([p.view(b, t, c // 2, f).permute(0, 2, 3, 1) for p in (re, im)], 1)


class Dccrn(nn.Module):
    """wave [batch, samples] at 16 kHz -> (enhanced wave, enhanced spectrum [batch, bins, frames])."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = c = config
        self.stft = Stft(c.n_fft, c.win_length, c.hop)
        norm = PlainBatchNorm if c.norm == "plain" else WhiteningBatchNorm
        offline = c.variant == "offline"
        ch = [1] + [n // 2 for n in c.channels]
        self.encoder = nn.ModuleList(EncoderLayer(a, b, norm, c.act) for a, b in zip(ch, ch[1:]))
        features = ch[-1] * (c.n_fft // 2 >> len(c.channels))
        if c.variant == "E":
            self.bottleneck = RealBottleneck(features, c.lstm_hidden, c.lstm_layers)
        else:
            self.bottleneck = ComplexBottleneck(features, c.lstm_hidden, c.lstm_layers, bidirectional=offline)
        outs = ch[-2:0:-1] + [2 if offline else 1]
        self.decoder = nn.ModuleList(
            DecoderLayer(2 * a, b, norm if i + 1 < len(outs) else None, c.act, c.lookahead) for i, (a, b) in enumerate(zip(ch[:0:-1], outs)))
        if offline:  # steepness of the gain for each bin
            self.gain_slope = nn.Parameter(torch.ones(c.n_fft // 2))
        last = self.decoder[-1].conv  # start near the identity: nearly zero weights, and a mask of one where there is a mask
        with torch.no_grad():
            last.wr.mul_(0.02)
            last.wi.mul_(0.02)
            if not offline:
                last.bias[0] = 1

    def forward(self, wave):
        spectrum = self.stft(wave)
        out = self._enhance(spectrum)
        return self.stft.inverse(out, wave.shape[-1]), out

    def _net(self, z):
        """Complex [B, bins, T] -> stacked decoder output [B, 2 or 4, bins, T]."""
        x, skips = stack(z[:, None]), []
        for layer in self.encoder:
            x = layer(x)
            skips.append(x)
        x = self.bottleneck(x).to(x.dtype)
        for layer, skip in zip(self.decoder, reversed(skips)):
            x = layer(complex_cat(x, skip))
        return unstack(x)

    def _enhance(self, spectrum):
        c = self.config
        if c.variant != "offline":  # paper: the DC bin stays outside the net and comes out as zero
            x = spectrum[:, 1:]
            return F.pad(self._mask(x, self._net(x)[:, 0]), (0, 0, 1, 0))
        x = compress(spectrum[:, :-1], c.power)  # offline drops Nyquist instead: nothing of speech lives there
        gain, residual = self._net(x).unbind(1)
        # Re of the first output steers the gain.  At zero it is gain_max/2, which for 2 leaves the input as it is.
        y = c.gain_max * torch.sigmoid(self.gain_slope[:, None] * gain.real) * x + residual
        return F.pad(decompress(y, c.power), (0, 0, 0, 1))

    def _mask(self, x, m):
        if self.config.variant == "CL":
            return x * m
        magnitude = (m.real**2 + m.imag**2 + 1e-12).sqrt()
        return x * torch.tanh(magnitude) * (m / magnitude)


def parameter_count(model):
    return sum(p.numel() for p in model.parameters())


def macs_per_second(config, rate_hz=16000):
    """Multiply-accumulates per second of audio: convolutions, LSTMs and projections as executed on real numbers."""
    c = config
    ch, bins, total = [2] + list(c.channels), c.n_fft // 2, 0
    outs = ch[-2:0:-1] + [4 if c.variant == "offline" else 2]
    for i in range(len(c.channels)):
        total += ch[i] * ch[i + 1] * 10 * (bins >> (i + 1))
        total += 2 * ch[len(c.channels) - i] * outs[i] * 10 * (bins >> (len(c.channels) - i))
    feat, h, n = ch[-1] * (bins >> len(c.channels)), c.lstm_hidden, c.lstm_layers
    if c.variant == "E":
        total += 4 * h * (feat + h) + (n - 1) * 8 * h * h + h * feat
    else:
        d = 2 if c.variant == "offline" else 1
        for i in range(n):
            total += 4 * d * 4 * h * ((feat // 2 if i == 0 else d * h) + h)
        total += d * h * feat
    return total * rate_hz / c.hop


def main():
    for name, cfg in (("E (paper)", PAPER_E), ("CL (paper)", PAPER_CL), ("small offline", {}),
                      ("CL-size offline", dict(channels=PAPER_CL["channels"], lstm_hidden=128))):
        config = ModelConfig(**cfg)
        print(f"{name:16s} {parameter_count(Dccrn(config)) / 1e6:6.3f} M parameters  {macs_per_second(config) / 1e9:5.2f} GMAC/s")


if __name__ == "__main__":
    main()
