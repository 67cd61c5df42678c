"""From codes to a matrix: what one linear model or network sees, learnt from its training rows alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from medcore.features.codebook import by_kind
from medcore.features.kind import Scaler, Scaling
from medcore.features.registry import kind_named
from medcore.features.rows import AnyRows, Rows


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a matrix has: decided once for all folds, so that their matrices have one shape.

    ``entries`` are those that each predictor's kind writes (the codes of a category's
    levels, −1 for rare or unseen ones; one for numbers that vary); ``missing`` says
    which predictors have a further column for missing values, none of those read in the
    order of time. No outcome is used.
    """

    entries: tuple[tuple[int, ...], ...]
    missing: tuple[bool, ...]

    @classmethod
    def of(cls, rows: AnyRows, kinds: Sequence[str]) -> Layout:
        """Decide the layout from all training rows ``(n, P)``."""
        rows = Rows.of(rows)
        absent: NDArray[np.bool_] = np.asarray(np.isnan(rows.codes))
        some = np.asarray(absent.any(axis=0) & ~absent.all(axis=0))
        entries = tuple(
            kind_named(name).entries(rows.column(place), some_missing=bool(some[place]))
            for place, name in enumerate(kinds)
        )
        written = [not kind_named(name).in_order for name in kinds]
        return cls(entries, tuple(bool(v) and own for v, own in zip(some, written, strict=True)))

    @property
    def widths(self) -> tuple[int, ...]:
        """How many columns of a matrix each predictor has; 0 says that it tells nothing apart."""
        return tuple(len(entry) + missing for entry, missing in zip(self.entries, self.missing, strict=True))

    @property
    def blocks(self) -> tuple[slice, ...]:
        """The columns of a matrix that each predictor has."""
        ends = np.cumsum(self.widths).tolist()
        return tuple(slice(end - width, end) for end, width in zip(ends, self.widths, strict=True))

    def only(self, kept: NDArray[np.bool_]) -> Layout:
        """Return the layout of some of the predictors, ``kept`` (P,)."""
        places = np.flatnonzero(kept)
        return Layout(tuple(self.entries[p] for p in places), tuple(self.missing[p] for p in places))


