"""A second opinion: the definitions of the marts, word by word, in plain loops over events.

Slow and simple on purpose; it shares nothing with the SQL of the models.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One accepted event."""

    at: datetime
    name: str
    person: str
    bot: str
    method: str

    @property
    def day(self) -> date:
        return self.at.date()


class Recount(NamedTuple):
    """Accepted events in the order of their time, and what is known about their people.

    At one instant a card is shown before its page is opened: events are sorted by (time, name).
    """

    events: list[Event]
    automated: set[tuple[str, date]]
    internal: set[str]
    as_of: date

    def is_person(self, person: str, day: date) -> bool:
        """Neither a machine on that day, nor staff, nor after the last complete day."""
        machine = (person, day) in self.automated
        return day <= self.as_of and not machine and person not in self.internal

    def people(self) -> Iterator[Event]:
        """Events of people up to the last complete day."""
        return (event for event in self.events if self.is_person(event.person, event.day))


def attribute(recount: Recount) -> tuple[Counter[tuple[str, date]], Counter[tuple[str, date]]]:
    """Clicks by bot and day of the impression, attributed views by bot and day of the view.

    The definition, word by word: a view belongs to the latest earlier impression of the same person
    and bot within 30 minutes, and an impression has at most one view.
    """
    shown = defaultdict(list)
    taken: set[tuple[str, str, int]] = set()
    clicks: Counter[tuple[str, date]] = Counter()
    attributed: Counter[tuple[str, date]] = Counter()
    for event in recount.events:
        cards = shown[event.person, event.bot]
        if event.name == "bot_impression":
            cards.append(event.at)
        elif event.name == "bot_view" and cards:
            card = (event.person, event.bot, len(cards))
            if card not in taken and event.at - cards[-1] <= timedelta(minutes=30):
                taken.add(card)
                if recount.is_person(event.person, cards[-1].date()):
                    clicks[event.bot, cards[-1].date()] += 1
                if recount.is_person(event.person, event.day):
                    attributed[event.bot, event.day] += 1
    return clicks, attributed


def bot_days(recount: Recount) -> list[tuple[Any, ...]]:
    """Every bot and day, ordered: impressions, clicks, unattributed views, viewers, starters, messages."""
    counts: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
    viewed: dict[tuple[str, date, str], datetime] = {}
    starters = set()
    for event in recount.people():
        if not event.bot:
            continue
        pair, place = (event.bot, event.day, event.person), (event.bot, event.day)
        counts[place][event.name] += 1
        if event.name == "bot_view":
            viewed.setdefault(pair, event.at)
        elif event.name == "message_sent" and pair in viewed:
            starters.add(pair)
    viewers = Counter(pair[:2] for pair in viewed)
    started = Counter(pair[:2] for pair in starters)
    clicks, attributed = attribute(recount)
    return sorted(
        (bot, day, seen["bot_impression"], clicks[bot, day],
         seen["bot_view"] - attributed[bot, day], viewers[bot, day], started[bot, day],
         seen["message_sent"])
        for (bot, day), seen in counts.items()
    )  # fmt: skip


def reach(active: dict[date, set[str]], last: date) -> list[tuple[Any, ...]]:
    """Distinct people of 1, 7 and 28 days on every day from the first; no window that begins before it."""
    first = min(active)
    found = []
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        windows = [[day - timedelta(days=back) for back in range(wide)] for wide in (1, 7, 28)]
        counts = [len(set[str]().union(*(active.get(d, ()) for d in window))) for window in windows]
        found.append(
            (
                day,
                *(n if place + 1 >= len(w) else None for n, w in zip(counts, windows, strict=True)),
            )
        )
    return found
