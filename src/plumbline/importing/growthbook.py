"""From experiments of GrowthBook to rows of the landing contract, and to proposed goals.

GrowthBook states neither how many units a phase is planned for, nor until when, nor which effect is worth
finding, nor which variation is the control: that is said beside it, in a :class:`Plan`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from plumbline.errors import PlumblineError
from plumbline.importing.growthbook_api import Experiment

Row = dict[str, Any]
UNIT_TYPES = ("user", "creator", "bot")
PLAN_COLUMNS = (
    "experiment_id", "phase", "planned_end_at", "planned_units", "mde_relative", "control", "unit_type",
)  # fmt: skip
# Attributes that identify a person or a device; case and underscores do not matter.
_USER_ATTRIBUTES = {"id", "userid", "loggedinid", "deviceid", "anonymousid", "clientid"}
_WHOLE = Decimal(1)
_PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Plan:
    """What GrowthBook does not say of its experiments.

    Attributes:
        days: length of a phase, where ``rows`` does not say when it is planned to end.
        units: units of all variations, likewise.
        mde: smallest relative effect worth finding, likewise.
        controls: key of the control by experiment; of others the first variation is the control.
        unit_types: unit type by hash attribute.
        rows: lines of a plan file by experiment and phase; None as phase is for all others.
    """

    days: int | None = None
    units: int | None = None
    mde: Decimal | None = None
    controls: Mapping[str, str] = field(default_factory=dict)
    unit_types: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[tuple[str, int | None], Mapping[str, str]] = field(default_factory=dict)

    def of(self, experiment: str, phase: int | None) -> Mapping[str, str]:
        """Line of the plan file for a phase, completed by that for all phases of the experiment."""
        return {
            **self.rows.get((experiment, None), {}),
            **(self.rows.get((experiment, phase), {}) if phase is not None else {}),
        }


@dataclass
class Registry:
    """Rows of ``experiments``, and what a person should know of them.

    Attributes:
        rows: one per experiment, phase and variation, in the contract's columns.
        variations: by experiment, what each name of a variation (key, id, index, name) stands for, by kind.
        ids: GrowthBook's own ids of the experiments that were taken.
        left_out: experiments that were not taken, with the reason.
        conventional: experiments whose control is the first variation, because nobody said otherwise.
    """

    rows: list[Row] = field(default_factory=list)
    variations: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    conventional: list[str] = field(default_factory=list)


def read_plan(path: Path) -> dict[tuple[str, int | None], dict[str, str]]:
    """Lines of a plan file: CSV with ``experiment_id`` and any of the other :data:`PLAN_COLUMNS`.

    Raises:
        PlumblineError: a column is unknown, a line names no experiment, or a phase is no number.
    """
    found: dict[tuple[str, int | None], dict[str, str]] = {}
    for number, line in enumerate(read_csv(path, PLAN_COLUMNS, ("experiment_id",)), start=2):
        phase = line.pop("phase", "")
        if phase and not phase.isdigit():
            raise PlumblineError(
                f"{path}, line {number}: phase {phase} is no number.", "Phases count from 0."
            )
        key = (line.pop("experiment_id"), int(phase) if phase else None)
        found[key] = {name: value for name, value in line.items() if value}
    return found


def read_csv(path: Path, known: Sequence[str], needed: Sequence[str]) -> list[dict[str, str]]:
    """Lines of a small CSV file people write.

    Args:
        path: the file.
        known: columns it may have.
        needed: columns every line must fill.

    Raises:
        PlumblineError: it cannot be read, has an unknown column or lacks a needed value.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle)
            lines = list(reader)
            columns = list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PlumblineError(f"{path} cannot be read: {error}.", "Name a CSV file.") from error
    odd = [name for name in columns if name not in known] + [n for n in needed if n not in columns]
    if odd:
        raise PlumblineError(
            f"{path}: columns are {', '.join(columns) or 'missing'}.",
            f"It needs {', '.join(needed)} and may have {', '.join(known)}.",
        )
    cleaned = []
    for number, line in enumerate(lines, start=2):
        if None in line or any(not (line[name] or "").strip() for name in needed):
            raise PlumblineError(f"{path}, line {number}: not a full line.", "Fill its columns.")
        cleaned.append({name: (value or "").strip() for name, value in line.items()})
    return cleaned


def identifier(experiment: Experiment) -> str:
    """Id under which an experiment is logged: its tracking key."""
    settings = experiment.get("settings") or {}
    return str(
        experiment.get("trackingKey") or settings.get("experimentId") or experiment["id"]
    ).strip()


