"""Subscriptions as a state machine, coin and shop orders, acquisition spend."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from plumbline.simulate.activity import landing
from plumbline.simulate.arrays import (
    MS_DAY,
    Ints,
    codes,
    dates,
    decimals,
    pick,
    stream,
    text_ids,
    times,
)
from plumbline.simulate.experiments import Trial
from plumbline.simulate.rows import from_columns
from plumbline.simulate.settings import SIGN_UP_SEASON, Settings
from plumbline.simulate.truth import Tally
from plumbline.simulate.world import CHANNEL_SHARE, CHANNELS, COUNTRY_CURRENCY, Users

PLANS = ("basic_week", "basic_month", "pro_month", "basic_year", "pro_year")
PLAN_SHARE = (0.20, 0.40, 0.20, 0.14, 0.06)
PLAN_PRICE_USD = (3.99, 9.99, 19.99, 79.99, 159.99)
PLAN_UNIT = ("week", "month", "month", "year", "year")
PLAN_DAYS = (7, 30, 30, 365, 365)
# Planted chances per plan: cancel within a period, and failure of a due payment.
PLAN_CANCEL = (0.18, 0.10, 0.07, 0.20, 0.15)
PLAN_FAIL = (0.05, 0.04, 0.03, 0.06, 0.05)
PLAN_TRIAL = (0.0, 0.4, 0.5, 0.6, 0.6)
TRIAL_DAYS = 7
TRIAL_CONVERTS = 0.6
# Of those who cancel in their first paid period, the share that does so within three days.
EARLY_CANCEL = 0.35
REENABLE = 0.12
RECOVERS = 0.6
GRACE_DAYS = 7
REFUND = 0.015
CHANGE = 0.03
RETURNS = 0.15
SUBSCRIBER_SHARE = {"student": 0.06, "teacher": 0.12, "consumer": 0.08}
CURRENCIES = ("USD", "EUR", "GBP", "JPY")
CURRENCY_RATE = (1.0, 0.92, 0.79, 150.0)
STORES = ("app_store", "google_play", "web")
KINDS = (
    "trial_started", "started", "renewed", "plan_changed", "payment_failed", "cancelled",
    "reenabled", "expired", "refunded",
)  # fmt: skip
TRIAL, STARTED, RENEWED, CHANGED, FAILED, CANCELLED, REENABLED, EXPIRED, REFUNDED = range(9)
UNITS = ("day", "week", "month", "year")

# Buyers of coins and goods: gamma purchase rates, a beta chance to stop after each, the first among them
# (in BG/NBD nobody stops before the second).
BUYER_SHARE = 0.15
BUY_RATE = {"r": 0.8, "alpha_days": 14.0}
BUY_STOP = {"a": 0.8, "b": 2.5}
# Gamma-Gamma spend (US dollars): p, q, v.
SPEND = {"p": 6.25, "q": 3.74, "v": 15.44}
SHOP_SHARE = 0.3
CHANNEL_CAC_USD = {"paid_search": 4.0, "paid_social": 3.2, "referral": 1.0, "influencer": 5.5}
CHANNEL_CURRENCY = {"influencer": "EUR"}


@dataclass
class Deferred:
    """Rows of one table made before the days run; handed out on the day they happen."""

    name: str
    rows: pa.Table
    day: Ints
    bounds: Ints = field(init=False)

    def __post_init__(self) -> None:
        """Order the rows by day."""
        order = np.argsort(self.day, kind="stable")
        self.rows = self.rows.take(pa.array(order))
        self.day = self.day[order]
        self.bounds = np.searchsorted(self.day, np.arange(int(self.day.max(initial=0)) + 2))

    def on(self, day: int) -> pa.Table:
        """Rows of one day."""
        if day + 1 >= len(self.bounds):
            return self.rows.slice(0, 0)
        return self.rows.slice(self.bounds[day], self.bounds[day + 1] - self.bounds[day])


class _Book:
    """Notifications collected while the state machine steps, as parallel lists of arrays."""

    def __init__(self) -> None:
        self.parts: list[tuple[Ints, Ints, Ints, Ints, Ints, Ints]] = []

    def note(
        self, kind: int, subs: Ints, at: Ints, plan: Ints, usd: Ints | float, ends: Ints
    ) -> None:
        usd = np.broadcast_to(np.asarray(usd, dtype=np.float64), subs.shape)
        self.parts.append((np.full(len(subs), kind), subs, at, plan, usd, ends))

    def joined(self) -> tuple[Ints, ...]:
        return tuple(np.concatenate([part[i] for part in self.parts]) for i in range(6))


class Subscriptions:
    """Draws all subscriptions of the run by stepping every one of them period by period."""

    def __init__(
        self, settings: Settings, users: Users, trials: tuple[Trial, ...], tally: Tally
    ) -> None:
        self.settings, self.users, self.tally = settings, users, tally
        self.rng = stream(settings.seed, 20)
        self.cancel_trial = next(trial for trial in trials if trial.target == "cancel")
        self.book = _Book()

    def draw(self) -> tuple[Deferred, tuple[Ints, Ints, Ints]]:
        """All notifications, and the exposures (user, arm, time) of the cancel experiment."""
        rng, users, end = self.rng, self.users, self.settings.end_ms
        share = np.array(list(SUBSCRIBER_SHARE.values()))[users.role]
        user = np.flatnonzero(rng.random(len(share)) < share * self.settings.commerce)
        wait = np.minimum(rng.exponential(10 * MS_DAY, len(user)), 200 * MS_DAY).astype(np.int64)
        born = self.settings.day_ms(0) + users.signup[user].astype(np.int64) * MS_DAY
        at = born + MS_DAY + wait
        user, at = user[at < end], at[at < end]
        plan = pick(rng, PLAN_SHARE, len(user)).astype(np.int64)
        self.owner = user
        ended = self._life(np.arange(len(user)), at, plan, may_trial=True)
        back = np.flatnonzero((ended < end) & (rng.random(len(ended)) < RETURNS))
        again = ended[back] + rng.integers(10 * MS_DAY, 60 * MS_DAY, len(back))
        back, again = back[again < end], again[again < end]
        second = len(user) + np.arange(len(back))
        self.owner = np.concatenate([user, user[back]])
        self._life(second, again, plan[back], may_trial=False)
        phase = self.cancel_trial.phases[0]
        opened, closed = (self.settings.day_ms(day) for day in (phase.start, phase.end))
        inside = (at >= opened) & (at < closed)
        arm = self.cancel_trial.arm(self.settings.seed, phase, user[inside])
        return self._rows(), (user[inside], arm, at[inside])

    def _hazard(self, subs: Ints, plan: Ints, begun: Ints) -> Ints:
        """Chance to cancel in a period, with the planted harm of the cancel experiment."""
        phase = self.cancel_trial.phases[0]
        opened, closed = (self.settings.day_ms(day) for day in (phase.start, phase.end))
        arm = self.cancel_trial.arm(self.settings.seed, phase, self.owner[subs])
        factor = self.cancel_trial.factor(arm, arm)
        inside = (begun >= opened) & (begun < closed)
        return np.asarray(np.array(PLAN_CANCEL)[plan] * np.where(inside, factor, 1.0))

    def _life(self, subs: Ints, at: Ints, plan: Ints, may_trial: bool) -> Ints:
        """Step subscriptions to the end of the data; gives when each ended (or a far future)."""
        rng, end = self.rng, self.settings.end_ms
        ended = np.full(len(subs), 2**62)
        place = np.arange(len(subs))
        begun = at.copy()
        if may_trial:
            at, place = self._trials(subs, at, plan, place, ended)
            plan = plan[place]
        now, subs, begun = at, subs[place], begun[place]
        first = np.ones(len(subs), dtype=bool)
        while len(subs):
            price = np.array(PLAN_PRICE_USD)[plan]
            until = now + np.array(PLAN_DAYS)[plan] * MS_DAY
            for kind, of in ((STARTED, first), (RENEWED, ~first)):
                self.book.note(kind, subs[of], now[of], plan[of], price[of], until[of])
            out = self._refunds(subs, now, plan, price, ended, place)
            out = self._cancels(subs, now, until, plan, begun, first, ended, place, out)
            failed = ~out & (rng.random(len(subs)) < np.array(PLAN_FAIL)[plan]) & (until < end)
            due = self._failures(subs, until, plan, failed, ended, place, out)
            changed = ~out & ~failed & (rng.random(len(subs)) < CHANGE) & (plan < 2)
            plan = self._changes(subs, until, plan, changed)
            keep = ~out & (due < end)
            subs, now, plan = subs[keep], due[keep], plan[keep]
            begun, place = begun[keep], place[keep]
            first = np.zeros(len(subs), dtype=bool)
            self._count_periods(keep)
        return ended

    def _count_periods(self, keep: Ints) -> None:
        self.tally.add("billing", "periods", value=len(keep))

    def _trials(
        self, subs: Ints, at: Ints, plan: Ints, place: Ints, ended: Ints
    ) -> tuple[Ints, Ints]:
        rng, end = self.rng, self.settings.end_ms
        on_trial = rng.random(len(subs)) < np.array(PLAN_TRIAL)[plan]
        until = at + TRIAL_DAYS * MS_DAY
        self.book.note(TRIAL, subs[on_trial], at[on_trial], plan[on_trial], 0.0, until[on_trial])
        converts = rng.random(len(subs)) < TRIAL_CONVERTS
        lost = on_trial & ~converts
        quit_at = at + rng.integers(3_600_000, TRIAL_DAYS * MS_DAY - 1, len(subs))
        self.book.note(CANCELLED, subs[lost], quit_at[lost], plan[lost], 0.0, until[lost])
        self.book.note(EXPIRED, subs[lost], until[lost], plan[lost], 0.0, until[lost])
        ended[lost] = until[lost]
        mature = on_trial & (until < end)
        self.tally.add("billing", "trials_ended", value=int(mature.sum()))
        self.tally.add("billing", "trials_converted", value=int((mature & converts).sum()))
        starts = np.where(on_trial, until, at)
        keep = ~lost & (starts < end)
        return starts[keep], place[keep]

    def _refunds(
        self, subs: Ints, now: Ints, plan: Ints, price: Ints, ended: Ints, place: Ints
    ) -> Ints:
        refunded = self.rng.random(len(subs)) < REFUND
        when = now + self.rng.integers(3_600_000, 5 * MS_DAY, len(subs))
        self.book.note(
            REFUNDED, subs[refunded], when[refunded], plan[refunded], -price[refunded],
            when[refunded],
        )  # fmt: skip
        self.book.note(
            EXPIRED, subs[refunded], when[refunded] + 1000, plan[refunded], 0.0, when[refunded]
        )
        ended[place[refunded]] = when[refunded] + 1000
        return np.asarray(refunded)

    def _cancels(
        self, subs: Ints, now: Ints, until: Ints, plan: Ints, begun: Ints, first: Ints,
        ended: Ints, place: Ints, out: Ints,
    ) -> Ints:  # fmt: skip
        rng, end = self.rng, self.settings.end_ms
        hazard = self._hazard(subs, plan, begun)
        cancels = ~out & (rng.random(len(subs)) < hazard)
        early = first & (rng.random(len(subs)) < EARLY_CANCEL)
        period = until - now
        late_at = 3 * MS_DAY + (period - 3 * MS_DAY) * rng.random(len(subs)) * 0.98
        early_at = 3 * MS_DAY * rng.random(len(subs)) * 0.99
        when = now + np.where(early, early_at, late_at).astype(np.int64)
        self.book.note(CANCELLED, subs[cancels], when[cancels], plan[cancels], 0.0, until[cancels])
        back = cancels & (rng.random(len(subs)) < REENABLE)
        again = when + ((until - when) * 0.5).astype(np.int64)
        self.book.note(REENABLED, subs[back], again[back], plan[back], 0.0, until[back])
        gone = cancels & ~back
        self.book.note(EXPIRED, subs[gone], until[gone], plan[gone], 0.0, until[gone])
        ended[place[gone]] = until[gone]
        closed = ~out & (until < end)
        for code, name in enumerate(PLANS):
            of = closed & (plan == code)
            arms = self.cancel_trial.arm(
                self.settings.seed, self.cancel_trial.phases[0], self.owner[subs]
            )
            control = of & ((arms == 0) | (hazard == PLAN_CANCEL[code]))
            self.tally.add("billing", "plans", name, "periods_closed", value=int(control.sum()))
            self.tally.add(
                "billing", "plans", name, "cancelled", value=int((control & cancels).sum())
            )
        return out | gone

    def _failures(
        self, subs: Ints, until: Ints, plan: Ints, failed: Ints, ended: Ints, place: Ints, out: Ints
    ) -> Ints:
        """Due payments that fail; in-place marks the lost in ``out``, gives when each renews."""
        rng = self.rng
        self.book.note(FAILED, subs[failed], until[failed], plan[failed], 0.0, until[failed])
        saved = rng.random(len(subs)) < RECOVERS
        lost = failed & ~saved
        over = until + GRACE_DAYS * MS_DAY
        self.book.note(EXPIRED, subs[lost], over[lost], plan[lost], 0.0, until[lost])
        ended[place[lost]] = over[lost]
        out |= lost
        retry = until + (rng.random(len(subs)) * (GRACE_DAYS - 1) * MS_DAY).astype(np.int64)
        self.tally.add("billing", "payments_failed", value=int(failed.sum()))
        return np.where(failed & saved, retry, until)

    def _changes(self, subs: Ints, until: Ints, plan: Ints, changed: Ints) -> Ints:
        """Move up one plan at the end of a period; the renewal that follows charges the price."""
        higher = np.where(changed, np.where(plan == 0, 1, 2), plan)
        at = until - 60_000
        self.book.note(CHANGED, subs[changed], at[changed], higher[changed], 0.0, until[changed])
        return np.asarray(higher)

    def _rows(self) -> Deferred:
        settings, users = self.settings, self.users
        kind, subs, at, plan, usd, ends = self.book.joined()
        kept = at < settings.end_ms
        kind, subs, at, plan, usd, ends = (x[kept] for x in (kind, subs, at, plan, usd, ends))
        order = np.lexsort((kind, subs, at))
        kind, subs, at, plan, usd, ends = (x[order] for x in (kind, subs, at, plan, usd, ends))
        user = self.owner[subs]
        currency = np.array(COUNTRY_CURRENCY)[users.country[user]]
        cents = np.rint(usd * np.array(CURRENCY_RATE)[currency] * 100).astype(np.int64)
        trial = kind == TRIAL
        unit = np.array([UNITS.index(name) for name in PLAN_UNIT])[plan]
        rng = stream(settings.seed, 21)
        for code, name in enumerate(KINDS):
            self.tally.add("billing", "events", name, value=int((kind == code).sum()))
        columns = {
            "event_id": text_ids("n", np.arange(len(at))),
            "event_time": times(at),
            "subscription_id": text_ids("p", subs),
            "user_id": text_ids("u", user),
            "event_type": codes(kind, KINDS),
            "plan_id": codes(plan, PLANS),
            "period_count": pa.array(np.where(trial, TRIAL_DAYS, 1)),
            "period_unit": codes(np.where(trial, 0, unit), UNITS),
            "amount": decimals(cents * 10_000, 18, 6),
            "currency": codes(currency, CURRENCIES),
            "period_end": times(ends),
            "store": codes(users.platform[user], STORES),
            "ingested_at": times(landing(settings, rng, at, self.tally, "subscription_events")),
        }
        day = at // MS_DAY - settings.first_day
        return Deferred("subscription_events", from_columns("subscription_events", columns), day)


def draw_orders(settings: Settings, users: Users, tally: Tally) -> Deferred:
    """Coin and shop orders of buyers who come at their own rate and stop for good, some after the first."""
    rng = stream(settings.seed, 22)
    user: Ints = np.flatnonzero(rng.random(settings.users) < BUYER_SHARE * settings.commerce)
    rate: Ints = rng.gamma(BUY_RATE["r"], 1 / BUY_RATE["alpha_days"], len(user))
    stop: Ints = rng.beta(BUY_STOP["a"], BUY_STOP["b"], len(user))
    mean: Ints = SPEND["p"] / rng.gamma(SPEND["q"], 1 / SPEND["v"], len(user))
    born = settings.day_ms(0) + users.signup[user].astype(np.int64) * MS_DAY
    at: Ints = born + MS_DAY + rng.exponential(3 * MS_DAY, len(user)).astype(np.int64)
    parts = []
    while len(user):
        keep = at < settings.end_ms
        user, rate, stop, mean, at = (x[keep] for x in (user, rate, stop, mean, at))
        parts.append((user, at, rng.gamma(SPEND["p"], mean / SPEND["p"])))
        keep = rng.random(len(user)) >= stop
        user, rate, stop, mean, at = (x[keep] for x in (user, rate, stop, mean, at))
        wait = rng.exponential(1.0, len(user)) / np.maximum(rate, 1e-6)
        at = at + (np.minimum(wait, 4000) * MS_DAY).astype(np.int64) + 60_000
    user, at, usd = (np.concatenate([part[i] for part in parts]) for i in range(3))
    order = np.lexsort((user, at))
    user, at, usd = user[order], at[order], np.maximum(usd[order], 0.5)
    size = len(user)
    currency = np.array(COUNTRY_CURRENCY)[users.country[user]]
    cents = np.rint(usd * np.array(CURRENCY_RATE)[currency] * 100).astype(np.int64)
    shop = rng.random(size) < SHOP_SHARE
    luck = rng.random(size)
    back = np.where(luck < 0.03, cents, np.where(luck < 0.05, cents // 2, 0))
    creator = np.where(shop, rng.integers(0, settings.creators, size), -1)
    tally.by_index("billing", "orders", names=("coins", "shop"), index=shop.astype(np.int64))
    columns = {
        "order_id": text_ids("o", np.arange(size)),
        "ordered_at": times(at),
        "user_id": text_ids("u", user),
        "kind": codes(shop.astype(np.int8), ("coins", "shop")),
        "gross_amount": decimals(cents * 10_000, 18, 6),
        "refunded_amount": decimals(back * 10_000, 18, 6),
        "currency": codes(currency, CURRENCIES),
        "creator_id": text_ids("k", creator),
        "product_id": text_ids("g", np.where(shop, 10 * creator + rng.integers(0, 10, size), -1)),
        "ingested_at": times(landing(settings, rng, at, tally, "orders")),
    }
    day = at // MS_DAY - settings.first_day
    return Deferred("orders", from_columns("orders", columns), day)


def spend_rows(settings: Settings, users: Users, day: int) -> pa.Table:
    """Acquisition spend of one day, one row per paid channel."""
    channels = list(CHANNEL_CAC_USD)
    rng = stream(settings.seed, 23, day)
    expected = settings.users / settings.days * settings.season(SIGN_UP_SEASON)[day]
    share = np.array([CHANNEL_SHARE[CHANNELS.index(name)] for name in channels])
    usd = expected * share * np.array(list(CHANNEL_CAC_USD.values()))
    usd = usd * rng.uniform(0.85, 1.15, len(channels))
    money = [CHANNEL_CURRENCY.get(name, "USD") for name in channels]
    rate = np.array([CURRENCY_RATE[CURRENCIES.index(name)] for name in money])
    at = np.full(len(channels), min(settings.day_ms(day) + 80_000_000, settings.end_ms))
    return from_columns("acquisition_costs", {
        "activity_date": dates(np.full(len(channels), settings.first_day + day)),
        "acquisition_channel": pa.array(channels),
        "spend_amount": decimals(np.rint(usd * rate * 100).astype(np.int64) * 10_000, 18, 6),
        "currency": pa.array(money),
        "ingested_at": times(at),
    })  # fmt: skip
