"""Losses of stages A and B, all in 32-bit floats on [batch, samples] waves at 16 kHz.

PesqProxy follows the published text of ITU-T P.862 and P.862.2 without time alignment and bad-interval repair: band-pass and level
alignment, 32 ms power spectra on a Bark scale, partial frequency and gain compensation, Zwicker loudness, masked and asymmetric disturbance,
L6 over 320 ms and L2 over time, P.862.2 mapping.  It is a loss, not a measurement: no figure of it may be reported as PESQ.
stoi() is Taal et al. 2011 (plain, not extended).
"""
import math

import torch
from torch import nn

from .stft import Stft, compress, compressed_magnitude, cut_frames, energy, rfft

RATE = 16000
PESQ_MAX = 4.6439


def si_sdr(estimate, target, eps=1e-8):
    """Scale-invariant SDR in dB, [batch]."""
    scale = (estimate * target).sum(-1, keepdim=True) / (target.square().sum(-1, keepdim=True) + eps)
    projected = scale * target
    return 10 * torch.log10((projected.square().sum(-1) + eps) / ((estimate - projected).square().sum(-1) + eps))


class StageA(nn.Module):
    """Compressed magnitude and complex L1, time L1, consistency and SI-SDR.

    Everything is first divided by the mixture's RMS, so that loud recordings do not outvote quiet ones while the output's level stays pinned
    (SI-SDR alone would let it drift).
    """

    def __init__(self, n_fft=512, win_length=512, hop=128, power=0.3, magnitude=0.9, complex_=0.2, time=0.2, consistency=0.1, sisdr=0.01):
        super().__init__()
        self.stft, self.power = Stft(n_fft, win_length, hop), power
        self.weights = dict(magnitude=magnitude, complex=complex_, time=time, consistency=consistency, sisdr=sisdr)

    def forward(self, wave, spectrum, target, mixture):
        scale = mixture.square().mean(-1, keepdim=True).sqrt().clamp_min(1e-4)
        wave, target = wave / scale, target / scale
        out = spectrum / scale[..., None]
        a, b = compress(out, self.power, 1e-6), compress(self.stft(target), self.power, 1e-6)
        d = a - b
        again = self.stft(wave)
        loud = target.square().mean(-1) > 1e-4  # SI-SDR of silence means nothing
        parts = dict(
            magnitude=((a.real**2 + a.imag**2 + 1e-9).sqrt() - (b.real**2 + b.imag**2 + 1e-9).sqrt()).abs().mean(),
            complex=d.real.abs().mean() + d.imag.abs().mean(),
            time=(wave - target).abs().mean(),
            consistency=torch.view_as_real(out - again).abs().mean() / math.sqrt(self.stft.n_fft),
            sisdr=-(si_sdr(wave, target).clamp(max=30) * loud).sum() / loud.sum().clamp_min(1),
        )
        return sum(self.weights[k] * v for k, v in parts.items()), {k: v.detach() for k, v in parts.items()}


def bark(f_hz):
    """Critical-band rate (Zwicker and Terhardt 1980)."""
    f = torch.as_tensor(f_hz, dtype=torch.float64)
    return 13 * torch.atan(0.00076 * f) + 3.5 * torch.atan((f / 7500) ** 2)


def hearing_threshold_db(f_hz):
    """Threshold in quiet, dB SPL (Terhardt 1979)."""
    k = f_hz / 1000
    return 3.64 * k**-0.8 - 6.5 * torch.exp(-0.6 * (k - 3.3) ** 2) + 1e-3 * k**4


