"""How typed cells become a predictor's column, by the kind of the schema's column; the other half is in features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True, slots=True)
class PredictorReading:
    """What columns of the schema's kinds ``reads`` become: predictors of the kind ``name``.

    ``column`` makes the predictor's column of typed cells (:mod:`medcore.data.values.typed`).
    ``measured`` says that its values are numbers, to be summarised by mean and quartiles.
    """

    name: str
    reads: tuple[str, ...]
    column: Callable[[pd.Series[Any]], pd.Series[Any]] = field(repr=False)
    measured: bool = False


NUMBERS = PredictorReading("numeric", ("numeric", "date"), lambda cells: cells.astype("float64"), measured=True)
LEVELS = PredictorReading("category", ("category", "boolean", "text"), lambda cells: cells)
_READINGS: dict[str, PredictorReading] = {}


def register(reading: PredictorReading) -> None:
    """Let columns of further kinds be read as predictors; a schema's kind is read in one way only."""
    for kind in reading.reads:
        if _READINGS.setdefault(kind, reading) is not reading:
            raise ValueError(f"columns of the kind {kind!r} are read as {_READINGS[kind].name!r} already")


def reading_of(kind: str) -> PredictorReading:
    """Return how a schema's kind of column is read as a predictor."""
    return _READINGS[kind]


def measured(name: str) -> bool:
    """Say whether predictors of a kind are numbers."""
    return any(reading.measured for reading in _READINGS.values() if reading.name == name)


register(NUMBERS)
register(LEVELS)
