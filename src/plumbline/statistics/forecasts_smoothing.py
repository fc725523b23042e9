"""Univariate forecasts of a daily series: exponential smoothing, Theta and seasonal naive.

Exponential smoothing is the innovations state-space family of Hyndman, Koehler, Ord and Snyder (2008),
*Forecasting with Exponential Smoothing*, fitted by statsmodels; states and paths are computed here, so that
one fit serves every later origin. The series of a product are modelled as log1p(value): growth and season
multiply, and no forecast is below zero.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

Floats: TypeAlias = NDArray[np.float64]
WEEK = 7
# Days after which an error weighs half of a new one.
HALF_LIFE = 28
# Smoothing weights of Theta that are tried.
WEIGHTS = np.linspace(0.02, 0.98, 25)


@dataclass(frozen=True)
class Form:
    """Member of the family: how error, trend and season enter, and the length of the season."""

    error: Literal["add", "mul"]
    trend: Literal["add", "mul"] | None
    is_damped: bool
    season: Literal["add", "mul"] | None
    period: int


LEVEL = Form("add", None, False, "add", WEEK)
DAMPED = Form("add", "add", True, "add", WEEK)


@dataclass(frozen=True)
class Smoothing:
    """A fitted additive form.

    Attributes:
        alpha, beta, gamma, phi: weights of level, trend and season, and damping; beta and phi are 0 without a
            trend.
        level, slope, season: states before the first value; season by position, shape (period,).
        aicc: Akaike's criterion for small samples.
        is_damped: whether there is a damped trend.
    """

    alpha: float
    beta: float
    gamma: float
    phi: float
    level: float
    slope: float
    season: Floats
    aicc: float
    is_damped: bool

    @property
    def estimated(self) -> int:
        """What was estimated: weights, level, slope, and a season that sums to zero."""
        return (6 if self.is_damped else 3) + len(self.season) - 1


@dataclass(frozen=True)
class States:
    """States after each value, shape (n,), season shape (n, period) by position, and one-step forecasts."""

    level: Floats
    slope: Floats
    season: Floats
    fitted: Floats


@dataclass(frozen=True)
class Path:
    """Forecast of the steps 1 to h ahead: centre and standard deviation, shape (h,), on the model's scale."""

    centre: Floats
    spread: Floats


