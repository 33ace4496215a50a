"""What an enhanced recording is scored with, in NumPy, on [samples] waves at 16 kHz.  Development only: needs the pesq and pystoi packages.

PESQ and STOI are others' implementations.  SSNR, the segmental SNR (Hu and Loizou 2008: 30 ms Hann frames, three quarters overlapping, each
held to -10..35 dB), is trained on in no stage; the time L1 of stage A is its nearest relative.  CBAK (same paper) predicts the listeners'
rating of intrusive noise, 1 to 5, from PESQ, SSNR and the weighted spectral slope distance (Klatt 1982); a PESQ that rises while CBAK does not was gamed.
"""
from importlib.metadata import PackageNotFoundError, version

import numpy as np

RATE = 16000
PERFECT_PESQ = 4.644  # WB-PESQ of identical files
NAMES = ("pesq", "stoi", "sisdr", "ssnr", "cbak")
TITLES = dict(pesq="WB-PESQ", stoi="STOI", sisdr="SI-SDR, dB", ssnr="SSNR, dB", cbak="CBAK")
SISDR_LIMIT = 60.0  # of identical files, instead of infinity

# Centres and widths of the 25 critical bands in Hz (Klatt 1982, as tabulated by Loizou 2007).
CENTRES = np.array([50, 120, 190, 260, 330, 400, 470, 540, 617.372, 703.378, 798.717, 904.128, 1020.38, 1148.30, 1288.72, 1442.54, 1610.70, 1794.16,
                    1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63])
WIDTHS = np.array([70] * 7 + [77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914, 140.423, 153.823, 168.154, 183.457, 199.776, 217.153, 235.631,
                              255.255, 276.072, 298.126, 321.465, 346.136])


def versions():
    """Names the implementations, for reports and for the cache."""
    try:
        return {name: version(name) for name in ("pesq", "pystoi")}
    except PackageNotFoundError as e:
        raise ValueError(f"scoring needs the {e.name} package: pip install pesq pystoi") from None


def wb_pesq(clean, degraded):
    """(score, whether it failed).  What cannot be scored, silence for one, counts as 1.0: never dropped."""
    from pesq import PesqError, pesq

    if not clean.any() or not degraded.any():
        return 1.0, True
    score = pesq(RATE, clean, degraded, "wb", on_error=PesqError.RETURN_VALUES)
    return (float(score), False) if np.isfinite(score) and score >= 1 else (1.0, True)


def si_sdr(clean, degraded):
    clean, degraded = clean.astype(np.float64), degraded.astype(np.float64)
    wanted = clean * (clean @ degraded / max(clean @ clean, 1e-12))
    return float(np.clip(10 * np.log10((wanted @ wanted + 1e-12) / (np.sum((degraded - wanted) ** 2) + 1e-12)), -SISDR_LIMIT, SISDR_LIMIT))


def _frames(wave):
    """[frames, 480], a frame every 120 samples, under a Hann window without zeros; the last one is left out, as in Loizou's programs."""
    size, hop = 480, 120
    if len(wave) < size + hop:
        wave = np.pad(wave, (0, size + hop - len(wave)))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, size + 1) / (size + 1))
    return np.lib.stride_tricks.sliding_window_view(wave.astype(np.float64), size)[::hop][:-1] * window


def segmental_snr(clean, degraded):
    eps = np.finfo(float).eps
    signal, noise = ((_frames(w) ** 2).sum(1) for w in (clean, clean.astype(np.float64) - degraded))
    return float(np.clip(10 * np.log10(signal / (noise + eps) + eps), -10, 35).mean())


def _bands_db(wave):
    """[frames, 25] energies under Gaussian bands that end 30 dB down; narrow bands are weighted up."""
    bins = 512
    at, width = np.floor(CENTRES / (RATE / 2) * bins), WIDTHS / (RATE / 2) * bins
    bank = np.exp(-11 * ((np.arange(bins) - at[:, None]) / width[:, None]) ** 2) * (WIDTHS[0] / WIDTHS)[:, None]
    bank[bank <= np.exp(-30 / (2 * 2.303))] = 0
    power = np.abs(np.fft.rfft(_frames(wave), 2 * bins)[:, :bins]) ** 2
    return 10 * np.log10(np.maximum(power @ bank.T, 1e-10))


def _nearest_peak(level, slope):
    """[frames, 24]: the level that each band's slope leads to, upwards in frequency where it rises and downwards where it falls.
    Where it rises this is the band before the summit, as in Loizou's program, with which everybody's CBAK agrees."""
    rising = slope > 0
    end = np.empty(slope.shape, int)
    up = down = None
    for k in range(slope.shape[1] - 1, -1, -1):
        up = np.where(rising[:, k + 1], up, k + 1) if up is not None else np.full(len(slope), k + 1)
        end[:, k] = up - 1
    for k in range(slope.shape[1]):
        down = np.where(rising[:, k - 1], k - 1, down) if k else np.full(len(slope), -1)
        end[:, k] = np.where(rising[:, k], end[:, k], down + 1)
    return np.take_along_axis(level, end, 1)


def spectral_slope_distance(clean, degraded):
    """WSS: squared differences of the band spectra's slopes, weighted towards bands near a peak; the mean of the nearest 95 % of frames."""
    weights, slopes = [], []
    for wave in (clean, degraded):
        level = _bands_db(wave)
        slope = np.diff(level, axis=1)
        weights.append(20 / (20 + level.max(1, keepdims=True) - level[:, :-1]) / (1 + _nearest_peak(level, slope) - level[:, :-1]))
        slopes.append(slope)
    weight = (weights[0] + weights[1]) / 2
    distance = np.sort((weight * (slopes[0] - slopes[1]) ** 2).sum(1) / weight.sum(1))
    return float(distance[: max(round(0.95 * len(distance)), 1)].mean())


def score(clean, degraded):
    """All metrics of one pair, and pesq_failed."""
    from pystoi import stoi

    pesq, failed = wb_pesq(clean, degraded)
    ssnr = segmental_snr(clean, degraded)
    cbak = 1.634 + 0.478 * pesq - 0.007 * spectral_slope_distance(clean, degraded) + 0.063 * ssnr
    return dict(pesq=pesq, stoi=float(stoi(clean, degraded, RATE)), sisdr=si_sdr(clean, degraded), ssnr=ssnr, cbak=float(np.clip(cbak, 1, 5)),
                pesq_failed=failed)
