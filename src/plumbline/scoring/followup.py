"""What became of scores and recommendations: did the order hold, and what did carried-out actions bring?

The first is asked of every weighting, by the revenue of the days after the week end. The second compares
each creator who carried out a recommendation with creators who did nothing at that time; what it finds
moves the expected gain of the catalogue in later weeks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import special

from plumbline.scoring.recommendations import recommendation_id, week_of
from plumbline.scoring.reference import Catalogue, Floats, Ints
from plumbline.scoring.tables import Bools, Columns, Week, places
from plumbline.statistics.outcomes_of_actions import ActionEffect, action_effect, updated_gain
from plumbline.statistics.rank_validity import rank_validity

# Weeks between a recommendation and its being carried out after which nobody connects the two.
WEEKS_BACK = 12
WEEK = 7
# What scores are judged by.
OUTCOME = "total_revenue"
# Column -> measure of rank validity.
MEASURES = {"spearman": "spearman", "ndcg": "ndcg", "top_precision": "precision"}


# ---------------------------------------------------------------- validity of weightings
@dataclass(frozen=True)
class Trial:
    """How weightings are judged.

    Attributes:
        days: days after the week end whose revenue is the outcome.
        share: of creators that count as the top.
        replicates: bootstrap resamples; fewer where ``draws`` would be passed.
        draws: resampled creators at most, over all resamples of a week.
        level: mass of the intervals.
        seed: of the resamples.
    """

    days: int
    share: float
    replicates: int
    draws: int
    level: float
    seed: int


def weightings(week: Week, past: Floats) -> tuple[list[str], list[str], Floats]:
    """Kind, name and scores (weightings, n) of each weighting that is judged; equal weights stand second.

    Args:
        week: the creators.
        past: revenue of the trailing window, the simplest forecast there is.
    """
    scores = week.scores
    names = ["given", "equal", *(item.kpi for item in week.catalogue.kpis), "past_revenue"]
    kinds = ["given", "equal", *("kpi" for _ in week.catalogue.kpis), "benchmark"]
    return kinds, names, np.vstack([scores.overall, scores.equal, scores.kpis.T, past])


def validity_rows(weeks: Iterable[Week], trial: Trial, names: Sequence[str]) -> Columns:
    """One row per week end and weighting: rank validity against the revenue of the days that followed.

    Week ends are the newest one whose following days are over, and those ``days`` apart before it: no two
    outcomes share a day. A creator who was there and sold nothing afterwards has an outcome of 0.

    Args:
        weeks: scored weeks, oldest first.
        trial: settings.
        names: columns of the result, which is empty where no week has been followed yet.
    """
    # The days of judgements are not asked for, and would double what is held.
    nothing = np.zeros((0, 0), dtype=np.int64)
    held = {week.day: replace(week, since=nothing) for week in weeks}
    after = timedelta(days=trial.days)
    ripe = sorted((day for day in held if day + after in held), reverse=True)
    chosen: list[date] = []
    for day in ripe:
        if not chosen or chosen[-1] - day >= after:
            chosen.append(day)
    parts: list[Columns] = []
    for day in sorted(chosen):
        week = held[day]
        place = places(week.ids, held[day + after].ids)
        later = np.where(place >= 0, np.r_[_revenue(held[day + after]), np.nan][place], np.nan)
        kinds, weighting, scored = weightings(week, _revenue(week))
        there = ~np.isnan(scored[0])
        if not there.any():
            continue
        replicates = max(min(trial.replicates, trial.draws // int(there.sum())), 20)
        found = rank_validity(
            scored[:, there],
            np.nan_to_num(later[there]),
            trial.share,
            1,
            replicates,
            trial.level,
            trial.seed,
        )
        count = len(weighting)
        columns: Columns = {
            "week_end_date": pa.array([day] * count, pa.date32()),
            "reference_version": pa.array([week.catalogue.version] * count, pa.string()),
            "weighting_kind": pa.array(kinds, pa.string()),
            "weighting": pa.array(weighting, pa.string()),
            "creator_count": found.units,
            "spearman_gain": found.gain,
            "spearman_gain_low": found.gain_low,
            "spearman_gain_high": found.gain_high,
        }
        for name, measure in MEASURES.items():
            columns[name] = getattr(found.value, measure)
            columns[f"{name}_low"] = getattr(found.low, measure)
            columns[f"{name}_high"] = getattr(found.high, measure)
        parts.append(columns)
    return _below(parts, names)


def _revenue(week: Week) -> Floats:
    """Revenue of the trailing window; NaN where nothing was observed."""
    return week.given[:, week.catalogue.field_index[OUTCOME]]


def _below(parts: Sequence[Columns], names: Sequence[str]) -> Columns:
    if not parts:
        return {name: [] for name in names}
    return {
        name: pa.concat_arrays([part[name] for part in parts])
        if isinstance(parts[0][name], pa.Array)
        else np.concatenate([part[name] for part in parts])
        for name in parts[0]
    }


# ---------------------------------------------------------------- outcomes of actions
@dataclass(frozen=True)
class Done:
    """One recommendation that was carried out; the component is None where its id is not one of ours."""

    action_id: str
    creator_id: str
    recommendation_id: str
    day: date
    kpi: str | None
    component: str | None


def resolved(actions: pa.Table, catalogues: dict[date, Catalogue]) -> list[Done]:
    """What each carried-out recommendation was about.

    An id is a hash of what it is about, so it is found again by making the ids of the week and of those
    before; whether the recommendation is still kept does not matter. Ids of systems that know neither KPI
    nor catalogue (the hash of creator|component|week) are understood as well.

    Args:
        actions: action_id, creator_id, recommendation_id and implemented_on.
        catalogues: catalogue of each week end, oldest first.
    """
    versions = list({item.version: item for item in catalogues.values()}.values())
    found = []
    for row in actions.to_pylist():
        day, wanted = row["implemented_on"], row["recommendation_id"]
        kpi, component = _about(row["creator_id"], wanted, day, versions)
        found.append(Done(row["action_id"], row["creator_id"], wanted, day, kpi, component))
    return found


def _about(
    creator: str, wanted: str, day: date, versions: Sequence[Catalogue]
) -> tuple[str | None, str | None]:
    for back in range(WEEKS_BACK + 1):
        week = week_of(day - timedelta(days=WEEK * back))
        for catalogue in versions:
            for item in catalogue.components:
                own = recommendation_id(creator, item.kpi, item.component, catalogue.version, week)
                if wanted in (own, _short_id(creator, item.component, week)):
                    return item.kpi, item.component
    return None, None


def _short_id(creator: str, component: str, week: str) -> str:
    return hashlib.sha256(f"{creator}|{component}|{week}".encode()).hexdigest()[:16]


class Pair(NamedTuple):
    """Week ends around a day: the earlier window ends before it, the later begins on it or after."""

    before: date
    after: date


@dataclass(frozen=True)
class Stack:
    """Rows of one kind of action, of those that acted and of those that did nothing.

    Attributes:
        change, level: logarithm of the metric, after less before, and before.
        period, unit, acted: as ``action_effect`` wants them.
        done: place in the list of actions, -1 for a control.
    """

    change: Floats
    level: Floats
    period: Ints
    unit: Ints
    done: Ints

    def upto(self, last: Ints, day: int) -> Stack:
        """The rows whose later window is over by a day (ordinal); ``last`` is the day of each period."""
        kept = last[self.period] <= day
        return Stack(
            self.change[kept], self.level[kept], self.period[kept], self.unit[kept], self.done[kept]
        )


def pair_of(day: date, ends: Sequence[date], window: int) -> Pair | None:
    """Week ends around a day, None where one of them is not there (yet).

    Args:
        day: of the action.
        ends: week ends in ascending order.
        window: days of the trailing window.
    """
    before = [end for end in ends if end < day]
    after = [end for end in ends if end - timedelta(days=window - 1) >= day]
    return Pair(before[-1], after[0]) if before and after else None


@dataclass(frozen=True)
class Reading:
    """What is kept of a week: the primary metrics of the actions of its catalogue and of those before.

    Attributes:
        catalogue: valid on its day.
        ids: creators, in ascending order.
        values: metric -> inputs that are scored (n,); NaN is missing.
        since: metric -> day (ordinal) from which an assessed metric holds (n,); 0 for others.
    """

    catalogue: Catalogue
    ids: pa.Array
    values: dict[str, Floats]
    since: dict[str, Ints]

    @staticmethod
    def of(weeks: Iterable[Week]) -> dict[date, Reading]:
        """From whole weeks, oldest first, each of which is let go of before the next one is made."""
        found: dict[date, Reading] = {}
        metrics: set[str] = set()
        for week in weeks:
            metrics |= {action.primary_metric for action in week.catalogue.actions.values()}
            index = week.catalogue.field_index
            column = {name: index[name] for name in sorted(metrics & index.keys())}
            found[week.day] = Reading(
                week.catalogue,
                week.ids,
                {name: week.values[:, place].copy() for name, place in column.items()},
                {name: week.since[:, place].copy() for name, place in column.items()},
            )
        return found


class FollowUp:
    """What was carried out, and what came of it."""

    def __init__(self, weeks: Iterable[Week], actions: pa.Table, window: int, level: float) -> None:
        """Pair every action with its controls.

        Args:
            weeks: the weeks, oldest first; only whole weeks are compared.
            actions: carried-out recommendations, sorted by action_id.
            window: days of the trailing window.
            level: mass of the intervals.
        """
        self.level, self.window = level, window
        self.weeks = Reading.of(weeks)
        self.ends = [day for day in self.weeks if day.isoweekday() == WEEK]
        self.done = resolved(actions, {day: week.catalogue for day, week in self.weeks.items()})
        self.pairs = [pair_of(item.day, self.ends, window) for item in self.done]
        everyone = [week.ids for week in self.weeks.values()]
        self.everyone = (
            pc.unique(pa.concat_arrays(everyone)) if everyone else pa.array([], pa.string())
        )
        self.names = [self._action(place) for place in range(len(self.done))]
        self._days = np.array([item.day.toordinal() for item in self.done], dtype=np.int64)
        self._who = pa.array([item.creator_id for item in self.done], pa.string())
        self.stacks = {name: self._stack(name) for name in sorted({n for n in self.names if n})}

    def _action(self, place: int) -> str | None:
        """Entry of the catalogue that was carried out, by the catalogue of the week before."""
        item, pair = self.done[place], self.pairs[place]
        if item.component is None or not self.weeks:
            return None
        day = pair.before if pair else min(self.weeks, key=lambda end: abs(end - item.day))
        for component in self.weeks[day].catalogue.components:
            if (component.kpi, component.component) == (item.kpi, item.component):
                return component.action
        return None

    def _stack(self, name: str) -> tuple[Stack, Ints]:
        """Rows of one action, and the last day of each of its pairs."""
        mine = [n for n, own in enumerate(self.names) if own == name and self.pairs[n]]
        pairs = sorted({pair for n in mine if (pair := self.pairs[n])})
        parts: list[tuple[npt.NDArray[Any], ...]] = []
        for period, pair in enumerate(pairs):
            first, last, fresh = self.readings(pair, name)
            ids = self.weeks[pair.before].ids
            unit = places(ids, self.everyone)
            busy = places(ids, self._who.filter(pa.array(self._overlap(pair)))) >= 0
            usable = (first > 0) & (last > 0)
            idle = np.flatnonzero(usable & ~busy & (fresh > pair.before.toordinal()))
            own = [n for n in mine if self.pairs[n] == pair]
            who = places(pa.array([self.done[n].creator_id for n in own], pa.string()), ids)
            days = np.array([self.done[n].day.toordinal() for n in own], dtype=np.int64)
            good = (who >= 0) & usable[who] & (fresh[who] >= days)
            # Somebody who did the same thing twice within a pair is one row.
            once = np.unique(who[good], return_index=True)[1]
            acting, mark = who[good][once], np.array(own, dtype=np.int64)[good][once]
            rows = np.r_[acting, idle]
            level = np.log(first[rows])
            parts.append(
                (
                    np.log(last[rows]) - level,
                    level,
                    np.full(len(rows), period),
                    unit[rows],
                    np.r_[mark, np.full(len(idle), -1)],
                )
            )
        change, level, period_of, unit_of, done = (
            np.concatenate([part[k] for part in parts]) if parts else np.zeros(0) for k in range(5)
        )
        codes = (column.astype(np.int64) for column in (period_of, unit_of, done))
        return Stack(change, level, *codes), np.array(
            [pair.after.toordinal() for pair in pairs], dtype=np.int64
        )

    def readings(self, pair: Pair, name: str) -> tuple[Floats, Floats, Ints]:
        """Primary metric of the creators of the earlier week, before and after, and since when.

        A measured metric holds for its whole window; a judgement from the day it was made.
        """
        before, after = self.weeks[pair.before], self.weeks[pair.after]
        metric = before.catalogue.actions[name].primary_metric
        place = places(before.ids, after.ids)
        first = before.values[metric]
        nobody = np.zeros(len(after.ids))
        later, began = after.values.get(metric, nobody + np.nan), after.since.get(metric, nobody)
        last = np.where(place >= 0, np.r_[later, np.nan][place], np.nan)
        since = np.where(place >= 0, np.r_[began, 0][place], 0).astype(np.int64)
        field = before.catalogue.field_index[metric]
        if before.catalogue.inputs[field].origin != "assessments":
            since = np.full(len(first), pair.after.toordinal())
        return first, last, since

    def _overlap(self, pair: Pair) -> Bools:
        """Which actions fall into either window of a pair."""
        begun = (pair.before - timedelta(days=self.window)).toordinal()
        return (self._days > begun) & (self._days <= pair.after.toordinal())

    def effect(self, name: str, upto: date | None = None) -> tuple[ActionEffect, Stack]:
        """Effect of an action on the logarithm of its metric, from windows that were over by a day."""
        stack, last = self.stacks[name]
        if upto is not None:
            stack = stack.upto(last, upto.toordinal())
        found = action_effect(
            stack.change, stack.level, stack.period, stack.unit, stack.done >= 0, self.level
        )
        return found, stack

    def outcome_rows(self) -> Columns:
        """One row per carried-out recommendation: its metric before and after, and what was to be expected.

        Relative changes are positive where the metric rose; ``effect`` is the change against what controls
        with the same base level did, ``effect_low`` and ``effect_high`` hold a control's own change with
        probability ``level``.
        """
        count = len(self.done)
        value = {
            name: np.full(count, np.nan)
            for name in (
                "metric_before",
                "metric_after",
                "expected_after",
                "effect",
                "effect_low",
                "effect_high",
            )
        }
        controls = np.zeros(count, dtype=np.int64)
        status = np.array(
            [
                "unknown recommendation"
                if name is None
                else "waiting"
                if pair is None
                else "no metric"
                for name, pair in zip(self.names, self.pairs, strict=True)
            ],
            dtype=object,
        )
        for name in self.stacks:
            found, stack = self.effect(name)
            rows = np.flatnonzero(stack.done >= 0)
            place = stack.done[rows]
            status[place] = np.where(np.isnan(found.expected[rows]), "no controls", "measured")
            before = np.exp(stack.level[rows])
            value["metric_before"][place] = before
            value["metric_after"][place] = np.exp(stack.level[rows] + stack.change[rows])
            value["expected_after"][place] = before * np.exp(found.expected[rows])
            apart = stack.change[rows] - found.expected[rows]
            idle = np.bincount(
                stack.period[stack.done < 0], minlength=int(stack.period.max(initial=-1)) + 1
            )
            controls[place] = idle[stack.period[rows]]
            degrees = max(found.controls - 2, 1)
            half = float(special.stdtrit(degrees, (1 + self.level) / 2)) * found.spread
            value["effect"][place] = np.expm1(apart)
            value["effect_low"][place] = np.expm1(apart - half)
            value["effect_high"][place] = np.expm1(apart + half)
        metric, direction = [], []
        for own, pair in zip(self.names, self.pairs, strict=True):
            week = self.weeks[pair.before if pair else max(self.weeks)] if own else None
            action = week.catalogue.actions.get(own) if week and own else None
            metric.append(action.primary_metric if action else None)
            direction.append(action.metric_direction if action else None)
        return {
            "action_id": _texts([item.action_id for item in self.done]),
            "creator_id": _texts([item.creator_id for item in self.done]),
            "recommendation_id": _texts([item.recommendation_id for item in self.done]),
            "implemented_date": pa.array([item.day for item in self.done], pa.date32()),
            "kpi": _texts([item.kpi for item in self.done]),
            "component": _texts([item.component for item in self.done]),
            "action": _texts(self.names),
            "primary_metric": _texts(metric),
            "metric_direction": _texts(direction),
            "before_week_end_date": pa.array(
                [p.before if p else None for p in self.pairs], pa.date32()
            ),
            "after_week_end_date": pa.array(
                [p.after if p else None for p in self.pairs], pa.date32()
            ),
            "status": _texts(status.tolist()),
            "control_count": controls,
            **value,
        }

    def gain_rows(self, spread: float, names: Sequence[str]) -> Columns:
        """One row per week end and entry of the catalogue: what it is expected to bring from then on.

        A week knows the outcomes whose windows were over a week before: what one build measures, the next
        one uses.

        Args:
            spread: see ``updated_gain``.
            names: columns of the result, which is empty without weeks.
        """
        parts: list[Columns] = []
        known: dict[tuple[str, int], ActionEffect] = {}
        for day, week in self.weeks.items():
            entries = sorted(week.catalogue.actions)
            found: list[ActionEffect | None] = []
            for name in entries:
                if name not in self.stacks:
                    found.append(None)
                    continue
                last = self.stacks[name][1]
                ripe = int((last <= (day - timedelta(days=WEEK)).toordinal()).sum())
                if (name, ripe) not in known:
                    known[name, ripe] = self.effect(name, day - timedelta(days=WEEK))[0]
                found.append(known[name, ripe])
            learnt = [
                _learnt(week.catalogue, name, effect, spread)
                for name, effect in zip(entries, found, strict=True)
            ]
            parts.append(
                {
                    "week_end_date": pa.array([day] * len(entries), pa.date32()),
                    "reference_version": _texts([week.catalogue.version] * len(entries)),
                    "action": _texts(entries),
                    **{
                        column: _texts([getattr(item, column) for item in learnt])
                        if column in ("catalogue_grade", "evidence_grade")
                        else np.array([getattr(item, column) for item in learnt])
                        for column in Learnt._fields
                    },
                }
            )
        return _below(parts, names)


class Learnt(NamedTuple):
    """What is known of one action: gains are relative improvements of its metric, in its good direction."""

    action_count: int
    control_count: int
    catalogue_gain: float
    measured_gain: float
    measured_gain_error: float
    measured_gain_low: float
    measured_gain_high: float
    expected_gain: float
    measured_share: float
    catalogue_grade: str
    evidence_grade: str


def _learnt(catalogue: Catalogue, name: str, found: ActionEffect | None, spread: float) -> Learnt:
    """The catalogue's entry drawn towards what was measured.

    The grade moves by one once more than half of the expected gain stands on measurement: up where the
    interval lies above 0, though never to the best (that takes controlled tests), down where it lies below
    the catalogue value.
    """
    action = catalogue.actions[name]
    nothing = float("nan")
    if found is None or np.isnan(found.standard_error):
        return Learnt(
            action_count=found.actions if found else 0,
            control_count=found.controls if found else 0,
            catalogue_gain=action.base_gain,
            measured_gain=nothing,
            measured_gain_error=nothing,
            measured_gain_low=nothing,
            measured_gain_high=nothing,
            expected_gain=action.base_gain,
            measured_share=0.0,
            catalogue_grade=action.evidence_grade,
            evidence_grade=action.evidence_grade,
        )
    sign = -1.0 if action.metric_direction == "down" else 1.0
    low, high = sorted(sign * float(np.expm1(end)) for end in (found.low, found.high))
    gain = sign * float(np.expm1(found.effect))
    error = float(np.exp(found.effect)) * found.standard_error
    updated = updated_gain(action.base_gain, spread, gain, error)
    order = sorted(catalogue.grades, key=lambda grade: -catalogue.grades[grade])
    place = order.index(action.evidence_grade)
    if updated.measured_share > 0.5:
        if low > 0:
            place = min(place, max(place - 1, 1))
        elif high < action.base_gain:
            place = min(place + 1, len(order) - 1)
    return Learnt(
        action_count=found.actions,
        control_count=found.controls,
        catalogue_gain=action.base_gain,
        measured_gain=gain,
        measured_gain_error=error,
        measured_gain_low=low,
        measured_gain_high=high,
        expected_gain=updated.value,
        measured_share=updated.measured_share,
        catalogue_grade=action.evidence_grade,
        evidence_grade=order[place],
    )


def _texts(values: Iterable[str | None]) -> pa.Array:
    return pa.array(list(values), pa.string())
