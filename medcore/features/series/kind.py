"""The kind of columns of results in steps of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.preparation.predictors import PredictorReading
from medcore.features.kind import Scaling
from medcore.features.rows import CodedColumn, Codes, Rows
from medcore.features.series.encoder import SeriesEncoder, means_of
from medcore.i18n import N_


@dataclass(frozen=True, slots=True)
class SeriesKind:
    """Results over time: nothing in a matrix, for their summaries are columns beside them; read in order by the tower."""

    name: ClassVar[str] = "series"
    reading: ClassVar[PredictorReading] = PredictorReading("series", ("series",), lambda cells: cells)
    scalar: ClassVar[bool] = False
    ordered: ClassVar[bool] = False
    in_order: ClassVar[bool] = True
    cautions: ClassVar[Mapping[str, str]] = {
        "series_out_of_range": N_("{column} has a result outside the range of the training patients")
    }

    def fit(self, values: pd.Series[Any], /) -> SeriesEncoder:
        """Learn the range of the training rows."""
        return SeriesEncoder.fit(values)

    def load(self, data: Mapping[str, Any], /) -> SeriesEncoder:
        """Read an encoder back."""
        return SeriesEncoder.from_dict(data)

    def spreads(self, rows: Rows, /) -> NDArray[np.float64]:
        """Return the standard deviation of the patients' means in each column; 1 where it has none."""
        spreads = np.ones(rows.shape[1])
        for place in range(len(spreads)):
            means = means_of(rows.column(place))
            known = means[~np.isnan(means)]
            if known.size > 1 and known.std() > 0:
                spreads[place] = known.std()
        return spreads

    def distance(self, rows: Rows, one: Rows, spreads: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Return the difference of the means in standard deviations."""
        apart = [
            np.abs(means_of(rows.column(place)) - means_of(one.column(place))) / spread
            for place, spread in enumerate(spreads)
        ]
        return np.stack(apart, axis=1)

    def entries(self, column: CodedColumn, /, *, some_missing: bool) -> tuple[int, ...]:  # noqa: ARG002
        """Choose nothing."""
        return ()

    def entry_names(self, entries: tuple[int, ...], column: str, /) -> list[str]:  # noqa: ARG002
        """Name nothing."""
        return []

    def numbers(self, column: CodedColumn, entries: tuple[int, ...], /) -> Codes:
        """Return no number (n, 0)."""
        return np.zeros((len(column), len(entries)))

    def scaler(
        self,
        rows: Rows,  # noqa: ARG002
        places: NDArray[np.intp],  # noqa: ARG002
        entries: Sequence[tuple[int, ...]],  # noqa: ARG002
        /,
        *,
        scaling: Scaling,  # noqa: ARG002
    ) -> NothingWritten:
        """Learn nothing."""
        return NothingWritten()

    def load_scaler(
        self,
        data: Mapping[str, Any],  # noqa: ARG002
        places: NDArray[np.intp],  # noqa: ARG002
        entries: Sequence[tuple[int, ...]],  # noqa: ARG002
        /,
    ) -> NothingWritten:
        """Read nothing."""
        return NothingWritten()


@dataclass(frozen=True, slots=True)
class NothingWritten:
    """The scaler of columns that are no part of a matrix."""

    def write(self, rows: Rows, matrix: NDArray[Any], starts: NDArray[np.intp], /) -> None:
        """Write nothing."""

    def to_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}


SERIES = SeriesKind()
