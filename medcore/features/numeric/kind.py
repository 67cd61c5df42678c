"""The kind of columns of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.preparation.predictors import NUMBERS, PredictorReading
from medcore.features.kind import Scaling
from medcore.features.numeric.encoder import NumberEncoder
from medcore.features.numeric.matrix import NumberScaler
from medcore.features.rows import CodedColumn, Codes, Rows
from medcore.i18n import N_


@dataclass(frozen=True, slots=True)
class NumericKind:
    """Numbers: filled with their median and scaled in a matrix, apart by their difference in standard deviations."""

    name: ClassVar[str] = "numeric"
    reading: ClassVar[PredictorReading] = NUMBERS
    scalar: ClassVar[bool] = True
    ordered: ClassVar[bool] = True
    in_order: ClassVar[bool] = False
    cautions: ClassVar[Mapping[str, str]] = {
        "out_of_range": N_("{column} is outside the range of the training patients")
    }

    def fit(self, values: pd.Series[Any], /) -> NumberEncoder:
        """Learn the range of the training rows."""
        return NumberEncoder.fit(values)

    def load(self, data: Mapping[str, Any], /) -> NumberEncoder:
        """Read an encoder back."""
        return NumberEncoder.from_dict(data)

    def spreads(self, rows: Rows, /) -> NDArray[np.float64]:
        """Return the standard deviation of each column; 1 where it has none."""
        spreads = np.ones(rows.shape[1])
        for place in range(len(spreads)):
            known = rows.codes[~np.isnan(rows.codes[:, place]), place]
            if known.size > 1 and known.std() > 0:
                spreads[place] = known.std()
        return spreads

    def distance(self, rows: Rows, one: Rows, spreads: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Return the difference in standard deviations."""
        return np.asarray(np.abs(rows.codes - one.codes) / spreads)

    def entries(self, column: CodedColumn, /, *, some_missing: bool) -> tuple[int, ...]:  # noqa: ARG002
        """Choose one entry for numbers that differ, none for a constant."""
        known = column.codes[~np.isnan(column.codes)]
        return (0,) if known.size > 0 and bool((known != known[0]).any()) else ()

    def entry_names(self, entries: tuple[int, ...], column: str, /) -> list[str]:
        """Name the entry as the column."""
        return [column for _entry in entries]

    def numbers(self, column: CodedColumn, entries: tuple[int, ...], /) -> Codes:  # noqa: ARG002
        """Return the numbers (n, 1)."""
        return column.codes[:, None]

    def scaler(
        self, rows: Rows, places: NDArray[np.intp], entries: Sequence[tuple[int, ...]], /, *, scaling: Scaling
    ) -> NumberScaler:
        """Estimate medians, centres and scales from training rows."""
        return NumberScaler.fit(rows, places, entries, scaling=scaling)

    def load_scaler(
        self, data: Mapping[str, Any], places: NDArray[np.intp], entries: Sequence[tuple[int, ...]], /
    ) -> NumberScaler:
        """Read a scaler back."""
        return NumberScaler.from_dict(data, places, entries)


NUMERIC = NumericKind()
