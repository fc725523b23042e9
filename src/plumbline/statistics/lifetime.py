"""What the models of lifetime value share: why a fit does not exist, and one careful maximiser.

Contracts (a customer who leaves is seen to leave) are in ``lifetime_contractual``; orders without a
contract (a customer who leaves just falls silent) in ``lifetime_noncontractual``. A result that does not
exist is NaN in its array, with a :class:`Missing` beside it, and leaves a Python model as null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

# Largest score, in units of log-likelihood per unit of a coordinate and customer, that counts as zero.
FLAT = 1e-7
# A coordinate this near its lower bound is at it: the likelihood has long been level there.
NEAR = 1.0
# A coordinate known to less than this, in logarithms, is not known.
LARGEST_ERROR = 10.0


class Missing(StrEnum):
    """Why a fit or a value does not exist; the value is what tables show."""

    TOO_FEW_CUSTOMERS = "too_few_customers"
    TOO_FEW_PERIODS = "too_few_periods"
    NO_CHURN = "no_churn"
    NO_LATER_CHURN = "no_later_churn"
    EVERYBODY_CHURNED_AT_ONCE = "everybody_churned_at_once"
    NO_REPEAT_ORDERS = "no_repeat_orders"
    NO_RETURNS = "no_returns"
    NO_REVENUE = "no_revenue"
    NO_SPREAD = "no_spread"
    ON_THE_EDGE = "on_the_edge"
    INFINITE_MEAN = "infinite_mean"
    NOT_CONVERGED = "not_converged"


class Unfitted(ValueError):  # noqa: N818 - a state of the data, not a programming error
    """The data do not determine the model.

    Attributes:
        reason: why.
        height: highest log-likelihood that was seen.
    """

    def __init__(self, reason: Missing, height: float) -> None:
        super().__init__(reason.value)
        self.reason, self.height = reason, height


@dataclass(frozen=True)
class Optimum:
    """Maximum of a log-likelihood over its coordinates.

    Attributes:
        place: coordinates, shape (k,).
        height: log-likelihood there.
        covariance: inverse of the observed information, shape (k, k); 0 for coordinates at their edge.
        at_edge: coordinates at their lower bound, where the model has become a simpler one.
    """

    place: Floats
    height: float
    covariance: Floats
    at_edge: Bools


def columns_of(*values: object) -> list[Floats]:
    """Columns of doubles of one length.

    Raises:
        ValueError: lengths differ, or a number is missing or infinite.
    """
    arrays = [np.asarray(value, dtype=np.float64) for value in values]
    if any(array.ndim != 1 or array.shape != arrays[0].shape for array in arrays):
        raise ValueError("columns must be one-dimensional and of one length")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("columns must hold finite numbers")
    return arrays


def maximise(
    likelihood: Callable[[Floats], tuple[float, Floats]],
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
    customers: float,
    fixed: Sequence[int] = (),
) -> Optimum:
    """Highest maximum found from several starts: quasi-Newton, then Newton steps on the exact score.

    Args:
        likelihood: log-likelihood and its gradient.
        starts: coordinates to start from; the same starts give the same answer.
        bounds: lowest and highest value of each coordinate. At the lowest the model is a simpler one, which
            is accepted, with this coordinate known; at the highest it is no model of the data.
        customers: how many customers the likelihood sums over; its scale.
        fixed: coordinates that stay at their lowest value: a simpler model by choice.

    Raises:
        Unfitted: the likelihood rises towards a highest value, leaves a coordinate unknown, or no start
            reached a maximum.
    """
    low, high = (np.array(side) for side in zip(*bounds, strict=True))

    def climb(start: Floats, free: Bools) -> tuple[float, Floats]:
        def falling(part: Floats) -> tuple[float, Floats]:
            place = start.copy()
            place[free] = part
            height, score = likelihood(place)
            if not (np.isfinite(height) and np.isfinite(score).all()):
                return 1e10, np.zeros_like(part)
            return -height / customers, -score[free] / customers

        result = minimize(
            falling, start[free], jac=True, method="L-BFGS-B",
            bounds=[pair for pair, is_free in zip(bounds, free, strict=True) if is_free],
            options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-10},
        )  # fmt: skip
        place = start.copy()
        place[free] = result.x
        return -float(result.fun), place

    chosen = np.isin(np.arange(len(low)), fixed)
    found = [climb(np.where(chosen, low, np.asarray(start)), ~chosen) for start in starts]
    best, place = max(found, key=lambda pair: pair[0])
    best *= customers
    at_edge = place <= low + NEAR
    if at_edge.any():
        # What the simpler model no longer depends on goes to its edge too.
        level = np.abs(np.diag(curvature(likelihood, place))) < FLAT * customers
        at_edge = at_edge | level
    free: Bools = ~at_edge
    if at_edge.any():
        place[at_edge] = low[at_edge]
        place = climb(place, free)[1]
    for _ in range(8):
        score = likelihood(place)[1][free]
        bent = curvature(likelihood, place)[np.ix_(free, free)]
        if np.abs(score).max() < FLAT * customers * 1e-4 or np.linalg.eigvalsh(bent).max() >= 0:
            break
        step = np.zeros(len(low))
        step[free] = np.linalg.solve(bent, score)
        moved = place - step
        # A Newton step is only taken while it is a polish; further off quasi-Newton was right to stop.
        worse = np.abs(likelihood(moved)[1][free]).max() > np.abs(score).max()
        if np.abs(step).max() > 0.5 or worse:
            break
        place = moved
    if (place >= high - 0.01).any():
        raise Unfitted(Missing.ON_THE_EDGE, best)
    height, score = likelihood(place)
    bent = curvature(likelihood, place)[np.ix_(free, free)]
    if np.abs(score[free]).max() > FLAT * customers or np.linalg.eigvalsh(bent).max() >= 0:
        raise Unfitted(Missing.NOT_CONVERGED, best)
    covariance = np.zeros((len(low), len(low)))
    covariance[np.ix_(free, free)] = np.linalg.inv(-bent)
    if np.sqrt(np.diag(covariance)).max() > LARGEST_ERROR:
        raise Unfitted(Missing.ON_THE_EDGE, best)
    return Optimum(place, float(height), covariance, at_edge)


def maximise_or_simplify(
    likelihood: Callable[[Floats], tuple[float, Floats]],
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
    customers: float,
    simpler: Sequence[Sequence[int]],
) -> Optimum:
    """Maximum of a model, or, where the data do not determine it, of a simpler one that fits as well.

    As well: the log-likelihood is lower by at most one for each coordinate given up (Akaike 1974).

    Args:
        likelihood, starts, bounds, customers: as of :func:`maximise`.
        simpler: coordinates to fix, one list a simpler model, the first to try first.

    Raises:
        Unfitted: neither the model nor a simpler one that fits as well is determined.
    """
    try:
        return maximise(likelihood, starts, bounds, customers)
    except Unfitted as unfitted:
        for fixed in simpler:
            try:
                found = maximise(likelihood, starts, bounds, customers, fixed)
            except Unfitted:
                continue
            if found.height >= unfitted.height - len(fixed):
                return found
        raise


def curvature(likelihood: Callable[[Floats], tuple[float, Floats]], place: Floats) -> Floats:
    """Second derivatives of a log-likelihood: central differences of its exact score, made symmetric."""
    width = 1e-4
    lines = []
    for direction in np.eye(len(place)) * width:
        ahead, behind = likelihood(place + direction)[1], likelihood(place - direction)[1]
        lines.append((ahead - behind) / (2 * width))
    bent = np.asarray(lines)
    return np.asarray((bent + bent.T) / 2)


def spread(values: Callable[[Floats], Floats], optimum: Optimum) -> Floats:
    """Standard errors by the delta method, for each of the values a function gives.

    Args:
        values: function of the coordinates, an array of shape (m,).
        optimum: maximum and covariance.
    """
    width = 1e-4
    slopes = [
        (values(optimum.place + direction) - values(optimum.place - direction)) / (2 * width)
        for direction in np.eye(len(optimum.place)) * width
    ]
    gradient = np.asarray(slopes)
    variance = np.einsum("im,ij,jm->m", gradient, optimum.covariance, gradient)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), dtype=np.float64)
