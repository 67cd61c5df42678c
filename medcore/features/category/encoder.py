"""One column of categories: its levels in training, and how new patients' levels differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.features.kind import Alternatives, Value
from medcore.features.rows import UNSEEN, CodedColumn, Codes
from medcore.statistics.differences import total_variation

MIN_CATEGORY_ROWS = 5
"""Rarer categories share the code of unseen ones: too few to learn from, too few to keep (cells under 5)."""


@dataclass(frozen=True, slots=True)
class LevelEncoder:
    """A column of categories; ``levels`` by falling frequency in training, without the rare ones."""

    levels: tuple[str, ...]

    kind = "category"

    @classmethod
    def fit(cls, values: pd.Series[Any]) -> LevelEncoder:
        """Learn the levels by falling frequency, ties by text."""
        counts = values.dropna().astype(str).value_counts()
        kept = [(-int(n), str(level)) for level, n in counts.items() if n >= MIN_CATEGORY_ROWS]
        return cls(tuple(level for _n, level in sorted(kept)))

    def encode(self, values: pd.Series[Any], /) -> CodedColumn:
        """Write levels as their places, NaN where missing, −1 where rare or never seen."""
        if not len(values):
            return CodedColumn(np.empty(0))
        book = {level: code for code, level in enumerate(self.levels)}
        places, levels = pd.factorize(values)  # by their hashes: to sort 100,000 texts takes a hundred times as long
        known = [book.get(str(level), UNSEEN) for level in levels]
        return CodedColumn(np.array([*known, np.nan], dtype=np.float64)[places])

    def values(self, column: CodedColumn, /) -> tuple[Value, ...]:
        """Return the names of the levels; None where missing, rare or never seen."""
        return tuple(self.levels[int(code)] if 0 <= code < len(self.levels) else None for code in column.codes)

    def known(self, codes: Codes, /) -> NDArray[np.bool_]:
        """Say which codes are those of a level."""
        return np.asarray(~np.isnan(codes) & ~(codes < 0))

    def flags(self, column: CodedColumn, /) -> Mapping[str, NDArray[np.bool_]]:
        """Say which levels are rare or were never seen in training."""
        return {"unseen_category": column.codes == UNSEEN}

    def alternatives(self, patients: CodedColumn, own: CodedColumn | None, /, *, n_points: int) -> Alternatives:  # noqa: ARG002
        """Return all levels."""
        known = patients.codes[~np.isnan(patients.codes)]
        codes = np.arange(len(self.levels), dtype=np.float64)
        support = np.array([np.mean(known == c) if known.size else 0.0 for c in codes])
        return Alternatives(CodedColumn(codes), self.levels, support)

    def between(self, patients: CodedColumn, own: float, other: float, /) -> Codes:  # noqa: ARG002
        """Return the other level: there is nothing between two."""
        return np.array([other])

    def difference(self, training: CodedColumn, new: CodedColumn, /) -> float | None:
        """Return the total variation distance of the levels' shares (0–1)."""
        old, now = (side.codes[~np.isnan(side.codes)] for side in (training, new))
        if not len(old) or not len(now):
            return None
        values = np.union1d(old, now)
        shares = [np.array([(side == v).mean() for v in values]) for side in (old, now)]
        return total_variation(shares[0], shares[1])

    def parts(self, own: CodedColumn, shown: str | None, /) -> None:  # noqa: ARG002
        """Return nothing: a level has no parts."""
        return

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"levels": list(self.levels)}
