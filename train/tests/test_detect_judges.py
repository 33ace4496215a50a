import numpy as np
import pytest

from undertone_train.detect import judge
from undertone_train.detect.fld import Ensemble, fisher
from undertone_train.detect.pe import error_at, interval, p_e


def pairs(shift, n=240, d=60, seed=0):
    """Pairs that share their content, as cover and stego picture do: (cover, stego)."""
    rng = np.random.default_rng(seed)
    content = 3 * rng.normal(size=(n, d))
    cover, stego = (content + 0.5 * rng.normal(size=(n, d)) for _ in range(2))
    stego[:, ::3] += shift
    return cover, stego


def test_fisher_direction_is_the_optimal_one():
    rng = np.random.default_rng(1)
    mix = rng.normal(size=(5, 5))
    cover, stego = (rng.normal(size=(20000, 5)) @ mix + m for m in (0, np.arange(5) / 4))
    w, threshold, error = fisher(cover, stego)
    best = np.linalg.solve(mix.T @ mix, np.arange(5) / 4)
    assert w @ best / np.linalg.norm(w) / np.linalg.norm(best) > 0.99
    assert error == pytest.approx(error_at(cover @ w, stego @ w, threshold))


def test_equal_scores_have_no_threshold_between_them():
    cover, stego = np.array([[0.0], [1.0], [1.0]]), np.array([[1.0], [1.0], [2.0]])
    w, threshold, error = fisher(cover, stego)
    assert error == pytest.approx(1 / 3) == error_at(cover @ w, stego @ w, threshold)


def test_ensemble_finds_a_difference_and_no_other():
    for shift, low, high in ((1.5, 0.0, 0.22), (0.0, 0.38, 0.62)):
        cover, stego = pairs(shift)
        e = Ensemble(members=31, sizes=(10, 30)).fit(cover[:160], stego[:160], np.arange(160))
        assert low <= error_at(e.score(cover[160:]), e.score(stego[160:])) <= high
        assert low <= e.oob_error <= high


def test_ensemble_keeps_photos_together_in_its_bootstrap():
    """Eight copies of each photo: left-out error would look near 0 if copies of a photo were on both sides."""
    cover, stego = pairs(0.0, n=20, d=40)
    cover, stego, groups = (np.repeat(x, 8, axis=0) for x in (cover, stego, np.arange(20)))
    assert Ensemble(members=31, sizes=(20,)).fit(cover, stego, groups).oob_error > 0.3


def test_boosted_trees_where_scikit_learn_is():
    pytest.importorskip("sklearn")
    cover, stego = pairs(3.0, n=90, d=30)
    row = judge.judge({"rich": cover}, {"rich": stego}, [f"p{i}.0" for i in range(90)], 3, "rich trees", draws=20)
    assert row["p_e"] < 0.25 and row["pairs"] == 90


def test_ensemble_repeats_itself_and_refuses_constants():
    cover, stego = pairs(0.5)
    a, b = (Ensemble(members=5, sizes=(10,)).fit(cover, stego, np.arange(len(cover))).score(cover) for _ in range(2))
    assert np.array_equal(a, b)
    with pytest.raises(ValueError, match="no feature varies"):
        Ensemble().fit(np.ones((4, 3)), np.ones((4, 3)), np.arange(4))


@pytest.mark.parametrize("cover, stego, want", [
    ([0, 1, 2], [3, 4, 5], 0.0),
    ([3, 4, 5], [0, 1, 2], 0.5),  # the wrong way round is worse than guessing, so guessing it is
    ([1, 1], [1, 1], 0.5),
    ([0, 0, 0, 2], [1, 2, 2, 2], 0.125),
])
def test_p_e(cover, stego, want):
    assert p_e(cover, stego) == pytest.approx(want)


def test_p_e_of_two_gaussians():
    rng = np.random.default_rng(4)
    got = p_e(rng.normal(size=40000), rng.normal(size=40000) + 2)
    assert got == pytest.approx(0.1587, abs=0.006)  # Q(1)


def test_error_at_counts_ties_half():
    assert error_at([0.5, 0], [0.5, 1]) == 0.25


def test_interval_covers_and_photos_are_its_unit():
    rng = np.random.default_rng(5)
    cover, stego = rng.normal(size=300), rng.normal(size=300) + 2
    low, high = interval(cover, stego, np.arange(300), draws=300)
    assert low < 0.1587 < high and high - low < 0.1
    copies = [np.repeat(x, 10) for x in (cover[:30], stego[:30])]
    together = interval(*copies, np.repeat(np.arange(30), 10), draws=300)
    apart = interval(*copies, np.arange(300), draws=300)
    assert together[1] - together[0] > 1.5 * (apart[1] - apart[0])