def registry(experiments: Iterable[Experiment], plan: Plan) -> Registry:
    """Rows of the registry.

    The id of a variation is its key, which is what GrowthBook's SDKs log. Phases count from 0. Shares are
    those of the traffic split; coverage says who takes part and moves no share. Drafts are left out: nobody
    sees them and their dates are not those of a start. So are bandits, whose shares move while they run, and
    archived experiments whose tracking key another one has taken over.

    Args:
        experiments: as the API lists them.
        plan: what GrowthBook does not say.

    Raises:
        PlumblineError: an experiment lacks something, has no plan, or the plan names what is not there.
    """
    found = Registry()
    listed = sorted(
        experiments, key=lambda experiment: (identifier(experiment), str(experiment["id"]))
    )
    planless: list[str] = []
    current = {identifier(one) for one in listed if not one.get("archived") and not _left_out(one)}
    for experiment in listed:
        name = identifier(experiment)
        reason = _left_out(experiment)
        if not reason and experiment.get("archived") and name in current:
            reason = "archived, and its key is another's now"
        if reason:
            found.left_out.append((name, reason))
            continue
        if name in found.variations:
            raise PlumblineError(
                f"two experiments of GrowthBook are logged as {name}.",
                "Rename the tracking key of one, or archive it and save the others for --file.",
            )
        found.ids.add(str(experiment["id"]))
        arms = [dict(arm) for arm in experiment.get("variations") or ()]
        if len(arms) < 2 or any(not str(arm.get("variationId", "")) for arm in arms):
            raise PlumblineError(
                f"experiment {name} has no variations with ids.", "Save it anew from the API."
            )
        for place, arm in enumerate(arms):
            arm["key"] = str(arm.get("key") or place)
        found.variations[name] = {
            "key": {arm["key"]: arm["key"] for arm in arms},
            "id": {str(arm["variationId"]): arm["key"] for arm in arms},
            "index": {str(place): arm["key"] for place, arm in enumerate(arms)},
            "name": {str(arm.get("name", "")): arm["key"] for arm in arms},
        }
        control = _control(name, [arm["key"] for arm in arms], plan)
        if control is None:
            found.conventional.append(name)
            control = arms[0]["key"]
        for number, phase in enumerate(experiment["phases"]):
            rows = _phase(experiment, name, number, phase, arms, control, plan)
            if rows is None:
                planless.append(name)
            else:
                found.rows.extend(rows)
    if planless:
        names = sorted(set(planless))
        raise PlumblineError(
            f"{len(names)} experiments have no plan: {', '.join(names[:5])}"
            f"{' ...' if len(names) > 5 else ''}. GrowthBook does not say what a decision waits for.",
            "Give --planned-days, --planned-units and --mde, or a file of plans with --plan.",
        )
    known = set(found.variations) | {name for name, _ in found.left_out}
    unknown = sorted(({name for name, _ in plan.rows} | set(plan.controls)) - known)
    if unknown:
        raise PlumblineError(
            f"the plan names experiments that GrowthBook does not list: {', '.join(unknown[:5])}.",
            "Write them as their tracking keys.",
        )
    return found


def _left_out(experiment: Experiment) -> str | None:
    if experiment.get("status") == "draft":
        return "a draft"
    if experiment.get("type") == "multi-armed-bandit":
        return "a bandit: its shares move while it runs"
    if not experiment["phases"]:
        return "without a phase"
    return None


def _control(name: str, keys: list[str], plan: Plan) -> str | None:
    said = plan.controls.get(name) or plan.of(name, None).get("control")
    if said is not None and said not in keys:
        raise PlumblineError(
            f"experiment {name} has no variation {said} to be its control.",
            f"Its variations are {', '.join(keys)}.",
        )
    return said


def _unit_type(name: str, attribute: str, said: str | None, plan: Plan) -> str:
    plain = attribute.lower().replace("_", "")
    guessed = (
        "user"
        if not plain or plain in _USER_ATTRIBUTES
        else {"creatorid": "creator", "botid": "bot"}.get(plain)
    )
    found = said or plan.unit_types.get(attribute) or guessed
    if found not in UNIT_TYPES:
        raise PlumblineError(
            f"experiment {name} randomises {attribute}: {found or 'unknown'} is no unit type.",
            f"Say --unit-type {attribute}=user, creator or bot.",
        )
    return found


def _phase(
    experiment: Experiment,
    name: str,
    number: int,
    phase: Mapping[str, Any],
    arms: list[dict[str, Any]],
    control: str,
    plan: Plan,
) -> list[Row] | None:
    """Rows of one phase; None without a plan."""
    said = plan.of(name, number)
    started = _moment(phase.get("dateStarted"), name)
    if started is None:
        raise PlumblineError(f"phase {number} of experiment {name} has no start.", "Save it anew.")
    ended = _moment(phase.get("dateEnded"), name)
    planned_end = _moment(said.get("planned_end_at"), name)
    if planned_end is None and plan.days is not None:
        planned_end = started + timedelta(days=plan.days)
    units = said.get("planned_units") or plan.units
    mde = said.get("mde_relative") or plan.mde
    if planned_end is None or units is None or mde is None:
        return None
    weights = _weights(name, number, phase, arms)
    is_last = number == len(experiment["phases"]) - 1
    stopped = experiment.get("status") == "stopped"
    status = ("stopped" if stopped else "running") if is_last else "finished"
    tags = ",".join(str(tag) for tag in experiment.get("tags") or ()) or None
    return [
        {
            "experiment_id": name,
            "phase": number,
            "variation_id": arm["key"],
            "name": str(experiment.get("name") or name),
            "unit_type": _unit_type(
                name, str(experiment.get("hashAttribute") or ""), said.get("unit_type"), plan
            ),
            "is_control": arm["key"] == control,
            "expected_weight": f"{weights[str(arm['variationId'])]:f}",
            "started_at": _written(started),
            "planned_end_at": _written(planned_end),
            "planned_units": str(units),
            "mde_relative": str(mde),
            "ended_at": None if ended is None else _written(ended),
            "status": status,
            "tags": tags,
            "hypothesis": str(experiment.get("hypothesis") or "") or None,
        }
        for arm in arms
    ]