class FeatureMaker(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Codes → matrix, fitted on training rows only; a scikit-learn transformer.

    Every kind writes the entries of its own columns: a number is filled with its
    median and scaled, a category becomes one column a level. Beside them a column
    says where the value was missing. What is constant gets no column; what is
    constant only in this fold is 0 throughout.

    Fitted: ``scalers_`` a kind, ``blocks_`` the slice of columns of each predictor,
    ``n_columns_``.
    """

    def __init__(self, kinds: Sequence[str], *, scaling: Scaling = "standard") -> None:
        self.kinds = kinds
        self.scaling = scaling

    def fit(self, rows: AnyRows, y: object = None, *, layout: Layout | None = None) -> Self:  # noqa: ARG002
        """Learn from rows ``(n, P)`` what each kind writes; ``layout`` fixes the columns for all folds."""
        rows = Rows.of(rows)
        self._place(layout or Layout.of(rows, self.kinds))
        self.scalers_: dict[str, Scaler] = {
            kind.name: kind.scaler(rows, places, self._entries(places), scaling=self.scaling)
            for kind, places in by_kind(tuple(self.kinds))
        }
        return self

    def _place(self, layout: Layout) -> None:
        """Give every predictor its slice of columns."""
        self.layout_ = layout
        self.blocks_ = layout.blocks
        self.n_columns_ = sum(layout.widths)

    def _entries(self, places: NDArray[np.intp]) -> tuple[tuple[int, ...], ...]:
        return tuple(self.layout_.entries[p] for p in places)

    def transform(self, rows: AnyRows) -> NDArray[np.float32]:
        """Write rows ``(n, P)`` as a matrix ``(n, F)`` of float32."""
        return self._matrix(Rows.of(rows), np.float32)

    def transform_exactly(self, rows: AnyRows) -> NDArray[np.float64]:
        """Write rows ``(n, P)`` as a matrix ``(n, F)`` of float64: for models that are written down."""
        return self._matrix(Rows.of(rows), np.float64)

    def block(self, rows: Rows, place: int, dtype: type[np.floating[Any]] = np.float32) -> NDArray[Any]:
        """Write what the predictor at ``place`` has of the matrix alone: nothing is worked out of predictors of other kinds."""
        return self._matrix(rows, dtype, only=place)[:, self.blocks_[place]]

    def _matrix(self, rows: Rows, dtype: type[np.floating[Any]], only: int | None = None) -> NDArray[Any]:
        check_is_fitted(self, "blocks_")
        matrix = np.zeros((len(rows), self.n_columns_), dtype=dtype)
        starts = np.array([block.start for block in self.blocks_], dtype=np.intp)
        for kind, places in by_kind(tuple(self.kinds)):
            if only is None or only in places:
                self.scalers_[kind.name].write(rows, matrix, starts[places])
        for place in np.flatnonzero(self.layout_.missing):
            if only in (None, place):
                matrix[:, self.blocks_[place].stop - 1] = np.isnan(rows.codes[:, place])
        return matrix

    @property
    def medians_(self) -> NDArray[np.float64]:
        """What a missing amount is filled with, (P,); 0 for predictors that are no amounts."""
        return self._amounts("medians")

    @property
    def centres_(self) -> NDArray[np.float64]:
        """What is taken away from an amount, (P,)."""
        return self._amounts("centres")

    @property
    def scales_(self) -> NDArray[np.float64]:
        """What the rest is then divided by, (P,); 0 for what is the same in all training rows."""
        return self._amounts("scales")

    def _amounts(self, name: str) -> NDArray[np.float64]:
        values = np.zeros(len(self.kinds))
        for kind, places in by_kind(tuple(self.kinds)):
            if kind.ordered:
                values[places] = getattr(self.scalers_[kind.name], name)
        return values

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> NDArray[np.object_]:
        """Name the columns: ``age``, ``age (missing)``, ``sex: 1`` (the code of the level)."""
        check_is_fitted(self, "blocks_")
        given = input_features if input_features is not None else [f"x{p}" for p in range(len(self.kinds))]
        names: list[str] = []
        for place, kind in enumerate(self.kinds):
            names += kind_named(kind).entry_names(self.layout_.entries[place], str(given[place]))
            names += [f"{given[place]} (missing)"] if self.layout_.missing[place] else []
        return np.asarray(names, dtype=object)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {
            "kinds": list(self.kinds),
            "scaling": self.scaling,
            "entries": [list(entry) for entry in self.layout_.entries],
            "missing": list(self.layout_.missing),
            "scalers": {name: scaler.to_dict() for name, scaler in self.scalers_.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeatureMaker:
        """Read what :meth:`to_dict` wrote, today or when a bundle had the format 1."""
        if "scalers" not in data:
            data = _from_format_1(data)
        maker = cls(tuple(data["kinds"]), scaling=data["scaling"])
        maker._place(Layout(tuple(tuple(int(v) for v in e) for e in data["entries"]), tuple(data["missing"])))
        maker.scalers_ = {
            kind.name: kind.load_scaler(data["scalers"][kind.name], places, maker._entries(places))
            for kind, places in by_kind(tuple(data["kinds"]))
        }
        return maker


def _from_format_1(data: Mapping[str, Any]) -> dict[str, Any]:
    """Write a matrix of numbers and categories as before kinds (bundles of format 1) in today's form."""
    numeric = [place for place, kind in enumerate(data["kinds"]) if kind == "numeric"]
    learnt = {name: [data[name][place] for place in numeric] for name in ("medians", "centres", "scales")}
    entries = [
        [0] * bool(varies) if kind == "numeric" else levels
        for kind, varies, levels in zip(data["kinds"], data["varies"], data["levels"], strict=True)
    ]
    return {**data, "entries": entries, "scalers": {"numeric": learnt, "category": {}}}
