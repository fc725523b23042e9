"""Bots with their history, tags over time: rows of ``bots`` and ``bot_tags``."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from plumbline.simulate.arrays import Ints, codes, stream, text_ids, times
from plumbline.simulate.billing import Deferred
from plumbline.simulate.rows import from_columns
from plumbline.simulate.settings import Settings
from plumbline.simulate.truth import Tally
from plumbline.simulate.world import MODELS, TAGS, Bots

RENAME_SHARE = 0.05
RETAG_SHARE = 0.15
_FIRST = ("Captain", "Doctor", "Little", "Silent", "Iron", "Velvet", "Lucky", "Professor")
_SECOND = ("Maple", "Fox", "Quill", "Comet", "Harbor", "Willow", "Ember", "Sparrow", "Onyx")


def _hour(settings: Settings, day: Ints, rng: np.random.Generator) -> Ints:
    return (
        settings.day_ms(0)
        + day.astype(np.int64) * 86_400_000
        + rng.integers(0, 40_000_000, len(day))
    )


def bot_rows(settings: Settings, bots: Bots, tally: Tally) -> Deferred:
    """Every version of every bot: creation, model moves and renames, in order of time."""
    rng = stream(settings.seed, 40)
    count = len(bots.created)
    born = _hour(settings, bots.created, rng)
    every = np.arange(count)
    renamed = every[rng.random(count) < RENAME_SHARE]
    parts = [(every, born, np.zeros(count, dtype=np.int64))]
    for place in (1, 2):
        day = bots.model_from[place]
        moved = every[(day < settings.days) & (day > bots.created)]
        parts.append(
            (moved, settings.day_ms(0) + day[moved] * 86_400_000, np.zeros(len(moved), int))
        )
    span = np.maximum(bots.created[renamed] + 1, settings.days // 4)
    day = np.minimum(span + rng.integers(0, settings.days // 2, len(renamed)), settings.days - 2)
    parts.append(
        (renamed, settings.day_ms(0) + day * 86_400_000 + 41_000_000, np.ones(len(renamed), int))
    )
    bot = np.concatenate([part[0] for part in parts])
    at = np.concatenate([part[1] for part in parts])
    rename = np.concatenate([part[2] for part in parts])
    valid = at >= born[bot]
    bot, at, rename = bot[valid], at[valid], rename[valid]
    rename_at = np.full(count, 2**62)
    rename_at[bot[rename == 1]] = at[rename == 1]
    model_day = (at // 86_400_000) - settings.first_day
    model = (bots.model_from[:, bot] <= model_day).sum(axis=0) - 1
    base = [f"{_FIRST[n % 8]} {_SECOND[n // 8 % 9]} {n}" for n in range(count)]
    names = pa.array(base + [f"{name} II" for name in base])
    lands = np.maximum(at, settings.day_ms(0)) + 10_000
    columns = {
        "bot_id": text_ids("b", bot),
        "updated_at": times(at),
        "creator_id": text_ids("k", bots.creator[bot]),
        "name": names.take(pa.array(bot + count * (at >= rename_at[bot]))),
        "workflow": codes(bots.workflow[bot], [f"flow-{n:04d}" for n in range(settings.workflows)]),
        "is_ai_generated": pa.array(bots.generated[bot]),
        "model_version": codes(model, MODELS),
        "created_at": times(born[bot]),
        "ingested_at": times(lands),
    }
    day_of = np.maximum(at // 86_400_000 - settings.first_day, 0)
    tally.add("bots", "count", value=count)
    tally.add("bots", "versions", value=len(bot))
    return Deferred("bots", from_columns("bots", columns), day_of)


def tag_rows(settings: Settings, bots: Bots) -> Deferred:
    """One to three tags a bot; some end on a day and another begins that moment."""
    rng = stream(settings.seed, 41)
    count = len(bots.created)
    tags = rng.integers(1, 4, count)
    bot = np.repeat(np.arange(count), tags)
    place = np.concatenate([np.arange(n) for n in tags])
    # Three different tags from one draw: steps of 1 and 3 never meet in a ring of eight.
    tag = (np.repeat(rng.integers(0, 8, count), tags) + np.array([0, 1, 4])[place]) % 8
    starts = settings.day_ms(0) + bots.created[bot].astype(np.int64) * 86_400_000 + 43_000_000
    ends = np.full(len(bot), -1, dtype=np.int64)
    turn = np.flatnonzero((place == 0) & (rng.random(len(bot)) < RETAG_SHARE))
    day = np.maximum(bots.created[bot[turn]] + 1, rng.integers(1, settings.days - 1, len(turn)))
    moment = settings.day_ms(0) + day * 86_400_000
    ok = moment < settings.end_ms
    turn, moment = turn[ok], moment[ok]
    ends[turn] = moment
    bot = np.concatenate([bot, bot[turn]])
    tag = np.concatenate([tag, (tag[turn] + 2) % 8])
    starts = np.concatenate([starts, moment])
    ends = np.concatenate([ends, np.full(len(turn), -1)])
    # The end of a period is known when it comes; the row with it is the only one that lands.
    known = np.maximum(np.maximum(starts, ends), settings.day_ms(0))
    ok = known < settings.end_ms
    bot, tag, starts, ends, known = (x[ok] for x in (bot, tag, starts, ends, known))
    columns = {
        "bot_id": text_ids("b", bot),
        "tag": codes(tag, TAGS),
        "valid_from": times(starts),
        "valid_to": times(np.maximum(ends, 0), ends >= 0),
        "ingested_at": times(known + 10_000),
    }
    return Deferred(
        "bot_tags", from_columns("bot_tags", columns), known // 86_400_000 - settings.first_day
    )
