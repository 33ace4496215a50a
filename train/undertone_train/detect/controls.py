"""Hiding of known detectability, to prove that the detectors detect: positive controls of judge."""
import numpy as np

from .dctr import dct_matrix


def lsb_replacement(rgb, rate, rng):
    """uint8 pixels with the lowest bit of rate/3 of all samples set at random: rate bit/pixel, half of them changed."""
    flat = rgb.reshape(-1).copy()
    pick = rng.random(flat.size) < rate / rgb.shape[-1]
    flat[pick] = flat[pick] & 0xFE | rng.integers(0, 2, pick.sum(), dtype=np.uint8)
    return flat.reshape(rgb.shape)


def blocks(plane):
    h, w = plane.shape
    return plane.reshape(h // 8, 8, w // 8, 8).transpose(0, 2, 1, 3)


def change_coefficients(luma, table, share, rng):
    """A decoded Y plane [h][w] (multiples of 8) with +-1 on a share of the non-zero AC coefficients: what plain JPEG steganography does.

    table [8][8] quantises; share 0 gives the picture that differs by this function's own rounding alone: the cover to compare with.
    """
    d = dct_matrix().astype(np.float64)
    c = np.rint(d @ (blocks(luma.astype(np.float64)) - 128) @ d.T / table)
    change = (c != 0) & (rng.random(c.shape) < share)
    change[..., 0, 0] = False
    c[change] += rng.choice([-1, 1], change.sum())
    out = d.T @ (c * table) @ d + 128
    return np.clip(np.rint(out.transpose(0, 2, 1, 3).reshape(luma.shape)), 0, 255).astype(np.uint8)
