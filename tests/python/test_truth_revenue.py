"""Revenue and subscriptions against what was planted, and against plain loops over the raw files."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

from bounds import Cell, binomials, family_bound, recovers
from conftest import ROOT
from plumbline.simulate import Settings
from plumbline.simulate.billing import CURRENCY_RATE, PLAN_PRICE_USD, PLANS
from plumbline.simulate.experiments import trials
from warehouse import Warehouse
from worlds import World

MICRO = Decimal("0.000001")
SAMPLE = ROOT / "seeds" / "raw"
CHARGING = ("trial_started", "started", "renewed", "plan_changed", "reenabled")
GRACE, TOLERANCE = timedelta(days=7), timedelta(hours=24)


def money(value: Fraction | Decimal) -> Decimal:
    """Micro-dollars, half up."""
    exact = Fraction(value) * 1_000_000
    return (Decimal((2 * exact.numerator + exact.denominator) // (2 * exact.denominator))
            * MICRO).quantize(MICRO)  # fmt: skip


# ---------------------------------------------------------------- what was planted
def _settings(world: World) -> Settings:
    told = world.truth.settings
    begins = date.fromisoformat(told["start"])
    return Settings(**{**told, "tables": tuple(told["tables"]), "start": begins})


def _end(world: World) -> str:
    """When the data of the run ends, inside the day that is not over, as an SQL literal."""
    end = datetime.fromtimestamp(_settings(world).end_ms / 1000, UTC).replace(tzinfo=None)
    return f"timestamp '{end.isoformat(sep=' ')}'"


@pytest.mark.truth
def test_every_notification_made_is_accepted(world: World) -> None:
    told = world.truth.expected["billing"]
    found = world.warehouse.query(
        "select event_type, count(*) from staging.stg_billing__subscription_events group by all"
    )
    assert dict(found) == {name: count for name, count in told["events"].items() if count}
    found = world.warehouse.query(
        "select kind, count(*) from staging.stg_billing__orders group by all"
    )
    assert dict(found) == told["orders"]


@pytest.mark.truth
def test_no_order_and_no_charge_is_lost_or_made_up(world: World) -> None:
    """What was made, less what belongs to accounts that are no customers or to the unfinished day."""
    told = world.truth.expected["billing"]
    apart = Counter[str]()
    for kind, count in world.warehouse.query(
        "with rows as (select user_id, 'subscription' as kind, event_time as at "
        "from staging.stg_billing__subscription_events where event_type in ('started', 'renewed') "
        "union all select user_id, kind, ordered_at from staging.stg_billing__orders) "
        "select kind, count(*) from rows "
        "inner join core.dim_persons as persons on rows.user_id = persons.person_id "
        "cross join intermediate.int_as_of as as_of "
        "where persons.is_excluded or cast(rows.at as date) > as_of.as_of_date group by all"
    ):
        apart[kind] += count
    assert sum(apart.values()) > 0
    made = {
        "subscription": told["events"]["started"] + told["events"]["renewed"],
        **told["orders"],
    }
    found = dict(
        world.warehouse.query(
            "select order_type, count(*) from subscription.fct_orders where is_paid group by all"
        )
    )
    assert found == {kind: count - apart[kind] for kind, count in made.items()}


@pytest.mark.truth
def test_prices_are_the_planted_ones(world: World) -> None:
    """Half a cent of rounding in the currency of the bill is all that lies between."""
    planted = world.truth.planted["subscriptions"]["plans"]
    rows = world.warehouse.query(
        "select distinct plan_id, usd_per_unit, gross_usd from subscription.fct_orders "
        "where order_type = 'subscription' and is_paid"
    )
    assert {row[0] for row in rows} == set(planted)
    for plan, rate, usd in rows:
        assert abs(float(usd) - planted[plan]["price_usd"]) <= 0.0051 * float(rate) + 1e-6


@pytest.mark.truth
def test_plans_come_in_their_shares(world: World) -> None:
    rows = dict(
        world.warehouse.query(
            "select plan_id, count(*) from intermediate.int_subscriptions_summarised group by all"
        )
    )
    planted = world.truth.planted["subscriptions"]["plans"]
    total = sum(rows.values())
    cells = binomials((rows[plan], total, planted[plan]["share"]) for plan in PLANS)
    # Shares of five plans in some six hundred subscriptions; returning ones keep their plan.
    assert all(abs(cell.score) <= family_bound(len(cells)) for cell in cells), cells


@pytest.mark.truth
def test_trials_end_and_convert_as_made(world: World) -> None:
    told = world.truth.expected["billing"]
    found = world.warehouse.query(
        "select cast(sum(trial_count) as bigint), cast(sum(decided_trial_count) as bigint), "
        "cast(sum(converted_trial_count) as bigint) from subscription.agg_trials__cohorts"
    )[0]
    # Trials that the mart leaves out, by the rules: of no customers, or over after the last whole day.
    apart = world.warehouse.query(
        "select count(*), count(starts.subscription_id) "
        "from staging.stg_billing__subscription_events as trials "
        "inner join core.dim_persons as persons on trials.user_id = persons.person_id "
        "cross join intermediate.int_as_of as as_of "
        "left join staging.stg_billing__subscription_events as starts "
        "on trials.subscription_id = starts.subscription_id and starts.event_type = 'started' "
        f"where trials.event_type = 'trial_started' and trials.period_end < {_end(world)} "
        "and (persons.is_excluded or cast(trials.period_end as date) > as_of.as_of_date)"
    )[0]
    assert found[1] == told["trials_ended"] - apart[0]
    assert found[2] == told["trials_converted"] - apart[1]
    planted = world.truth.planted["subscriptions"]["trial_converts"]
    recovers(found[2], found[1] * planted, found[1] * planted * (1 - planted), sees=0.25)


@pytest.mark.truth
def test_failed_payments_turn_into_grace_and_are_won_back(world: World) -> None:
    failed, graced = world.warehouse.query(
        "select (select count(*) from intermediate.int_subscription_events_sequenced "
        "where event_type = 'payment_failed'), "
        "(select count(*) from subscription.fct_subscription_spells "
        "where state = 'grace' and begin_reason = 'payment_failed')"
    )[0]
    assert failed == graced > 0
    assert failed <= world.truth.expected["billing"]["payments_failed"]
    ended = dict(
        world.warehouse.query(
            "select end_reason, count(*) from subscription.fct_subscription_spells "
            "where state = 'grace' and end_reason <> 'none' group by all"
        )
    )
    # The generator reports each end; nothing is overdue in silence.
    assert set(ended) <= {"recovered", "payment_failed"}
    decided = sum(ended.values())
    planted = world.truth.planted["subscriptions"]["recovers"]
    assert abs(ended.get("recovered", 0) - decided * planted) <= 4 * (
        decided * planted * (1 - planted)
    ) ** 0.5  # fmt: skip


class Period(NamedTuple):
    """One paid period that is over, outside the planted harm of the cancel experiment or in it."""

    plan: str
    is_cancelled: bool
    is_control: bool


def _user_number(user: str) -> int:
    return int(user[1:], 36)


def _closed_periods(world: World) -> tuple[list[Period], Counter[str], Counter[str]]:
    """Periods of the mart, and by plan what the truth counts besides: closed, cancelled."""
    settings = _settings(world)
    trial = next(trial for trial in trials(settings) if trial.target == "cancel")
    phase = trial.phases[0]
    opened, ended = (settings.day_ms(day) for day in (phase.start, phase.end))
    seed = settings.seed

    def is_control(user: str, begun: datetime) -> bool:
        at = begun.replace(tzinfo=UTC).timestamp() * 1000
        if not opened <= at < ended:
            return True
        return int(trial.arm(seed, phase, np.array([_user_number(user)]))[0]) == 0

    rows = world.warehouse.query(
        "select persons.person_id, periods.plan_id, "
        "least(coalesce(subscriptions.trial_started_at, subscriptions.first_paid_at), "
        "subscriptions.first_paid_at) as begun, exists (select 1 from "
        "subscription.fct_subscription_spells as spells "
        "where spells.subscription_id = periods.subscription_id and spells.state = 'cancelled' "
        "and not spells.is_trial and spells.started_at >= periods.started_at "
        "and spells.started_at < periods.due_at) "
        "from intermediate.int_subscription_periods as periods "
        "inner join intermediate.int_subscriptions_summarised as subscriptions "
        "on periods.subscription_id = subscriptions.subscription_id "
        "inner join core.dim_persons as persons "
        "on persons.person_id = (select person_id from intermediate.int_persons_described as people "
        "where people.person_key = periods.person_key) "
        "where periods.outcome in ('renewed', 'lapsed', 'in_grace') and periods.lapse_reason <> 'refunded'"
    )
    periods = [
        Period(plan, cancelled, is_control(person, begun))
        for person, plan, begun, cancelled in rows
    ]
    # What the truth counts and the mart does not: no customers, and what came due on the last day.
    apart = world.warehouse.query(
        "with firsts as (select subscription_id, min(event_time) as begun "
        "from staging.stg_billing__subscription_events group by all) "
        "select charges.user_id, charges.plan_id, firsts.begun, exists (select 1 "
        "from staging.stg_billing__subscription_events as cancels "
        "where cancels.subscription_id = charges.subscription_id and cancels.event_type = 'cancelled' "
        "and cancels.event_time >= charges.event_time and cancels.event_time < charges.period_end) "
        "from staging.stg_billing__subscription_events as charges inner join firsts "
        "on charges.subscription_id = firsts.subscription_id "
        "inner join core.dim_persons as persons on charges.user_id = persons.person_id "
        "cross join intermediate.int_as_of as as_of "
        "where charges.event_type in ('started', 'renewed') "
        f"and charges.period_end < {_end(world)} "
        "and (persons.is_excluded or cast(charges.period_end as date) > as_of.as_of_date) "
        "and not exists (select 1 from staging.stg_billing__subscription_events as refunds "
        "where refunds.subscription_id = charges.subscription_id and refunds.event_type = 'refunded' "
        "and refunds.event_time >= charges.event_time and refunds.event_time < charges.period_end)"
    )
    closed, cancelled = Counter[str](), Counter[str]()
    for user, plan, begun, is_cancelled in apart:
        if is_control(user, begun):
            closed[plan] += 1
            cancelled[plan] += is_cancelled
    return periods, closed, cancelled


@pytest.mark.truth
def test_periods_and_cancellations_are_those_made(world: World) -> None:
    told = world.truth.expected["billing"]["plans"]
    periods, closed, cancelled = _closed_periods(world)
    for period in periods:
        if period.is_control:
            closed[period.plan] += 1
            cancelled[period.plan] += period.is_cancelled
    assert {plan: closed[plan] for plan in told} == {
        plan: counts["periods_closed"] for plan, counts in told.items()
    }
    assert {plan: cancelled[plan] for plan in told} == {
        plan: counts["cancelled"] for plan, counts in told.items()
    }
    # Within its error the hazard comes back; the harm of the experiment is no part of it.
    planted = world.truth.planted["subscriptions"]["plans"]
    cells = [
        Cell(cancelled[plan], closed[plan] * hazard, closed[plan] * hazard * (1 - hazard))
        for plan in told
        if closed[plan] and (hazard := planted[plan]["cancel"])
    ]
    assert len(cells) >= 3
    assert all(abs(cell.score) <= family_bound(len(cells)) for cell in cells), cells


@pytest.mark.truth
def test_early_cancellations_come_back(world: World) -> None:
    """A new subscription is cancelled in its first period, early at that, and not refunded before."""
    planted = world.truth.planted["subscriptions"]
    mean = variance = 0.0
    found = 0
    for plan, count, cancelled in world.warehouse.query(
        "select plan_id, cast(sum(new_subscription_count) as bigint), "
        "cast(sum(cancelled_early_count) as bigint) from subscription.agg_early_cancels__cohorts group by all"
    ):
        # Half of those in the experiment cancel 1.6 times as often; nobody is refunded in time to matter.
        low = (1 - planted["refund"]) * planted["plans"][plan]["cancel"] * planted["early_cancel"]
        middle = low * 1.3
        mean += count * (low + middle) / 2
        variance += count * middle * (1 - middle) + (count * (middle - low) / 2) ** 2
        found += cancelled
    recovers(found, mean, variance, sees=1.0)


@pytest.mark.truth
def test_conversion_is_what_kaplan_and_meier_say(world: World) -> None:
    """A mature cohort has no censoring before its window ends: one minus survival is the share."""
    rows = world.warehouse.query(
        "select cohort_date, window_days, cohort_size, subscription_conversion_rate "
        "from subscription.agg_subscription_conversion__cohorts "
        "where cohort_grain = 'day' and segment_dimension = 'all'"
    )
    ages: dict[date, list[int]] = defaultdict(list)
    for born, age in world.warehouse.query(
        "select people.first_active_date, min(greatest(0, subscriptions.first_paid_date "
        "- people.first_active_date)) from intermediate.int_persons_cohorted as people "
        "inner join intermediate.int_subscriptions_summarised as subscriptions "
        "on people.person_key = subscriptions.person_key where subscriptions.is_ever_paid "
        "group by people.person_key, people.first_active_date"
    ):
        ages[born].append(age)
    assert sum(map(len, ages.values())) > 300
    for born, window, size, rate in rows:
        survival, at_risk = Fraction(1), size
        for age in sorted({age for age in ages[born] if age < window}):
            events = ages[born].count(age)
            survival *= 1 - Fraction(events, at_risk)
            at_risk -= events
        assert abs(float(1 - survival) - rate) < 1e-12


# ---------------------------------------------------------------- a second opinion, without SQL
class Note(NamedTuple):
    """One accepted notification of a customer."""

    at: datetime
    kind: str
    subscription: str
    person: str
    plan: str
    amount: Decimal
    currency: str
    count: int
    unit: str
    ends: datetime


class Order(NamedTuple):
    """One order, in US dollars."""

    at: datetime
    kind: str
    person: str
    gross: Decimal
    refunded: Decimal


class Books(NamedTuple):
    """What the raw files say, by the rules of the contract."""

    as_of: date
    lives: dict[str, list[Note]]
    orders: list[Order]
    rates: dict[str, Decimal]


def _lines(table: str) -> list[dict[str, str]]:
    with (SAMPLE / f"raw_{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _winners(rows: Iterable[dict[str, str]], key: str, time: str) -> list[dict[str, str]]:
    """The earliest of the copies; those of the sample agree in everything else."""
    held: dict[str, dict[str, str]] = {}
    for row in rows:
        other = held.setdefault(row[key], row)
        if row[time] < other[time]:
            held[row[key]] = row
    return list(held.values())


def _plausible(row: dict[str, str], time: str, *required: str) -> bool:
    if not all(row[name].strip() for name in (*required, time)):
        return False
    at, arrived = (datetime.fromisoformat(row[name]) for name in (time, "ingested_at"))
    return datetime(1990, 1, 1) <= at <= arrived + timedelta(days=1)


@pytest.fixture(scope="module")
def books(sample: World) -> Books:
    as_of = date.fromisoformat(sample.truth.expected["as_of"])
    staff = {
        person
        for (person,) in sample.warehouse.query(
            "select person_id from core.dim_persons where is_excluded"
        )
    }
    with (ROOT / "seeds" / "reference" / "exchange_rates.csv").open(encoding="utf-8") as file:
        rates = {row["currency"]: Decimal(row["usd_per_unit"]) for row in csv.DictReader(file)}
    kinds = (*CHARGING, "payment_failed", "cancelled", "expired", "refunded")
    good = [
        row
        for row in _lines("subscription_events")
        if _plausible(row, "event_time", "event_id", "subscription_id", "user_id", "plan_id")
        and row["event_type"] in kinds
        and int(row["period_count"] or 0) >= 1
        and (Decimal(row["amount"]) <= 0 if row["event_type"] == "refunded"
             else Decimal(row["amount"]) >= 0)
    ]  # fmt: skip
    lives: dict[str, list[Note]] = defaultdict(list)
    for row in _winners(good, "event_id", "event_time"):
        at = datetime.fromisoformat(row["event_time"])
        if row["user_id"] not in staff and at.date() <= as_of:
            lives[row["subscription_id"]].append(Note(
                at, row["event_type"], row["subscription_id"], row["user_id"], row["plan_id"],
                Decimal(row["amount"]), row["currency"], int(row["period_count"]), row["period_unit"],
                datetime.fromisoformat(row["period_end"]),
            ))  # fmt: skip
    order = ("expired", "payment_failed", *CHARGING[:4], "cancelled", "reenabled", "refunded")
    for notes in lives.values():
        notes.sort(key=lambda note: (note.at, order.index(note.kind)))
    orders = []
    good = [
        row
        for row in _lines("orders")
        if _plausible(row, "ordered_at", "order_id", "user_id")
        and row["kind"] in ("coins", "shop")
        and 0 <= Decimal(row["refunded_amount"]) <= Decimal(row["gross_amount"])
    ]
    for row in _winners(good, "order_id", "ordered_at"):
        at = datetime.fromisoformat(row["ordered_at"])
        if row["user_id"] not in staff and at.date() <= as_of:
            rate = rates[row["currency"]]
            orders.append(Order(
                at, row["kind"], row["user_id"], money(Decimal(row["gross_amount"]) * rate),
                money(Decimal(row["refunded_amount"]) * rate),
            ))  # fmt: skip
    for notes in lives.values():
        for place, note in enumerate(notes):
            if note.kind in CHARGING and note.amount > 0:
                back = Decimal(0)
                for later in notes[place + 1 :]:
                    if later.kind in CHARGING and later.amount > 0:
                        break
                    back -= later.amount if later.kind == "refunded" else 0
                rate = rates[note.currency]
                orders.append(Order(
                    note.at, "subscription", note.person, money(note.amount * rate), money(back * rate)
                ))  # fmt: skip
    return Books(as_of, lives, orders, rates)


def test_books_hold_what_the_rules_are_for(books: Books) -> None:
    """The second opinion says something only if there are refunds, failures and currencies."""
    kinds = Counter(note.kind for notes in books.lives.values() for note in notes)
    assert all(kinds[kind] for kind in ("refunded", "payment_failed", "reenabled", "plan_changed"))
    assert sum(order.refunded > 0 for order in books.orders) > 10
    assert len({note.currency for notes in books.lives.values() for note in notes}) == len(
        CURRENCY_RATE
    )
    assert {note.plan for notes in books.lives.values() for note in notes} == set(PLANS)
    assert len(PLAN_PRICE_USD) == len(PLANS)


def test_revenue_of_every_day_by_loops(sample: World, books: Books) -> None:
    gross, back = Counter[tuple[date, str]](), Counter[tuple[date, str]]()
    payers: dict[date, set[str]] = defaultdict(set)
    counts: Counter[date] = Counter()
    for order in books.orders:
        day = order.at.date()
        gross[day, order.kind] += order.gross  # type: ignore[assignment]
        back[day, order.kind] += order.refunded  # type: ignore[assignment]
        payers[day].add(order.person)
        counts[day] += 1
    told = sorted(
        (
            day,
            *(Decimal(gross[day, kind] - back[day, kind]) for kind in ("subscription", "coins", "shop")),
            len(payers[day]),
            counts[day],
        )
        for day in payers
    )  # fmt: skip
    found = sample.warehouse.query(
        "select activity_date, subscription_net_usd, coins_net_usd, shop_net_usd, payer_count, order_count "
        "from subscription.agg_revenue__daily where order_count > 0 order by activity_date"
    )
    assert found == told


class Life:
    """How one subscription stands at a moment, found by walking through its notifications."""

    def __init__(self, notes: list[Note]) -> None:
        self.notes = notes

    def at(self, moment: datetime) -> tuple[bool, Note | None]:
        """Whether it runs, and the charge it runs on; ``moment`` is the end of a day."""
        running, charge, ends = False, None, None
        cancelled = failed = False
        refunded = Decimal(0)
        known = [note for note in self.notes if note.at < moment]
        for note, following in pairwise([*known, None]):
            assert note is not None
            if note.kind in ("trial_started", "started", "renewed") or (
                note.kind in CHARGING and note.amount > 0
            ):
                running, cancelled, failed, ends = True, False, False, note.ends
                charge, refunded = (note if note.amount > 0 else None), Decimal(0)
            elif note.kind == "cancelled":
                cancelled = True
            elif note.kind == "reenabled":
                cancelled = False
            elif note.kind == "payment_failed":
                failed = True
            elif note.kind == "refunded":
                refunded -= note.amount
                running = running and not (charge and refunded >= charge.amount)
            elif note.kind == "expired":
                running = False
            # Time passes until the next notification.
            until = following.at if following else moment
            if running and ends is not None:
                late = cancelled and not failed
                last = ends if late else ends + GRACE
                renewed_soon = following is not None and following.at <= ends + TOLERANCE
                if until > last and not (late and renewed_soon):
                    running = False
        return running, charge


def test_recurring_revenue_of_every_account_by_loops(sample: World, books: Books) -> None:
    """Month by month, subscription by subscription: does it run, and what does a month of it cost."""
    factor = {"month": Fraction(1), "year": Fraction(1, 12), "week": Fraction(52, 12)}
    charges = [
        note
        for notes in books.lives.values()
        for note in notes
        if note.kind in CHARGING and note.amount > 0
    ]
    first = {person: min(note.at.date() for note in charges if note.person == person)
             for person in {note.person for note in charges}}  # fmt: skip
    told = []
    for person, began in first.items():
        month = began.replace(day=1)
        while month <= books.as_of:
            following = (month + timedelta(days=32)).replace(day=1)
            balance = min(following - timedelta(days=1), books.as_of)
            moment = datetime.combine(balance + timedelta(days=1), datetime.min.time())
            total = Decimal(0)
            for notes in books.lives.values():
                if notes[0].person != person:
                    continue
                running, charge = Life(notes).at(moment)
                if running and charge is not None:
                    usd = money(charge.amount * books.rates[charge.currency])
                    total += money(Fraction(usd) * factor[charge.unit] / charge.count)
            told.append((person, month, total))
            month = following
    found = sample.warehouse.query(
        "select person_id, month_start_date, closing_usd from subscription.fct_account_months"
    )
    assert sorted(found) == sorted(told)
    assert any(total == 0 for _, _, total in told) and any(total > 0 for _, _, total in told)


def test_renewals_of_every_plan_by_loops(sample: World, books: Books) -> None:
    renewed, due = Counter[str](), Counter[str]()
    for notes in books.lives.values():
        charges = [note for note in notes if note.kind in CHARGING and note.amount > 0]
        for charge, following in pairwise([*charges, None]):
            assert charge is not None
            if charge.ends.date() <= books.as_of:
                due[charges[0].plan] += 1
                renewed[charges[0].plan] += following is not None
    found = sample.warehouse.query(
        "select plan_id, cast(sum(due_count) as bigint), cast(sum(renewed_count) as bigint) "
        "from subscription.agg_renewals__cohorts group by all order by all"
    )
    assert found == sorted((plan, due[plan], renewed[plan]) for plan in due)


@pytest.fixture(scope="module")
def born(sample: World) -> dict[str, date]:
    """First active day of everybody."""
    return dict(
        sample.warehouse.query(
            "select person_id, min(activity_date) from growth.fct_user_days group by person_id"
        )
    )


def test_payers_and_values_of_cohorts_by_loops(
    sample: World, books: Books, born: dict[str, date]
) -> None:
    """Who paid within the first n days, and how much; what is not over yet is not told."""
    members = Counter(born.values())
    told = []
    for window in (1, 3, 7, 14, 30, 90):
        for day, size in members.items():
            if day + timedelta(days=window) > books.as_of:
                continue
            mine = [
                order
                for order in books.orders
                if born.get(order.person) == day and (order.at.date() - day).days < window
            ]
            told.append((
                day, window, size, len({order.person for order in mine}), len(mine),
                sum((order.gross for order in mine), Decimal(0)),
                sum((order.refunded for order in mine), Decimal(0)),
            ))  # fmt: skip
    found = sample.warehouse.query(
        "select payments.cohort_date, payments.window_days, payments.cohort_size, payments.payer_count, "
        "payments.order_count, ltv.gross_usd, ltv.refunded_usd "
        "from subscription.agg_payments__cohorts as payments "
        "inner join subscription.agg_ltv__cohorts as ltv using "
        "(cohort_grain, cohort_date, segment_dimension, segment_value, window_days) "
        "where cohort_grain = 'day' and segment_dimension = 'all'"
    )
    assert sorted(found) == sorted(told)
    assert any(row[3] for row in told)


def test_attribution_by_fractions(sample: World, books: Books) -> None:
    """The largest remainder, person by person, in exact fractions."""
    wrote: dict[str, Counter[tuple[date, str]]] = defaultdict(Counter)
    for person, bot, day, messages in sample.warehouse.query(
        "select people.person_id, bots.bot_id, chats.event_date, chats.new_message_count "
        "from intermediate.int_bot_user_days_human as chats "
        "inner join intermediate.int_persons_described as people on chats.person_key = people.person_key "
        "inner join intermediate.int_bots_versioned as bots "
        "on chats.bot_key = bots.bot_key and bots.is_current where chats.new_message_count > 0"
    ):
        wrote[person][day, bot] += messages
    paid: dict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0])
    for order in books.orders:
        sums = paid[order.person, order.at.date()]
        sums[0] += int(order.gross / MICRO)
        sums[1] += int(order.refunded / MICRO)
    told: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    for (person, day), sums in paid.items():
        messages: Counter[str] = Counter()
        for (chatted, bot), count in wrote[person].items():
            if 1 <= (day - chatted).days <= 7:
                messages[bot] += count
        messages = messages or Counter({"none": 1})
        for measure, micros in enumerate(sums):
            shares = {bot: Fraction(micros * count, sum(messages.values()))
                      for bot, count in messages.items()}  # fmt: skip
            left = micros - sum(int(share) for share in shares.values())
            ranked = sorted(shares, key=lambda bot: (-(shares[bot] - int(shares[bot])), bot))
            for place, bot in enumerate(ranked):
                told[day, bot][measure] += int(shares[bot]) + (place < left)
    found = sample.warehouse.query(
        "select activity_date, bot_id, gross_usd, refunded_usd "
        "from subscription.agg_revenue_attribution__daily"
    )
    assert sorted(found) == sorted(
        (day, bot, gross * MICRO, back * MICRO) for (day, bot), (gross, back) in told.items()
    )
    assert len({row[1] for row in found}) > 10


def test_writers_behind_attributed_revenue_by_sets(sample: World, books: Books) -> None:
    """Distinct people who wrote to a workflow on the seven days before, one day after the other."""
    wrote: dict[tuple[str, date], set[str]] = defaultdict(set)
    for person, workflow, day in sample.warehouse.query(
        "select chats.person_key, bots.workflow, chats.event_date "
        "from intermediate.int_bot_user_days_human as chats "
        "inner join intermediate.int_bots_versioned as bots on chats.bot_key = bots.bot_key "
        "and chats.event_date between bots.valid_from_date and bots.valid_to_date "
        "where chats.new_message_count > 0"
    ):
        wrote[workflow, day].add(person)
    told = []
    for workflow in {workflow for workflow, _ in wrote}:
        day = min(chatted for _, chatted in wrote)
        while day <= books.as_of:
            people = {
                person for back in range(1, 8)
                for person in wrote.get((workflow, day - timedelta(days=back)), ())
            }  # fmt: skip
            if people:
                told.append((day, workflow, len(people)))
            day += timedelta(days=1)
    found = sample.warehouse.query(
        "select activity_date, segment_value, writer_count "
        "from subscription.agg_revenue_attribution__daily_segment "
        "where segment_dimension = 'workflow' and writer_count > 0"
    )
    assert sorted(found) == sorted(told)


def test_a_tag_has_one_name_in_engagement_and_in_revenue(sample: World) -> None:
    """What belongs to no bot has a name of its own; bots without a tag are in the unit tests."""
    told = set(
        sample.warehouse.query(
            "select distinct slice_value from engagement.agg_engagement__daily_slices "
            "where slice_dimension = 'tag'"
        )
    )
    for mart, dimension, apart in (
        ("agg_revenue_attribution__daily_segment", "tag", "unattributed"),
        ("agg_acquired_value__monthly", "acquisition_tag", "none"),
    ):
        found = sample.warehouse.query(
            f"select distinct segment_value from subscription.{mart} "
            f"where segment_dimension = '{dimension}'"
        )
        assert set(found) - {(apart,)} <= told
        assert len(found) > 2


def test_margins_of_every_month_by_loops(sample: World, books: Books) -> None:
    revenue = Counter[date]()
    for order in books.orders:
        revenue[order.at.date().replace(day=1)] += order.gross - order.refunded  # type: ignore[assignment]
    cost = Counter[date]()
    staff = {
        person
        for (person,) in sample.warehouse.query(
            "select person_id from core.dim_persons where is_excluded"
        )
    }
    good = [
        row
        for row in _lines("llm_responses")
        if _plausible(row, "responded_at", "response_id", "user_id", "model_version", "cost_usd")
        and Decimal(row["cost_usd"]) >= 0
        and int(row["latency_ms"] or -1) >= 0
        and int(row["prompt_tokens"] or -1) >= 0
        and int(row["completion_tokens"] or -1) >= 0
    ]
    for row in _winners(good, "response_id", "responded_at"):
        day = datetime.fromisoformat(row["responded_at"]).date()
        if row["user_id"] not in staff and day <= books.as_of:
            cost[day.replace(day=1)] += Decimal(row["cost_usd"])  # type: ignore[assignment]
    found: list[Any] = sample.warehouse.query(
        "select month_start_date, gross_usd - refunded_usd, llm_cost_usd "
        "from subscription.agg_unit_economics__monthly where margin_dimension = 'all' order by all"
    )
    assert [row for row in found if row[1] or row[2]] == sorted(
        (month, Decimal(revenue[month]), Decimal(cost[month])) for month in {*revenue, *cost}
    )


def test_every_story_of_the_sample_ends_once(sample: World) -> None:
    """A subscription is lost as often as it stops running, and never twice in a row."""
    warehouse: Warehouse = sample.warehouse
    lost, twice = warehouse.query(
        "with spells as (select *, lag(state) over (partition by subscription_id order by spell_number) "
        "as before from subscription.fct_subscription_spells) "
        "select count(*), count(case when before = state and state = 'lapsed' then 1 end) "
        "from spells where state = 'lapsed'"
    )[0]
    assert lost > 0 == twice
