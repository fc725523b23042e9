"""From a day's draws to rows: events, users, identity links and exposures, and their counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from plumbline.simulate import product as p
from plumbline.simulate.arrays import (
    Ints,
    codes,
    decimals,
    stream,
    text_ids,
    times,
)
from plumbline.simulate.experiments import Trial
from plumbline.simulate.product import Block, Product, Visits
from plumbline.simulate.rows import from_columns
from plumbline.simulate.settings import LAST_DAY_MS, Settings
from plumbline.simulate.truth import Tally
from plumbline.simulate.world import (
    BURST_DAY_RATE,
    CHANNELS,
    COUNTRIES,
    COUNTRY_LANGUAGE,
    LANGUAGES,
    MODELS,
    PLATFORMS,
    ROLES,
    retention,
)
from plumbline.simulate.writer import Writer

AGES = (1, 3, 7, 14, 30, 60)
REPEAT_EXPOSURE = 0.1
PROFILE_UPDATE_RATE = 0.0005
LATE_LINK_SHARE = 0.1
VISITORS_PER_SIGN_UP = 0.3
_ANONYMOUS_PRIME = 2_147_483_647


def landing(
    settings: Settings, rng: np.random.Generator, at: Ints, tally: Tally | None = None,
    name: str = "", late_rate: float | None = None,
) -> Ints:  # fmt: skip
    """When rows land: within a minute, late ones one to five days on, none after the end."""
    lag = rng.integers(500, 60_000, len(at), dtype=np.int32).astype(np.int64)
    rate = settings.late_rate if late_rate is None else late_rate
    late = np.flatnonzero(rng.random(len(at), dtype=np.float32) < rate)
    lag[late] += rng.integers(86_400_000, 5 * 86_400_000, len(late))
    if tally is not None:
        tally.add("tables", name, "late", value=len(late))
    return np.asarray(np.maximum(np.minimum(at + lag, settings.end_ms + 3_600_000), at))


def anonymous_ids(numbers: Ints) -> pa.Array:
    """Anonymous ids: a fixed shuffle, so that they do not give the user away."""
    shuffled = np.asarray(numbers, dtype=np.int64) * 40_503 % _ANONYMOUS_PRIME
    return text_ids("a", np.where(np.asarray(numbers) >= 0, shuffled, -1))


class Activity:
    """Runs the product day by day and emits its tables."""

    def __init__(self, settings: Settings, product: Product, writer: Writer, tally: Tally) -> None:
        self.settings, self.product, self.writer, self.tally = settings, product, writer, tally
        self.users, self.bots = product.users, product.bots
        self.events = self.sessions = self.visitors = 0
        self.signed = np.zeros(settings.users, dtype=np.int64)
        self.updated = np.zeros(settings.users, dtype=bool)

    def run(self, day: int) -> list[Block]:
        """Emit one day; gives its blocks for what stands on events (language models)."""
        visits, passive = self.product.visits(day)
        table, chat = self.product.draw_bots(day), self.product.bot_chat(day)
        counted = day < self.settings.days - 1
        blocks = []
        self._opens(day, passive, counted)
        for number, (part, late) in enumerate(self._parts(day, visits)):
            block = self.product.block(day, number, part, table, chat)
            self._emit_events(day, number, block, late)
            self._sign_ups(day, number, block)
            self._exposures(day, number, block, counted)
            if counted:
                self._count(block)
                self._count_trials(day, block)
            blocks.append(block)
        self._updates(day)
        if counted:
            self._count_day(day, visits)
        return blocks

    def _parts(self, day: int, visits: Visits) -> list[tuple[Visits, bool]]:
        """Visits in blocks of bounded size; those whose device is offline make the last one."""
        rng = stream(self.settings.seed, 17, day)
        late = rng.random(len(visits.user)) < self.settings.late_rate
        step, parts = self.settings.block_user_days, []
        for offline in (False, True):
            chosen = np.flatnonzero(late == offline)
            for low in range(0, len(chosen), step):
                parts.append((visits.only(chosen[low : low + step]), offline))
        return parts

    # ------------------------------------------------------------------ events
    def _uploads(self, block: Block, rng: np.random.Generator, late: bool) -> Ints:
        """When events land: in a minute, or days later where a device was offline all visit."""
        lag = rng.integers(500, 60_000, len(block.time), dtype=np.int32).astype(np.int64)
        if late:
            days = rng.integers(86_400_000, 5 * 86_400_000, len(block.visits.user))
            lag += days[block.session_visit[block.session]]
            self.tally.add("tables", "events", "late", value=len(lag))
        return np.maximum(
            np.minimum(block.time + lag, self.settings.end_ms + 3_600_000), block.time
        )

    def _emit_events(self, day: int, number: int, block: Block, late: bool) -> None:
        size = len(block.session)
        rng = stream(self.settings.seed, 12, day, number)
        visit = block.session_visit[block.session]
        user = block.visits.user
        hidden = block.visits.anonymous[block.session_visit] & (block.session_place == 0)
        unseen = hidden[block.session]
        sessions = text_ids("s", self.sessions + np.arange(len(block.session_visit)))
        columns = {
            "event_id": text_ids("e", self.events + np.arange(size)),
            "event_time": times(block.time),
            "user_id": codes(np.where(unseen, -1, visit), text_ids("u", user)),
            "anonymous_id": codes(np.where(unseen, visit, -1), anonymous_ids(user)),
            "session_id": codes(block.session, sessions),
            "event_name": codes(block.name, p.EVENT_NAMES),
            "bot_id": self._bots(block.bot),
            "conversation_id": _conversations(block.conversation),
            "feature": codes(block.feature, p.FEATURES),
            "method": codes(block.method, p.METHODS),
            "source": codes(block.source, p.SOURCES),
            "platform": codes(self.users.platform[user][visit], PLATFORMS),
            "country": codes(self.users.country[user][visit], COUNTRIES),
            "app_version": codes(np.full(size, self._version(day)), p.APP_VERSIONS),
            "engaged_seconds": _within(block.engaged, block.facts["features"], 3),
            "revenue_usd": _within(block.revenue, block.facts["ads"], 6),
            "ingested_at": times(self._uploads(block, rng, late)),
        }
        self.writer.emit("events", from_columns("events", columns), day)
        self.events += size
        block.facts["session_base"] = self.sessions
        block.facts["unseen"] = unseen
        self.sessions += len(block.session_visit)

    def _bots(self, bot: Ints) -> pa.Array:
        if len(self.bots.ids) < 4 * len(bot):
            return codes(bot, self.bots.ids)
        used, index = np.unique(bot, return_inverse=True)
        return codes(np.where(bot < 0, -1, index), text_ids("b", np.maximum(used, 0)))

    def _version(self, day: int) -> int:
        return min(3, 4 * day // self.settings.days)

    def _opens(self, day: int, passive: Ints, counted: bool) -> None:
        """Visits that only open the app: quiet users, people before sign-up, strangers."""
        rng = stream(self.settings.seed, 13, day)
        first, users = self.users.first, self.users
        before = [np.empty(0, dtype=np.int64)]
        for lag in (1, 2, 3):
            if day + lag < self.settings.days:
                coming = np.arange(first[day + lag], first[day + lag + 1])
                before.append(coming[users.pre_lag[coming] == lag])
        known = np.concatenate([passive, *before])
        strangers = int(rng.poisson(VISITORS_PER_SIGN_UP * (first[day + 1] - first[day])))
        number = self.settings.users + self.visitors + np.arange(strangers)
        self.visitors += strangers
        size = len(known) + strangers
        if size == 0:
            return
        seen = np.arange(size) < len(passive)
        length = LAST_DAY_MS if day == self.settings.days - 1 else 86_400_000
        at = self.settings.day_ms(day) + rng.integers(1_200_000, length - 1_200_000, size)
        country = np.concatenate([users.country[known], rng.integers(0, 8, strangers)])
        platform = np.concatenate([users.platform[known], rng.integers(0, 3, strangers)])
        person = np.concatenate([known, number])
        columns = {
            "event_id": text_ids("e", self.events + np.arange(size)),
            "event_time": times(at),
            "user_id": codes(np.where(seen, np.arange(size), -1), text_ids("u", person)),
            "anonymous_id": codes(np.where(seen, -1, np.arange(size)), anonymous_ids(person)),
            "session_id": codes(np.arange(size), text_ids("s", self.sessions + np.arange(size))),
            "event_name": codes(np.zeros(size), p.EVENT_NAMES),
            "bot_id": self._bots(np.full(size, -1)),
            "conversation_id": _conversations(np.full(size, -1)),
            "feature": codes(np.full(size, -1), p.FEATURES),
            "method": codes(np.full(size, -1), p.METHODS),
            "source": codes(np.full(size, -1), p.SOURCES),
            "platform": codes(platform, PLATFORMS),
            "country": codes(country, COUNTRIES),
            "app_version": codes(np.full(size, self._version(day)), p.APP_VERSIONS),
            "ingested_at": times(landing(self.settings, rng, at, self.tally, "events")),
        }
        self.writer.emit("events", from_columns("events", columns), day)
        self.events += size
        self.sessions += size
        if counted:
            humans = int((~users.internal[known]).sum()) + strangers
            self.tally.add("sessions", value=humans)
            self.tally.add("events", "by_name", "app_open", value=humans)

    # ------------------------------------------------------------------ people
    def _sign_ups(self, day: int, number: int, block: Block) -> None:
        new = np.flatnonzero(block.visits.new)
        if len(new) == 0:
            return
        rng = stream(self.settings.seed, 14, day, number)
        user = block.visits.user[new]
        firsts = np.flatnonzero(block.session_place == 0)[new]
        anonymous = block.visits.anonymous[new]
        at = np.where(
            anonymous, block.session_end[firsts] + 1000, block.session_start[firsts] - 5000
        )
        self.signed[user] = at
        self._emit_users(day, user, at, rng, 0)
        linked = user[anonymous]
        if len(linked) == 0:
            return
        when = at[anonymous]
        lands = landing(self.settings, rng, when, self.tally, "identity_links", LATE_LINK_SHARE)
        columns = {
            "anonymous_id": anonymous_ids(linked),
            "user_id": text_ids("u", linked),
            "linked_at": times(when),
            "ingested_at": times(lands),
        }
        self.writer.emit("identity_links", from_columns("identity_links", columns), day)

    def _updates(self, day: int) -> None:
        """A few people change their platform: another version of the same user."""
        rng = stream(self.settings.seed, 15, day)
        known = int(self.users.first[day])
        if day == self.settings.days - 1 or known == 0:
            return
        chosen = np.flatnonzero(rng.random(known, dtype=np.float32) < PROFILE_UPDATE_RATE)
        chosen = chosen[~self.updated[chosen]]
        if len(chosen) == 0:
            return
        self.updated[chosen] = True
        at = self.settings.day_ms(day) + rng.integers(0, 86_000_000, len(chosen))
        self.users.platform[chosen] = (self.users.platform[chosen] + 1) % 3
        self._emit_users(day, chosen, at, rng, len(chosen))

    def _emit_users(
        self, day: int, user: Ints, updated: Ints, rng: np.random.Generator, old: int
    ) -> None:
        users = self.users
        language = np.array(COUNTRY_LANGUAGE)[users.country[user]]
        columns = {
            "user_id": text_ids("u", user),
            "updated_at": times(updated),
            "signed_up_at": times(self.signed[user]),
            "role": codes(users.role[user], ROLES),
            "country": codes(users.country[user], COUNTRIES),
            "platform": codes(users.platform[user], PLATFORMS),
            "language": codes(language, LANGUAGES),
            "acquisition_channel": codes(users.channel[user], CHANNELS),
            "is_internal": pa.array(users.internal[user]),
            "ingested_at": times(landing(self.settings, rng, updated, late_rate=0.0)),
        }
        self.writer.emit("users", from_columns("users", columns), day, superseded=old)
        if old == 0:
            self.tally.by_index("users", "by_role", names=ROLES, index=users.role[user])
            humans = user[~users.internal[user]]
            self.tally.by_index("users", "human_by_role", names=ROLES, index=users.role[humans])

    # ------------------------------------------------------------------ exposures
    def _exposures(self, day: int, number: int, block: Block, counted: bool) -> None:
        rng = stream(self.settings.seed, 16, day, number)
        user = block.visits.user
        start = block.session_start[block.session_place == 0]
        for trial, phase in self.product.phases(day):
            if trial.unit != "user" or trial.target == "cancel":
                continue
            eligible = np.ones(len(user), dtype=bool)
            if trial.target == "activity":
                eligible = self.users.signup[user] >= phase.start
            bit = np.uint64(1) << np.uint64(3 * trial.index + phase.number)
            seen = (self.users.exposed[user] & bit) > 0
            first = eligible & ~seen
            shown = np.flatnonzero(first | (eligible & (rng.random(len(user)) < REPEAT_EXPOSURE)))
            self.users.exposed[user[first]] |= bit
            arms = self.product.arm(trial, phase, user)
            arm = arms[shown]
            at = start[shown] + np.where(first[shown], 0, 1000)
            both = trial.extra.get("both_share", 0.0)
            other = shown[first[shown] & (rng.random(len(shown)) < both)]
            other_arm = 1 - arms[other]
            self.emit_exposures(
                day, trial, rng, np.concatenate([arm, other_arm]),
                self._units(block, np.concatenate([shown, other])),
                np.concatenate([at, start[other] + 300_000]),
            )  # fmt: skip
            if counted:
                humans = np.flatnonzero(first & ~self.users.internal[user])
                self.tally.by_index(
                    "experiments", trial.experiment_id, str(phase.number), "units",
                    names=trial.variations, index=arms[humans],
                )  # fmt: skip
                self.tally.add(
                    "experiments", trial.experiment_id, str(phase.number), "multi_exposed_units",
                    value=int((~self.users.internal[user[other]]).sum()),
                )  # fmt: skip

    def _units(self, block: Block, visit: Ints) -> pa.Array:
        user = block.visits.user[visit]
        hidden = pa.array(block.visits.anonymous[visit])
        return pc.if_else(hidden, anonymous_ids(user), text_ids("u", user))

    def emit_exposures(
        self, day: int, trial: Trial, rng: np.random.Generator, arm: Ints, units: pa.Array, at: Ints
    ) -> None:
        """Rows of ``experiment_exposures`` of one experiment on one day."""
        if len(arm) == 0 or "experiment_exposures" not in self.writer.names:
            return
        columns = {
            "experiment_id": codes(np.zeros(len(arm)), [trial.experiment_id]),
            "variation_id": codes(arm, trial.variations),
            "unit_id": units,
            "exposed_at": times(at),
            "ingested_at": times(
                landing(self.settings, rng, at, self.tally, "experiment_exposures")
            ),
        }
        self.writer.emit("experiment_exposures", from_columns("experiment_exposures", columns), day)

    # ------------------------------------------------------------------ truth
    def _human(self, block: Block) -> Ints:
        visits = block.visits
        return np.asarray(~self.users.internal[visits.user] & ~visits.automated)

    def _count(self, block: Block) -> None:
        tally, facts = self.tally, block.facts
        human = self._human(block)
        seen = human[block.session_visit]
        tally.add("sessions", value=int(seen.sum()))
        event = seen[block.session]
        tally.by_index("events", "by_name", names=p.EVENT_NAMES, index=block.name[event])
        bots = len(self.bots.ids)
        card = facts["card_bot"][seen[facts["card_session"]]]
        tally.add_array("impressions", np.bincount(card, minlength=bots))
        view_ok = seen[facts["view_session"]]
        view, shared = facts["view_bot"], facts["view_shared"]
        tally.add_array("clicks", np.bincount(view[view_ok & ~shared], minlength=bots))
        tally.add_array("unattributed", np.bincount(view[view_ok & shared], minlength=bots))
        first = _first_of_pair(block, bots)
        kept = first[view_ok[first]]
        tally.add_array("viewers", np.bincount(view[kept], minlength=bots))
        chance = np.bincount(view[kept], weights=facts["view_chance"][kept], minlength=bots)
        tally.add_array("starts_expected", chance)
        started = kept[facts["view_messages"][kept] > 0]
        tally.add_array("starters", np.bincount(view[started], minlength=bots))
        chats = view_ok & (facts["view_messages"] > 0)
        tally.add("chats", "from_view", value=int(chats.sum()))
        tally.add("chats", "messages", value=int(facts["view_messages"][chats].sum()))
        span = facts["messages"]
        said = seen[block.session[span]]
        method, model = block.method[span][said], facts["model"][block.bot[span][said]]
        tally.by_index("messages", "by_method", names=p.METHODS, index=method)
        later = facts["message_place"][said] > 0
        for place, name in enumerate(MODELS):
            of = later & (model == place)
            tally.by_index("messages", "follow_ups", name, names=p.METHODS, index=method[of])
        tally.add_array("messages_by_bot", np.bincount(block.bot[span][said], minlength=bots))
        span = facts["ads"]
        tally.add(
            "events", "ad_revenue_micro_usd",
            value=int(block.revenue[span][seen[block.session[span]]].sum()),
        )  # fmt: skip

    def _count_trials(self, day: int, block: Block) -> None:
        """Outcomes of each running user experiment by arm and platform."""
        human, facts, user = self._human(block), block.facts, block.visits.user
        size = len(user)
        first = _first_of_pair(block, len(self.bots.ids))
        visit = block.session_visit[facts["view_session"]]
        said = facts["view_messages"]
        span = facts["ads"]
        ad_visit = block.session_visit[block.session[span]]
        measures = {
            "active_days": np.ones(size),
            "viewer_pairs": np.bincount(visit[first], minlength=size),
            "starter_pairs": np.bincount(visit[first], weights=said[first] > 0, minlength=size),
            "chats": np.bincount(visit, weights=said > 0, minlength=size),
            "chat_messages": np.bincount(visit, weights=said, minlength=size),
            "ads": np.bincount(ad_visit, minlength=size),
            "ad_revenue_micro_usd": np.bincount(
                ad_visit, weights=block.revenue[span], minlength=size
            ),
        }
        platform = self.users.platform[user]
        for trial, phase in self.product.phases(day):
            if trial.unit != "user" or trial.target in ("cancel", "activity"):
                continue
            arm = self.product.arm(trial, phase, user)
            cell = arm.astype(np.int64) * len(PLATFORMS) + platform
            for name, values in measures.items():
                sums = np.bincount(
                    cell[human], weights=values[human],
                    minlength=len(trial.variations) * len(PLATFORMS),
                )  # fmt: skip
                for place, total in enumerate(sums):
                    self.tally.add(
                        "experiments", trial.experiment_id, str(phase.number), "outcomes",
                        trial.variations[place // len(PLATFORMS)],
                        PLATFORMS[place % len(PLATFORMS)], name, value=round(float(total)),
                    )  # fmt: skip

    def _count_day(self, day: int, visits: Visits) -> None:
        users, tally = self.users, self.tally
        human = ~users.internal[visits.user] & ~visits.automated
        date = self.settings.date_of(day).isoformat()
        tally.add("user_days", value=int(human.sum()))
        tally.add("dau", date, value=int(human.sum()))
        tally.add("new_users", date, value=int((human & visits.new).sum()))
        automated = visits.automated & ~users.internal[visits.user]
        tally.add("automated_user_days", value=int(automated.sum()))
        tally.by_index("user_days_by_role", names=ROLES, index=users.role[visits.user[human]])
        ages = day - users.signup[visits.user].astype(np.int64)
        for age in AGES:
            if day - age < 0:
                continue
            cohort = np.arange(users.first[day - age], users.first[day - age + 1])
            cohort = cohort[~users.internal[cohort]]
            back = visits.user[human & (ages == age)]
            chance = self._chance(day, age, cohort)
            for place, role in enumerate(ROLES):
                of = users.role[cohort] == place
                path = ("retention", str(age), role)
                tally.add(*path, "size", value=int(of.sum()))
                tally.add(*path, "returned", value=int((users.role[back] == place).sum()))
                tally.add(*path, "expected", value=float(chance[of].sum()))
                variance = (chance[of] * (1 - chance[of])).sum()
                tally.add(*path, "variance", value=float(variance))

    def _chance(self, day: int, age: int, cohort: Ints) -> Ints:
        """Planted chance of each member to be active as a human on a day."""
        users, chance = self.users, np.zeros(len(cohort))
        for place in range(len(ROLES)):
            of = users.role[cohort] == place
            chance[of] = retention(self.settings, place, users.signup[cohort[of]], age)
        chance = chance * self.product.season[day] * self.product.welcomed[cohort]
        return np.asarray(chance * np.where(users.burst[cohort], 1 - BURST_DAY_RATE, 1.0))


def _first_of_pair(block: Block, bots: int) -> Ints:
    """Index of the first view of each visit and bot."""
    facts = block.facts
    pair = block.session_visit[facts["view_session"]].astype(np.int64) * bots + facts["view_bot"]
    return np.asarray(np.unique(pair, return_index=True)[1])


def _within(values: Ints, span: slice, scale: int) -> pa.Array:
    """Decimal column that is null outside a span of rows."""
    kind, size = pa.decimal128(18, scale), len(values)
    return pa.concat_arrays([
        pa.nulls(span.start, kind), decimals(values[span], 18, scale),
        pa.nulls(size - span.stop, kind),
    ])  # fmt: skip


def _conversations(numbers: Ints) -> pa.Array:
    """Conversation ids, dictionary encoded: messages of one conversation stand together."""
    index = np.full(len(numbers), -1, dtype=np.int64)
    held = np.flatnonzero(np.asarray(numbers) >= 0)
    kept = np.asarray(numbers)[held]
    begins = np.concatenate([[True], kept[1:] != kept[:-1]])[: len(kept)]
    index[held] = np.cumsum(begins) - 1
    return codes(index, text_ids("c", kept[begins]))
