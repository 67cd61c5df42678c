"""The kind of columns of categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.preparation.predictors import LEVELS, PredictorReading
from medcore.features.category.encoder import MIN_CATEGORY_ROWS, LevelEncoder
from medcore.features.kind import Scaling
from medcore.features.rows import CodedColumn, Codes, Rows
from medcore.i18n import N_

MAX_LEVELS = 64
"""The most levels of one predictor that get a column of their own in a matrix."""


@dataclass(frozen=True, slots=True)
class LevelWriter:
    """Categories in a matrix: one column a level, which holds 1 where a row has it."""

    places: NDArray[np.intp]
    entries: tuple[tuple[int, ...], ...]

    def write(self, rows: Rows, matrix: NDArray[Any], starts: NDArray[np.intp], /) -> None:
        """Write which level each row has."""
        for place, levels, start in zip(self.places, self.entries, starts, strict=True):
            for offset, level in enumerate(levels):
                matrix[:, start + offset] = rows.codes[:, place] == level

    def to_dict(self) -> dict[str, Any]:
        """Return nothing: no row was learnt from."""
        return {}


@dataclass(frozen=True, slots=True)
class CategoryKind:
    """Categories: one column a level in a matrix; two levels are apart by 1."""

    name: ClassVar[str] = "category"
    reading: ClassVar[PredictorReading] = LEVELS
    scalar: ClassVar[bool] = True
    ordered: ClassVar[bool] = False
    in_order: ClassVar[bool] = False
    cautions: ClassVar[Mapping[str, str]] = {
        "unseen_category": N_("{column} has a value that the training patients did not have, or very few")
    }

    def fit(self, values: pd.Series[Any], /) -> LevelEncoder:
        """Learn the levels of the training rows."""
        return LevelEncoder.fit(values)

    def load(self, data: Mapping[str, Any], /) -> LevelEncoder:
        """Read an encoder back."""
        return LevelEncoder(tuple(data["levels"]))

    def spreads(self, rows: Rows, /) -> NDArray[np.float64]:
        """Return 1: two levels are apart by that."""
        return np.ones(rows.shape[1])

    def distance(self, rows: Rows, one: Rows, spreads: NDArray[np.float64], /) -> NDArray[np.float64]:  # noqa: ARG002
        """Return 1 for another level."""
        return np.asarray(rows.codes != one.codes, dtype=np.float64)

    def entries(self, column: CodedColumn, /, *, some_missing: bool) -> tuple[int, ...]:
        """Choose the levels that get a column; of two levels without missing values the rarer one says it all."""
        codes = column.codes
        present, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
        if len(present) < 2 and not some_missing:
            return ()
        frequent = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
        least = max(MIN_CATEGORY_ROWS, len(codes) // 1000) if len(present) > 10 else 1
        chosen = sorted(int(present[i]) for i in frequent if counts[i] >= least)
        if len(present) == 2 and len(chosen) == 2 and not some_missing:
            return (int(present[np.argmin(counts)]),)
        return tuple(chosen)

    def entry_names(self, entries: tuple[int, ...], column: str, /) -> list[str]:
        """Name each entry by the code of its level: ``sex: 1``."""
        return [f"{column}: {level}" for level in entries]

    def numbers(self, column: CodedColumn, entries: tuple[int, ...], /) -> Codes:  # noqa: ARG002
        """Return the codes (n, 1)."""
        return column.codes[:, None]

    def scaler(
        self,
        rows: Rows,  # noqa: ARG002
        places: NDArray[np.intp],
        entries: Sequence[tuple[int, ...]],
        /,
        *,
        scaling: Scaling,  # noqa: ARG002
    ) -> LevelWriter:
        """Return what writes the levels; nothing is learnt."""
        return LevelWriter(places, tuple(entries))

    def load_scaler(
        self,
        data: Mapping[str, Any],  # noqa: ARG002
        places: NDArray[np.intp],
        entries: Sequence[tuple[int, ...]],
        /,
    ) -> LevelWriter:
        """Return what writes the levels."""
        return LevelWriter(places, tuple(entries))


CATEGORY = CategoryKind()
