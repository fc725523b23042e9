"""One day of the product: who comes, what they see, open, say and earn us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from plumbline.simulate.arrays import Ints, geometric, hash_uniform, ranges, stream
from plumbline.simulate.experiments import Phase, Trial
from plumbline.simulate.settings import ACTIVITY_SEASON, LAST_DAY_MS, Settings
from plumbline.simulate.world import (
    CLASS_ACTIVE,
    MODEL_REGENERATE,
    ROLE_ACTIVITY,
    Bots,
    Users,
)

EVENT_NAMES = (
    "app_open", "bot_impression", "bot_view", "message_sent", "conversation_reset",
    "bot_follow", "image_generated", "feature_used", "ad_impression",
)  # fmt: skip
OPEN, IMPRESSION, VIEW, MESSAGE, RESET, FOLLOW, IMAGE, FEATURE, AD = range(9)
FEATURES = ("summarize_notes", "generate_quiz", "explain_concept", "flashcards", "chat")
FEATURE_SHARE = (0.3, 0.25, 0.25, 0.15, 0.05)
METHODS = ("generate", "regenerate", "continue", "edit")
SOURCES = ("feed", "search", "related", "share", "external")
APP_VERSIONS = ("1.0", "1.1", "1.2", "2.0")

PASSIVE_RATE = 0.04
CONTINUE_RATE = 0.10
EDIT_RATE = 0.05
RESET_RATE = 0.05
FOLLOW_RATE = 0.06
IMAGE_RATE = 0.08
SHARED_VIEW_RATE = 0.06
CHAT_MESSAGES = 4.0
HOME_MESSAGES = 3.0
FEATURES_PER_DAY = 2.0
CARDS_CONSUMER = 6.0
CARDS_EDUCATION = 2.5
ADS_PER_SESSION = 1.0
# Natural log of revenue per ad impression in millionths of a dollar: mean, standard deviation.
AD_REVENUE = (7.3, 1.4)
BURST_MESSAGES = 40
BULK_EVENTS = 2100

_MARGIN = 20 * 60_000
_GAP = 31 * 60_000
_STEP = 18_000


@dataclass
class Visits:
    """Active user-days of one block, one entry a user; ``automated`` days are not human."""

    user: Ints
    new: Ints
    automated: Ints
    bulk: Ints
    anonymous: Ints

    def only(self, chosen: Ints) -> Visits:
        """Some of the visits."""
        return Visits(
            self.user[chosen], self.new[chosen], self.automated[chosen], self.bulk[chosen],
            self.anonymous[chosen],
        )  # fmt: skip


@dataclass
class Block:
    """Events of one block as parallel arrays; -1 is null.

    ``session`` indexes the sessions of the block, ``visit`` of a session its visit.
    """

    visits: Visits
    session_visit: Ints
    session_place: Ints
    session_start: Ints
    session_end: Ints
    session: Ints
    time: Ints
    name: Ints
    bot: Ints
    conversation: Ints
    feature: Ints
    method: Ints
    source: Ints
    engaged: Ints
    revenue: Ints
    facts: dict[str, Any]


class Product:
    """Draws the product's days one after another; holds the few things that outlive a day."""

    def __init__(
        self, settings: Settings, users: Users, bots: Bots, trials: tuple[Trial, ...]
    ) -> None:
        self.settings, self.users, self.bots, self.trials = settings, users, bots, trials
        self.season = settings.season(ACTIVITY_SEASON)
        self.alive = np.empty(0, dtype=np.int64)
        self.conversations = 0
        self._arms_of: Ints | None = None
        self._arms: dict[tuple[int, int], Ints] = {}
        self.welcomed = self.welcome()
        activity = np.array(CLASS_ACTIVE)[users.klass] * np.array(ROLE_ACTIVITY)[users.role]
        self.activity = (activity * users.cohort_factor * self.welcomed * settings.pace).astype(
            np.float32
        )
        days = settings.days
        bulk = max(1, min(days // 3, settings.users // 5000))
        self.bulk_days = set(np.linspace(days // 3, days - 3, bulk).astype(int).tolist())

    def welcome(self) -> Ints:
        """Factor on later activity of the users who signed up in the retention experiment."""
        factor = np.ones(self.settings.users)
        for trial in self.trials:
            if trial.target != "activity":
                continue
            for phase in trial.phases:
                low, high = self.users.first[phase.start], self.users.first[phase.end]
                units = np.arange(low, high)
                arm = trial.arm(self.settings.seed, phase, units)
                factor[low:high] *= trial.factor(arm, self.users.platform[low:high])
        return factor

    def visits(self, day: int) -> tuple[Visits, Ints]:
        """Active visits of a day, and the users who only open the app.

        Every active visit sends a message or uses a feature; on sign-up day everybody is active.
        """
        rng = stream(self.settings.seed, 10, day)
        users = self.users
        self.alive = self.alive[users.leaves[self.alive] > day]
        luck = rng.random(len(self.alive), dtype=np.float32)
        chance = self.activity[self.alive] * np.float32(self.season[day])
        active = self.alive[luck < chance]
        passive = self.alive[(luck >= chance) & (luck < chance + np.float32(PASSIVE_RATE))]
        new = np.arange(users.first[day], users.first[day + 1])
        self.alive = np.concatenate([self.alive, new])
        user = np.concatenate([active, new])
        is_new = np.arange(len(user)) >= len(active)
        last = day == self.settings.days - 1
        burst = users.burst[user] & ~is_new & (rng.random(len(user)) < 0.5)
        bulk = np.zeros(len(user), dtype=bool)
        if day in self.bulk_days and not last and len(active):
            bulk[rng.integers(len(active))] = True
        return Visits(
            user, is_new, burst | bulk, bulk, is_new & (users.pre_lag[user] >= 0)
        ), passive

    def phases(self, day: int) -> list[tuple[Trial, Phase]]:
        """Experiments that run on a day."""
        running = ((trial, trial.phase_on(day)) for trial in self.trials)
        return [(trial, phase) for trial, phase in running if phase is not None]

    def arm(self, trial: Trial, phase: Phase, user: Ints) -> Ints:
        """Variation of each visit's user, kept while the same block asks again."""
        if self._arms_of is not user:
            self._arms_of, self._arms = user, {}
        key = (trial.index, phase.number)
        if key not in self._arms:
            self._arms[key] = trial.arm(self.settings.seed, phase, user)
        return self._arms[key]

    def factors(self, day: int, user: Ints) -> dict[str, Ints]:
        """Planted experiment factors of each visit, by what they multiply."""
        found = {name: np.ones(len(user)) for name in ("chat", "depth", "ads")}
        for trial, phase in self.phases(day):
            if trial.unit == "user" and trial.target in found:
                arm = self.arm(trial, phase, user)
                found[trial.target] *= trial.factor(arm, self.users.platform[user])
        return found

    def bot_chat(self, day: int) -> Ints:
        """Chance of a chat after a view of each bot on a day."""
        chance = self.bots.chat.copy()
        for trial, phase in self.phases(day):
            if trial.unit == "bot" and trial.target == "chat":
                units = np.arange(len(chance))
                arm = trial.arm(self.settings.seed, phase, units)
                factor = np.array(trial.effects)[arm]
                chance = chance * np.where(self.bots.created < phase.start, factor, 1.0)
        return chance

    def draw_bots(self, day: int) -> Ints:
        """Lookup table that turns a 16-bit draw into a bot that exists on a day."""
        existing = int(np.searchsorted(self.bots.created, day, side="right"))
        edges = np.cumsum(self.bots.weight[:existing])
        wide = 1 << 18
        points = (np.arange(wide) + 0.5) / wide * edges[-1]
        return np.asarray(np.searchsorted(edges, points), dtype=np.int32)

    def block(self, day: int, number: int, visits: Visits, table: Ints, chat: Ints) -> Block:
        """All events of one block of visits."""
        return _Drawing(self, day, number, visits, table, chat).block()


class _Drawing:
    """The draws of one block, in the order of a visit: open, resume, features, cards, ads."""

    def __init__(
        self, product: Product, day: int, number: int, visits: Visits, table: Ints, chat: Ints
    ) -> None:
        self.product, self.day, self.visits = product, day, visits
        self.settings, self.users, self.bots = product.settings, product.users, product.bots
        self.rng = stream(self.settings.seed, 11, day, number)
        self.table, self.chat = table, chat
        self.effect = product.factors(day, visits.user)
        self.model = self.bots.model(day)

    def block(self) -> Block:
        rng, user = self.rng, self.visits.user
        size = len(user)
        education = self.users.role[user] < 2
        sessions = 1 + (rng.random(size) < 0.28) + (rng.random(size) < 0.07)
        self.sv = np.repeat(np.arange(size), sessions)
        self.sk = ranges(sessions)
        self.first = np.cumsum(sessions) - sessions
        count = len(self.sv)
        self.home = np.where(education, 0, geometric(rng, HOME_MESSAGES, size))
        self.feat = np.where(education, geometric(rng, FEATURES_PER_DAY, size), 0)
        mean = np.where(education[self.sv], CARDS_EDUCATION, CARDS_CONSUMER)
        cards = np.minimum(rng.poisson(mean * self.settings.volume), 40)
        self.ads = rng.poisson(ADS_PER_SESSION * self.settings.volume, count)
        self._views(cards)
        self._clock(sessions, cards)
        return self._events()

    def _not_home(self, bot: Ints, session: Ints) -> Ints:
        """A resumed chat is with the home bot; cards show others, so a view always comes first."""
        home = self.users.home_bot[self.visits.user[self.sv[session]]]
        return np.where(bot == home, np.where(bot > 0, bot - 1, 1), bot)

    def _views(self, cards: Ints) -> None:
        rng = self.rng
        count = len(self.sv)
        self.card_session = np.repeat(np.arange(count), cards)
        draws = rng.integers(0, len(self.table), len(self.card_session), dtype=np.int32)
        self.card_bot = self._not_home(self.table[draws], self.card_session)
        clicked = np.flatnonzero(
            rng.random(len(self.card_bot), dtype=np.float32) < self.bots.ctr[self.card_bot]
        )
        shared = np.flatnonzero(rng.random(count) < SHARED_VIEW_RATE)
        shared_bot = self._not_home(
            self.table[rng.integers(0, len(self.table), len(shared))], shared
        )
        self.view_card = np.concatenate([np.full(len(shared), -1), clicked])
        self.view_session = np.concatenate([shared, self.card_session[clicked]])
        self.view_bot = np.concatenate([shared_bot, self.card_bot[clicked]])
        visit = self.sv[self.view_session]
        self.view_chance = np.minimum(self.chat[self.view_bot] * self.effect["chat"][visit], 0.98)
        # The same person and bot have the same luck all day: a pair chats or it does not.
        luck = hash_uniform(
            self.settings.seed, 31, self.day, self.visits.user[visit], self.view_bot
        )
        depth = CHAT_MESSAGES * self.effect["depth"][visit]
        messages = geometric(rng, depth, len(visit))
        self.view_messages = np.where(luck < self.view_chance, messages, 0)

    def _clock(self, sessions: Ints, cards: Ints) -> None:
        """Offsets inside sessions (ms), then session starts that leave more than 30 minutes."""
        count = len(self.sv)
        leading = self.sk == 0
        self.home_at = np.full(count, 8_000)
        self.feat_at = self.home_at + np.where(leading, self.home[self.sv], 0) * _STEP
        self.shared_at = self.feat_at + np.where(leading, self.feat[self.sv], 0) * 150_000
        spent = 6_000 + self.view_messages * _STEP + 4_000 * (self.view_messages > 0)
        shared = self.view_card < 0
        cards_at = self.shared_at + np.bincount(
            self.view_session[shared], weights=spent[shared], minlength=count
        ).astype(np.int64)
        took = np.full(len(self.card_session), 12_000, dtype=np.int64)
        took[self.view_card[~shared]] += spent[~shared]
        total = np.bincount(self.card_session, weights=took, minlength=count).astype(np.int64)
        before = np.cumsum(total) - total
        inside = np.cumsum(took) - took - before[self.card_session]
        self.card_at = cards_at[self.card_session] + inside
        self.view_at = np.where(shared, self.shared_at[self.view_session], 0)
        self.view_at[~shared] = self.card_at[self.view_card[~shared]]
        self.view_at = self.view_at + 4_000
        length = cards_at + total + 2_000
        day_length = LAST_DAY_MS if self.day == self.settings.days - 1 else 24 * 3_600_000
        slot = (day_length - 2 * _MARGIN) // sessions[self.sv]
        room = slot - _GAP
        self.squeeze = np.minimum(1.0, room / length)
        length = (length * self.squeeze).astype(np.int64)
        # People come in the evening: the larger of two draws.
        luck = np.maximum(self.rng.random(count), self.rng.random(count))
        start = self.settings.day_ms(self.day) + _MARGIN + self.sk * slot
        self.start = start + ((room - length) * luck).astype(np.int64)
        self.length = length

    def _events(self) -> Block:
        rng = self.rng
        count = len(self.sv)
        self.parts: list[dict[str, Ints]] = []
        self._add(np.arange(count), np.zeros(count, np.int64), name=OPEN)
        luck = rng.random(len(self.card_bot), dtype=np.float32)
        source = (luck > 0.7).view(np.int8) + (luck > 0.9).view(np.int8)
        self._add(
            self.card_session, self.card_at, name=IMPRESSION, bot=self.card_bot, source=source
        )
        shared = self.view_card < 0
        came = np.where(shared, 3 + (rng.random(len(shared)) < 0.4), 0)
        came[~shared] = source[self.view_card[~shared]]
        self._add(self.view_session, self.view_at, name=VIEW, bot=self.view_bot, source=came)
        messages = self._messages()
        features = self._features()
        ad_session = np.repeat(np.arange(count), self.ads)
        ad_at = rng.random(len(ad_session)) * (self.length / self.squeeze)[ad_session]
        normal = rng.standard_normal(len(ad_session)) * AD_REVENUE[1] + AD_REVENUE[0]
        earned = np.exp(np.minimum(normal, 16.0)) * self.effect["ads"][self.sv[ad_session]]
        self._add(ad_session, ad_at.astype(np.int64), name=AD, revenue=earned.astype(np.int64))
        ads = len(self.parts) - 1
        joined = self._joined()
        sizes = np.cumsum([0] + [len(part["session"]) for part in self.parts])
        spans = {
            "messages": slice(sizes[messages], sizes[messages + 1]),
            "features": slice(sizes[features], sizes[features + 1]),
            "ads": slice(sizes[ads], sizes[ads + 1]),
        }
        facts = {
            **spans,
            "model": self.model,
            "card_session": self.card_session,
            "card_bot": self.card_bot,
            "view_session": self.view_session,
            "view_bot": self.view_bot,
            "view_shared": shared,
            "view_messages": self.view_messages,
            "view_chance": self.view_chance,
            "message_place": self.message_place,
        }
        return Block(
            visits=self.visits,
            session_visit=self.sv,
            session_place=self.sk,
            session_start=self.start,
            session_end=self.start + self.length,
            facts=facts,
            **joined,
        )

    def _messages(self) -> int:
        """Messages of resumed and new chats; the place of the part that holds them."""
        rng, users = self.rng, self.users
        user = self.visits.user
        resumed = np.flatnonzero(self.home > 0)
        chats = np.flatnonzero(self.view_messages > 0)
        base = self.product.conversations
        self.product.conversations += len(chats)
        counts = np.concatenate([self.home[resumed], self.view_messages[chats]])
        session = np.concatenate([self.first[resumed], self.view_session[chats]])
        begins = np.concatenate([self.home_at[self.first[resumed]], self.view_at[chats] + 4_000])
        bot = np.concatenate([users.home_bot[user[resumed]], self.view_bot[chats]])
        conversation = np.concatenate(
            [2 * user[resumed], 2 * (base + np.arange(len(chats), dtype=np.int64)) + 1]
        )
        if self.visits.automated.any():
            counts, session, begins, bot, conversation, quick = self._automation(
                counts, session, begins, bot, conversation
            )
        else:
            quick = np.zeros(len(counts), dtype=np.int64)
        place = self.message_place = ranges(counts)
        chat = np.repeat(np.arange(len(counts)), counts)
        step = np.array([_STEP, 1_200, 30_000])[quick]
        jitter = np.where(quick[chat] > 0, 0, rng.integers(0, 6_000, len(chat), dtype=np.int32))
        at = begins[chat] + place * step[chat] + jitter
        again = np.array(MODEL_REGENERATE)[self.model[bot]][chat]
        luck = rng.random(len(chat), dtype=np.float32)
        method = np.zeros(len(chat), dtype=np.int8)
        method[luck < again + CONTINUE_RATE + EDIT_RATE] = 3
        method[luck < again + CONTINUE_RATE] = 2
        method[luck < again] = 1
        method[place == 0] = 0
        self._add(
            session[chat], at, name=MESSAGE, bot=bot[chat], conversation=conversation[chat],
            method=method, fixed=quick[chat] > 0,
        )  # fmt: skip
        part = len(self.parts) - 1
        ends = self.view_at[chats] + 4_000 + self.view_messages[chats] * _STEP
        for name, rate, wait in ((RESET, RESET_RATE, 900), (FOLLOW, FOLLOW_RATE, 1700),
                                 (IMAGE, IMAGE_RATE, 2600)):  # fmt: skip
            done = chats[rng.random(len(chats)) < rate]
            at = ends[np.searchsorted(chats, done)] + wait
            numbers = 2 * (base + np.searchsorted(chats, done)) + 1
            self._add(
                self.view_session[done], at, name=name, bot=self.view_bot[done],
                conversation=np.where(name == FOLLOW, -1, numbers),
            )  # fmt: skip
        return part

    def _automation(
        self, counts: Ints, session: Ints, begins: Ints, bot: Ints, conversation: Ints
    ) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
        """Scripts on top: forty messages inside one minute, or thousands over a day."""
        visit = np.flatnonzero(self.visits.automated)
        bulk = self.visits.bulk[visit]
        user = self.visits.user[visit]
        own = self.first[visit]
        midnight = self.settings.day_ms(self.day)
        minute = -(-(self.start[own] + 1) // 60_000) * 60_000 + 2_000 - self.start[own]
        dawn = midnight + _MARGIN - self.start[own]
        return (
            np.concatenate([counts, np.where(bulk, BULK_EVENTS, BURST_MESSAGES)]),
            np.concatenate([session, own]),
            np.concatenate([begins, np.where(bulk, dawn, minute)]),
            np.concatenate([bot, self.users.home_bot[user]]),
            np.concatenate([conversation, 2 * user]),
            np.concatenate([np.zeros(len(counts), np.int64), np.where(bulk, 2, 1)]),
        )

    def _features(self) -> int:
        rng = self.rng
        visit = np.repeat(np.arange(len(self.feat)), self.feat)
        place = ranges(self.feat)
        session = self.first[visit]
        at = self.feat_at[session] + place * 150_000
        feature = np.searchsorted(
            np.cumsum(FEATURE_SHARE)[:-1], rng.random(len(visit)), side="right"
        )
        engaged = rng.integers(20_000, 140_000, len(visit))
        self._add(session, at, name=FEATURE, feature=feature, engaged=engaged)
        return len(self.parts) - 1

    def _add(self, session: Ints, at: Ints, fixed: Ints | None = None, **columns: Any) -> None:
        squeeze = self.squeeze[session]
        if fixed is not None and fixed.any():
            squeeze = np.where(fixed, 1.0, squeeze)
        if squeeze.size and squeeze.min() < 1.0:
            at = (at * squeeze).astype(np.int64)
        self.parts.append({"session": session, "time": self.start[session] + at, **columns})

    def _joined(self) -> dict[str, Ints]:
        kinds = {
            "session": np.int32, "time": np.int64, "name": np.int8, "bot": np.int32,
            "conversation": np.int64, "feature": np.int8, "method": np.int8, "source": np.int8,
            "engaged": np.int64, "revenue": np.int64,
        }  # fmt: skip
        total = sum(len(part["session"]) for part in self.parts)
        joined: dict[str, Ints] = {
            name: np.full(total, -1, dtype=kind) for name, kind in kinds.items()
        }
        at = 0
        for part in self.parts:
            size = len(part["session"])
            for name, values in part.items():
                joined[name][at : at + size] = values
            at += size
        return joined
