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

# Logarithms of parameters beyond this lie on the edge of the model: a share of customers or a spread of
# e^12 times the unit is no estimate but a direction in which the likelihood keeps rising.
EDGE = 12.0
# Largest score, in units of log-likelihood per unit of log-parameter and customer, that counts as zero.
FLAT = 1e-7


class Missing(StrEnum):
    """Why a fit or a value does not exist; the value is what tables show."""

    TOO_FEW_CUSTOMERS = "too_few_customers"
    TOO_FEW_PERIODS = "too_few_periods"
    NO_CHURN = "no_churn"
    NO_LATER_CHURN = "no_later_churn"
    EVERYBODY_CHURNED_AT_ONCE = "everybody_churned_at_once"
    NO_REPEAT_ORDERS = "no_repeat_orders"
    NO_SPREAD = "no_spread"
    ON_THE_EDGE = "on_the_edge"
    INFINITE_MEAN = "infinite_mean"
    NOT_CONVERGED = "not_converged"


class Unfitted(ValueError):  # noqa: N818 - a state of the data, not a programming error
    """The data do not determine the model; ``reason`` says why."""

    def __init__(self, reason: Missing) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Optimum:
    """Maximum of a log-likelihood over logarithms of parameters.

    Attributes:
        place: log-parameters, shape (k,).
        height: log-likelihood there.
        covariance: inverse of the observed information in log-parameters, shape (k, k).
    """

    place: Floats
    height: float
    covariance: Floats


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
    customers: float,
) -> Optimum:
    """Highest maximum found from several starts: quasi-Newton, then Newton steps on the exact score.

    Args:
        likelihood: log-likelihood and its gradient at log-parameters.
        starts: log-parameters to start from; the same starts give the same answer.
        customers: how many customers the likelihood sums over; its scale.

    Raises:
        Unfitted: the likelihood rises towards the edge of the model, or no start reached a maximum.
    """

    def falling(place: Floats) -> tuple[float, Floats]:
        height, score = likelihood(place)
        if not (np.isfinite(height) and np.isfinite(score).all()):
            return 1e10, np.zeros_like(place)
        return -height / customers, -score / customers

    found = []
    for start in starts:
        bounds = [(-EDGE, EDGE)] * len(start)
        result = minimize(
            falling, np.asarray(start), jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-10},
        )  # fmt: skip
        found.append((-float(result.fun), np.asarray(result.x, dtype=np.float64)))
    place = max(found, key=lambda pair: pair[0])[1]
    for _ in range(8):
        score = likelihood(place)[1]
        bent = curvature(likelihood, place)
        if np.abs(score).max() < FLAT * customers * 1e-4 or np.linalg.eigvalsh(bent).max() >= 0:
            break
        step = np.linalg.solve(bent, score)
        moved = place - step
        # A Newton step is only taken while it is a polish; further off quasi-Newton was right to stop.
        if np.abs(step).max() > 0.5 or np.abs(likelihood(moved)[1]).max() > np.abs(score).max():
            break
        place = moved
    if np.abs(place).max() >= EDGE - 0.01:
        raise Unfitted(Missing.ON_THE_EDGE)
    height, score = likelihood(place)
    bent = curvature(likelihood, place)
    if np.abs(score).max() > FLAT * customers or np.linalg.eigvalsh(bent).max() >= 0:
        raise Unfitted(Missing.NOT_CONVERGED)
    covariance: Floats = np.asarray(np.linalg.inv(-bent), dtype=np.float64)
    return Optimum(place, float(height), covariance)


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
    """Standard errors by the delta method, for each of the values a function gives at log-parameters.

    Args:
        values: function of log-parameters, an array of shape (m,).
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
