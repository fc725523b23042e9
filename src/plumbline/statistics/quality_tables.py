"""From sums that SQL made to the columns of the marts about answers of language models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.statistics.agreement import cohen_kappa, krippendorff_alpha, rater_effects
from plumbline.statistics.control_charts import Rules, daily_charts
from plumbline.statistics.judges import LabelledSums, prediction_powered_mean, rogan_gladen
from plumbline.statistics.outcomes import Floats, Interval, Outcome
from plumbline.statistics.proportion_tests import wilson_interval
from plumbline.statistics.rating_links import rating_links
from plumbline.statistics.satisfaction import RatioSums, satisfaction

Columns = Mapping[str, NDArray[Any]]

SCORES = np.arange(1.0, 6.0)
SIGNS = {-1: "below", 0: "in_control", 1: "above"}


def _null(outcome: Outcome) -> Floats:
    return np.asarray(outcome.masked().filled(np.nan), dtype=np.float64)


def _bounds(interval: Interval, name: str) -> dict[str, Floats]:
    return {
        f"{name}_low": np.where(interval.defined, interval.low, np.nan),
        f"{name}_high": np.where(interval.defined, interval.high, np.nan),
    }


def satisfaction_columns(rows: Columns, alpha: float, minimum: int) -> dict[str, Any]:
    """Raw, reweighted and shrunk satisfaction of slices; one entry per row.

    Args:
        rows: columns of ``int_satisfaction_summed``.
        alpha: two-sided error of intervals.
        minimum: fewest raters that give an interval.
    """
    sums = [rows[name] for name in ("rating_user_count", "score_sum", "rated_count")]
    sums += [rows[name] for name in ("score_square_sum", "rated_square_sum", "score_rated_sum")]
    # Weights are thousandths: every ratio of them is free of that unit.
    weighted = [rows["rating_user_count"], rows["weighted_score_sum"], rows["weight_sum"]]
    weighted += [rows["weighted_score_square_sum"], rows["weight_square_sum"]]
    weighted += [rows["weighted_score_weight_sum"]]
    family = [
        f"{int(days)}|{int(day)}|{dimension}"
        for days, day, dimension in zip(
            rows["window_days"], rows["day_number"], rows["slice_dimension"], strict=True
        )
    ]
    found = satisfaction(
        family, RatioSums.of(*sums), RatioSums.of(*weighted), alpha=alpha, minimum=minimum
    )
    return {
        "mean_score": _null(found.raw),
        **_bounds(found.raw_interval, "mean_score"),
        "reweighted_mean_score": _null(found.reweighted),
        **_bounds(found.reweighted_interval, "reweighted_mean_score"),
        "shrunk_mean_score": _null(found.shrunk),
        **_bounds(found.shrunk_interval, "shrunk_mean_score"),
    }


def judged_rates(rows: Columns, alpha: float, minimum: int) -> dict[str, Any]:
    """Hallucination rates by labels, by the judge and corrected; one entry per row.

    Args:
        rows: columns of ``int_grades_summed``.
        alpha: two-sided error of intervals.
        minimum: fewest labels that give an interval.
    """
    both = rows["flagged_hallucination_count"]
    pair_y = both + rows["missed_hallucination_count"]
    pair_f = both + rows["flagged_supported_count"]
    alone = rows["judged_count"] - rows["paired_count"]
    alone_f = rows["judge_flag_count"] - pair_f
    labels = rows["hallucinated_count"]
    found = prediction_powered_mean(
        LabelledSums.of(
            rows["graded_count"], labels, labels, rows["paired_count"], pair_y, pair_f, pair_f, both,
            alone, alone_f, alone_f,
        ), alpha, minimum,
    )  # fmt: skip
    errors = rogan_gladen(
        both, rows["missed_hallucination_count"], rows["flagged_supported_count"],
        rows["passed_supported_count"], alone, alone_f, alpha,
    )  # fmt: skip
    wilson = wilson_interval(np.maximum(rows["graded_count"], 1), labels, alpha)
    graded = rows["graded_count"] > 0
    return {
        "hallucination_rate": _null(found.labels),
        "hallucination_rate_low": np.where(graded & wilson.defined, wilson.low, np.nan),
        "hallucination_rate_high": np.where(graded & wilson.defined, wilson.high, np.nan),
        "judge_flag_rate": _null(found.judge),
        "corrected_rate": _null(found.corrected),
        **_bounds(found.interval, "corrected_rate"),
        "judge_weight": _null(found.weight),
        "judge_sensitivity": _null(errors.sensitivity),
        "judge_specificity": _null(errors.specificity),
        "rogan_gladen_rate": _null(errors.rate),
        **_bounds(errors.interval, "rogan_gladen_rate"),
    }


def _tables(
    rows: Columns, kept: NDArray[np.bool_], first: str, second: str, names: list[Any]
) -> Floats:
    """Confusion table of the kept pairs, shape (names, names)."""
    table = np.zeros((len(names), len(names)))
    place = {name: number for number, name in enumerate(names)}
    known = kept & np.isin(rows[first], names) & np.isin(rows[second], names)
    at = [
        np.array([place[value] for value in rows[name][known]], dtype=np.int64)
        for name in (first, second)
    ]
    np.add.at(table, (at[0], at[1]), rows["pair_count"][known])
    return table


def rater_agreements(rows: Columns, alpha: float) -> dict[str, Any]:
    """Agreement of people with each other and with every judge, and of each pair of raters.

    Args:
        rows: columns of ``int_rating_pairs_counted``.
        alpha: two-sided error of intervals.
    """
    found: dict[str, list[Any]] = {
        name: [] for name in (
            "subject", "statistic", "rater_id", "other_rater_id", "pair_count", "agreement_rate", "value",
            "value_low", "value_high", "reason",
        )
    }  # fmt: skip

    def add(
        subject: str, statistic: str, pair: tuple[str, str], pairs: float, *values: Any
    ) -> None:
        for name, value in zip(
            found, (subject, statistic, *pair, int(pairs), *values), strict=True
        ):
            found[name].append(value)

    human = (rows["rater_kind"] == "human") & (rows["other_rater_kind"] == "human")
    anyone = np.ones(len(human), dtype=bool)
    for group, kept, size in (
        ("humans", human, "human_grade_count"),
        ("all", anyone, "grade_count"),
    ):
        weight = rows["pair_count"] / np.maximum(rows[size] - 1, 1)
        for subject, names in (("score", SCORES.tolist()), ("hallucination", ["no", "yes"])):
            firsts, seconds = (
                ("score", "other_score") if subject == "score" else ("flag", "other_flag")
            )
            scaled = {**rows, "pair_count": np.where(kept, weight, 0.0)}
            matrix = _tables(scaled, kept, firsts, seconds, names)
            level = "ordinal" if subject == "score" else "nominal"
            alpha_value = krippendorff_alpha(
                matrix,
                np.arange(1.0, len(names) + 1),
                "ordinal" if level == "ordinal" else "nominal",
            )
            plain = _tables(rows, kept, firsts, seconds, names)
            pairs = plain.sum() / 2
            if pairs == 0:
                continue
            add(
                subject, f"krippendorff_alpha_{level}", (group, group), pairs,
                np.trace(plain) / plain.sum(), float(_null(alpha_value)), np.nan, np.nan,
                alpha_value.names().tolist(),
            )  # fmt: skip
    pairs_of = sorted(
        set(zip(rows["rater_id"].tolist(), rows["other_rater_id"].tolist(), strict=True))
    )
    everyone_human = rows["other_rater_kind"] == "human"
    groups: list[tuple[tuple[str, str], NDArray[np.bool_]]] = [
        (pair, (rows["rater_id"] == pair[0]) & (rows["other_rater_id"] == pair[1]))
        for pair in pairs_of
        if pair[0] < pair[1]
    ]
    for judge in sorted(set(rows["rater_id"][rows["rater_kind"] == "judge"].tolist())):
        groups.append(((judge, "humans"), (rows["rater_id"] == judge) & everyone_human))
    for pair, kept in groups:
        for subject, names, weighted in (
            ("score", SCORES.tolist(), True), ("hallucination", ["no", "yes"], False),
        ):  # fmt: skip
            firsts, seconds = (
                ("score", "other_score") if subject == "score" else ("flag", "other_flag")
            )
            table = _tables(rows, kept, firsts, seconds, names)
            if table.sum() == 0:
                continue
            kappa = cohen_kappa(table, alpha, weighted)
            add(
                subject, "cohen_kappa_quadratic" if weighted else "cohen_kappa", pair, table.sum(),
                float(_null(kappa.agreement)), float(_null(kappa.kappa)),
                float(kappa.interval.low) if kappa.interval.defined else np.nan,
                float(kappa.interval.high) if kappa.interval.defined else np.nan,
                kappa.kappa.names().tolist(),
            )  # fmt: skip
    return found


def rater_biases(rows: Columns, counts: Columns, alpha: float) -> dict[str, Any]:
    """How strict each rater is, the answers they were given taken out; one entry per rater.

    Args:
        rows: columns of ``int_rating_pairs_counted``.
        counts: columns of ``int_raters_counted``.
        alpha: two-sided error of the interval.
    """
    raters = counts["rater_id"].tolist()
    place = {name: number for number, name in enumerate(raters)}
    at = tuple(
        np.array([place[name] for name in rows[key]], dtype=np.int64)
        for key in ("rater_id", "other_rater_id")
    )
    weight = rows["pair_count"] / np.maximum(rows["grade_count"], 1)
    gap = rows["score"] - rows["other_score"]
    matrices = [np.zeros((len(raters), len(raters))) for _ in range(3)]
    for matrix, values in zip(matrices, (weight, weight * gap, weight * gap**2), strict=True):
        np.add.at(matrix, at, values)
    # Ordered pairs: an answer with m grades has m (m - 1) of them, a grade m - 1.
    others = np.maximum(rows["grade_count"] - 1, 1)
    grades = float((rows["pair_count"] / others).sum())
    answers = float((weight / others).sum())
    freedom = grades - answers - (len(raters) - 1)
    found = rater_effects(
        matrices[0], matrices[1], matrices[2], freedom, counts["is_human"] > 0, alpha
    )
    return {
        "rater_id": raters,
        "bias": _null(found.effect),
        **_bounds(found.interval, "bias"),
        "adjusted_mean_score": counts["score_sum"] / counts["grade_count"] - _null(found.effect),
        "reason": found.effect.names().tolist(),
    }


def quality_charts(rows: Columns, rules: Rules) -> dict[str, Any]:
    """Charts of every metric and version; one entry per row.

    Args:
        rows: columns of ``int_quality_days_charted``.
        rules: constants of the charts.
    """
    series = [
        f"{metric}|{version}"
        for metric, version in zip(rows["metric"], rows["model_version"], strict=True)
    ]
    _, key = np.unique(np.asarray(series, dtype=np.str_), return_inverse=True)
    found = daily_charts(
        key, rows["day_number"], rows["answer_count"], rows["figure_sum"],
        rows["base_answer_count"], rows["base_sum"], rows["base_square_sum"], rules,
    )  # fmt: skip
    signals = (found.shewhart_signal, found.cusum_signal, found.ewma_signal)
    columns: dict[str, Any] = {
        "daily_value": found.mean,
        "base_value": found.base_mean,
        "control_low": found.low,
        "control_high": found.high,
        "standardised_value": found.z,
        "cusum_high": found.cusum_high,
        "cusum_low": found.cusum_low,
        "ewma_value": found.ewma,
        "ewma_limit": found.ewma_limit,
    }
    for name, signal, new in zip(("shewhart", "cusum", "ewma"), signals, found.is_new, strict=True):
        columns[f"{name}_state"] = [SIGNS[int(value)] for value in signal]
        columns[f"is_new_{name}_signal"] = new
    return columns


def link_columns(rows: Columns, clip: tuple[float, float], alpha: float) -> dict[str, Any]:
    """Ratings and later payment, naive and adjusted; one entry per outcome.

    Args:
        rows: columns of ``int_rating_links_counted``.
        clip: lowest and highest propensity.
        alpha: two-sided error of intervals.
    """
    found = rating_links(
        rows["outcome"].tolist(), rows["stratum"].tolist(), rows["is_high"], rows["person_count"],
        rows["success_count"], clip=clip, alpha=alpha,
    )  # fmt: skip
    naive, adjusted = found.effect.naive, found.adjusted
    return {
        "outcome": list(found.outcomes),
        "high_person_count": found.people[:, 1].astype(np.int64),
        "high_success_count": found.successes[:, 1].astype(np.int64),
        "low_person_count": found.people[:, 0].astype(np.int64),
        "low_success_count": found.successes[:, 0].astype(np.int64),
        "naive_difference": _null(naive.difference),
        **_bounds(naive.interval, "naive_difference"),
        "adjusted_difference": _null(adjusted.difference),
        **_bounds(adjusted.interval, "adjusted_difference"),
        "compared_share": 1 - found.effect.dropped_share,
        "e_value": _null(found.risk_e_value),
        "reason": adjusted.standard_error.names().tolist(),
    }
