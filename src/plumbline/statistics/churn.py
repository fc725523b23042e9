"""Who will stop coming? A champion, a challenger, baselines, and the reasons behind each score.

Champion: logistic regression on log1p, standardised features. Challenger: gradient boosted trees. Both
learn from snapshots whose outcome was known before the test snapshot; the challenger takes over only
when its out-of-time Brier score is better with a paired bootstrap interval above 0. The deployed kind of
model is then fitted on every snapshot with a known outcome, the test included, and scores the last one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.statistics.churn_design import Columns, Design, Feature
from plumbline.statistics.churn_models import Model, fit_logistic, fit_trees
from plumbline.statistics.churn_quality import (
    area_low,
    area_under_curve,
    average_precision,
    brier,
    calibration,
    calibration_bins,
    chance_of,
    deciles,
    paired_gain,
)
from plumbline.statistics.outcomes import Floats

CHAMPION, CHALLENGER = "logistic", "gradient_boosting"
BASE, RECENCY = "base_rate", "recency_only"
TOO_FEW, NOT_LOADED = "too_few_people", "lightgbm_not_loaded"
_NAN = float("nan")


@dataclass(frozen=True)
class Settings:
    """How models are fitted; no setting has a default.

    Attributes:
        penalty: ridge of the logistic regressions.
        rounds, leaves, rate, least: trees, their leaves, their learning rate, fewest rows of a leaf.
        minimum_rows: people that training and test must have each.
        minimum_class: people of either outcome that training and test must have each.
    """

    penalty: float
    rounds: int
    leaves: int
    rate: float
    least: int
    minimum_rows: int
    minimum_class: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Settings from a mapping that holds each of them and nothing else."""
        return cls(**values)


@dataclass(frozen=True)
class Judgement:
    """How models are judged; no setting has a default.

    Attributes:
        draws, seed: resamples of the bootstrap that decides on promotion.
        confidence: coverage of its interval, and of lower bounds of areas under the curve.
        bins: bins of the calibration table.
        permuted_rows: rows of the test that the permutation check looks at, at most.
    """

    draws: int
    confidence: float
    seed: int
    bins: int
    permuted_rows: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Judgement:
        """Settings from a mapping that holds each of them and nothing else."""
        return cls(**values)


@dataclass(frozen=True)
class People:
    """One row per person and snapshot.

    Attributes:
        columns: what is known of them, by feature.
        purpose: ``train``, ``test`` or ``score``, shape (rows,).
        churned: 1 or 0, NaN while it is not known, shape (rows,).
    """

    columns: Columns
    purpose: NDArray[np.str_]
    churned: Floats

    def only(self, purposes: Sequence[str]) -> People:
        """Rows of some purposes; of training and test those with a known outcome."""
        kept = np.isin(self.purpose, list(purposes))
        kept &= (self.purpose == "score") | np.isfinite(self.churned)
        return People(
            {name: values[kept] for name, values in self.columns.items()},
            self.purpose[kept],
            self.churned[kept],
        )

    def enough(self, settings: Settings) -> bool:
        """Whether there is anything to learn or to judge."""
        ones = int(self.churned.sum())
        least = min(ones, len(self.churned) - ones)
        return len(self.churned) >= settings.minimum_rows and least >= settings.minimum_class


