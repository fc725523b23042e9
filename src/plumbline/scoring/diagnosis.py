"""What holds a creator back: components below their threshold or below their peers.

A component is an issue where its rule says so or where its score lies below the lower quartile of the peers,
never where its score is 1. Impact = KPI weight x component weight x (1 - score): a worse score never
lowers it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from plumbline.scoring.reference import MILLIONTHS, Catalogue, Floats
from plumbline.scoring.scores import Bools, Scores

Codes = npt.NDArray[np.int8]


class Severity(IntEnum):
    """How bad an issue is."""

    NONE = 0
    MODERATE = 1
    SEVERE = 2


class Cause(IntEnum):
    """Why a component is an issue; both may hold, then the threshold is named."""

    NONE = 0
    THRESHOLD = 1
    PEER_P25 = 2


@dataclass(frozen=True)
class Issues:
    """Issues of n creators, (n, components) in the order of the catalogue.

    Attributes:
        severity: values of ``Severity``; NONE is no issue.
        cause: values of ``Cause``.
        impact: KPI weight x component weight x (1 - score); NaN where there is no issue.
    """

    severity: Codes
    cause: Codes
    impact: Floats

    @property
    def found(self) -> Bools:
        """Where there is an issue."""
        return np.asarray(self.severity > 0)


def diagnose(
    catalogue: Catalogue, values: npt.ArrayLike, scores: Scores, peers: npt.ArrayLike | None = None
) -> Issues:
    """Issues of n creators; none for a creator without an overall score.

    Args:
        catalogue: what is valid on the day.
        values: inputs (n, fields) that were scored.
        scores: result of ``score`` for them.
        peers: lower quartile of the peers' scores (n, components), NaN where there are too few
            (see ``peer_quartiles``); left out where nobody knows any.
    """
    held = np.asarray(values, dtype=np.float64).reshape(-1, len(catalogue.fields))
    items, own = catalogue.components, scores.components
    quartiles = np.full(own.shape, np.nan) if peers is None else np.broadcast_to(peers, own.shape)
    of_input = np.array([item.measure == "input" for item in items])
    first = np.array([catalogue.field_index[item.fields[0]] for item in items])
    sign = np.array([-1.0 if item.direction == "above" else 1.0 for item in items])
    measured = sign * np.where(of_input, held[:, first], own)
    # Comparisons with NaN are false: what is missing is no issue.
    issue = measured < sign * np.array([item.issue_threshold for item in items])
    severe = measured < sign * np.array([item.severe_threshold for item in items])
    there = ~np.isnan(scores.overall)[:, None] & (own < 1.0)
    found = there & (issue | severe | (own < quartiles))
    kpi_weights = np.array([item.weight for item in catalogue.kpis])[catalogue.kpi_of]
    weight = kpi_weights * np.array([item.weight for item in items]) / (MILLIONTHS * MILLIONTHS)
    bad = np.where(severe, np.int8(Severity.SEVERE), np.int8(Severity.MODERATE))
    why = np.where(issue | severe, np.int8(Cause.THRESHOLD), np.int8(Cause.PEER_P25))
    severity = np.where(found, bad, np.int8(Severity.NONE))
    cause = np.where(found, why, np.int8(Cause.NONE))
    impact = np.where(found, weight * (1.0 - own), np.nan)
    return Issues(severity, cause, impact)


def peer_quartiles(
    scores: npt.ArrayLike, group: npt.ArrayLike, least: int, quantile: float = 0.25
) -> Floats:
    """Lower quartile of the scores of each row's group, column by column.

    Estimand: the smallest observed score that at least a quarter of the group's scores do not exceed (type 1
    quantile: an observed value, so that no engine interpolates it differently).

    Args:
        scores: (n, columns), NaN where there is none.
        group: (n,) number of the group of each row, e.g. day and size band; negative for none.
        least: scores a group needs in a column, else NaN.
        quantile: share of the group.

    Returns:
        (n, columns); every row of a group holds the same values.
    """
    held = np.asarray(scores, dtype=np.float64)
    owner = np.asarray(group, dtype=np.int64)
    found = np.full(held.shape, np.nan)
    for number in np.unique(owner[owner >= 0]):
        rows = np.flatnonzero(owner == number)
        ranked = np.sort(held[rows], axis=0)  # NaN last
        seen = (~np.isnan(ranked)).sum(axis=0)
        place = np.maximum(np.ceil(quantile * seen).astype(np.int64) - 1, 0)
        lower = np.take_along_axis(ranked, place[None, :], axis=0)[0]
        found[rows] = np.where(seen >= least, lower, np.nan)
    return found


def peer_percentiles(scores: npt.ArrayLike, group: npt.ArrayLike, least: int) -> Floats:
    """Share of the group that a row is not behind: (below + half of the equal) / scores of the group.

    Args:
        scores: (n, columns), NaN where there is none.
        group: (n,) number of the group of each row; negative for none.
        least: scores a group needs in a column, else NaN.

    Returns:
        (n, columns) between 0 and 1; it does not change when all scores are transformed by a rising function.
    """
    held = np.asarray(scores, dtype=np.float64)
    owner = np.asarray(group, dtype=np.int64)
    found = np.full(held.shape, np.nan)
    for number in np.unique(owner[owner >= 0]):
        rows = np.flatnonzero(owner == number)
        for column in range(held.shape[1]):
            there = rows[~np.isnan(held[rows, column])]
            if len(there) < least or not len(there):
                continue
            own = held[there, column]
            ranked = np.sort(own)
            below = np.searchsorted(ranked, own, side="left")
            upto = np.searchsorted(ranked, own, side="right")
            found[there, column] = (below + upto) / (2.0 * len(ranked))
    return found