def fit_form(
    values: ArrayLike, form: Form, start: Literal["estimated", "heuristic"] = "heuristic"
) -> Any | None:
    """Maximum likelihood fit of one form by statsmodels; None where it does not converge.

    Args:
        values: the series, shape (n,), at least two seasons and 10 values.
        form: member of the family.
        start: whether the states before the first value are estimated, or taken from the first seasons
            (Hyndman et al. 2008, section 2.6), which is five times as fast.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fit = ETSModel(
                np.asarray(values, dtype=np.float64), error=form.error, trend=form.trend,
                damped_trend=form.is_damped, seasonal=form.season, seasonal_periods=form.period,
                initialization_method=start,
            ).fit(disp=False)  # fmt: skip
    except (ValueError, FloatingPointError, np.linalg.LinAlgError):
        return None
    # A constant series has no likelihood to climb: its errors are zero.
    if not fit.mle_retvals["converged"] or not np.isfinite(fit.aicc):
        return None
    return fit


def smooth(values: Floats) -> Smoothing | None:
    """Additive smoothing with a weekly season, without or with a damped trend, whichever has the lower AICc.

    Args:
        values: log1p of the series, shape (n,).

    Returns:
        None where neither form converges.
    """
    found = []
    for form in (LEVEL, DAMPED):
        fit = fit_form(values, form)
        if fit is None:
            continue
        found.append(
            Smoothing(
                float(fit.alpha), float(fit.beta) if form.is_damped else 0.0, float(fit.gamma),
                float(fit.phi) if form.is_damped else 0.0, float(fit.initial_level),
                float(fit.initial_trend) if form.is_damped else 0.0,
                np.asarray(fit.initial_seasonal, dtype=np.float64), float(fit.aicc), form.is_damped,
            )
        )  # fmt: skip
    return min(found, key=lambda smoothing: smoothing.aicc) if found else None


def filtered(smoothing: Smoothing, values: Floats) -> States:
    """States of a fitted form along a series that begins where the fitted one did.

    ``level + phi slope + season`` forecasts one step; the error moves level by alpha, slope by beta and the
    season of the day by gamma.
    """
    size, period = len(values), len(smoothing.season)
    level, slope, season = smoothing.level, smoothing.slope, smoothing.season.tolist()
    levels, slopes, fitted = np.empty(size), np.empty(size), np.empty(size)
    seasons = np.empty((size, period))
    for step, value in enumerate(values.tolist()):
        drift = smoothing.phi * slope
        forecast = level + drift + season[step % period]
        error = value - forecast
        level += drift + smoothing.alpha * error
        slope = drift + smoothing.beta * error
        season[step % period] += smoothing.gamma * error
        levels[step], slopes[step], fitted[step] = level, slope, forecast
        seasons[step] = season
    return States(levels, slopes, seasons, fitted)


def recent_sigma(states: States, values: Floats, origin: int) -> float:
    """Standard deviation of the one-step errors up to a value, of which those of 28 days ago weigh half.

    Counts of a young product are noisy and become less so as it grows; the likelihood knows one noise for all
    days. Exponentially weighted variance (RiskMetrics 1996), without correction for what was estimated.

    Args:
        states: along the series.
        values: the series, at least up to the origin.
        origin: position of the last known value.
    """
    squares = (values[: origin + 1] - states.fitted[: origin + 1]) ** 2
    weight = 0.5 ** (np.arange(origin, -1, -1) / HALF_LIFE)
    return float(np.sqrt((weight * squares).sum() / weight.sum()))


def smoothed_path(
    smoothing: Smoothing, states: States, origin: int, horizon: int, sigma: float
) -> Path:
    """Forecast from one value on: Hyndman et al. (2008), table 6.1, class 1.

    Args:
        smoothing: fitted form.
        states: its states along the series.
        origin: position of the last known value.
        horizon: steps ahead.
        sigma: standard deviation of the errors to come, one step ahead.
    """
    ahead = np.arange(1, horizon + 1)
    damping = np.cumsum(smoothing.phi**ahead)
    period = len(smoothing.season)
    centre = (
        states.level[origin]
        + damping * states.slope[origin]
        + states.season[origin, (origin + ahead) % period]
    )
    weight = smoothing.alpha + smoothing.beta * damping + smoothing.gamma * (ahead % period == 0)
    grown = np.concatenate([[0.0], np.cumsum(weight**2)[:-1]])
    return Path(centre, sigma * np.sqrt(1 + grown))


def theta_path(values: Floats, horizon: int) -> Path:
    """Theta: simple smoothing with half the slope of the straight line, after taking the weekly season out.

    Assimakopoulos and Nikolopoulos (2000) in the form of Hyndman and Billah (2003). It exists for every
    series of at least two weeks and cannot run away: its drift is a straight line of half the slope seen.

    Args:
        values: log1p of the series, shape (n,).
        horizon: steps ahead.
    """
    place = np.arange(len(values))
    slope, base = np.polyfit(place, values, 1)
    rest = values - base - slope * place
    season = np.array([rest[place % WEEK == day].mean() for day in range(WEEK)])
    plain = values - season[place % WEEK]
    # Each weight is one recursive filter: level = (1 - weight) (level before + drift) + weight value.
    drift = slope / 2
    levels = np.empty((len(WEIGHTS), len(plain)))
    levels[:, 0] = plain[0]
    for row, kept in enumerate((1 - WEIGHTS).tolist()):
        moves = (1 - kept) * plain[1:] + kept * drift
        levels[row, 1:], _ = lfilter([1.0], [1.0, -kept], moves, zi=[kept * plain[0]])
    squares = ((plain[1:] - levels[:, :-1] - drift) ** 2).sum(axis=1)
    best = int(np.argmin(squares))
    ahead = np.arange(1, horizon + 1)
    sigma = np.sqrt(squares[best] / max(len(values) - 3, 1))
    centre = levels[best, -1] + drift * ahead + season[(len(values) - 1 + ahead) % WEEK]
    return Path(centre, sigma * np.sqrt(1 + (ahead - 1) * WEIGHTS[best] ** 2))


def naive_path(values: Floats, horizon: int) -> Path:
    """Seasonal naive: the last week again and again."""
    ahead = np.arange(1, horizon + 1)
    weeks = -(-ahead // WEEK)
    sigma = np.sqrt(np.mean((values[WEEK:] - values[:-WEEK]) ** 2)) if len(values) > WEEK else 0.0
    return Path(values[len(values) - 1 + ahead - WEEK * weeks], sigma * np.sqrt(weeks))
