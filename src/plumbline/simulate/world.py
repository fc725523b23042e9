"""Who and what there is: users, bots and their latent traits, drawn once for the whole run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from plumbline.simulate.arrays import Floats, Ints, pick, stream, text_ids
from plumbline.simulate.settings import SIGN_UP_GROWTH, SIGN_UP_SEASON, Settings

ROLES = ("student", "teacher", "consumer")
ROLE_SHARE = (0.35, 0.15, 0.50)
# Multiplies the daily chance to be active: teachers return more often than consumers.
ROLE_ACTIVITY = (1.0, 1.10, 0.92)
PLATFORMS = ("ios", "android", "web")
PLATFORM_SHARE = (0.4, 0.35, 0.25)
COUNTRIES = ("US", "GB", "DE", "IN", "BR", "JP", "NG", "FR")
COUNTRY_SHARE = (0.34, 0.12, 0.10, 0.16, 0.10, 0.06, 0.06, 0.06)
LANGUAGES = ("en", "de", "pt", "ja", "fr", "hi")
COUNTRY_LANGUAGE = (0, 0, 1, 5, 2, 3, 0, 4)
COUNTRY_CURRENCY = (0, 2, 1, 0, 0, 3, 0, 1)
CHANNELS = ("organic", "paid_search", "paid_social", "referral", "influencer")
CHANNEL_SHARE = (0.40, 0.20, 0.20, 0.12, 0.08)

# Latent engagement classes: share, daily chance to leave for good, daily chance to be active while
# still here. Their mixture is the planted retention curve.
CLASSES = ("casual", "regular", "heavy")
CLASS_SHARE = (0.5, 0.3, 0.2)
CLASS_LEAVE = (0.12, 0.02, 0.004)
CLASS_ACTIVE = (0.30, 0.35, 0.60)
# Cohorts improve: factor on activity from the first to the last sign-up day.
COHORT_ACTIVITY = (0.96, 1.04)

INTERNAL_SHARE = 0.01
ANONYMOUS_SHARE = 0.25
BURST_SHARE = 0.002
BURST_DAY_RATE = 0.5

MODELS = ("lm-1", "lm-2", "lm-3")
# Chance that a follow-up message is a regenerate, by model: lm-3 is the planted bad one.
MODEL_REGENERATE = (0.08, 0.06, 0.22)
WEAK_SHARE = 0.04
TAGS = ("romance", "adventure", "study", "comedy", "mystery", "fantasy", "language", "science")


@dataclass
class Users:
    """Latent and visible traits of all users, ordered by sign-up day (arrays of one value a user).

    ``first`` has one entry a day plus one: users of day t are ``first[t]`` to ``first[t + 1]``.
    """

    first: Ints
    signup: Ints
    role: Ints
    klass: Ints
    leaves: Ints
    country: Ints
    platform: Ints
    channel: Ints
    home_bot: Ints
    internal: Ints
    burst: Ints
    pre_lag: Ints
    cohort_factor: Floats
    exposed: Ints
    ids: pa.Array


@dataclass
class Bots:
    """Traits of all bots, ordered by creation day; arrays of one value a bot.

    ``model_from[k]`` is the day on which a bot moves to model k (beyond the end: never).
    """

    created: Ints
    weight: Floats
    ctr: Floats
    chat: Floats
    weak: Ints
    workflow: Ints
    creator: Ints
    generated: Ints
    model_from: Ints
    ids: pa.Array

    def model(self, day: int) -> Ints:
        """Model behind every bot on a day."""
        return np.asarray((self.model_from <= day).sum(axis=0) - 1, dtype=np.int8)


def draw_users(settings: Settings, bots: Bots) -> Users:
    """All users of the run; memory is about 60 bytes a user."""
    rng = stream(settings.seed, 1)
    days, count = settings.days, settings.users
    growth = SIGN_UP_GROWTH ** (np.arange(days) / days)
    shares = growth * settings.season(SIGN_UP_SEASON)
    shares[-1] *= 0.5
    per_day = rng.multinomial(count, shares / shares.sum())
    signup = np.repeat(np.arange(days, dtype=np.int16), per_day)
    klass = pick(rng, CLASS_SHARE, count)
    leave = np.array(CLASS_LEAVE)[klass]
    life = np.log1p(-rng.random(count)) / np.log1p(-leave)
    country = pick(rng, COUNTRY_SHARE, count)
    low, high = COHORT_ACTIVITY
    existing = np.searchsorted(bots.created, 0, side="right")
    home = rng.choice(existing, count, p=bots.weight[:existing] / bots.weight[:existing].sum())
    anonymous = rng.random(count) < ANONYMOUS_SHARE
    burst = rng.random(count) < BURST_SHARE
    if not burst.any():
        # Even a small world has one script: a heavy user of the first tenth.
        burst[np.flatnonzero(klass[: max(20, count // 10)] == 2)[:1]] = True
    return Users(
        first=np.concatenate([[0], np.cumsum(per_day)]),
        signup=signup,
        role=pick(rng, ROLE_SHARE, count),
        klass=klass,
        # Active on age n needs life >= n: S(n) = (1 - leave) ** n.
        leaves=(signup + 1 + np.minimum(life, 8000)).astype(np.int16),
        country=country,
        platform=pick(rng, PLATFORM_SHARE, count),
        channel=pick(rng, CHANNEL_SHARE, count),
        home_bot=home.astype(np.int32),
        internal=rng.random(count) < INTERNAL_SHARE,
        burst=burst,
        pre_lag=np.where(anonymous, rng.integers(0, 4, count), -1).astype(np.int8),
        cohort_factor=(low + (high - low) * signup / days).astype(np.float32),
        exposed=np.zeros(count, dtype=np.uint64),
        ids=text_ids("u", np.arange(count)),
    )


def draw_bots(settings: Settings) -> Bots:
    """All bots: heavy-tailed popularity, click and chat chances, a few weak but popular ones."""
    rng = stream(settings.seed, 2)
    count, days = settings.bots, settings.days
    new = rng.random(count) < 0.3
    new[:3] = False
    created = np.sort(np.where(new, rng.integers(1, days, count), -rng.integers(1, 300, count)))
    weight = (rng.permutation(count) + 2.0) ** -0.9
    old = np.flatnonzero(created < 0)
    popular = old[np.argsort(-weight[old], kind="stable")][: max(2, len(old) // 4)]
    weak = np.zeros(count, dtype=bool)
    weak[rng.choice(popular, max(1, min(len(popular) // 2, round(WEAK_SHARE * count))), False)] = (
        True
    )
    ctr = np.clip(rng.beta(6, 54, count), 0.03, 0.3) * np.where(weak, 0.3, 1.0)
    chat = np.clip(rng.beta(8, 12, count), 0.15, 0.7) * np.where(weak, 0.4, 1.0)
    never = days + 1
    second = np.where(rng.random(count) < 0.5, settings.at(0.3), never)
    third = np.where(rng.random(count) < 0.3, settings.at(0.65), never)
    return Bots(
        created=created,
        weight=weight / weight.sum(),
        ctr=ctr,
        chat=chat,
        weak=weak,
        workflow=np.concatenate(
            [np.arange(settings.workflows), rng.integers(0, settings.workflows, count)]
        )[:count],
        creator=np.where(rng.random(count) < 0.85, rng.integers(0, settings.creators, count), -1),
        generated=rng.random(count) < 0.4,
        model_from=np.stack([np.full(count, -1000), second, third]),
        ids=text_ids("b", np.arange(count)),
    )


def retention(settings: Settings, role: int, signup: Floats, age: int) -> Floats:
    """Planted chance to be active at an age in days (1 or more) before season and experiments.

    Args:
        settings: the run.
        role: index into ROLES.
        signup: sign-up days, one value a user or cohort.
        age: days since sign-up.
    """
    mixture = sum(
        share * (1 - leave) ** age * active
        for share, leave, active in zip(CLASS_SHARE, CLASS_LEAVE, CLASS_ACTIVE, strict=True)
    )
    low, high = COHORT_ACTIVITY
    return np.asarray(
        settings.pace
        * mixture
        * ROLE_ACTIVITY[role]
        * (low + (high - low) * np.asarray(signup) / settings.days)
    )
