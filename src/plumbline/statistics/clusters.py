"""Groups of alike bots or people, and the honest answer that there are none.

k-means on standardised features. How many groups there are is the k from 2 to 6 with the best mean silhouette
(Rousseeuw, 1987) among those that come out again when the rows are drawn anew: the mean adjusted Rand index
(Hubert and Arabie, 1985) between the partition of the rows and those of bootstrap samples has to reach a
bound. Where no k does, all rows are one group and the reason is stated.

Same rows in the same order, same result: draws come from a generator with a fixed start, the rows that choose
k are every so many-th, and the linear algebra runs on one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Values further out than so many deviations count as that many: one of them would be a group of its own.
FURTHEST = 4.0
# Fewer rows for each group than this are no group but a coincidence.
ROWS_PER_GROUP = 10


@dataclass(frozen=True)
class Choice:
    """How the rows are to be told apart.

    Attributes:
        largest: greatest number of groups tried, at least 2.
        least_stability: mean adjusted Rand index that a number of groups has to reach.
        bootstraps: samples that it is measured on.
        most_rows: rows that choose the number of groups; more are thinned out evenly.
        seed: start of the generator.
    """

    largest: int
    least_stability: float
    bootstraps: int
    most_rows: int
    seed: int


@dataclass(frozen=True)
class Clusters:
    """One group a row, the groups numbered from 1 by falling mean of the leading feature.

    Attributes:
        group: number of the group of each row, from 1.
        silhouette: (b - a) / max(a, b) of each row, a the distance to the centre of its group and b to the
            nearest other one; between -1 and 1, NaN where there is one group.
        count: number of groups.
        mean_silhouette: mean silhouette of the rows that chose; NaN for one group.
        stability: mean adjusted Rand index over the bootstraps of the chosen number, or the best that was
            reached when none was stable; NaN when nothing was tried.
        reason: ``stable``, or why there is one group: ``too_few_rows``, ``no_variation``, ``none_stable``.
    """

    group: Ints
    silhouette: Floats
    count: int
    mean_silhouette: float
    stability: float
    reason: str

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The groups as columns of a table, what is true of all rows repeated on each."""
        rows = len(self.group)
        return {
            "cluster_number": self.group,
            "silhouette": self.silhouette,
            "cluster_count": np.full(rows, self.count, dtype=np.int64),
            "mean_silhouette": np.full(rows, self.mean_silhouette),
            "stability": np.full(rows, self.stability),
            "cluster_reason": np.full(rows, self.reason),
        }


def cluster_features(features: Sequence[tuple[Floats, bool]], choice: Choice) -> Clusters:
    """Stable groups of rows by features as they come.

    Args:
        features: values (NaN where a row has none) and whether they are skewed, one pair a feature; group 1
            has the greatest mean of the first.
        choice: how the number of groups is chosen.
    """
    values = np.stack([column for column, _ in features], axis=1)
    return cluster(standardised(values, [skewed for _, skewed in features]), 0, choice)


def standardised(features: Floats, is_skewed: Sequence[bool]) -> Floats:
    """Features with mean 0 and deviation 1, one column each; missing values stand at the mean.

    Args:
        features: rows by features, NaN where a row has none.
        is_skewed: for each feature whether log(1 + x) is taken first; such features are not negative.

    Raises:
        ValueError: a skewed feature is negative, or the flags are not one a feature.
    """
    if features.ndim != 2 or features.shape[1] != len(is_skewed):
        raise ValueError("one flag a feature is needed")
    skewed = np.asarray(is_skewed, dtype=bool)
    if np.any(features[:, skewed] < 0):
        raise ValueError("a skewed feature has negative values, which have no logarithm")
    values = features.astype(np.float64)
    values[:, skewed] = np.log1p(values[:, skewed])
    seen = ~np.isnan(values)
    count = np.maximum(seen.sum(axis=0), 1)
    centred = np.where(seen, values - np.where(seen, values, 0.0).sum(axis=0) / count, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / count)
    # A constant tells nobody apart; what is left of it by rounding must not be blown up.
    scale = np.maximum(1.0, np.abs(np.where(seen, values, 0.0)).max(axis=0, initial=0.0))
    varies = deviation > 1e-12 * scale
    return np.where(
        varies, np.clip(centred / np.where(varies, deviation, 1.0), -FURTHEST, FURTHEST), 0.0
    )


