"""The code book: how each predictor of a table is written as a code, by the encoder of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.errors import MissingColumnsError
from medcore.features.kind import Encoder, Kind, Value
from medcore.features.registry import kind_named, kinds
from medcore.features.rows import Rows


@dataclass(frozen=True, slots=True)
class CodeBook:
    """How each predictor is written as a code; made from training rows without their outcome.

    A numeric predictor is written as it is; a category as 0, 1, … by falling
    frequency, as −1 where it was rare or never seen; a missing value as NaN. What a
    further kind writes, its encoder says.
    """

    columns: tuple[str, ...]
    encoders: tuple[Encoder, ...] = field(repr=False)

    @classmethod
    def fit(cls, predictors: pd.DataFrame, kinds: Mapping[str, str]) -> CodeBook:
        """Learn the code book of a table with one column a predictor, as its kind reads it; its index says whose row it is."""
        columns = tuple(str(c) for c in predictors.columns)
        return cls(columns, tuple(kind_named(kinds[c]).fit(predictors[c]) for c in columns))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The name of each predictor's kind."""
        return tuple(encoder.kind for encoder in self.encoders)

    @property
    def categories(self) -> tuple[tuple[str, ...], ...]:
        """The known categories of each predictor; none for other kinds."""
        return tuple(encoder.levels for encoder in self.encoders)

    @property
    def n_categories(self) -> tuple[int, ...]:
        """Number of known categories of each predictor; 0 for other kinds."""
        return tuple(len(encoder.levels) for encoder in self.encoders)

    @property
    def ordered(self) -> NDArray[np.bool_]:
        """Which predictors have codes that are amounts, (P,)."""
        return np.array([kind_named(encoder.kind).ordered for encoder in self.encoders], dtype=bool)

    @property
    def in_order(self) -> NDArray[np.bool_]:
        """Which predictors hold results in the order of time, (P,)."""
        return np.array([kind_named(encoder.kind).in_order for encoder in self.encoders], dtype=bool)

    def place(self, column: str) -> int:
        """Return the place of a predictor among the codes."""
        return self.columns.index(column)

    def transform(self, predictors: pd.DataFrame) -> Rows:
        """Write rows of predictors as codes, ``(n, P)``.

        Raises:
            MissingColumnsError: the table lacks a predictor.

        """
        present = [str(c) for c in predictors.columns]
        if not set(self.columns) <= set(present):
            raise MissingColumnsError.between(wanted=self.columns, got=present)
        coded = [encoder.encode(predictors[name]) for name, encoder in zip(self.columns, self.encoders, strict=True)]
        return Rows.from_columns(coded, len(predictors))

    def only(self, kept: NDArray[np.bool_]) -> CodeBook:
        """Return the code book of some of the predictors, ``kept`` (P,)."""
        places = np.flatnonzero(kept)
        return CodeBook(tuple(self.columns[p] for p in places), tuple(self.encoders[p] for p in places))

    def values(self, rows: Rows, row: int = 0) -> tuple[Value, ...]:
        """Return the values that the codes of one row stand for; None where missing, rare or never seen."""
        one = rows.take(row)
        return tuple(encoder.values(one.column(place))[0] for place, encoder in enumerate(self.encoders))

    def known(self, rows: Rows) -> NDArray[np.bool_]:
        """Say which codes (n, P) stand for a value that can be told."""
        known = np.ones(rows.shape, dtype=bool)
        for place, encoder in enumerate(self.encoders):
            known[:, place] = encoder.known(rows.codes[:, place])
        return known

    def cautions(self, rows: Rows) -> dict[str, NDArray[np.bool_]]:
        """Say by the name of each flag where values (n, P) need care."""
        present = [kind for kind in kinds() if kind.name in self.kinds]
        found = {name: np.zeros(rows.shape, dtype=bool) for kind in present for name in kind.cautions}
        for place, encoder in enumerate(self.encoders):
            for name, where in encoder.flags(rows.column(place)).items():
                found[name][:, place] = where
        return found

    def by_kind(self) -> tuple[tuple[Kind, NDArray[np.intp]], ...]:
        """Return every kind there is among the predictors, with their places."""
        return by_kind(self.kinds)

    def spreads(self, rows: Rows) -> NDArray[np.float64]:
        """Return the unit (P,) in which :meth:`distance` counts in each predictor, from training patients."""
        spreads = np.ones(len(self.columns))
        for kind, places in self.by_kind():
            spreads[places] = kind.spreads(rows.columns(places))
        return spreads

    def distance(self, rows: Rows, one: Rows, spreads: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far rows (n, P) are from one patient (1, P) in each predictor.

        Known values are apart as their kind says (numbers by their difference in
        standard deviations, other categories by 1), missing and known by 1, and
        missing and missing by 0.
        """
        missing, lacking = np.isnan(rows.codes), np.isnan(one.codes)
        apart = np.empty(rows.shape)
        with np.errstate(invalid="ignore"):
            for kind, places in self.by_kind():
                apart[:, places] = kind.distance(rows.columns(places), one.columns(places), spreads[places])
        return np.where(missing & lacking, 0.0, np.where(missing ^ lacking, 1.0, apart))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {
            "columns": list(self.columns),
            "kinds": list(self.kinds),
            "encoders": [encoder.to_dict() for encoder in self.encoders],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CodeBook:
        """Read what :meth:`to_dict` wrote, today or when a bundle had the format 1."""
        encoders = data.get("encoders") or [
            {"levels": levels, "low": low, "high": high}
            for levels, low, high in zip(data["categories"], data["low"], data["high"], strict=True)
        ]
        loaded = tuple(kind_named(name).load(own) for name, own in zip(data["kinds"], encoders, strict=True))
        return cls(tuple(data["columns"]), loaded)


def by_kind(kinds: tuple[str, ...]) -> tuple[tuple[Kind, NDArray[np.intp]], ...]:
    """Return every kind among some columns' kinds, in order of first appearance, with the places of its columns."""
    names = np.array(kinds, dtype=object)
    return tuple((kind_named(name), np.flatnonzero(names == name)) for name in dict.fromkeys(kinds))