def _weights(
    name: str, number: int, phase: Mapping[str, Any], arms: list[dict[str, Any]]
) -> dict[str, Decimal]:
    """Shares with six places that keep their sum: thirds are 0.333334, 0.333333, 0.333333."""
    try:
        given = {
            str(part["variationId"]): Decimal(str(part["weight"]))
            for part in phase.get("trafficSplit") or ()
        }
        rounded = {key: weight.quantize(_PLACES) for key, weight in given.items()}
    except (KeyError, TypeError, InvalidOperation) as error:
        raise PlumblineError(
            f"the traffic split of phase {number} of experiment {name} cannot be read.",
            "Save the experiment anew from the API.",
        ) from error
    ids = [str(arm["variationId"]) for arm in arms]
    missing = [key for key in ids if key not in rounded]
    if missing:
        raise PlumblineError(
            f"phase {number} of experiment {name} gives variation {missing[0]} no share.",
            "Save the experiment anew from the API.",
        )
    # Shares that are 1 but for rounding are made 1: a missing millionth is no plan.
    rest = _WHOLE - sum(rounded.values())
    if rounded and 0 < abs(rest) <= _PLACES * 100:
        largest = max(ids, key=lambda key: (rounded[key], -ids.index(key)))
        rounded[largest] += rest
    return rounded


def _moment(text: str | None, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise PlumblineError(
            f"experiment {name}: {text} is no timestamp.", "Write it as 2026-01-31T12:00:00Z."
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _written(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


@dataclass
class Goals:
    """Lines for the seed ``experiment_goals`` that somebody may take over.

    Attributes:
        rows: proposed lines.
        known: how many the seed has already.
        unmapped: experiment, metric of GrowthBook, role and why there is no line for it.
    """

    rows: list[Row] = field(default_factory=list)
    known: int = 0
    unmapped: list[tuple[str, str, str, str]] = field(default_factory=list)


def propose_goals(
    experiments: Iterable[Experiment],
    found: Registry,
    metrics: Mapping[str, str],
    mapped: Mapping[str, str],
    existing: Iterable[tuple[str, str]],
    margin: Decimal,
) -> Goals:
    """Which metrics each experiment would be judged on.

    Args:
        experiments: as the API lists them.
        found: the registry made of them; what it left out has no goals.
        metrics: unit type by metric of ``experiment_metrics`` (any fits all).
        mapped: metric by id of a metric in GrowthBook; an id that is a metric's name needs no entry.
        existing: experiment and metric of the lines the seed has.
        margin: how much worse a guardrail may get, which GrowthBook does not say.
    """
    goals = Goals()
    taken = set(existing)
    unit_types = {row["experiment_id"]: row["unit_type"] for row in found.rows}
    for experiment in sorted(experiments, key=identifier):
        name = identifier(experiment)
        if str(experiment["id"]) not in found.ids:
            continue
        settings = experiment.get("settings") or {}
        for role, key in (
            ("goal", "goals"),
            ("guardrail", "guardrails"),
            ("secondary", "secondaryMetrics"),
        ):
            for priority, part in enumerate(settings.get(key) or (), start=1):
                theirs = str(part.get("metricId", "") if isinstance(part, dict) else part)
                ours = mapped.get(theirs, theirs)
                if metrics.get(ours) not in (unit_types[name], "any"):
                    why = "of another unit type" if ours in metrics else "not mapped"
                    goals.unmapped.append((name, theirs, role, why))
                elif (name, ours) in taken:
                    goals.known += 1
                else:
                    taken.add((name, ours))
                    goals.rows.append(
                        {
                            "experiment_id": name,
                            "metric": ours,
                            "role": role,
                            "priority": priority,
                            "margin_relative": margin if role == "guardrail" else 0,
                            "owner": _cell(experiment.get("owner")),
                            "reason": f"{role.capitalize()} in GrowthBook",
                        }
                    )
    return goals


def _cell(value: Any) -> str:
    """Text for a seed, whose cells hold neither commas nor quotes."""
    return (
        " ".join(str(value or "").translate(str.maketrans(",\"'\\\n\r", "      ")).split())
        or "none"
    )
