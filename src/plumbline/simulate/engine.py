"""The whole run: draw the world, walk through the days, write the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from plumbline.progress import track
from plumbline.simulate.activity import Activity
from plumbline.simulate.arrays import Ints, stream, text_ids
from plumbline.simulate.billing import Subscriptions, draw_orders, spend_rows
from plumbline.simulate.catalogue import bot_rows, tag_rows
from plumbline.simulate.creators import Creators
from plumbline.simulate.experiments import Trial, registry, trials
from plumbline.simulate.llm import Models
from plumbline.simulate.planted import assemble
from plumbline.simulate.product import Product
from plumbline.simulate.settings import Settings
from plumbline.simulate.truth import Tally, Truth
from plumbline.simulate.world import draw_bots, draw_users
from plumbline.simulate.writer import Writer

_PILOT_USERS = 2000


class Run:
    """State of one run, so that its steps can be read one by one."""

    def __init__(self, settings: Settings, out: Path) -> None:
        self.settings = settings
        self.tally = Tally()
        self.bots = draw_bots(settings)
        self.users = draw_users(settings, self.bots)
        self.trials = trials(settings)
        self.product = Product(settings, self.users, self.bots, self.trials)
        self.writer = Writer(settings, out)
        self.activity = Activity(settings, self.product, self.writer, self.tally)
        self.models = Models(settings, self.users, self.writer, self.tally)
        self.creators = Creators(settings, self.trials, self.writer, self.tally)
        self.wanted = set(self.writer.names)

    def go(self) -> Truth:
        """Write all tables and give the truth."""
        settings = self.settings
        subscriptions = Subscriptions(settings, self.users, self.trials, self.tally)
        billed, (user, arm, at) = subscriptions.draw()
        deferred = [
            billed,
            draw_orders(settings, self.users, self.tally),
            bot_rows(settings, self.bots, self.tally),
            tag_rows(settings, self.bots),
        ]
        models = any(name.startswith("llm_") for name in self.wanted)
        self.writer.emit("experiments", registry(settings, self.trials), 0)
        with track("Simulating", total=settings.days, unit="days") as bar:
            for day in range(settings.days):
                for number, block in enumerate(self.activity.run(day)):
                    if models:
                        self.models.run(day, block, number)
                for table in deferred:
                    self.writer.emit(table.name, table.on(day), day)
                self.writer.emit("acquisition_costs", spend_rows(settings, self.users, day), day)
                self._unit_exposures(day)
                today = np.flatnonzero(at // 86_400_000 - settings.first_day == day)
                self._cancel_exposures(day, user[today], arm[today], at[today])
                self.creators.run(day)
                self.writer.end_day(day)
                bar.advance(1)
        return assemble(self)

    def _unit_exposures(self, day: int) -> None:
        """Exposures of experiments on bots and creators: all that exist, on the first day."""
        for trial in self.trials:
            phase = trial.phase_on(day)
            if trial.unit == "user" or phase is None or phase.start != day:
                continue
            if trial.unit == "bot":
                units, prefix = np.flatnonzero(self.bots.created < day), "b"
            else:
                units, prefix = np.flatnonzero(~self.creators.empty), "k"
            rng = stream(self.settings.seed, 60, trial.index)
            arm = trial.arm(self.settings.seed, phase, units)
            at = np.full(len(units), self.settings.day_ms(day) + 1000)
            self.activity.emit_exposures(day, trial, rng, arm, text_ids(prefix, units), at)
            self._count_units(trial, arm)

    def _cancel_exposures(self, day: int, user: Ints, arm: Ints, at: Ints) -> None:
        trial = next(trial for trial in self.trials if trial.target == "cancel")
        rng = stream(self.settings.seed, 61, day)
        self.activity.emit_exposures(day, trial, rng, arm, text_ids("u", user), at)
        self._count_units(trial, arm[~self.users.internal[user]])

    def _count_units(self, trial: Trial, arm: Ints) -> None:
        self.tally.by_index(
            "experiments", trial.experiment_id, "0", "units", names=trial.variations, index=arm
        )


def simulate(settings: Settings, out: Path) -> Truth:
    """Write a whole invented company and the truth about it.

    Args:
        settings: what to make; equal settings give equal bytes.
        out: folder for ``<table>/<date>.<format>`` and ``truth.json``; its table folders must be
            empty.

    Returns:
        The truth, also written to ``<out>/truth.json``.

    Raises:
        PlumblineError: the folder already holds rows, or a table is unknown.
    """
    truth = Run(settings, out).go()
    truth.save(out / "truth.json")
    return truth


def users_for(settings: Settings, events: int) -> int:
    """Number of users that gives about the wanted number of events, from a small pilot run."""
    pilot = replace(settings, users=_PILOT_USERS, dirty=0.0)
    bots = draw_bots(pilot)
    product = Product(pilot, draw_users(pilot, bots), bots, trials(pilot))
    total = 0
    chance = bots.chat
    for day in range(pilot.days):
        visits, passive = product.visits(day)
        total += len(passive)
        if len(visits.user) and day % 4 == 0:
            block = product.block(day, 0, visits, product.draw_bots(day), chance)
            total += 4 * (len(block.session) - 2100 * int(visits.bulk.sum()))
    return max(20, round(events / total * _PILOT_USERS))
