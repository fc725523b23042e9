"""The two kinds of models of churn, both with exact additive attributions.

Logistic regression: log odds = base + sum of beta (x - mean); with standardised columns each term is the
column's exact contribution. Gradient boosted trees: LightGBM, whose ``pred_contrib`` is path-dependent
TreeSHAP (Lundberg et al. 2020), exact for the trees; contributions and base sum to the raw score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import expit

from plumbline.statistics.outcomes import Floats

_STEPS = 60
_TOLERANCE = 1e-10


class Model(Protocol):
    """A fitted model of a yes-or-no outcome."""

    def log_odds(self, matrix: Floats) -> Floats:
        """Predicted log odds, shape (rows,)."""

    def contributions(self, matrix: Floats) -> Floats:
        """What each column adds to the base, shape (rows, columns)."""

    def base(self) -> float:
        """Log odds that contributions are added to."""


@dataclass(frozen=True)
class Logistic:
    """Logistic regression with a ridge penalty.

    Attributes:
        intercept: log odds where every column is 0, the mean of the rows it was fitted on.
        beta: change of the log odds for one standard deviation, shape (columns,).
        covariance: sandwich covariance of intercept and beta (White 1982), shape (1 + columns, same).
    """

    intercept: float
    beta: Floats
    covariance: Floats

    def log_odds(self, matrix: Floats) -> Floats:
        """Predicted log odds; what is missing counts as the mean."""
        return np.asarray(self.intercept + np.nan_to_num(matrix) @ self.beta)

    def contributions(self, matrix: Floats) -> Floats:
        """beta (x - mean) of every column."""
        return np.asarray(np.nan_to_num(matrix) * self.beta)

    def base(self) -> float:
        """Log odds of the mean person."""
        return self.intercept


def fit_logistic(
    matrix: Floats, labels: Floats, penalty: float, offset: Floats | None = None
) -> Logistic:
    """Minimise -log likelihood + penalty / 2 * sum of beta^2 by Newton steps; intercept unpenalised.

    Args:
        matrix: standardised columns, shape (rows, columns); NaN counts as 0.
        labels: 0 or 1, shape (rows,).
        penalty: weight of the ridge, above 0: it keeps separable outcomes finite.
        offset: log odds to start from, shape (rows,).

    Raises:
        ValueError: the labels are all alike, the penalty is not positive, or Newton does not arrive.
    """
    if penalty <= 0:
        raise ValueError("penalty must be above 0")
    if not 0 < labels.mean() < 1:
        raise ValueError("labels must be of both kinds")
    held = np.column_stack([np.ones(len(labels)), np.nan_to_num(matrix)])
    start = np.zeros(len(labels)) if offset is None else offset
    ridge = np.full(held.shape[1], penalty)
    ridge[0] = 0.0
    beta = np.zeros(held.shape[1])
    loss = _loss(held, labels, beta, ridge, start)
    for _ in range(_STEPS):
        chance = expit(start + held @ beta)
        gradient = held.T @ (chance - labels) + ridge * beta
        weight = np.maximum(chance * (1 - chance), 1e-12)
        hessian = (held.T * weight) @ held + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        size, after = 1.0, _loss(held, labels, beta - step, ridge, start)
        while after > loss + 1e-12 * abs(loss) and size > 1e-6:
            size /= 2
            after = _loss(held, labels, beta - size * step, ridge, start)
        beta, loss = beta - size * step, after
        if np.abs(step).max() * size < _TOLERANCE:
            break
    else:
        raise ValueError("the logistic regression does not converge")
    chance = expit(start + held @ beta)
    hessian = (held.T * np.maximum(chance * (1 - chance), 1e-12)) @ held + np.diag(ridge)
    inverse = np.linalg.inv(hessian)
    meat = (held.T * (labels - chance) ** 2) @ held
    return Logistic(float(beta[0]), beta[1:], inverse @ meat @ inverse)


def _loss(matrix: Floats, labels: Floats, beta: Floats, ridge: Floats, start: Floats) -> float:
    log_odds = start + matrix @ beta
    return float(
        (np.logaddexp(0.0, log_odds) - labels * log_odds).sum() + 0.5 * (ridge * beta**2).sum()
    )


@dataclass(frozen=True)
class Trees:
    """Gradient boosted trees; ``booster`` is LightGBM's."""

    booster: Any

    def log_odds(self, matrix: Floats) -> Floats:
        """Raw score of the trees."""
        return np.asarray(self.booster.predict(matrix, raw_score=True, num_threads=1))

    def contributions(self, matrix: Floats) -> Floats:
        """TreeSHAP values."""
        return np.asarray(self._explained(matrix)[:, :-1])

    def base(self) -> float:
        """Mean raw score, weighted by the rows that passed each leaf in training."""
        width = int(self.booster.num_feature())
        return float(self._explained(np.zeros((1, width)))[0, -1])

    def _explained(self, matrix: Floats) -> Floats:
        return np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1))


def fit_trees(
    matrix: Floats, labels: Floats, rounds: int, leaves: int, rate: float, least: int
) -> Trees:
    """Boosted trees on one thread: the same rows give the same trees.

    Args:
        matrix: shape (rows, columns); NaN is missing and goes its own way in the trees.
        labels: 0 or 1, shape (rows,).
        rounds: trees.
        leaves: most leaves of a tree.
        rate: share of each tree that is taken over.
        least: fewest rows of a leaf.

    Raises:
        ImportError: LightGBM or its OpenMP runtime cannot be loaded.
    """
    try:
        import lightgbm
    except OSError as error:  # the wheel is there, libgomp is not
        raise ImportError(str(error)) from error
    settings = {
        "objective": "binary",
        "num_leaves": leaves,
        "learning_rate": rate,
        "min_data_in_leaf": least,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 0,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(matrix, labels, params={"verbosity": -1})
    return Trees(lightgbm.train(settings, data, num_boost_round=rounds))