@dataclass
class Findings:
    """Rows of a long table: what was found about models, bins, features and drivers.

    ``value`` is NaN where there is no number; ``reason`` says why, else ``none``.
    """

    section: list[str] = field(default_factory=list)
    model_name: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    metric: list[str] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    reason: list[str] = field(default_factory=list)

    def add(
        self, section: str, model: str, name: str, values: dict[str, float], reason: str = "none"
    ) -> None:
        """One row a metric."""
        for metric, value in values.items():
            self.section.append(section)
            self.model_name.append(model)
            self.name.append(name)
            self.metric.append(metric)
            self.value.append(float(value))
            self.reason.append(reason)

    def columns(self) -> dict[str, list[str] | list[float]]:
        """Columns by name, in the order of the class."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def of(self, section: str, model: str, name: str, metric: str) -> float:
        """One value; raises ``KeyError`` when it was not looked for."""
        keys = zip(self.section, self.model_name, self.name, self.metric, strict=True)
        for place, key in enumerate(keys):
            if key == (section, model, name, metric):
                return self.value[place]
        raise KeyError((section, model, name, metric))


def fit(kind: str, design: Design, people: People, settings: Settings) -> Model:
    """A fitted champion or challenger.

    Raises:
        ImportError: the challenger's library cannot be loaded.
        ValueError: the kind is unknown, or the champion does not converge.
    """
    matrix = design.matrix(people.columns)
    if kind == CHAMPION:
        return fit_logistic(matrix, people.churned, settings.penalty)
    if kind == CHALLENGER:
        return fit_trees(
            matrix, people.churned, settings.rounds, settings.leaves, settings.rate, settings.least
        )
    raise ValueError(f"unknown kind of model: {kind}")


def evaluate(
    people: People, features: Sequence[Feature], settings: Settings, judgement: Judgement
) -> Findings:
    """Fit on the training snapshots, judge on the test snapshot.

    Sections of the result: ``model`` (name ``all``), ``bin`` (name: number of the bin), ``feature`` and
    ``driver`` (what a model attributes to them on the test, and what is lost when they are shuffled).

    Args:
        people: rows of training and test; others are left out.
        features: what models may look at. The driver ``recency`` is the baseline's only one.
        settings: see :class:`Settings`.
        judgement: see :class:`Judgement`.
    """
    train, test = people.only(["train"]), people.only(["test"])
    found = Findings()
    sizes = {
        "train_row_count": len(train.churned),
        "train_churned_count": train.churned.sum(),
        "test_row_count": len(test.churned),
        "test_churned_count": test.churned.sum(),
    }
    if not (train.enough(settings) and test.enough(settings)):
        for kind in (BASE, RECENCY, CHAMPION, CHALLENGER):
            found.add("model", kind, "all", {**sizes, "is_deployed": 0.0}, TOO_FEW)
        return found
    alone = _single_areas(train, test, features)
    chances = {BASE: np.full(len(test.churned), train.churned.mean())}
    recency = [feature for feature in features if feature.driver == "recency"]
    small = Design.learn(recency, train.columns, False)
    chances[RECENCY] = chance_of(
        fit_logistic(small.matrix(train.columns), train.churned, settings.penalty).log_odds(
            small.matrix(test.columns)
        )
    )
    design = Design.learn(features, train.columns, False)
    matrix = design.matrix(test.columns)
    models: dict[str, Model] = {}
    reasons = {}
    for kind in (CHAMPION, CHALLENGER):
        try:
            models[kind] = fit(kind, design, train, settings)
            chances[kind] = chance_of(models[kind].log_odds(matrix))
        except ImportError:
            reasons[kind] = NOT_LOADED
    gain = (_NAN, _NAN, _NAN)
    if CHALLENGER in models:
        gain = paired_gain(
            test.churned, chances[CHAMPION], chances[CHALLENGER],
            judgement.draws, judgement.confidence, judgement.seed,
        )  # fmt: skip
    deployed = CHALLENGER if gain[1] > 0 else CHAMPION
    for kind in (BASE, RECENCY, CHAMPION, CHALLENGER):
        values = {**sizes, "is_deployed": float(kind == deployed)}
        if kind in chances:
            values |= _judged(test.churned, chances, kind, judgement.confidence)
        if kind == CHALLENGER:
            values |= dict(
                zip(("brier_gain", "brier_gain_low", "brier_gain_high"), gain, strict=True)
            )
        found.add("model", kind, "all", values, reasons.get(kind, "none"))
    for kind, model in models.items():
        _bins(found, kind, test.churned, chances[kind], judgement.bins)
        _attributed(found, kind, model, design, matrix, test.churned, alone, judgement)
    return found


def _judged(
    labels: Floats, chances: dict[str, Floats], kind: str, confidence: float
) -> dict[str, float]:
    score = brier(labels, chances[kind])
    area, ones = area_under_curve(labels, chances[kind]), float(labels.sum())
    top = np.argsort(-chances[kind], kind="stable")[: max(1, int(np.ceil(len(labels) / 10)))]
    fitted = calibration(labels, chances[kind])
    # Where everybody has the same chance, no tenth is the riskiest.
    sorts = np.ptp(chances[kind]) > 0
    return {
        "area_under_curve": area,
        "area_under_curve_low": area_low(area, ones, len(labels) - ones, confidence),
        "average_precision": average_precision(labels, chances[kind]),
        "brier_score": score,
        "base_skill": 1 - score / brier(labels, chances[BASE]),
        "recency_skill": 1 - score / brier(labels, chances[RECENCY]),
        "calibration_slope": fitted.slope,
        "calibration_intercept": fitted.intercept,
        "predicted_churned": float(chances[kind].sum()),
        "top_decile_count": float(len(top)) if sorts else _NAN,
        "top_decile_churned_count": float(labels[top].sum()) if sorts else _NAN,
    }


def _bins(found: Findings, kind: str, labels: Floats, chances: Floats, count: int) -> None:
    bins = calibration_bins(labels, chances, count)
    for place in range(len(bins.row_count)):
        values = {
            "row_count": bins.row_count[place],
            "mean_predicted": bins.predicted[place],
            "churned_count": bins.churned_count[place],
            "lowest_predicted": bins.low[place],
            "highest_predicted": bins.high[place],
        }
        found.add("bin", kind, str(place + 1), values)


def _attributed(
    found: Findings,
    kind: str,
    model: Model,
    design: Design,
    matrix: Floats,
    labels: Floats,
    alone: Floats,
    judgement: Judgement,
) -> None:
    contributions = model.contributions(matrix)
    features = design.by_feature(contributions)
    drivers, summed = design.by_driver(contributions)
    losses = _permutation_losses(model, design, matrix, labels, judgement)
    ones = float(labels.sum())
    for place, feature in enumerate(design.features):
        values = {
            "mean_absolute_contribution": np.abs(features[:, place]).mean(),
            "direction": _direction(design, matrix, features, place),
            "permutation_loss": losses[place],
            "single_area": alone[place],
            "single_area_low": area_low(
                alone[place], ones, len(labels) - ones, judgement.confidence
            ),
        }
        found.add("feature", kind, feature.name, values)
    for place, driver in enumerate(drivers):
        values = {"mean_absolute_contribution": np.abs(summed[:, place]).mean()}
        found.add("driver", kind, driver, values)


def _direction(design: Design, matrix: Floats, features: Floats, place: int) -> float:
    """1 where more of the feature goes with more churn in the model, -1 with less, NaN for categories."""
    columns = np.flatnonzero(design.owner == place)
    if len(columns) != 1 or design.level[columns[0]] is not None:
        return _NAN
    held = np.isfinite(matrix[:, columns[0]])
    values, added = matrix[held, columns[0]], features[held, place]
    return float(np.sign(((values - values.mean()) * (added - added.mean())).sum()))


def _permutation_losses(
    model: Model, design: Design, matrix: Floats, labels: Floats, judgement: Judgement
) -> Floats:
    """Rise of the Brier score when a feature's values change places among people (Breiman 2001)."""
    step = max(1, len(labels) // judgement.permuted_rows)
    rows, outcome = matrix[::step], labels[::step]
    held = brier(outcome, chance_of(model.log_odds(rows)))
    losses = np.zeros(len(design.features))
    for place in range(len(design.features)):
        columns = np.flatnonzero(design.owner == place)
        order = np.random.default_rng((judgement.seed, place)).permutation(len(outcome))
        shuffled = rows.copy()
        shuffled[:, columns] = rows[order][:, columns]
        if len(columns):
            losses[place] = brier(outcome, chance_of(model.log_odds(shuffled))) - held
    return losses


def _single_areas(train: People, test: People, features: Sequence[Feature]) -> Floats:
    """Area under the curve of each feature alone on the test, whichever way it points.

    A category is ranked by the share of churners of its levels in training. That a value is missing is
    information too: missing ranks below everything.
    """
    areas = []
    for feature in features:
        if feature.name not in test.columns:
            continue
        if feature.transform == "category":
            learnt = train.columns[feature.name]
            shares = {
                level: train.churned[learnt == level].mean() for level in set(learnt.tolist())
            }
            values = np.asarray([shares.get(level, 0.5) for level in test.columns[feature.name]])
        else:
            values = np.asarray(test.columns[feature.name], dtype=np.float64)
            values = np.where(np.isfinite(values), values, -np.inf)
        area = area_under_curve(test.churned, values)
        areas.append(max(area, 1 - area))
    return np.asarray(areas, dtype=np.float64)


@dataclass(frozen=True)
class Scores:
    """One value a person of the snapshot that is scored; NaN and ``reason`` where there is no score.

    Attributes:
        log_odds, chance: predicted.
        base: log odds that contributions are added to.
        contribution: sum of all contributions; base + contribution = log_odds.
        decile: 1 (highest risk) to 10.
        reasons: names of the features that add most to the risk, shape (people, 3); ``none`` where
            fewer than three add to it.
        added: what each of them adds to the log odds, NaN where there is none.
        reason: why there is no score, else ``none``.
    """

    log_odds: Floats
    chance: Floats
    base: Floats
    contribution: Floats
    decile: Floats
    reasons: NDArray[np.object_]
    added: Floats
    reason: NDArray[np.object_]


def score(
    people: People, features: Sequence[Feature], kind: str | None, settings: Settings
) -> Scores:
    """Fit the deployed kind of model on every known outcome and score the last snapshot.

    Args:
        people: rows of all purposes.
        features: what the model may look at.
        kind: the deployed kind, None when no model could be judged: then nobody is scored.
        settings: see :class:`Settings`.
    """
    known, rows = people.only(["train", "test"]), people.only(["score"])
    count = len(rows.churned)
    if kind is None or not count or not known.enough(settings):
        empty = np.full(count, _NAN)
        return Scores(
            empty, empty, empty, empty, empty,
            np.full((count, 3), "none", dtype=object), np.full((count, 3), _NAN),
            np.full(count, TOO_FEW, dtype=object),
        )  # fmt: skip
    design = Design.learn(features, known.columns, False)
    model = fit(kind, design, known, settings)
    matrix = design.matrix(rows.columns)
    log_odds, contributions = model.log_odds(matrix), model.contributions(matrix)
    added = design.by_feature(contributions)
    order = np.argsort(-added, axis=1, kind="stable")[:, :3]
    top = np.take_along_axis(added, order, axis=1)
    names = np.asarray([feature.name for feature in design.features], dtype=object)
    chance = chance_of(log_odds)
    return Scores(
        log_odds,
        chance,
        np.full(count, model.base()),
        contributions.sum(axis=1),
        deciles(chance),
        np.where(top > 0, names[order], "none"),
        np.where(top > 0, top, _NAN),
        np.full(count, "none", dtype=object),
    )


def deployed(model_names: Sequence[str], metrics: Sequence[str], values: Floats) -> str | None:
    """The deployed kind among the rows of :class:`Findings`; None when no model could be judged."""
    for name, metric, value in zip(model_names, metrics, values, strict=True):
        if metric == "is_deployed" and value == 1:
            return str(name)
    return None
