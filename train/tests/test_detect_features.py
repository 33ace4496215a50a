import numpy as np
import pytest

from undertone_train.detect import dctr, rich
from undertone_train.detect.controls import change_coefficients, lsb_replacement


@pytest.fixture
def picture():
    """[3][64][72]: smooth colours and a little noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :72]
    base = np.stack([120 + 60 * np.sin(x / 9 + c) + 40 * np.cos(y / 7 - c) for c in range(3)])
    return np.clip(np.rint(base + rng.normal(0, 1.5, base.shape)), 0, 255)


def eight(x):
    """All flips and turns of the last two axes."""
    return [t for k in range(4) for r in [np.rot90(x, k, (-2, -1))] for t in (r, r.swapaxes(-2, -1))]


def test_dct_is_orthonormal_and_finds_its_own_pattern():
    d = dctr.dct_matrix()
    assert np.allclose(d @ d.T, np.eye(8), atol=1e-6)
    tile = 40 * np.outer(d[2], d[5])
    f = dctr.features(tile, q=4).reshape(len(dctr.PATTERNS), 25, 5)
    # one window only, of class (0, 0): everything above the cut in the pattern (2, 5), and nothing in any other
    top = f[:, 0, 4]
    assert top[dctr.PATTERNS.index((2, 5))] == 0.5 and np.delete(top, dctr.PATTERNS.index((2, 5))).max() == 0


def test_dctr_dimension_and_the_eight_turns(picture):
    want = dctr.features(picture[0])
    assert want.shape == (36 * 25 * 5,) and np.allclose(want.reshape(-1, 5).sum(1), 1, atol=1e-5)
    for turned in eight(picture[0]):
        assert np.abs(dctr.features(turned) - want).max() < 0.02  # exact but for ties on the edge of a bin
    assert np.abs(dctr.features(picture[0][3:, 5:]) - want).max() > 0.02


def test_dctr_sees_the_grid(picture):
    table = np.full((8, 8), 12.0)
    coded = change_coefficients(picture[0], table, 0, np.random.default_rng(1)).astype(np.float64)
    on, off = (dctr.features(x, 4).reshape(36, 25, 5) for x in (coded, coded[4:, 4:]))
    assert np.abs(on[:, 0] - off[:, 0]).sum() > 5 * np.abs(dctr.features(picture[0]).reshape(36, 25, 5)[:, 0] -
                                                         dctr.features(picture[0][4:, 4:]).reshape(36, 25, 5)[:, 0]).sum() / 4


def test_steps_follow_the_quality():
    assert dctr.step(75) == 4 and dctr.step(None) == 1 and dctr.step(100) == 0.5


def test_rich_dimension_and_exact_invariance(picture):
    want = rich.features(picture)
    assert want.shape == (rich.SIZE,) and 3000 < rich.SIZE < 4000
    assert rich.NEIGHBOURS.max() + 1 == 169 and rich.COLOURS.max() + 1 == 63
    for turned in eight(picture):
        assert np.array_equal(rich.features(turned), want)
    assert np.array_equal(rich.features(255 - picture), want)


def test_rich_of_one_plane(picture):
    assert rich.features(picture[:1]).shape == (rich.SIZE,)


def test_lsb_replacement_changes_half_of_what_it_touches():
    rng = np.random.default_rng(2)
    rgb = rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    changed = lsb_replacement(rgb, 0.6, rng)
    assert np.array_equal(rgb | 1, changed | 1) and abs((rgb != changed).mean() - 0.1) < 0.01


def test_coefficient_changes_are_of_the_stated_share(picture):
    table, rng = np.full((8, 8), 6.0), np.random.default_rng(3)
    plain, changed = (change_coefficients(picture[0], table, s, rng).astype(float) for s in (0, 0.2))
    d = dctr.dct_matrix().astype(float)
    coefficients = [np.rint(d @ (x.reshape(8, 8, 9, 8).transpose(0, 2, 1, 3) - 128) @ d.T / table) for x in (plain, changed)]
    moved = coefficients[0] != coefficients[1]
    nonzero = coefficients[0] != 0
    nonzero[..., 0, 0] = False
    assert not moved[~nonzero].any() and 0.12 < moved[nonzero].mean() < 0.28
