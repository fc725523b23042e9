"""How alike treated and untreated people are before and after weighting; published by agg_causal_balance."""

import pyarrow as pa

from plumbline.frames import arrays, read, write
from plumbline.statistics.quasi_experiments import BALANCE_COLUMNS, balances

TEXTS = ("question", "covariate", "covariate_level", "reason")
KEYS = ["question", "covariate", "covariate_level", "stratum"]


def _kind(name):
    if name in TEXTS:
        return pa.string()
    if name == "is_held_equal":
        return pa.bool_()
    return pa.int64() if name.endswith("_count") else pa.float64()


SCHEMA = pa.schema([(name, _kind(name)) for name in BALANCE_COLUMNS])


def model(dbt, session):
    """One row per question, covariate and level."""
    return write(
        session, balances(arrays(read(dbt.ref("int_causal_levels_counted"), KEYS))), SCHEMA
    )
