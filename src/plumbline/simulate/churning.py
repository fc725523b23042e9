"""What the planted chances imply about churn: exact, by summing over everything that could be drawn.

A person churns when, of those active in the 28 days up to a snapshot, none of the 28 days after it is active.
Given class, role, sign-up day and arm, days are independent while the person is here, and leaving has no
memory. So the chance of having been active on k days of the window, last on day t, is

    (1 - leave) ** age(t) * chance(t) * P(k - 1 of the window's days before t are active),

and the chance of silence from t to any later day is a short recursion. Summed over classes, roles, days of
sign-up and arms this is the whole population: no draw, no sample, nothing a warehouse counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from plumbline.simulate import world
from plumbline.simulate.arrays import Floats
from plumbline.simulate.experiments import Trial
from plumbline.simulate.settings import (
    ACTIVITY_SEASON,
    SIGN_UP_GROWTH,
    SIGN_UP_SEASON,
    Settings,
)

WINDOW = 28
# Sign-up days are taken apart up to so many; of longer runs every k-th stands for its neighbours.
COHORTS = 200
RECENCY, FREQUENCY, TEACHER = (
    "days since last active", "active days before (latent class)", "role teacher",
)  # fmt: skip


@dataclass(frozen=True)
class Population:
    """People active in the window up to a snapshot, in cells of equal looks; arrays of one value a cell.

    Attributes:
        share: of all of them, sums to 1.
        active_days: in the window, 1 to 28.
        recency_days: since the last of them, 0 to 27.
        tenure_days: since sign-up.
        role: index into ROLES.
        churns: chance that no day of the window after the snapshot is active.
    """

    share: Floats
    active_days: Floats
    recency_days: Floats
    tenure_days: Floats
    role: Floats
    churns: Floats

    def columns(self) -> dict[str, Floats]:
        """What a model of churn may look at: log1p of the numbers, and roles against consumers."""
        return {
            RECENCY: np.log1p(self.recency_days),
            FREQUENCY: np.log1p(self.active_days),
            "tenure": np.log1p(self.tenure_days),
            "role student": (self.role == 0).astype(np.float64),
            TEACHER: (self.role == 1).astype(np.float64),
        }


@dataclass(frozen=True)
class Slopes:
    """Log odds of churn for one more of each column, in the best log-linear model of a population.

    Attributes:
        per_unit: slopes.
        error_of_one: standard error of each (sandwich) in a sample of one; of n people it is this / sqrt(n).
        deviation: standard deviation of each column.
    """

    per_unit: Floats
    error_of_one: Floats
    deviation: Floats


def population(settings: Settings, trials: tuple[Trial, ...], snapshot: int) -> Population:
    """People active in the window up to the end of a day, the snapshot."""
    season = settings.season(ACTIVITY_SEASON)
    place = np.arange(settings.days)
    joining = SIGN_UP_GROWTH ** (place / settings.days) * settings.season(SIGN_UP_SEASON)
    step = -(-(snapshot + 1) // COHORTS)
    signup = np.arange(snapshot, -1, -step)
    weight = np.array([joining[max(day - step + 1, 0) : day + 1].sum() for day in signup])
    low, high = world.COHORT_ACTIVITY
    cells = np.zeros((len(signup), len(world.ROLES), WINDOW + 1, WINDOW))
    churned = np.zeros_like(cells)
    improved = low + (high - low) * signup / settings.days
    for share, factor in _arms(trials, signup):
        for class_share, leave, active in zip(
            world.CLASS_SHARE, world.CLASS_LEAVE, world.CLASS_ACTIVE, strict=True
        ):
            chance = (
                active * settings.pace * (improved * factor)[:, None, None]
                * np.array(world.ROLE_ACTIVITY)[None, :, None] * season
            )  # fmt: skip
            chance = np.minimum(chance, 1.0)
            people = class_share * np.outer(weight * share, world.ROLE_SHARE)
            now, later = (
                _silent(chance, leave, snapshot, end) for end in (snapshot, snapshot + WINDOW)
            )
            counts = np.zeros((*people.shape, WINDOW + 1))
            counts[..., 0] = 1.0
            for day in range(max(snapshot - WINDOW + 1, 0), snapshot + 1):
                age = (day - signup)[:, None]
                # On the day of sign-up everybody is active, before it nobody.
                today = np.where(age == 0, 1.0, np.where(age < 0, 0.0, chance[..., day]))
                one_more = np.roll(counts, 1, axis=-1)
                here = people * (1 - leave) ** np.maximum(age, 0) * today
                there = here[..., None] * one_more
                recency = snapshot - day
                cells[..., recency] += there * now[..., day, None]
                churned[..., recency] += there * later[..., day, None]
                counts = counts * (1 - today)[..., None] + one_more * today[..., None]
    kept = np.nonzero(cells > 0)
    total = cells[kept]
    joined, role, count, quiet = kept
    return Population(
        total / total.sum(), count.astype(np.float64), quiet.astype(np.float64),
        (snapshot - signup[joined]).astype(np.float64), role.astype(np.float64),
        churned[kept] / total,
    )  # fmt: skip


def slopes(people: Population, names: tuple[str, ...]) -> Slopes:
    """Logistic regression of churn on some columns of a population, by Newton steps."""
    columns = people.columns()
    held = np.stack([np.ones(len(people.share)), *(columns[name] for name in names)], axis=1)
    share, churns = people.share, people.churns
    beta = np.zeros(held.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-held @ beta))
        hessian = (held.T * (share * chance * (1 - chance))) @ held
        step = np.linalg.solve(hessian, held.T @ (share * (chance - churns)))
        beta -= step
        if np.abs(step).max() < 1e-12:
            break
    else:
        raise ArithmeticError("the churn of a population has no slope")
    # Expected squared error of an outcome that is 1 with chance churns.
    squares = churns * (1 - chance) ** 2 + (1 - churns) * chance**2
    inverse = np.linalg.inv(hessian)
    covariance = inverse @ ((held.T * (share * squares)) @ held) @ inverse
    mean = share @ held
    deviation = np.sqrt(share @ (held - mean) ** 2)
    return Slopes(beta[1:], np.sqrt(np.diag(covariance))[1:], deviation[1:])


def drivers(settings: Settings, trials: tuple[Trial, ...]) -> list[dict[str, Any]]:
    """Planted drivers of churn at the last snapshot whose outcome is complete, the strongest first.

    ``strength`` is the log odds of churn for one standard deviation of the driver alone (log1p of the
    numbers; a teacher against a consumer), without its sign. ``together`` is the signed log odds for one
    deviation with the other drivers and tenure held equal. Each has the error of a sample of one person.
    A run too short for a snapshot has the signs only.
    """
    snapshot = settings.days - 2 - WINDOW
    signs = {RECENCY: 1, FREQUENCY: -1, TEACHER: -1}
    if snapshot < 1:
        return [{"driver": name, "sign": sign} for name, sign in signs.items()]
    people = population(settings, trials, snapshot)
    roles = ("role student", TEACHER)
    joint = slopes(people, (RECENCY, FREQUENCY, "tenure", *roles))
    found = []
    for name in signs:
        alone = slopes(people, roles if name == TEACHER else (name,))
        own, place = alone.deviation[-1], (RECENCY, FREQUENCY, "tenure", *roles).index(name)
        slope = float(alone.per_unit[-1])
        row = {
            "driver": name,
            "sign": int(np.sign(slope)),
            "snapshot": settings.date_of(snapshot).isoformat(),
            "churn_rate": float(people.share @ people.churns),
            "deviation": float(own),
            "log_odds": slope,
            "log_odds_error_of_one": float(alone.error_of_one[-1]),
            "strength": abs(slope) * float(own),
            "strength_error_of_one": float(alone.error_of_one[-1] * own),
            "together": float(joint.per_unit[place] * own),
            "together_error_of_one": float(joint.error_of_one[place] * own),
        }
        # Digits beyond these differ between machines.
        found.append({k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()})
    return sorted(found, key=lambda row: -row["strength"])


def _arms(trials: tuple[Trial, ...], signup: Floats) -> list[tuple[Floats, Floats]]:
    """Shares of sign-ups, by day, and their factor on activity, by arm of the experiments on it."""
    found = [(np.ones(len(signup)), np.ones(len(signup)))]
    for trial in trials:
        if trial.target != "activity":
            continue
        shares = np.zeros((len(trial.effects), len(signup)))
        shares[0] = 1.0
        for phase in trial.phases:
            inside = (signup >= phase.start) & (signup < phase.end)
            shares[:, inside] = np.array(phase.actual)[:, None]
        reached = 1.0 if trial.only_platform < 0 else world.PLATFORM_SHARE[trial.only_platform]
        found = [
            (share * part * some, factor * by)
            for share, factor in found
            for part, effect in zip(shares, trial.effects, strict=True)
            for some, by in ((reached, effect), (1 - reached, 1.0))
            if some > 0
        ]
    return found


def _silent(chance: Floats, leave: float, first: int, end: int) -> Floats:
    """Chance that nobody comes after each day up to an end, given being here on that day."""
    silent = np.ones((*chance.shape[:-1], end + 1))
    for day in range(end - 1, -1, -1):
        stays = (1 - leave) * (1 - chance[..., day + 1])
        silent[..., day] = leave + stays * silent[..., day + 1]
    return silent[..., : first + 1]