class PesqProxy(nn.Module):
    """forward(estimate, target) -> (MOS-LQO estimate [batch], disturbance [batch]); the disturbance does not saturate and is the loss."""

    BANDS = 49

    def __init__(self):
        super().__init__()
        freqs = torch.arange(257, dtype=torch.float64) * RATE / 512
        edges = torch.linspace(bark(50.0), bark(8000.0), self.BANDS + 1, dtype=torch.float64)
        lo, hi = bark((freqs - 15.625).clamp_min(0)), bark(freqs + 15.625)
        overlap = (torch.minimum(hi[None], edges[1:, None]) - torch.maximum(lo[None], edges[:-1, None])).clamp_min(0)
        bank = overlap / (hi - lo)  # low bands are narrower than a bin and share it
        centre = (edges[1:] + edges[:-1]) / 2
        grid = torch.linspace(20, 8000, 20000, dtype=torch.float64)
        centre_hz = grid[torch.searchsorted(bark(grid), centre).clamp_max(len(grid) - 1)]
        threshold = 10 ** (hearing_threshold_db(centre_hz).clamp_max(90) / 10)
        exponent = 0.23 * (6 / (centre + 2)).clamp(1, 2) ** 0.15  # steeper loudness growth at low frequencies
        self.register_buffer("window", torch.hann_window(512, periodic=True), persistent=False)
        for name, value in (("bank", bank), ("threshold", threshold[:, None]), ("exponent", exponent[:, None]), ("width", torch.diff(edges)[:, None])):
            self.register_buffer(name, value.float(), persistent=False)
        # Calibration: a 1 kHz tone at 40 dB SPL peaks at power 1e4 and sounds as loud as 1 sone.  Level alignment puts speech at 79 dB SPL, power 1e7.
        tone = (2 * 1e7 * 10**-3.9) ** 0.5 * torch.sin(2 * math.pi * 1000 / RATE * torch.arange(8192))
        self.power_scale, self.loudness_scale = 1.0, 1.0
        self.power_scale = 1e4 / self._bark_power(tone[None])[0, :, 8].max().item()
        sone = (self._loudness(self._bark_power(tone[None])) * self.width).sum(1)[0, 8].item()
        self.loudness_scale = 1 / sone

    def _align(self, wave):
        """Remove what lies under 100 Hz; set the power between 350 and 3250 Hz to 1e7."""
        n = wave.shape[-1]
        spec = rfft(wave)
        f = torch.arange(spec.shape[-1], device=wave.device) * (RATE / n)
        wave = torch.fft.irfft(spec * ((f - 50) / 75).clamp(0, 1), n=n)
        band = spec[..., 350 * n // RATE + 1 : -(-3250 * n // RATE)]
        power = 2 / n**2 * energy(band).sum(-1, keepdim=True)  # Parseval
        return wave * (1e7 / (power + 1e-10)).sqrt()

    def _bark_power(self, wave):
        spec = rfft(cut_frames(wave, self.window, 256))
        return self.power_scale * torch.matmul(self.bank, energy(spec).transpose(-1, -2))

    def _loudness(self, p):
        t, g = self.threshold, self.exponent
        return self.loudness_scale * (t / 0.5) ** g * ((0.5 + 0.5 * p / t) ** g - 1).clamp_min(0)

    def _compensate(self, ref, deg):
        """Equalise the reference towards the estimate's long-term spectrum, and the estimate's short-term gain towards the reference."""
        heard = ref > self.threshold * 1e2
        speech = ref.sum(1, keepdim=True) > 1e7 * 0.01 * self.power_scale
        speech = speech | (~speech.any(-1, keepdim=True))
        a, b = (torch.where(heard & speech, p, 0).sum(-1, keepdim=True) / speech.sum(-1, keepdim=True) for p in (ref, deg))
        ref = ref * ((b + 1000) / (a + 1000)).clamp(0.01, 100)
        audible_ref = torch.where(ref > self.threshold, ref, 0).sum(1)
        audible_deg = torch.where(deg > self.threshold, deg, 0).sum(1)
        gain = ((audible_ref + 5e3) / (audible_deg + 5e3)).clamp(3e-4, 5)
        gain = torch.cat([gain[:, :1], 0.8 * gain[:, 1:] + 0.2 * gain[:, :-1]], 1)  # first-order smoothing
        return ref, deg * gain[:, None]

    def _over_time(self, d):
        """L6 over twenty frames (half overlapping), then L2."""
        if d.shape[-1] > 20:
            d = d.unfold(-1, 20, 10)
        else:
            d = d[:, None]
        return ((d + 1e-6) ** 6).mean(-1).pow(1 / 6).square().mean(-1).sqrt()

    def forward(self, estimate, target):
        with torch.autocast(estimate.device.type, enabled=False):
            ref0, deg0 = (self._bark_power(self._align(w.float())) for w in (target, estimate))
            ref, deg = self._compensate(ref0, deg0)
            lr, ld = self._loudness(ref), self._loudness(deg)
            diff, mask = ld - lr, 0.25 * torch.minimum(ld, lr)
            d = diff.sign() * (diff.abs() - mask).clamp_min(0)
            total = self.width.sum()
            sym = (((d**2 * self.width).sum(1) / total) + 1e-9).sqrt() * total
            factor = ((deg + 50) / (ref + 50)) ** 1.2
            factor = torch.where(factor < 3, torch.zeros_like(factor), factor.clamp_max(12))
            asym = (d.abs() * factor * self.width).sum(1)
            weight = ((ref0.sum(1) + 1e5) / 1e7) ** 0.04
            sym, asym = (self._over_time((x / weight).clamp_max(45)) for x in (sym, asym))
            disturbance = 0.1 * sym + 0.0309 * asym
            raw = 4.5 - disturbance
            return 0.999 + 4 / (1 + torch.exp(-1.3669 * raw + 3.8224)), disturbance


class Stoi(nn.Module):
    """forward(estimate, target) -> [batch] in about 0..1; NaN-free, and 1e-5 where less than 0.4 s of speech remains."""

    def __init__(self):
        super().__init__()
        f = torch.linspace(0, 10000, 513, dtype=torch.float64)[:257]
        k = torch.arange(15, dtype=torch.float64)
        lo, hi = (150 * 2 ** ((2 * k + s) / 6) for s in (-1, 1))
        bank = torch.zeros(15, 257)
        for i in range(15):  # edges snap to the nearest bin
            bank[i, (f - lo[i]).abs().argmin() : (f - hi[i]).abs().argmin()] = 1
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("window", torch.hann_window(258, periodic=False)[1:-1].contiguous(), persistent=False)

    @staticmethod
    def _to_10k(wave):
        """Band-limited resampling in the frequency domain; the highest band ends at 4.3 kHz, far from the edge at 5 kHz."""
        n = wave.shape[-1]
        m = -(-n // 8) * 8
        spec = rfft(torch.nn.functional.pad(wave, (0, m - n)))
        return torch.fft.irfft(spec[..., : m * 5 // 16 + 1], n=m * 5 // 8) * (5 / 8)

    def _one(self, y, x):
        """Two [samples] waves at 10 kHz: drop frames 40 dB under the loudest of x, join the rest, correlate 30-frame band envelopes."""
        cx, cy = x.unfold(0, 256, 128) * self.window, y.unfold(0, 256, 128) * self.window
        level = 20 * torch.log10(cx.norm(dim=1) + 1e-16)
        keep = level > level.max() - 40
        n = int(keep.sum())
        if n < 31:
            return y.sum() * 0 + 1e-5
        ye, xe = self._segments(cy[keep]), self._segments(cx[keep])
        norm = lambda e: (e.square().sum(1, keepdim=True) + 1e-24).sqrt()  # finite gradient at zero
        ye = ye * (norm(xe) / (norm(ye) + 1e-8))
        ye = torch.minimum(ye, xe * (1 + 10 ** (15 / 20)))
        ye, xe = (e - e.mean(1, keepdim=True) for e in (ye, xe))
        return ((ye * xe).sum(1) / ((norm(ye) + 1e-8) * (norm(xe) + 1e-8)).squeeze(1)).mean()

    def _segments(self, cut):
        """Windowed frames [n, 256], joined again and cut anew -> band envelopes [15, 30 frames of the segment, segments]."""
        joined = torch.nn.functional.pad(cut[:, :128], (0, 0, 0, 1)) + torch.nn.functional.pad(cut[:, 128:], (0, 0, 1, 0))
        spec = rfft(torch.cat([joined[:-1], joined[1:]], 1) * self.window, n=512)
        envelope = (torch.matmul(self.bank, energy(spec).T) + 1e-12).sqrt()
        return torch.stack([envelope[:, i : envelope.shape[1] - 29 + i] for i in range(30)], 1)

    def forward(self, estimate, target):
        if estimate.shape[-1] < 8192:
            raise ValueError("STOI needs at least half a second")
        with torch.autocast(estimate.device.type, enabled=False):
            # Unit level keeps the small constants small; STOI itself ignores level.
            y, x = (self._to_10k(w.float() / (w.float().square().mean(-1, keepdim=True) + 1e-12).sqrt()) for w in (estimate, target))
            return torch.stack([self._one(a, b) for a, b in zip(y, x)])


class StageB(nn.Module):
    """PESQ proxy and STOI, with two other spectral resolutions as a guard against pleasing the proxy's own grid."""

    def __init__(self, pesq=0.1, stoi=0.05, guard=0.1):
        super().__init__()
        self.pesq, self.stoi = PesqProxy(), Stoi()
        self.guards = nn.ModuleList(Stft(n, n, n // 4) for n in (256, 1024))
        self.weights = dict(pesq=pesq, stoi=stoi, guard=guard)

    def forward(self, wave, target, mixture, ramp=1.0):
        scale = mixture.square().mean(-1, keepdim=True).sqrt().clamp_min(1e-4)
        loud = ((target / scale).square().mean(-1) > 1e-3).float()
        share = loud / loud.sum().clamp_min(1)
        lqo, disturbance = self.pesq(wave, target)
        stoi = self.stoi(wave, target)
        guard = 0.0
        for stft in self.guards:
            a, b = (compressed_magnitude(stft(w / scale), 0.3, 1e-6) for w in (wave, target))
            guard = guard + (a - b).abs().mean()
        w = self.weights
        loss = ramp * (w["pesq"] * (disturbance * share).sum() + w["stoi"] * ((1 - stoi) * share).sum()) + w["guard"] * guard
        return loss, dict(proxy=(lqo * share).sum().detach(), stoi=(stoi * share).sum().detach())
