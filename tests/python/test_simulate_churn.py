"""What planted chances imply about churn: exact sums against every path of a life, and drawn lives."""

from __future__ import annotations

from itertools import product as every
from math import log, sqrt

import numpy as np
import pytest

from plumbline.simulate import churning, world
from plumbline.simulate.churning import FREQUENCY, RECENCY, TEACHER
from plumbline.simulate.experiments import trials
from plumbline.simulate.product import Product
from plumbline.simulate.settings import (
    ACTIVITY_SEASON,
    SIGN_UP_GROWTH,
    SIGN_UP_SEASON,
    Settings,
)
from plumbline.statistics.churn_design import Feature
from plumbline.statistics.drivers import effects


def lives(
    settings: Settings, snapshot: int
) -> dict[tuple[int, int, int, int], tuple[float, float]]:
    """Share and churners by role, tenure, active days and recency: every pattern, every day of leaving."""
    season, joining = settings.season(ACTIVITY_SEASON), settings.season(SIGN_UP_SEASON)
    low, high = world.COHORT_ACTIVITY
    found: dict[tuple[int, int, int, int], tuple[float, float]] = {}
    for signup in range(snapshot + 1):
        cohort = low + (high - low) * signup / settings.days
        weight = SIGN_UP_GROWTH ** (signup / settings.days) * joining[signup]
        for klass, role in every(range(3), range(3)):
            leave = world.CLASS_LEAVE[klass]
            chance = world.CLASS_ACTIVE[klass] * world.ROLE_ACTIVITY[role] * cohort * season
            people = weight * world.CLASS_SHARE[klass] * world.ROLE_SHARE[role]
            end = snapshot + churning.WINDOW
            for last in range(signup, end + 1):
                # Here up to and with the day ``last``, gone on the next; or still here at the end.
                stays = (1 - leave) ** (last - signup) * (leave if last < end else 1.0)
                known = range(signup + 1, min(last, snapshot) + 1)
                silent = np.prod(1 - chance[max(snapshot, signup) + 1 : last + 1])
                for pattern in every((0, 1), repeat=len(known)):
                    days = [signup] + [
                        day for day, came in zip(known, pattern, strict=True) if came
                    ]
                    likely = np.prod(
                        [
                            chance[day] if came else 1 - chance[day]
                            for day, came in zip(known, pattern, strict=True)
                        ]
                    )
                    key = (role, snapshot - signup, len(days), snapshot - days[-1])
                    held, churned = found.get(key, (0.0, 0.0))
                    share = float(people * stays * likely)
                    found[key] = (held + share, churned + share * float(silent))
    total = sum(share for share, _ in found.values())
    return {key: (share / total, churned / total) for key, (share, churned) in found.items()}


def test_exact_sums_are_those_over_every_life() -> None:
    settings = Settings(users=1000, days=40)
    told = lives(settings, 5)
    people = churning.population(settings, (), 5)
    found = {
        tuple(int(value) for value in key): (share, share * churns)
        for *key, share, churns in zip(
            people.role, people.tenure_days, people.active_days, people.recency_days,
            people.share, people.churns, strict=True,
        )
    }  # fmt: skip
    assert found.keys() == told.keys()
    assert np.array([found[key] for key in told]) == pytest.approx(np.array(list(told.values())))


def test_an_experiment_on_activity_moves_its_arm_only() -> None:
    """Half of the sign-ups of the experiment's days are 15 % more active; nobody before them is."""
    settings = Settings(users=1000, days=75)
    with_it, without = (
        churning.population(settings, these, 45) for these in (trials(settings), ())
    )
    assert with_it.share @ with_it.churns < without.share @ without.churns
    phase = next(t for t in trials(settings) if t.target == "activity").phases[0]
    for tenure, moved in ((45 - phase.start, True), (45 - phase.start + 1, False)):
        rates = [
            (p.share * p.churns)[p.tenure_days == tenure].sum() / p.share[p.tenure_days == tenure].sum()
            for p in (with_it, without)
        ]  # fmt: skip
        assert (abs(rates[0] - rates[1]) > 1e-4) == moved


def test_a_short_run_has_signs_without_strengths() -> None:
    rows = churning.drivers(Settings(users=100, days=30), ())
    assert [(row["driver"], row["sign"]) for row in rows] == [
        (RECENCY, 1), (FREQUENCY, -1), (TEACHER, -1),
    ]  # fmt: skip
    assert all("strength" not in row for row in rows)


def test_drawn_lives_have_the_strengths_in_order_and_the_sign_of_teachers() -> None:
    """Half a million people of the generator through the function behind agg_retention_drivers.

    Planted is what teachers do while they are here; of who was active lately it leaves a log odds of -0.04,
    which takes so many people to see: 0.043 / (5.97 / sqrt(n)) is more than 5 deviations.
    """
    settings = Settings(users=1_600_000, days=48, bots=10, workflows=2, creators=4)
    told = {row["driver"]: row for row in churning.drivers(settings, ())}
    snapshot = settings.days - 2 - churning.WINDOW
    users = world.draw_users(settings, world.draw_bots(settings))
    drawn = Product(settings, users, world.draw_bots(settings), ())
    people = int(users.first[snapshot + 1])
    last, count, churned = np.zeros(people, int), np.zeros(people, int), np.ones(people)
    for day in range(settings.days - 1):
        # Who joins after the snapshot has no part in it.
        drawn.alive = drawn.alive[drawn.alive < people]
        visits, _ = drawn.visits(day)
        came = visits.user[visits.user < people]
        if day <= snapshot:
            last[came] = day
            count[came] += 1
        else:
            churned[came] = 0.0
    found = effects(
        {"recency": snapshot - last, "frequency": count, "role": np.array(world.ROLES)[users.role[:people]]},
        [Feature("recency", "recency", "log"), Feature("frequency", "frequency", "log"),
         Feature("role", "role", "category")],
        {"churn": ("odds_ratio", churned)}, 1.0, 30, 0.95,
    )  # fmt: skip
    held = {
        (f, level): place
        for place, (f, level) in enumerate(zip(found.feature, found.level, strict=True))
    }
    planted = {
        RECENCY: ("recency", "one_deviation"), FREQUENCY: ("frequency", "one_deviation"),
        TEACHER: ("role", "teacher"),
    }  # fmt: skip
    assert people > 500_000
    measured = {}
    for driver, key in planted.items():
        row, slope = told[driver], log(found.naive[held[key]])
        unit = 1.0 if driver == TEACHER else row["deviation"]
        error = row["log_odds_error_of_one"] * unit / sqrt(people)
        assert abs(slope - row["log_odds"] * unit) < 4 * error, driver
        assert np.sign(slope) == row["sign"], driver
        # So much was planted that the sign could not come out wrong by chance.
        assert abs(row["log_odds"] * unit) > 5 * error
        measured[driver] = abs(slope) * row["deviation"] / unit
    assert found.naive_high[held[planted[TEACHER]]] < 1
    order = sorted(measured, key=lambda driver: -measured[driver])
    assert order == [RECENCY, FREQUENCY, TEACHER] == list(told)
