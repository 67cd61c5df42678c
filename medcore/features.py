"""From a prepared table to numbers: rows → codes → matrix.

*Codes* are the common currency of every model: one column a predictor, so that
an explanation can mix the codes of two patients and one original column stays
one player. A *matrix* is what one linear model or network sees; everything in
it that is estimated comes from the training rows of that model alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from medcore.errors import MissingColumnsError

FeatureKind = Literal["numeric", "category"]
Scaling = Literal["standard", "robust"]
Codes = NDArray[np.float64]

UNSEEN = -1.0
"""The code of a category that is not in the code book."""
MIN_CATEGORY_ROWS = 5
"""Rarer categories share the code of unseen ones: too few to learn from, too few to keep (cells under 5)."""
MAX_LEVELS = 64
"""The most levels of one predictor that get a column of their own in a matrix."""


@dataclass(frozen=True, slots=True)
class CodeBook:
    """How each predictor is written as a number; made from training rows without their outcome.

    A numeric predictor is written as it is; a category as 0, 1, … by falling
    frequency; a missing value as NaN; a category that was rare (under
    ``MIN_CATEGORY_ROWS`` rows) or never seen as −1. ``low`` and ``high`` are the
    smallest and largest training value of numeric predictors (NaN for others).
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    categories: tuple[tuple[str, ...], ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def fit(cls, predictors: pd.DataFrame, kinds: Mapping[str, FeatureKind]) -> CodeBook:
        """Learn the code book of a table with one float64 or text column a predictor."""
        columns = tuple(str(c) for c in predictors.columns)
        ranges = [_range(predictors[c]) if kinds[c] == "numeric" else (np.nan, np.nan) for c in columns]
        return cls(
            columns=columns,
            kinds=tuple(kinds[c] for c in columns),
            categories=tuple(() if kinds[c] == "numeric" else _levels(predictors[c]) for c in columns),
            low=tuple(low for low, _high in ranges),
            high=tuple(high for _low, high in ranges),
        )

    @property
    def n_categories(self) -> tuple[int, ...]:
        """Number of known categories of each predictor; 0 for a numeric one."""
        return tuple(len(levels) for levels in self.categories)

    def transform(self, predictors: pd.DataFrame) -> Codes:
        """Write rows as codes, shape ``(n, P)``.

        Raises:
            MissingColumnsError: the table lacks a predictor.

        """
        present = [str(c) for c in predictors.columns]
        if not set(self.columns) <= set(present):
            raise MissingColumnsError.between(wanted=self.columns, got=present)
        codes = np.empty((len(predictors), len(self.columns)), dtype=np.float64, order="F")
        for place, (name, levels) in enumerate(zip(self.columns, self.categories, strict=True)):
            numeric = self.kinds[place] == "numeric"
            codes[:, place] = _numbers(predictors[name]) if numeric else _category_codes(predictors[name], levels)
        return np.ascontiguousarray(codes)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {
            "columns": list(self.columns),
            "kinds": list(self.kinds),
            "categories": [list(levels) for levels in self.categories],
            "low": [_json_number(v) for v in self.low],
            "high": [_json_number(v) for v in self.high],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CodeBook:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            columns=tuple(data["columns"]),
            kinds=tuple(data["kinds"]),
            categories=tuple(tuple(levels) for levels in data["categories"]),
            low=tuple(np.nan if v is None else float(v) for v in data["low"]),
            high=tuple(np.nan if v is None else float(v) for v in data["high"]),
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a matrix has: decided once for all folds, so that their matrices have one shape.

    ``levels`` are the codes of each category that have a column (−1 for rare or
    unseen); ``missing`` says which predictors have a column for missing values;
    ``varies`` which have anything to say at all. No outcome is used.
    """

    levels: tuple[tuple[int, ...], ...]
    missing: tuple[bool, ...]
    varies: tuple[bool, ...]

    @classmethod
    def of(cls, codes: Codes, kinds: Sequence[FeatureKind]) -> Layout:
        """Decide the layout from all training rows, codes of shape ``(n, P)``."""
        absent: NDArray[np.bool_] = np.asarray(np.isnan(codes))
        some = np.asarray(absent.any(axis=0) & ~absent.all(axis=0))
        levels = tuple(
            () if kind == "numeric" else _matrix_levels(codes[:, place], one_is_enough=not some[place])
            for place, kind in enumerate(kinds)
        )
        varies = []
        for place, kind in enumerate(kinds):
            known = codes[~absent[:, place], place]
            spread = known.size > 0 and bool((known != known[0]).any())
            varies.append(spread if kind == "numeric" else bool(levels[place]))
        return cls(levels, tuple(bool(v) for v in some), tuple(varies))


class FeatureMaker(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Codes → matrix, fitted on training rows only; a scikit-learn transformer.

    A numeric predictor is filled with its median and scaled, with a column that
    says where it was missing; a category becomes one column a level. What is
    constant gets no column; what is constant only in this fold is 0 throughout.

    Fitted: ``medians_``, ``centres_``, ``scales_`` a predictor (numeric ones are
    used), ``blocks_`` the slice of columns of each predictor, ``n_columns_``.
    """

    def __init__(
        self, kinds: Sequence[FeatureKind], n_categories: Sequence[int] = (), *, scaling: Scaling = "standard"
    ) -> None:
        self.kinds = kinds
        self.n_categories = n_categories
        self.scaling = scaling

    def fit(self, codes: Codes, y: object = None, *, layout: Layout | None = None) -> Self:  # noqa: ARG002
        """Estimate medians and scales from codes ``(n, P)``; ``layout`` fixes the columns for all folds."""
        self.layout_ = layout or Layout.of(codes, self.kinds)
        numeric = np.array([kind == "numeric" for kind in self.kinds], dtype=bool)
        P = len(self.kinds)
        self.medians_, self.centres_, self.scales_ = np.zeros(P), np.zeros(P), np.zeros(P)
        if numeric.any() and len(codes):
            medians = _column_medians(codes[:, numeric])
            filled = np.where(np.isnan(codes[:, numeric]), medians, codes[:, numeric])
            self.medians_[numeric] = medians
            self.centres_[numeric], self.scales_[numeric] = _centre_and_scale(filled, self.scaling)
        self._place()
        return self

    def _place(self) -> None:
        """Give every predictor its slice of columns."""
        self.blocks_: tuple[slice, ...] = ()
        start = 0
        for place, kind in enumerate(self.kinds):
            width = int(kind == "numeric" and self.layout_.varies[place]) + len(self.layout_.levels[place])
            width += int(self.layout_.missing[place])
            self.blocks_ += (slice(start, start + width),)
            start += width
        self.n_columns_ = start

    def transform(self, codes: Codes) -> NDArray[np.float32]:
        """Write codes ``(n, P)`` as a matrix ``(n, F)`` of float32."""
        return self._matrix(codes, np.zeros((len(codes), self._width()), dtype=np.float32))

    def transform_exactly(self, codes: Codes) -> NDArray[np.float64]:
        """Write codes ``(n, P)`` as a matrix ``(n, F)`` of float64: for models that are written down."""
        return self._matrix(codes, np.zeros((len(codes), self._width())))

    def _width(self) -> int:
        check_is_fitted(self, "blocks_")
        return self.n_columns_

    def _matrix(self, codes: Codes, matrix: NDArray[Any]) -> NDArray[Any]:
        self._write_numeric(codes, matrix)
        for place, kind in enumerate(self.kinds):
            block, values = self.blocks_[place], codes[:, place]
            if self.layout_.missing[place]:
                matrix[:, block.stop - 1] = np.isnan(values)
            if kind == "category":
                for offset, level in enumerate(self.layout_.levels[place]):
                    matrix[:, block.start + offset] = values == level
        return matrix

    def _write_numeric(self, codes: Codes, matrix: NDArray[Any]) -> None:
        places = [p for p, kind in enumerate(self.kinds) if kind == "numeric" and self.layout_.varies[p]]
        if not places:
            return
        values = codes[:, places]
        values = np.where(np.isnan(values), self.medians_[places], values)
        scales = self.scales_[places]
        scaled = (values - self.centres_[places]) * np.divide(1.0, scales, out=np.zeros_like(scales), where=scales > 0)
        matrix[:, [self.blocks_[p].start for p in places]] = scaled

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> NDArray[np.object_]:
        """Name the columns: ``age``, ``age (missing)``, ``sex: 1`` (the code of the level)."""
        check_is_fitted(self, "blocks_")
        given = input_features if input_features is not None else [f"x{p}" for p in range(len(self.kinds))]
        names: list[str] = []
        for place, kind in enumerate(self.kinds):
            names += [str(given[place])] if kind == "numeric" and self.layout_.varies[place] else []
            names += [f"{given[place]}: {level}" for level in self.layout_.levels[place]]
            names += [f"{given[place]} (missing)"] if self.layout_.missing[place] else []
        return np.asarray(names, dtype=object)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {
            "kinds": list(self.kinds),
            "n_categories": [int(k) for k in self.n_categories],
            "scaling": self.scaling,
            "levels": [list(levels) for levels in self.layout_.levels],
            "missing": list(self.layout_.missing),
            "varies": list(self.layout_.varies),
            "medians": self.medians_.tolist(),
            "centres": self.centres_.tolist(),
            "scales": self.scales_.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeatureMaker:
        """Read what :meth:`to_dict` wrote."""
        maker = cls(tuple(data["kinds"]), tuple(data["n_categories"]), scaling=data["scaling"])
        levels = tuple(tuple(int(v) for v in levels) for levels in data["levels"])
        maker.layout_ = Layout(levels, tuple(data["missing"]), tuple(data["varies"]))
        maker.medians_, maker.centres_ = np.asarray(data["medians"], float), np.asarray(data["centres"], float)
        maker.scales_ = np.asarray(data["scales"], float)
        maker._place()
        return maker


def _numbers(values: pd.Series[Any]) -> NDArray[np.float64]:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _range(values: pd.Series[Any]) -> tuple[float, float]:
    numbers = _numbers(values)
    known = numbers[~np.isnan(numbers)]
    return (float(known.min()), float(known.max())) if known.size else (np.nan, np.nan)


def _levels(values: pd.Series[Any]) -> tuple[str, ...]:
    """Return the categories by falling frequency, ties by text, without the rare ones."""
    counts = values.dropna().astype(str).value_counts()
    kept = [(-int(n), str(level)) for level, n in counts.items() if n >= MIN_CATEGORY_ROWS]
    return tuple(level for _n, level in sorted(kept))


def _category_codes(values: pd.Series[Any], levels: Sequence[str]) -> NDArray[np.float64]:
    if not len(values):
        return np.empty(0)
    missing = values.isna().to_numpy()
    book = {level: code for code, level in enumerate(levels)}
    texts, places = np.unique(
        values.astype(object).where(~missing, "").astype(str).to_numpy(dtype=object), return_inverse=True
    )
    index = np.array([book.get(text, UNSEEN) for text in texts], dtype=np.float64)[places]
    index[missing] = np.nan
    return index


def _matrix_levels(codes: Codes, *, one_is_enough: bool) -> tuple[int, ...]:
    """Choose the levels that get a column; of two levels without missing values the rarer one says it all."""
    present, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    if len(present) < 2 and one_is_enough:
        return ()
    frequent = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
    least = max(MIN_CATEGORY_ROWS, len(codes) // 1000) if len(present) > 10 else 1
    chosen = sorted(int(present[i]) for i in frequent if counts[i] >= least)
    if len(present) == 2 and len(chosen) == 2 and one_is_enough:
        return (int(present[np.argmin(counts)]),)
    return tuple(chosen)


def _column_medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each column without its missing values; 0 for a column with no value."""
    medians = np.zeros(values.shape[1])
    for place in range(values.shape[1]):
        known = values[~np.isnan(values[:, place]), place]
        medians[place] = np.median(known) if known.size else 0.0
    return medians


def _centre_and_scale(values: NDArray[np.float64], scaling: Scaling) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation, or median and a robust scale (quartiles, else the range)."""
    deviation = values.std(axis=0)
    deviation[deviation < 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300)] = 0.0
    if scaling == "standard":
        return values.mean(axis=0), deviation
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    spread = (high - low) / 1.349  # the quartiles of a normal distribution are 1.349 deviations apart
    return middle, np.where(spread > 0, spread, deviation)


def _json_number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
