"""Quality scores of bots: nothing missing is a zero, nobody's luck is a lead, one odd bot moves nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, rankdata, spearmanr

from plumbline.statistics.bot_scores import (
    Scores,
    Shrunk,
    percentile_ranks,
    places,
    shrink,
    weigh,
    weights_of,
)

Floats = npt.NDArray[np.float64]


def shares(y: Floats, n: Floats, group: npt.NDArray[np.int64] | None = None) -> Shrunk:
    """Shares whose trials are independent: every trial is a unit of its own."""
    place = np.zeros(len(n), dtype=np.int64) if group is None else group
    return shrink(place, np.full(len(n), True), y, n, n, y, y, n, level=0.95)


def market(rng: np.random.Generator, bots: int, rate: Floats | float) -> tuple[Floats, Floats]:
    """Clicks and impressions of bots, whose traffic is spread over two orders of magnitude."""
    n = np.round(np.exp(rng.normal(6.5, 1.2, bots))) + 20
    return rng.binomial(n.astype(int), rate).astype(float), n


def below_market(found: Shrunk) -> npt.NDArray[np.bool_]:
    """The rule of the alerts: the whole interval below the 25th percentile of the market."""
    return found.high < np.quantile(found.mean, 0.25)


# ---------------------------------------------------------------- shrinkage
def test_a_share_is_drawn_by_the_prior_that_was_planted() -> None:
    # Bots from Beta(6, 54) with 500 trials each: the posterior mean keeps 500 / (500 + 60) of a deviation.
    rng = np.random.default_rng(1)
    n = np.full(4000, 500.0)
    y = rng.binomial(500, rng.beta(6, 54, 4000)).astype(float)
    found = shares(y, n)
    kept = np.polyfit(found.raw, found.mean, 1)
    assert kept[0] == pytest.approx(500 / 560, abs=0.01)
    # Where line and diagonal cross is the mean of the prior.
    assert kept[1] / (1 - kept[0]) == pytest.approx(0.1, abs=0.003)
    strength = 500 * (1 - kept[0]) / kept[0]
    exact = beta(0.1 * strength + y[0], 0.9 * strength + n[0] - y[0]).ppf([0.025, 0.975])
    assert [found.low[0], found.high[0]] == pytest.approx(exact, rel=0.01)


def test_intervals_hold_what_was_planted() -> None:
    rng = np.random.default_rng(2)
    held, error, raw_error = [], [], []
    for _ in range(100):
        rate = rng.beta(6, 54, 60)
        found = shares(*market(rng, 60, rate))
        held.append((found.low <= rate) & (rate <= found.high))
        error.append((found.mean - rate) ** 2)
        raw_error.append((found.raw - rate) ** 2)
    # 6,000 intervals; the deviation of their share is 0.003.
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)
    assert np.mean(error) < 0.75 * np.mean(raw_error)


def test_intervals_of_counts_hold_what_was_planted() -> None:
    # Messages a person-day: Gamma(8, 0.5) over bots, and twice as spread out as Poisson within one.
    rng = np.random.default_rng(3)
    held = []
    for _ in range(60):
        rate = rng.gamma(8, 0.5, 50)
        days = np.round(np.exp(rng.normal(4, 1, 50))) + 5
        sums = []
        for mean, count in zip(rate, days, strict=True):
            each = rng.negative_binomial(mean, 0.5, int(count)).astype(float)
            sums.append((each.sum(), (each**2).sum()))
        y, yy = np.array(sums).T
        place = np.zeros(50, dtype=np.int64)
        found = shrink(place, np.full(50, False), y, days, days, yy, y, days, level=0.95)
        held.append((found.low <= rate) & (rate <= found.high))
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


def test_clicks_of_one_person_are_one_piece_of_evidence() -> None:
    # People who click on all of ten cards or on none tell no more than people with one card each.
    rng = np.random.default_rng(4)
    people = np.round(np.exp(rng.normal(7, 0.3, 40)))
    click = rng.binomial(people.astype(int), rng.beta(20, 20, 40)).astype(float)
    place, share = np.zeros(40, dtype=np.int64), np.full(40, True)
    once = shrink(place, share, click, people, people, click, click, people, 0.95)
    tens = shrink(
        place, share, 10 * click, 10 * people, people, 100 * click, 100 * click, 100 * people, 0.95
    )
    # Up to m / (m - 1), which a share of single trials does not need.
    assert tens.mean == pytest.approx(once.mean, rel=1e-4)
    assert tens.high == pytest.approx(once.high, rel=1e-3)
    fooled = shares(10 * click, 10 * people)
    assert np.all(fooled.high - fooled.low < 0.5 * (tens.high - tens.low))


def test_equal_bots_are_one_market() -> None:
    found = shares(np.full(30, 50.0), np.full(30, 500.0))
    assert found.mean == pytest.approx(0.1)
    assert np.ptp(found.mean) == 0


def test_each_group_has_a_prior_of_its_own() -> None:
    rng = np.random.default_rng(5)
    one, other = market(rng, 40, rng.beta(6, 54, 40)), market(rng, 30, rng.beta(40, 20, 30))
    group = np.r_[np.zeros(40, dtype=np.int64), np.ones(30, dtype=np.int64)]
    both = shares(np.r_[one[0], other[0]], np.r_[one[1], other[1]], group)
    for name in ("raw", "mean", "low", "high"):
        alone = np.r_[getattr(shares(*one), name), getattr(shares(*other), name)]
        assert getattr(both, name) == pytest.approx(alone, rel=1e-12)
    # The same rows in another order are the same estimates.
    order = rng.permutation(70)
    mixed = shares(np.r_[one[0], other[0]][order], np.r_[one[1], other[1]][order], group[order])
    assert mixed.mean == pytest.approx(both.mean[order], rel=1e-9)


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 2000)).map(lambda pair: (min(pair), pair[1])),
        min_size=0,
        max_size=12,
    )
)
def test_no_market_is_too_small_or_too_odd(cells: list[tuple[int, int]]) -> None:
    y, n = np.array(cells, dtype=float).reshape(-1, 2).T
    found = shares(y, n)
    seen = n > 0
    for values in (found.raw, found.mean, found.low, found.high):
        assert np.array_equal(np.isnan(values), ~seen)
    assert np.all(found.low[seen] <= found.mean[seen])
    assert np.all(found.mean[seen] <= found.high[seen])
    assert np.all((found.low[seen] >= 0) & (found.high[seen] <= 1))
    # Drawn towards the market: never out of the range that was seen, but for the half event of the prior.
    if seen.any():
        margin = 0.5 / (n.sum() + 1)
        assert found.mean[seen].min() >= min(found.raw[seen].min(), 1 - margin) - 1e-12
        assert found.mean[seen].max() <= max(found.raw[seen].max(), margin) + 1e-12


def test_wrong_input_is_refused() -> None:
    two = np.full(2, 2.0)
    with pytest.raises(ValueError, match="level"):
        shrink(np.zeros(2, dtype=np.int64), np.full(2, True), two, two, two, two, two, two, 1.0)
    with pytest.raises(ValueError, match="more successes"):
        shares(np.array([3.0, 1.0]), two)


# ---------------------------------------------------------------- percentiles and scores
@given(
    st.lists(
        st.one_of(st.just(float("nan")), st.integers(-3, 3).map(float)), min_size=1, max_size=30
    )
)
def test_percentiles_are_mid_ranks(values: list[float]) -> None:
    given_values = np.array(values)
    found = percentile_ranks(np.zeros(len(values), dtype=np.int64), given_values)
    seen = ~np.isnan(given_values)
    assert np.array_equal(np.isnan(found), ~seen)
    assert found[seen] == pytest.approx(rankdata(given_values[seen]) / max(seen.sum(), 1))


def test_percentiles_know_their_group() -> None:
    group = np.array([0, 1, 0, 1, 0], dtype=np.int64)
    found = percentile_ranks(group, np.array([5.0, 100.0, 1.0, 200.0, 5.0]))
    assert found.tolist() == pytest.approx([2.5 / 3, 0.5, 1 / 3, 1.0, 2.5 / 3])


def test_a_missing_indicator_is_shared_out_and_shown() -> None:
    group = np.repeat(np.arange(3), 3)
    percentiles = np.array([1.0, 0.5, 0.0, np.nan, 0.5, 1.0, np.nan, np.nan, np.nan])
    found = weigh(group, 3, percentiles, np.tile([0.5, 0.25, 0.25], 3))
    assert found.score[:2] == pytest.approx([0.625, 0.75])
    assert np.isnan(found.score[2])
    assert found.coverage.tolist() == [1.0, 0.5, 0.0]
    assert found.observed.tolist() == [3, 2, 0]


def test_every_indicator_needs_a_weight() -> None:
    named, weights = np.array(["a", "b"]), np.array([0.3, 0.7])
    assert weights_of(np.array(["b", "a", "b"]), named, weights).tolist() == [0.7, 0.3, 0.7]
    with pytest.raises(ValueError, match="no weight is given for c"):
        weights_of(np.array(["b", "c"]), named, weights)


# ---------------------------------------------------------------- whole scores
WEIGHTS = np.array([0.20, 0.20, 0.15, 0.15, 0.15, 0.15])
IS_SHARE = np.array([True, True, False, False, True, True])


@dataclass
class Bots:
    """Sums of bots by indicators: one row a bot, one column an indicator."""

    y: Floats
    n: Floats
    yy: Floats

    def plus(self, y: list[float], n: list[float]) -> Bots:
        """One bot more; its units are its trials."""
        squares = np.where(IS_SHARE, y, np.array(y) ** 2 / np.maximum(n, 1) * 1.5)
        return Bots(np.vstack([self.y, y]), np.vstack([self.n, n]), np.vstack([self.yy, squares]))

    def scores(self) -> Scores:
        """Score of each bot."""
        bots, indicators = self.y.shape
        place = np.tile(np.arange(indicators), bots)
        found = shrink(
            place, np.tile(IS_SHARE, bots), self.y.ravel(), self.n.ravel(), self.n.ravel(),
            self.yy.ravel(), self.y.ravel(), self.n.ravel(), level=0.95,
        )  # fmt: skip
        percentiles = percentile_ranks(place, found.mean)
        return weigh(
            np.repeat(np.arange(bots), indicators), bots, percentiles, np.tile(WEIGHTS, bots)
        )


def product(seed: int, bots: int = 60) -> Bots:
    """Bots of a product: impressions, viewers, chat days, people, days to come back, new people."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(0, 1, bots))[:, None]
    n = np.round(size * [3000, 300, 200, 80, 700, 50]) + 5
    share = np.stack(
        [
            rng.beta(6, 54, bots),
            rng.beta(8, 12, bots),
            rng.beta(3, 50, bots),
            rng.beta(3, 40, bots),
        ],
        1,
    )
    y, yy = np.zeros((bots, 6)), np.zeros((bots, 6))
    y[:, [0, 1, 4, 5]] = yy[:, [0, 1, 4, 5]] = rng.binomial(n[:, [0, 1, 4, 5]].astype(int), share)
    for column, mean in ((2, 3.0), (3, 6.0)):
        for bot, rate in enumerate(rng.gamma(20, mean / 20, bots)):
            each = rng.poisson(rate, int(n[bot, column]))
            y[bot, column], yy[bot, column] = each.sum(), (each**2).sum()
    return Bots(y, n, yy)


