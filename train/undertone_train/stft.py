"""Short-time Fourier transform used by the network and, frame for frame, by the C library.

A signal of N samples is padded with n_fft/2 zeros in front and enough behind, so that every sample is covered by whole
windows and frame t is centred on sample t*hop.  Zeros (not reflection) because C then needs no look-ahead at the ends.
Shapes: wave [batch, samples] <-> spectrum [batch, n_fft/2+1, frames], complex.
"""
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.function import once_differentiable


class _Rfft(torch.autograd.Function):
    """rfft over the last axis.  torch's own gradient goes through a complex transform of twice the size."""

    @staticmethod
    def forward(ctx, x, n):
        ctx.n, ctx.given = n or x.shape[-1], x.shape[-1]
        return torch.fft.rfft(x, n=n)

    @staticmethod
    def backward(ctx, g):
        half = torch.full((g.shape[-1],), 0.5, dtype=g.real.dtype, device=g.device)  # all bins but these stand for two
        half[0] = 1
        if ctx.n % 2 == 0:
            half[-1] = 1
        return torch.fft.irfft(g * half, n=ctx.n, norm="forward")[..., : ctx.given], None


def rfft(x, n=None):
    return _Rfft.apply(x, n)


def overlap_add(cut, hop):
    """[batch, frames, n] -> [batch, (frames - 1) * hop + n]."""
    batch, frames, n = cut.shape
    out = cut.new_zeros(batch, frames - 1 + -(-n // hop), hop)
    for i in range(0, n, hop):
        part = cut[..., i : i + hop]
        out[:, i // hop : i // hop + frames, : part.shape[-1]] += part
    return out.view(batch, -1)[:, : (frames - 1) * hop + n]


class _Cut(torch.autograd.Function):
    @staticmethod
    def forward(ctx, wave, window, hop):
        ctx.save_for_backward(window)
        ctx.hop, ctx.samples = hop, wave.shape[-1]
        return wave.unfold(-1, len(window), hop) * window

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        wave = overlap_add(g * ctx.saved_tensors[0], ctx.hop)
        return F.pad(wave, (0, ctx.samples - wave.shape[-1])), None, None


class _Join(torch.autograd.Function):
    @staticmethod
    def forward(ctx, cut, window, hop):
        ctx.save_for_backward(window)
        ctx.hop = hop
        return overlap_add(cut * window, hop)

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        window = ctx.saved_tensors[0]
        return g.unfold(-1, len(window), ctx.hop) * window, None, None


def cut_frames(wave, window, hop):
    """[batch, samples] -> windowed frames [batch, frames, n].  It and join_frames() are each other's gradient; torch's own are slow on a CPU."""
    return _Cut.apply(wave, window, hop)


def join_frames(cut, window, hop):
    """Frames [batch, frames, n], windowed and added up -> [batch, (frames - 1) * hop + n]."""
    return _Join.apply(cut, window, hop)


class Stft(nn.Module):
    """Hann analysis; synthesis by overlap-add divided by the sum of squared windows, which inverts exactly."""

    def __init__(self, n_fft=512, win_length=400, hop=100):
        super().__init__()
        if not 0 < hop <= win_length // 2 or win_length > n_fft:
            raise ValueError(f"need 0 < hop <= win/2 and win <= n_fft, got n_fft {n_fft}, win {win_length}, hop {hop}")
        self.n_fft, self.hop = n_fft, hop
        window = torch.hann_window(win_length, periodic=True)
        left = (n_fft - win_length) // 2
        self.register_buffer("window", F.pad(window, (left, n_fft - win_length - left)), persistent=False)

    def frames(self, samples):
        """Number of frames for a signal of that many samples."""
        return -(-samples // self.hop) + 1

    def forward(self, wave):
        total = (self.frames(wave.shape[-1]) - 1) * self.hop + self.n_fft
        half = self.n_fft // 2
        padded = F.pad(wave.to(self.window.dtype), (half, total - wave.shape[-1] - half))
        cut = cut_frames(padded, self.window, self.hop)
        return rfft(cut).transpose(-1, -2)

    def inverse(self, spectrum, samples):
        """Wave of `samples` samples; the least-squares inverse where the spectrum is no one's STFT."""
        cut = torch.fft.irfft(spectrum.transpose(-1, -2), n=self.n_fft)
        wave = join_frames(cut, self.window, self.hop)
        power = overlap_add((self.window**2).expand(1, cut.shape[-2], -1), self.hop)
        half = self.n_fft // 2
        return (wave / power.clamp_min(1e-8))[:, half : half + samples]


def compress(spectrum, power, eps=1e-8):
    """|X|^power with the phase kept.  Written through |X|^2 + eps so that the gradient at zero is finite."""
    energy = spectrum.real**2 + spectrum.imag**2 + eps
    return spectrum * energy ** ((power - 1) / 2)


def decompress(spectrum, power, eps=1e-8):
    """Inverse of compress() up to the eps: |Y|^(1/power), phase kept."""
    return compress(spectrum, 1 / power, eps)


class _Energy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, spectrum):
        ctx.save_for_backward(spectrum)
        return spectrum.real.square() + spectrum.imag.square()

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return ctx.saved_tensors[0] * (2 * g)


def energy(spectrum):
    """|X|^2 with a gradient of one pass."""
    return _Energy.apply(spectrum)


class _CompressedMagnitude(torch.autograd.Function):
    """One power function and three passes for both directions, where autograd needs two and a dozen."""

    @staticmethod
    def forward(ctx, spectrum, power, eps, floor):
        energy = spectrum.real.square() + spectrum.imag.square()
        gain = (energy + eps) ** (power - 1)  # of the energy, squared gain of the amplitude
        out = (energy * gain + floor).sqrt()
        if ctx.needs_input_grad[0]:
            slope = gain * (1 + (power - 1) * energy / (energy + eps)) / out  # d out / d |X|^2, times 2
            ctx.save_for_backward(spectrum, slope)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        spectrum, slope = ctx.saved_tensors
        return spectrum * (g * slope), None, None, None


def compressed_magnitude(spectrum, power, eps=1e-8, floor=1e-9):
    """sqrt(|compress(X, power, eps)|^2 + floor), fast in both directions."""
    return _CompressedMagnitude.apply(spectrum, power, eps, floor)
