"""What product teams like to claim, on a simulated world where it is known to be false, or was drawn by lot.

The generator draws quizzes, ratings and subscriptions of a person independently of when the person comes
back, given the role and the days the person is there; chats are as long for teachers as for students. So
every effect but that of the variation is 0, and the variation was drawn by lot among whoever came.
"""

from __future__ import annotations

from typing import Any

import pytest

from worlds import World

pytestmark = pytest.mark.truth

# Errors that an estimate may lie from its truth: 1 in 1,000 by chance, over some forty estimates 1 in 25.
REACH = 3.29
NOTHING = (
    "quiz_first_week",
    "quiz_third_week",
    "teacher_depth",
    "rating_subscription",
    "good_rating_subscription",
    "subscription_use",
    "lot_return",
)
ADJUSTED = ("stratified", "matched", "ipw", "aipw")


def rows(world: World) -> dict[tuple[str, str, str], dict[str, Any]]:
    names = ("question", "reading", "method", "estimate", "standard_error", "estimate_low",
             "estimate_high", "p_value", "reason", "verdict", "has_parted_before",
             "is_associational", "used_person_count", "clipped_rate")  # fmt: skip
    found = world.warehouse.query(
        f"select {', '.join(names)} from experimentation.fct_causal_estimates"
    )
    return {row[:3]: dict(zip(names, row, strict=True)) for row in found}


def test_what_is_not_planted_is_not_found_among_people_who_are_alike(world: World) -> None:
    found = rows(world)
    for question in NOTHING:
        for method in ADJUSTED:
            row = found[question, "effect", method]
            assert row["reason"] is None, (question, method)
            assert abs(row["estimate"]) < REACH * row["standard_error"], (question, method)


def test_claims_fail_as_they_stand(world: World) -> None:
    """Whoever makes a quiz or sees a variation is there more often: the plain difference is far off."""
    found = rows(world)
    for question in ("quiz_first_week", "quiz_third_week", "variant_session_time"):
        naive = found[question, "effect", "naive"]
        assert naive["estimate"] > 5 * naive["standard_error"], question
    for question in ("quiz_first_week", "quiz_third_week"):
        assert found[question, "effect", "aipw"]["verdict"] in ("explained", "check_failed")


def test_checks_find_nothing_among_people_who_are_alike(world: World) -> None:
    checks = [
        row
        for (_, reading, method), row in rows(world).items()
        if reading != "effect" and method in ADJUSTED and row["reason"] is None
    ]
    assert len(checks) >= 4 * 6
    for row in checks:
        assert abs(row["estimate"]) < REACH * row["standard_error"], row
    assert {row["reading"] for row in checks} == {"negative_control", "placebo_date"}


def test_a_placebo_catches_the_plain_comparison(world: World) -> None:
    naive = rows(world)["quiz_third_week", "placebo_date", "naive"]
    assert naive["estimate"] > 5 * naive["standard_error"]


def test_the_adjusted_variation_agrees_with_the_randomised_one(world: World) -> None:
    """The same people by lot: sums from the exposure on, from marts that share nothing with the question."""
    [(difference, error)] = world.warehouse.query("""
        select difference, standard_error
        from experimentation.fct_experiment_results
        where experiment_id = 'x01' and phase = 0 and variation_id = 'treatment'
            and metric = 'session_time_14d' and method = 'plain' and cohort = 'matured'
            and segment_key = 'all'""")
    found = rows(world)
    for method in ADJUSTED:
        row = found["variant_session_time", "effect", method]
        assert abs(row["estimate"] - difference) < REACH * error, method
    naive = found["variant_session_time", "effect", "naive"]
    assert naive["estimate"] - difference > REACH * (error + naive["standard_error"])
    # Held equal on how often people were there, the noise of a few heavy users is gone.
    assert found["variant_session_time", "effect", "aipw"]["standard_error"] < error


def test_changes_are_not_read_where_groups_had_parted_before(world: World) -> None:
    row = rows(world)["quiz_third_week", "effect", "did"]
    assert row["estimate"] > REACH * row["standard_error"]
    assert row["has_parted_before"]


def test_stacked_weeks_find_no_effect_and_no_parting(world: World) -> None:
    row = rows(world)["subscription_use", "effect", "stacked_did"]
    assert row["reason"] is None
    assert abs(row["estimate"]) < REACH * row["standard_error"]
    assert not row["has_parted_before"]


def test_only_a_lot_is_no_association(world: World) -> None:
    found = {(row["question"], row["is_associational"]) for row in rows(world).values()}
    assert {question for question, associational in found if not associational} == {"lot_return"}
    assert len(found) == len(NOTHING) + 1


def test_weighting_makes_people_alike(world: World) -> None:
    told = world.warehouse.query("""
        select
            balances.question,
            max(abs(balances.standardised_difference_before)),
            max(abs(balances.standardised_difference_after)),
            max(estimates.clipped_rate)
        from experimentation.agg_causal_balance as balances
        inner join experimentation.fct_causal_estimates as estimates
            on balances.question = estimates.question
            and estimates.reading = 'effect' and estimates.method = 'aipw'
        where balances.is_held_equal
        group by balances.question""")
    assert len(told) == len(NOTHING) + 1
    for question, before, after, clipped in told:
        assert after < before, question
        if not clipped:
            assert after < 1e-9, question
    quiz = next(row for row in told if row[0] == "quiz_first_week")
    assert quiz[1] > 1
