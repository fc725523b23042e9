"""Groups that are there are found, groups that are not there are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import adjusted_rand_score

from plumbline.statistics.clusters import Choice, cluster, cluster_features, standardised

Floats = npt.NDArray[np.float64]
CHOICE = Choice(largest=6, least_stability=0.6, bootstraps=8, most_rows=2000, seed=1)


def blobs(count: int, seed: int, rows: int = 400) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Rows around centres that lie at least ten deviations apart, and the centre of each."""
    rng = np.random.default_rng(seed)
    while True:
        centres = rng.uniform(-15, 15, (count, 3))
        apart = np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(axis=2))
        if apart[np.triu_indices(count, 1)].min() > 10:
            break
    member = rng.permutation(np.arange(rows) % count)
    return centres[member] + rng.normal(0, 1, (rows, 3)), member


def plain(rows: Floats, choice: Choice = CHOICE) -> npt.NDArray[np.int64]:
    return cluster(standardised(rows, [False] * rows.shape[1]), 0, choice).group


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_planted_groups_are_found(count: int) -> None:
    rows, member = blobs(count, seed=count)
    found = cluster(standardised(rows, [False] * 3), 0, CHOICE)
    assert (found.count, found.reason) == (count, "stable")
    assert adjusted_rand_score(member, found.group) > 0.98
    assert found.stability > 0.9
    assert found.mean_silhouette > 0.5
    assert np.all((found.silhouette >= -1) & (found.silhouette <= 1))
    # Numbered by the falling mean of the leading feature, whatever k-means called them.
    means = [rows[found.group == number, 0].mean() for number in range(1, count + 1)]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize(("rows", "seed"), [(60, 1), (300, 2), (2000, 3)])
def test_one_cloud_is_one_group(rows: int, seed: int) -> None:
    found = cluster(np.random.default_rng(seed).normal(0, 1, (rows, 5)), 0, CHOICE)
    assert (found.count, found.reason) == (1, "none_stable")
    assert np.all(found.group == 1)
    assert found.stability < 0.6
    assert np.isnan(found.silhouette).all()


def test_the_same_rows_give_the_same_bits() -> None:
    rows, _ = blobs(3, seed=7)
    one, two = (cluster(standardised(rows, [False] * 3), 0, CHOICE) for _ in range(2))
    assert one.group.tobytes() == two.group.tobytes()
    assert one.silhouette.tobytes() == two.silhouette.tobytes()
    assert (one.mean_silhouette, one.stability) == (two.mean_silhouette, two.stability)


def test_neither_order_nor_units_nor_thinning_nor_seed_moves_clear_groups() -> None:
    rows, member = blobs(4, seed=8, rows=1200)
    expected = plain(rows)
    order = np.random.default_rng(1).permutation(len(rows))
    assert np.array_equal(plain(rows[order]), expected[order])
    assert np.array_equal(plain(rows * [1000, 0.01, 1] + [5, -7, 0]), expected)
    few = Choice(largest=6, least_stability=0.6, bootstraps=8, most_rows=150, seed=99)
    assert np.array_equal(plain(rows, few), expected)
    assert adjusted_rand_score(member, expected) > 0.98


def test_skew_is_taken_out_before_distance_is_measured() -> None:
    # Two groups of bots whose views differ by a factor of thirty, heavy-tailed within each.
    rng = np.random.default_rng(9)
    member = np.arange(300) % 2
    views = np.exp(rng.normal(3, 0.6, 300) + 3.4 * member)
    found = cluster_features([(views, True)], CHOICE)
    assert found.count == 2
    assert adjusted_rand_score(member, found.group) > 0.95
    assert views[found.group == 1].min() > views[found.group == 2].max()
    # As it is, the tail would make the groups.
    raw = cluster_features([(views, False)], CHOICE)
    assert adjusted_rand_score(member, raw.group) < 0.8


def test_no_groups_without_rows_or_differences() -> None:
    empty = cluster_features([(np.zeros(0), True), (np.zeros(0), False)], CHOICE)
    assert (len(empty.group), empty.count, empty.reason) == (0, 1, "too_few_rows")
    few = cluster(np.random.default_rng(1).normal(0, 1, (19, 2)), 0, CHOICE)
    assert (few.count, few.reason) == (1, "too_few_rows")
    alike = cluster_features([(np.full(100, 0.1), False), (np.full(100, 7.0), True)], CHOICE)
    assert (alike.count, alike.reason) == (1, "no_variation")
    assert set(alike.columns()["cluster_reason"]) == {"no_variation"}


def test_standardised_features_have_mean_0_and_deviation_1() -> None:
    rng = np.random.default_rng(2)
    rows = np.stack([rng.normal(5, 3, 500), np.exp(rng.normal(2, 1, 500)), np.full(500, 0.3)], 1)
    rows[::10, 0] = np.nan
    found = standardised(rows, [False, True, False])
    seen = ~np.isnan(rows[:, 0])
    assert found[seen, 0].mean() == pytest.approx(0, abs=1e-12)
    assert found[seen, 0].std() == pytest.approx(1, abs=1e-3)
    # Missing stands at the mean, a constant is nothing.
    assert np.all(found[~seen, 0] == 0)
    assert np.all(found[:, 2] == 0)
    logs = np.log1p(rows[:, 1])
    assert found[:, 1] == pytest.approx((logs - logs.mean()) / logs.std(), abs=1e-9)


def test_one_odd_row_is_no_group_of_its_own() -> None:
    rows = np.random.default_rng(3).normal(0, 1, (200, 3))
    rows[0] = 1e6
    assert np.abs(standardised(rows, [False] * 3)).max() == 4
    rows, member = blobs(2, seed=4)
    rows[0] = 1e3
    assert adjusted_rand_score(member[1:], plain(rows)[1:]) > 0.95


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="no logarithm"):
        standardised(np.full((3, 1), -1.0), [True])
    with pytest.raises(ValueError, match="one flag"):
        standardised(np.zeros((3, 2)), [True])
    with pytest.raises(ValueError, match="at least two groups"):
        cluster(np.zeros((30, 1)), 0, Choice(1, 0.6, 8, 2000, 1))
