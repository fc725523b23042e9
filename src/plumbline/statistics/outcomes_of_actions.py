"""What carried-out actions brought: before and after, against units that did nothing at that time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from plumbline.statistics.outcomes import Bools, Floats, Ints


@dataclass(frozen=True)
class ActionEffect:
    """Effect of one kind of action on the logarithm of its metric.

    Attributes:
        effect, standard_error: common effect and its error; NaN where it cannot be told.
        low, high: interval of the effect.
        actions, controls: units that acted and units they are compared with.
        expected: change each row would have had as a control, shape (rows,); NaN where unknown.
        spread: standard deviation of one control's change around what was expected.
    """

    effect: float
    standard_error: float
    low: float
    high: float
    actions: int
    controls: int
    expected: Floats
    spread: float


def action_effect(
    change: Floats, before: Floats, period: Ints, unit: Ints, acted: Bools, level: float
) -> ActionEffect:
    """Stacked difference-in-differences with one stack a pair of dates and the base level as covariate.

    Estimand: mean effect of the action on those who took it. Model: within a pair of dates, change =
    pair + slope x base level + effect x acted + error; without the action, both groups would have
    changed alike given where they began. The base level is in the model because actions are advised to
    units that do badly, and who does badly by chance recovers by chance. Least squares with one mean a
    pair; the error allows for any dependence within a unit (Liang and Zeger, 1986), times
    G / (G - 1), with t quantiles of as many degrees of freedom as units acted, less one.
    Source: Cengiz, Dube, Lindner, Zipperer (2019) for the stacks.

    Args:
        change: after minus before on the scale of the effect, shape (rows,), finite.
        before: base level on the same scale.
        period: code of the pair of dates of each row, from 0. A pair without both groups says nothing.
        unit: code of the unit, from 0; a unit may be a control in several pairs.
        acted: whether the row is an action.
        level: mass of the interval.

    Raises:
        ValueError: a number is not finite.
    """
    if not (np.isfinite(change).all() and np.isfinite(before).all()):
        raise ValueError("changes and base levels must be finite")
    count = int(period.max()) + 1 if len(period) else 0
    of_each = [np.bincount(period[mask], minlength=count) for mask in (acted, ~acted)]
    usable = (of_each[0] > 0) & (of_each[1] > 1)
    kept = usable[period] if len(period) else np.zeros(0, dtype=bool)
    actions = len(np.unique(unit[kept & acted]))
    controls = len(np.unique(unit[kept & ~acted]))
    expected = np.full(len(change), np.nan)
    nothing = float("nan")
    if actions < 1 or controls < 3:
        return ActionEffect(
            nothing, nothing, nothing, nothing, actions, controls, expected, nothing
        )

    # What controls did, given where they began, says what would have happened.
    idle = kept & ~acted
    mean_before = _means(before, period, idle, count)
    mean_change = _means(change, period, idle, count)
    base = before[idle] - mean_before[period[idle]]
    moved = change[idle] - mean_change[period[idle]]
    slope = float(base @ moved) / float(base @ base) if float(base @ base) > 0 else 0.0
    expected[kept] = mean_change[period[kept]] + slope * (before[kept] - mean_before[period[kept]])
    residual = change[idle] - expected[idle]
    spread = float(np.sqrt(residual @ residual / max(len(residual) - int(usable.sum()) - 1, 1)))

    design = np.column_stack([acted[kept].astype(np.float64), before[kept]])
    centred = _centred(design, period[kept], count)
    answer = _centred(change[kept][:, None], period[kept], count)[:, 0]
    if np.linalg.matrix_rank(centred) < 2:
        centred = centred[:, :1]
    inverse = np.linalg.inv(centred.T @ centred)
    weights = inverse @ (centred.T @ answer)
    left = answer - centred @ weights
    codes, place = np.unique(unit[kept], return_inverse=True)
    scores = np.zeros((len(codes), centred.shape[1]))
    np.add.at(scores, place, centred * left[:, None])
    meat = scores.T @ scores * len(codes) / (len(codes) - 1)
    error = float(np.sqrt((inverse @ meat @ inverse)[0, 0]))
    effect = float(weights[0])
    # One unit that acted has no spread of its own: its error is that of a single control.
    if actions < 2 or not error > 0:
        return ActionEffect(effect, nothing, nothing, nothing, actions, controls, expected, spread)
    half = float(special.stdtrit(actions - 1, (1 + level) / 2)) * error
    return ActionEffect(
        effect, error, effect - half, effect + half, actions, controls, expected, spread
    )


def _means(values: Floats, group: Ints, mask: Bools, count: int) -> Floats:
    total = np.bincount(group[mask], weights=values[mask], minlength=count)
    return np.asarray(total / np.maximum(np.bincount(group[mask], minlength=count), 1))


def _centred(columns: Floats, group: Ints, count: int) -> Floats:
    """Columns less their mean in the group."""
    size = np.maximum(np.bincount(group, minlength=count), 1)
    means = np.column_stack(
        [np.bincount(group, weights=column, minlength=count) / size for column in columns.T]
    )
    return np.asarray(columns - means[group])


@dataclass(frozen=True)
class Gain:
    """What an action is expected to bring, once it has been measured.

    Attributes:
        value: expected relative gain.
        measured_share: share of it that stands on measurement, 0 to 1.
    """

    value: float
    measured_share: float


def updated_gain(catalogue: float, spread: float, measured: float, standard_error: float) -> Gain:
    """Expected gain drawn from the measured one towards the catalogue value.

    Model: the true gain is normal around the catalogue value with a standard deviation of ``spread``
    times it; the measured gain is normal around the true one. Formula: posterior mean
    (1 - B) catalogue + B measured with B = t^2 / (t^2 + se^2), t = spread x catalogue. Without a
    measurement (NaN) the catalogue value stands. Source: textbook (Gelman et al., 2013, section 2.5).

    Args:
        catalogue: relative gain the catalogue states, above 0.
        spread: how far true gains lie from the catalogue, as a share of its value, above 0.
        measured, standard_error: measured relative gain and its error; NaN where there is none.

    Raises:
        ValueError: catalogue or spread is not above 0.
    """
    if not (catalogue > 0 and spread > 0):
        raise ValueError("the gain of the catalogue and its spread must be above 0")
    if not (np.isfinite(measured) and np.isfinite(standard_error)):
        return Gain(catalogue, 0.0)
    prior = (spread * catalogue) ** 2
    share = prior / (prior + standard_error**2)
    return Gain((1 - share) * catalogue + share * measured, share)