def cluster(features: Floats, leading: int, choice: Choice) -> Clusters:
    """Stable groups of rows, or one group.

    Args:
        features: standardised features, rows by features, rows in the order of their key.
        leading: feature that numbers the groups: group 1 has its greatest mean.
        choice: how the number of groups is chosen.

    Raises:
        ValueError: ``choice`` asks for fewer than two groups, no bootstrap or no rows.
    """
    if choice.largest < 2 or choice.bootstraps < 1 or choice.most_rows < 1:
        raise ValueError("at least two groups, one bootstrap and one row are needed")
    rows = len(features)
    if rows < 2 * ROWS_PER_GROUP:
        return _one_group(rows, "too_few_rows")
    step = -(-rows // choice.most_rows)
    sample = np.ascontiguousarray(features[::step])
    distinct = len(np.unique(sample, axis=0))
    if distinct < 2:
        return _one_group(rows, "no_variation")
    # Heavy libraries wait until there is something to group.
    from sklearn.metrics import adjusted_rand_score, silhouette_score
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    best: tuple[float, float, Floats] | None = None
    stability_seen = float("nan")
    with threadpool_limits(limits=1):
        for count in range(2, choice.largest + 1):
            if len(sample) < count * ROWS_PER_GROUP or distinct <= count:
                break
            centres = _centres(sample, count, choice.seed, starts=8)
            labels = _nearest(sample, centres)[0]
            if len(np.unique(labels)) < count:
                continue
            # One stream a number of groups: trying more of them changes nothing for the others.
            draws = np.random.default_rng([choice.seed, count])
            agreement = [
                adjusted_rand_score(labels, _nearest(sample, redrawn)[0])
                for redrawn in (
                    _centres(
                        sample[np.sort(draws.integers(0, len(sample), len(sample)))],
                        count,
                        choice.seed + 1 + number,
                        starts=3,
                    )
                    for number in range(choice.bootstraps)
                )
            ]
            stability = float(np.mean(agreement))
            stability_seen = float(np.fmax(stability_seen, stability))
            if stability < choice.least_stability:
                continue
            width = float(silhouette_score(sample, labels))
            if best is None or width > best[0]:
                best = (width, stability, centres)
    if best is None:
        return _one_group(rows, "none_stable", stability_seen)
    width, stability, centres = best
    order = np.lexsort((np.arange(len(centres)), -centres[:, leading]))
    labels, nearest, second = _nearest(features, centres[order])
    silhouette = np.divide(second - nearest, second, out=np.zeros(rows), where=second > 0)
    return Clusters(labels + 1, silhouette, len(centres), width, stability, "stable")


def _one_group(rows: int, reason: str, stability: float = float("nan")) -> Clusters:
    return Clusters(
        np.ones(rows, dtype=np.int64), np.full(rows, np.nan), 1, float("nan"), stability, reason
    )


def _centres(rows: Floats, count: int, seed: int, starts: int) -> Floats:
    """Centres of the best of several k-means runs."""
    from sklearn.cluster import KMeans

    fitted = KMeans(n_clusters=count, n_init=starts, random_state=seed).fit(rows)
    return np.asarray(fitted.cluster_centers_, dtype=np.float64)


def _nearest(rows: Floats, centres: Floats) -> tuple[Ints, Floats, Floats]:
    """Place of the nearest centre of each row, its distance, and that of the second nearest."""
    distance = np.stack([np.sqrt(((rows - centre) ** 2).sum(axis=1)) for centre in centres], axis=1)
    ranked = np.partition(distance, 1, axis=1)
    return distance.argmin(axis=1).astype(np.int64), ranked[:, 0], ranked[:, 1]
