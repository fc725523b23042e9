"""What goes with an outcome: each feature alone, and with the others held equal. Nobody was randomised.

Yes-or-no outcomes: logistic regression, effects as odds ratios. Amounts: least squares, effects in the
unit of the outcome. Numbers count per standard deviation (of log1p where the feature says so), levels
of a category against its most frequent one. Intervals: normal, with the sandwich covariance (White
1980), which holds whatever the spread of the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from plumbline.statistics.churn_design import Columns, Design, Feature
from plumbline.statistics.churn_models import fit_logistic
from plumbline.statistics.outcomes import Floats

KINDS = ("odds_ratio", "difference")


@dataclass
class Effects:
    """One row per outcome and feature (level of a category); columns of a table.

    Attributes:
        outcome, feature, driver: what is held against what.
        level: level of the category, ``one_deviation`` for numbers.
        effect_kind: ``odds_ratio`` or ``difference``.
        person_count: people with a known outcome.
        outcome_total: sum of the outcome over them; people with it, for yes or no.
        naive, naive_low, naive_high: effect with this feature alone.
        adjusted, adjusted_low, adjusted_high: effect with all features.
        contribution: mean |contribution| of the whole feature in the model of all features, in log odds
            or units of the outcome.
        reason: why there is no effect, else ``none``.
    """

    outcome: list[str] = field(default_factory=list)
    feature: list[str] = field(default_factory=list)
    driver: list[str] = field(default_factory=list)
    level: list[str] = field(default_factory=list)
    effect_kind: list[str] = field(default_factory=list)
    person_count: list[int] = field(default_factory=list)
    outcome_total: list[float] = field(default_factory=list)
    naive: list[float] = field(default_factory=list)
    naive_low: list[float] = field(default_factory=list)
    naive_high: list[float] = field(default_factory=list)
    adjusted: list[float] = field(default_factory=list)
    adjusted_low: list[float] = field(default_factory=list)
    adjusted_high: list[float] = field(default_factory=list)
    contribution: list[float] = field(default_factory=list)
    reason: list[str] = field(default_factory=list)

    def columns(self) -> dict[str, list[str] | list[int] | list[float]]:
        """Columns by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def join(self, other: Effects) -> Effects:
        """Rows of both."""
        return Effects(
            **{name: getattr(self, name) + getattr(other, name) for name in self.columns()}
        )


@dataclass(frozen=True)
class _Fit:
    beta: Floats
    error: Floats


def effects(
    columns: Columns,
    features: Sequence[Feature],
    outcomes: Mapping[str, tuple[str, Floats]],
    penalty: float,
    minimum_people: int,
    confidence: float,
) -> Effects:
    """Naive and adjusted effects of features on outcomes.

    Args:
        columns: one array a feature.
        features: what may drive the outcomes.
        outcomes: kind (``odds_ratio`` or ``difference``) and values by name; NaN is not known, and
            such people are left out of that outcome.
        penalty: ridge on standardised columns; small, against columns that say the same.
        minimum_people: people that an outcome needs, and of yes or no either side.
        confidence: coverage of the intervals.
    """
    found = Effects()
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    for outcome, (kind, values) in outcomes.items():
        if kind not in KINDS:
            raise ValueError(f"unknown kind of effect {kind} of {outcome}")
        known = np.isfinite(values)
        labels = values[known]
        rows = {name: column[known] for name, column in columns.items()}
        design = Design.learn(features, rows, True)
        matrix = np.nan_to_num(design.matrix(rows))
        side = min(labels.sum(), len(labels) - labels.sum()) if kind == KINDS[0] else len(labels)
        if len(labels) < minimum_people or side < minimum_people or not len(design.owner):
            continue
        # The columns of a level are compared as they are, present or not; those of numbers per deviation.
        unit = np.asarray(
            [
                1.0 if level is None else 1 / scale
                for level, scale in zip(design.level, design.scale, strict=True)
            ]
        )
        together = _fitted(kind, matrix, labels, penalty)
        shares = np.abs(design.by_feature(matrix * together.beta)).mean(axis=0)
        alone = [
            _fitted(kind, matrix[:, design.owner == place], labels, penalty)
            for place in range(len(design.features))
        ]
        for column, owner in enumerate(design.owner):
            inside = int((design.owner[:column] == owner).sum())
            naive = alone[owner].beta[inside], alone[owner].error[inside]
            adjusted = together.beta[column], together.error[column]
            feature, level = design.features[owner], design.level[column]
            found.outcome.append(outcome)
            found.feature.append(feature.name)
            found.driver.append(feature.driver)
            found.level.append(level or "one_deviation")
            found.effect_kind.append(kind)
            found.person_count.append(len(labels))
            found.outcome_total.append(float(labels.sum()))
            found.contribution.append(float(shares[owner]))
            found.reason.append("none")
            for name, (beta, error) in (("naive", naive), ("adjusted", adjusted)):
                for end, reach in (("", 0.0), ("_low", -quantile), ("_high", quantile)):
                    effect = (beta + reach * error) * unit[column]
                    # An odds ratio beyond e^30 is a separable outcome, not a finding.
                    shown = np.exp(np.clip(effect, -30, 30)) if kind == KINDS[0] else effect
                    getattr(found, name + end).append(float(shown))
    return found


def _fitted(kind: str, matrix: Floats, labels: Floats, penalty: float) -> _Fit:
    """Slopes and their errors, in the order of the columns."""
    if not matrix.shape[1]:
        return _Fit(np.empty(0), np.empty(0))
    if kind == KINDS[0]:
        model = fit_logistic(matrix, labels, penalty)
        return _Fit(model.beta, np.sqrt(np.diag(model.covariance))[1:])
    held = np.column_stack([np.ones(len(labels)), matrix])
    ridge = np.full(held.shape[1], penalty)
    ridge[0] = 0.0
    inverse = np.linalg.inv(held.T @ held + np.diag(ridge))
    beta = inverse @ (held.T @ labels)
    residual = labels - held @ beta
    freedom = len(labels) / max(1, len(labels) - held.shape[1])
    covariance = freedom * inverse @ ((held.T * residual**2) @ held) @ inverse
    return _Fit(beta[1:], np.sqrt(np.diag(covariance))[1:])
