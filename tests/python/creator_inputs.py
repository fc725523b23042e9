"""Inputs of one creator as the service would get them: one row of numbers in the order of the catalogue."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt

from plumbline.scoring.reference import Catalogue
from plumbline.scoring.scores import impossible
from warehouse import Warehouse


def weekly_inputs(
    warehouse: Warehouse, catalogue: Catalogue, creator: str, day: date
) -> npt.NDArray[np.float64]:
    """Possible inputs of a creator at a week end, shape (1, fields); NaN is missing."""
    with duckdb.connect(str(warehouse.database), read_only=True) as connection:
        found = connection.execute(
            "select * from intermediate.int_creator_inputs_measured "
            "where creator_id = ? and week_end_date = ?",
            [creator, day],
        )
        names = [column[0] for column in found.description]
        rows = found.fetchall()
        assert len(rows) == 1
        held = dict(zip(names, rows[0], strict=True))
        judged = connection.execute(
            "select attribute, score from staging.stg_creators__assessments "
            "where creator_id = ? and assessed_at < ?::date + 1 "
            "order by assessed_at, assessment_id desc",
            [creator, day],
        ).fetchall()
        count = connection.execute(
            "select count(*) from intermediate.int_creator_assessments_dated "
            "where creator_id = ? and valid_from_date <= ?",
            [creator, day],
        ).fetchall()[0][0]
    held |= dict(judged)
    if judged:
        held["assessment_count"] = count
    values = [held.get(item.field) for item in catalogue.inputs]
    given = np.array([[np.nan if value is None else float(value) for value in values]])
    return np.where(impossible(catalogue, given), np.nan, given)
