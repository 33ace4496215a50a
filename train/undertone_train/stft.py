"""Short-time Fourier transform used by the network and, frame for frame, by the C library.

A signal of N samples is padded with n_fft/2 zeros in front and enough behind, so that every sample is covered by whole
windows and frame t is centred on sample t*hop.  Zeros (not reflection) because C then needs no look-ahead at the ends.
Shapes: wave [batch, samples] <-> spectrum [batch, n_fft/2+1, frames], complex.
"""
import torch
import torch.nn.functional as F
from torch import nn


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
        cut = padded.unfold(-1, self.n_fft, self.hop) * self.window
        return torch.fft.rfft(cut).transpose(-1, -2)

    def _overlap_add(self, cut):
        frames = cut.shape[-2]
        total = (frames - 1) * self.hop + self.n_fft
        return F.fold(cut.transpose(-1, -2), (1, total), (1, self.n_fft), stride=(1, self.hop)).reshape(-1, total)

    def inverse(self, spectrum, samples):
        """Wave of `samples` samples; the least-squares inverse where the spectrum is no one's STFT."""
        cut = torch.fft.irfft(spectrum.transpose(-1, -2), n=self.n_fft) * self.window
        wave = self._overlap_add(cut)
        power = self._overlap_add((self.window**2).expand(1, cut.shape[-2], -1))
        half = self.n_fft // 2
        return (wave / power.clamp_min(1e-8))[:, half : half + samples]


def compress(spectrum, power, eps=1e-8):
    """|X|^power with the phase kept.  Written through |X|^2 + eps so that the gradient at zero is finite."""
    energy = spectrum.real**2 + spectrum.imag**2 + eps
    return spectrum * energy ** ((power - 1) / 2)


def decompress(spectrum, power, eps=1e-8):
    """Inverse of compress() up to the eps: |Y|^(1/power), phase kept."""
    return compress(spectrum, 1 / power, eps)
