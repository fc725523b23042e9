"""Differences of groups of people, raw and like with like; published by agg_group_comparisons."""

import pyarrow as pa

from plumbline.frames import numbers, read, texts, write
from plumbline.statistics.comparisons import PersonSums, compare_groups

KEYS = ["comparison", "metric", "stratum", "side"]
SUMS = ["person_count", "numerator_sum", "denominator_sum", "numerator_square_sum", "denominator_square_sum",
        "product_sum"]  # fmt: skip
SIDED = ["numerator", "denominator", "value"]
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("comparison", "metric", "adjustment", "reason")]
    + [(f"people_{side}_count", pa.int64()) for side in "ab"]
    + [(f"{name}_{side}", pa.float64()) for name in SIDED for side in "ab"]
    + [(name, pa.float64()) for name in ("coverage_rate", "difference", "difference_low",
                                         "difference_high", "relative_difference", "p_value")]
)  # fmt: skip


def model(dbt, session):
    """One row per comparison, metric and adjustment."""
    rows = read(dbt.ref("int_group_statistics_summed"), KEYS)
    found = compare_groups(
        *(texts(rows, key) for key in KEYS), PersonSums.of(*(numbers(rows, name) for name in SUMS)),
        confidence=float(dbt.config.meta_get("confidence")),
        minimum_people=int(dbt.config.meta_get("minimum_people")),
    )  # fmt: skip
    return write(session, found.columns(), SCHEMA)
