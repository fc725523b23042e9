"""From columns of people to a matrix of standardised numbers, and back to the features they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plumbline.statistics.outcomes import Floats

Columns: TypeAlias = Mapping[str, NDArray[Any]]
Ints: TypeAlias = NDArray[np.int64]
TRANSFORMS = ("log", "plain", "category")


@dataclass(frozen=True)
class Feature:
    """One thing known of a person.

    Attributes:
        name: column it stands in.
        driver: group of features that tell of one thing.
        transform: ``log`` (log1p of a number of 0 or more), ``plain`` or ``category`` (text).
    """

    name: str
    driver: str
    transform: str


def features_of(
    names: Sequence[str], drivers: Sequence[str], transforms: Sequence[str]
) -> list[Feature]:
    """Features from columns of a table."""
    return [
        Feature(str(name), str(driver), str(transform))
        for name, driver, transform in zip(names, drivers, transforms, strict=True)
    ]


@dataclass(frozen=True)
class Design:
    """What was learnt of the rows a model is fitted on.

    A number is one column, a category one column a level. Each is centred and scaled to a standard
    deviation of 1 over the rows it was learnt from; columns that do not vary there are left out.

    Attributes:
        features: all features that were offered.
        owner: index of the feature each column belongs to, shape (columns,).
        level: level of the category a column marks, None for numbers.
        centre, scale: mean and standard deviation before standardisation, shape (columns,).
    """

    features: tuple[Feature, ...]
    owner: Ints
    level: tuple[str | None, ...]
    centre: Floats
    scale: Floats

    @staticmethod
    def learn(features: Sequence[Feature], columns: Columns, has_reference: bool) -> Design:
        """Columns, means and deviations of training rows; missing numbers are left out of both.

        Args:
            features: what to look at; features without a column are ignored.
            columns: one array a feature, equally long: numbers with NaN for missing, or texts.
            has_reference: leave out the most frequent level of each category, so that the others are
                compared with it.

        Raises:
            ValueError: a transform is unknown.
        """
        owner, level, centre, scale = [], [], [], []
        offered = tuple(feature for feature in features if feature.name in columns)
        for place, feature in enumerate(offered):
            if feature.transform not in TRANSFORMS:
                raise ValueError(f"unknown transform {feature.transform} of {feature.name}")
            for name, values in _parts(feature, columns[feature.name], None, has_reference):
                held = values[np.isfinite(values)]
                deviation = float(held.std()) if held.size else 0.0
                if deviation > 1e-12:
                    owner.append(place)
                    level.append(name)
                    centre.append(float(held.mean()))
                    scale.append(deviation)
        return Design(
            offered,
            np.asarray(owner, dtype=np.int64),
            tuple(level),
            np.asarray(centre, dtype=np.float64),
            np.asarray(scale, dtype=np.float64),
        )

    def matrix(self, columns: Columns) -> Floats:
        """Standardised numbers of any rows, shape (rows, columns); what is missing is NaN."""
        found = []
        for place, name in zip(self.owner, self.level, strict=True):
            feature = self.features[place]
            ((_, values),) = _parts(feature, columns[feature.name], name, False)
            found.append(values)
        if not found:
            return np.empty((len(next(iter(columns.values()), np.empty(0))), 0))
        return np.asarray((np.stack(found, axis=1) - self.centre) / self.scale)

    def by_feature(self, contributions: Floats) -> Floats:
        """Contributions of columns (rows, columns) summed to features (rows, features)."""
        return np.asarray(contributions @ self._members(self.owner, len(self.features)))

    def by_driver(self, contributions: Floats) -> tuple[tuple[str, ...], Floats]:
        """Names of the drivers, and contributions of columns summed to them (rows, drivers)."""
        drivers = tuple(dict.fromkeys(feature.driver for feature in self.features))
        owner = np.asarray(
            [drivers.index(self.features[place].driver) for place in self.owner], dtype=np.int64
        )
        return drivers, np.asarray(contributions @ self._members(owner, len(drivers)))

    @staticmethod
    def _members(owner: Ints, count: int) -> Floats:
        return np.asarray(owner[:, None] == np.arange(count), dtype=np.float64)


def _parts(
    feature: Feature, values: NDArray[Any], level: str | None, has_reference: bool
) -> list[tuple[str | None, Floats]]:
    """Columns of a feature before standardisation: one, or one a level (only ``level`` if given)."""
    if feature.transform == "category":
        texts = np.asarray(values, dtype=object)
        if level is not None:
            return [(level, np.asarray(texts == level, dtype=np.float64))]
        names, counts = np.unique([str(text) for text in texts], return_counts=True)
        common = str(names[np.argmax(counts)]) if len(names) else None
        kept = [str(name) for name in names if not (has_reference and str(name) == common)]
        return [(name, np.asarray(texts == name, dtype=np.float64)) for name in kept]
    held = np.asarray(values, dtype=np.float64)
    return [(None, np.log1p(np.maximum(held, 0.0)) if feature.transform == "log" else held)]