def test_a_bot_without_one_indicator_and_the_best_click_through_is_not_last() -> None:
    """The system this replaces filled the gap with 0 and ranked such a bot last, at 0.01."""
    bots = product(1)
    # As good as the best bot in what was seen of it; nobody new has had fourteen days with it yet.
    best = bots.plus(
        [600.0, 180.0, 1000.0, 900.0, 0.0, 0.0], [3000.0, 300.0, 250.0, 100.0, 0.0, 50.0]
    )
    found = best.scores()
    assert found.coverage[-1] == pytest.approx(0.85)
    assert found.observed[-1] == 5
    assert np.all(found.coverage[:-1] == 1)
    # Last by day-7 retention and still first among 61: what is missing weighs nothing.
    assert found.score[-1] > np.quantile(found.score[:-1], 0.95)
    with_zero = best.plus([0.0] * 6, [0.0] * 6)
    with_zero.n[-2, 4] = 700
    assert with_zero.scores().score[-2] < found.score[-1] - 0.05


@pytest.mark.parametrize(
    ("kind", "y", "n"),
    [
        ("all clicks", [5e6, 5e5, 9e6, 9e6, 1e5, 5e4], [5e6, 5e5, 1e5, 1e4, 1e5, 5e4]),
        ("nothing", [0.0, 0.0, 1e5, 1e4, 0.0, 0.0], [5e6, 5e5, 1e5, 1e4, 1e5, 5e4]),
        (
            "small and lucky",
            [40.0, 40.0, 999.0, 999.0, 40.0, 9.0],
            [40.0, 40.0, 9.0, 9.0, 40.0, 9.0],
        ),
    ],
)
def test_one_outlier_leaves_the_others_where_they_were(
    kind: str, y: list[float], n: list[float]
) -> None:
    for seed in range(10):
        bots = product(seed)
        before, after = bots.scores().score, bots.plus(y, n).scores().score[:-1]
        assert spearmanr(before, after)[0] > 0.99, (kind, seed)


