"""Profile: what is in each column, by outcome, small enough to draw and to send."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from medcore.data.cohort import Cohort, Column, Kind, Role
from medcore.data.quality.association import single_column_auroc
from medcore.data.quality.checking.view import Levels, View

N_BINS = 24
MOST_CATEGORIES = 12
# Beyond these quantiles a histogram would be squeezed by a few values; they are counted in the end bins.
TAILS = (0.005, 0.995)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericSummary:
    """A numeric column: quantiles, and counts by class (K, bins) between ``edges`` (bins + 1).

    Values below the first or above the last edge are counted in the end bins.
    """

    mean: float
    sd: float
    low: float
    q1: float
    median: float
    q3: float
    high: float
    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Categories:
    """A category: its most frequent values with counts by class (categories, K), and how many others there are."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    n_others: int
    rows_of_others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """One column: how much is missing, how many values, and its distribution.

    ``missing_by_class`` are shares (0–1). ``auroc`` tells how well the column alone
    separates the classes. Columns that name patients, and free text, have no values here.
    """

    name: str
    kind: Kind
    role: Role
    unit: str | None
    n_rows: int
    n_missing: int
    n_unique: int
    missing_by_class: tuple[float, ...] = ()
    auroc: float | None = None
    numbers: NumericSummary | None = field(default=None, repr=False)
    categories: Categories | None = field(default=None, repr=False)

    @property
    def missing(self) -> float:
        """Share of missing values, 0–1."""
        return self.n_missing / self.n_rows if self.n_rows else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Every column of a cohort; ``classes`` are those of the outcome, empty while there is none."""

    n_rows: int
    outcome: str | None
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    columns: tuple[ColumnProfile, ...]

    def __getitem__(self, name: str) -> ColumnProfile:
        return next(c for c in self.columns if c.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)


def profile(cohort: Cohort) -> Profile:
    """Describe every column of a cohort by its outcome, codes for missing being missing.

    NumericSummary are described as they are in the table, implausible ones included. The
    cost grows with the rows only by one pass a column.
    """
    view = View.of(cohort, None)
    outcome = view.outcome if cohort.schema.outcome is not None else None
    codes = outcome.codes if outcome else np.zeros(cohort.n_rows, dtype=np.int64)
    classes = outcome.classes if outcome else ()
    present = [c for c in cohort.schema.columns if c.name in cohort.frame.columns]
    return Profile(
        n_rows=cohort.n_rows,
        outcome=outcome.name if outcome else None,
        classes=classes,
        class_counts=tuple(int(n) for n in outcome.counts) if outcome else (),
        columns=tuple(_column(view, c, codes, len(classes)) for c in present),
    )


def _column(view: View, column: Column, codes: npt.NDArray[np.int64], n_classes: int) -> ColumnProfile:
    levels = view.levels(column.name)
    missing = levels.missing
    shown = column.role not in ("identifier", "group") and not column.free_text and not column.over_time
    alone = column.role in ("predictor", "ignored", "sensitive") and shown and min(n_classes, levels.n) > 1
    return ColumnProfile(
        name=column.name,
        kind=column.kind,
        role=column.role,
        unit=column.unit,
        n_rows=view.n,
        n_missing=int(missing.sum()),
        n_unique=levels.n,
        missing_by_class=tuple(
            float(missing[codes == k].mean()) if (codes == k).any() else 0.0 for k in range(n_classes)
        ),
        auroc=single_column_auroc(levels, codes, n_classes, view.folds) if alone else None,
        numbers=_numbers(levels, codes, max(n_classes, 1)) if shown and column.kind == "numeric" else None,
        categories=_categories(view, column, levels, codes, max(n_classes, 1))
        if shown and column.kind in ("category", "boolean")
        else None,
    )


def _numbers(levels: Levels, codes: npt.NDArray[np.int64], n_classes: int) -> NumericSummary | None:
    values, counts = levels.numbers, levels.counts
    if values is None or not len(values):
        return None
    quantile = _quantiles(values, counts)
    mean = float(np.average(values, weights=counts))
    n = int(counts.sum())
    sd = float(np.sqrt((counts * (values - mean) ** 2).sum() / max(n - 1, 1)))
    edges = _edges(values, quantile(TAILS[0]), quantile(TAILS[1]))
    bin_of = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return NumericSummary(
        mean=mean,
        sd=sd,
        low=float(values[0]),
        q1=quantile(0.25),
        median=quantile(0.5),
        q3=quantile(0.75),
        high=float(values[-1]),
        edges=tuple(float(e) for e in edges),
        counts=_by_class(bin_of[levels.codes], levels.codes >= 0, codes, len(edges) - 1, n_classes),
    )


class _quantiles:  # noqa: N801 - a function with its sums made once
    """Quantiles of counted values, linear between ranks as numpy and R (type 7) have them."""

    def __init__(self, values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> None:
        self.values, self.last = values, np.cumsum(counts) - 1

    def __call__(self, q: float) -> float:
        place = q * self.last[-1]
        low, high = (self.values[np.searchsorted(self.last, r)] for r in (np.floor(place), np.ceil(place)))
        return float(low + (high - low) * (place - np.floor(place)))


def _edges(values: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.float64]:
    """Cut the middle 99 % into bins; a bin a value where there are few whole numbers."""
    if len(values) <= N_BINS and bool((values == np.round(values)).all()) and values[-1] - values[0] <= 2 * N_BINS:
        return np.arange(values[0], values[-1] + 2) - 0.5
    if high <= low:
        low, high = float(values[0]), float(values[-1])
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, N_BINS + 1)


def _categories(view: View, column: Column, levels: Levels, codes: npt.NDArray[np.int64], n_classes: int) -> Categories:
    counts = levels.counts
    order = np.argsort(-counts, kind="stable")
    if column.levels and len(column.levels) <= MOST_CATEGORIES:
        names = _names(view, column, levels)
        rank = {name: i for i, name in enumerate(column.levels)}
        order = np.array(sorted(order, key=lambda i: rank.get(names[i], len(rank))), dtype=np.int64)
    names = _names(view, column, levels)
    kept = order[:MOST_CATEGORIES]
    place = np.full(levels.n + 1, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    here = place[levels.codes]
    table = _by_class(here, here >= 0, codes, len(kept), n_classes)
    return Categories(
        names=tuple(names[i] for i in kept),
        counts=tuple(zip(*table, strict=True)) if len(kept) else (),
        n_others=levels.n - len(kept),
        rows_of_others=int(counts.sum() - counts[kept].sum()),
    )


def _names(view: View, column: Column, levels: Levels) -> list[str]:
    """Return the text of each distinct value."""
    cells = view.cells(column.name)
    code_of = np.full(levels.n, -1, dtype=np.int64)
    rows = np.flatnonzero(levels.codes >= 0)
    code_of[levels.codes[rows]] = cells.codes[rows]
    words = cells.words()
    return [words[c] for c in code_of]


def _by_class(
    bins: npt.NDArray[np.int64],
    here: npt.NDArray[np.bool_],
    codes: npt.NDArray[np.int64],
    n_bins: int,
    n_classes: int,
) -> tuple[tuple[int, ...], ...]:
    used = here & (codes >= 0)
    table = np.bincount(codes[used] * n_bins + bins[used], minlength=n_classes * n_bins)
    return tuple(tuple(int(n) for n in row) for row in table.reshape(n_classes, n_bins))