def test_twice_the_users_are_the_same_ranks() -> None:
    # With as much evidence for each bot the order is that of the raw values, however much there is of it.
    even = product(3)
    even.n[:] = np.round(even.n.mean(axis=0))
    rng = np.random.default_rng(6)
    even.y[:, IS_SHARE] = rng.binomial(
        even.n[:, IS_SHARE].astype(int), rng.beta(8, 30, even.y[:, IS_SHARE].shape)
    )
    even.yy = np.where(IS_SHARE, even.y, even.y**2 / even.n + even.y)
    twice = Bots(2 * even.y, 2 * even.n, 2 * even.yy)
    assert np.array_equal(rankdata(even.scores().score), rankdata(twice.scores().score))
    # Of uneven bots the small ones are believed a little more.
    uneven = product(4)
    twice = Bots(2 * uneven.y, 2 * uneven.n, 2 * uneven.yy)
    assert spearmanr(uneven.scores().score, twice.scores().score)[0] > 0.99
    assert twice.scores().coverage == pytest.approx(uneven.scores().coverage)


def test_equal_bots_get_equal_scores() -> None:
    bots = product(5)
    twins = bots.plus(bots.y[7].tolist(), bots.n[7].tolist())
    twins.yy[-1] = bots.yy[7]
    found = twins.scores().score
    assert found[7] == found[-1]


def test_the_same_rows_give_the_same_bits() -> None:
    assert product(8).scores().score.tobytes() == product(8).scores().score.tobytes()


# ---------------------------------------------------------------- alerts
@pytest.mark.parametrize(("bots", "rate"), [(5, 0.4), (12, 0.1), (60, 0.02), (60, 0.4)])
def test_equal_bots_are_hardly_ever_warned_of(bots: int, rate: float) -> None:
    """All bots have one true rate, whatever their traffic: an alert is false. Bound: 0.3 % of bots."""
    rng = np.random.default_rng(11)
    alarms = [below_market(shares(*market(rng, bots, rate))) for _ in range(6000 // bots)]
    assert np.mean(alarms) < 0.003


def test_weak_bots_are_warned_of_and_the_rest_is_not() -> None:
    """Five of 100 click at 0.3 of their chance; bots differ by nature, and who is flagged is truly low."""
    rng = np.random.default_rng(12)
    hit, wrong, flagged = [], [], []
    for _ in range(60):
        rate = rng.beta(12, 108, 100)
        rate[:5] = rng.uniform(0.02, 0.03, 5)
        y, n = market(rng, 100, rate)
        alarm = below_market(shares(y, n))
        hit.extend(alarm[:5][n[:5] >= 500])
        wrong.append(np.mean(alarm & (rate > np.quantile(rate, 0.25))))
        flagged.append(np.mean(alarm[5:]))
    assert np.mean(hit) > 0.97
    assert np.mean(wrong) < 0.002
    assert np.mean(flagged) < 0.15


def test_groups_are_numbered_by_their_keys() -> None:
    group, count = places(np.array(["b", "a", "b", "a"]), np.array([2, 1, 2, 3]))
    assert (group.tolist(), count) == ([2, 0, 2, 1], 3)
