"""Table 1: who the patients are, by outcome or by split."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.describe.small_cells import FEWEST_TOLD, HIDDEN, hidden_cells, shown_counts
from medcore.data.preparation.predictors import measured
from medcore.data.preparation.replay import Prepared
from medcore.data.shown import Naming, Shown
from medcore.data.splitting.split import Split
from medcore.i18n import N_, Message, percent, significant
from medcore.statistics.differences import category_difference, standardised_difference

MOST_CODES = 6
MOST_LEVELS = 20
MOST_LEVELS_COMPARED = 50
_BAND = re.compile(r"\s*([<>≤≥]?)\s*[\[(]?\s*(\d+(?:\.\d+)?)(?![\w.])")
"""A number, or a band of numbers: ``3``, ``[60-70)``, ``<18``, ``90+``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One stratum's summary: of numbers (mean, SD, quartiles) or of a level (count and share of those known)."""

    n: int
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One line: a numeric column, or one level of a category.

    ``cells`` are overall, then by stratum. ``smd`` is the standardised mean difference
    (largest between two strata), given on a column's first line; ``missing`` are the
    missing values by stratum, none in tables of before they were counted.
    """

    column: str
    level: str | None
    n_missing: int
    cells: tuple[Cell, ...]
    smd: float | None = None
    missing: tuple[int, ...] = ()


HALVES: tuple[str | Message, ...] = (N_("at or below the median"), N_("above the median"))
"""What patients are parted into by an outcome that is a number, where there are no classes."""
_PATIENTS: tuple[str | Message, ...] = (Message(N_("Training patients")), Message(N_("Test patients")))
_ROWS: tuple[str | Message, ...] = (Message(N_("Training rows")), Message(N_("Test rows")))
"""What is counted of the two parts of a split: rows where patients have several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOne:
    """Table 1: ``strata`` names what the columns are by, ``counts`` how many rows each has."""

    strata: tuple[str | Message, ...]
    counts: tuple[int, ...]
    rows: tuple[TableRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)

    def named(self, strata: Sequence[str | Message]) -> TableOne:
        """Return the same table with its strata called so."""
        return replace(self, strata=tuple(strata))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TableOne:
        """Read what :meth:`to_dict` wrote."""
        rows = (
            TableRow(
                **dict(row)
                | {"cells": tuple(Cell(**cell) for cell in row["cells"]), "missing": tuple(row.get("missing", ()))}
            )
            for row in data["rows"]
        )
        return cls(strata=tuple(data["strata"]), counts=tuple(data["counts"]), rows=tuple(rows))

    def missing(self) -> dict[str, float]:
        """Return each column's share of missing values (0–1)."""
        return {row.column: row.n_missing / max(sum(self.counts), 1) for row in self.rows}

    def coded(self, numeric: Collection[str]) -> frozenset[str]:
        """Return which of some columns of numbers are told as codes of a few categories."""
        return frozenset(row.column for row in self.rows if row.level is not None and row.column in numeric)

    def frame(self, *, suppress: bool = True, naming: Naming = Shown) -> pd.DataFrame:
        """Write the table as text, in the current language, with a line for the missing values of each column.

        The table may be passed on: counts under 5 are hidden unless told otherwise, and as
        many others as keep them from being worked out (:func:`hidden_cells`).
        """
        overall = str(Message(N_("All (n = {n})"), {"n": sum(self.counts)}))
        sizes = [row[0] for row in shown_counts(np.array([self.counts], dtype=np.int64).T)]
        sizes = sizes if suppress else list(map(str, self.counts))
        named = [str(Message(s)) if isinstance(s, str) and s in HALVES else s for s in self.strata]
        heads = [overall, *(f"{s} (n = {n})" for s, n in zip(named, sizes, strict=True))]
        column, smd = (str(Message(word)) for word in (N_("Column"), N_("SMD")))
        lines = []
        for name, group in groupby(self.rows, key=lambda row: row.column):
            of = (sum(self.counts), *self.counts)
            for label, texts, difference in _lines(list(group), of, naming(name), suppress=suppress):
                shown = "" if difference is None else f"{difference:.2f}"
                lines.append({column: label} | dict(zip(heads, texts, strict=True)) | {smd: shown})
        return pd.DataFrame(lines)


def table_one(prepared: Prepared, *, split: Split | None = None) -> TableOne:
    """Summarise every predictor by outcome, or by training and test set when a split is given.

    An outcome that is a number parts patients at its median. Numbers: mean, standard deviation and quartiles; categories: counts and shares of
    the known values, the rarest beyond 20 levels gathered into one. Differences are standardised (Austin 2009;
    for categories Yang and Dalton 2012), for a P value would test nothing of interest.
    """
    if split is None and prepared.value is not None:
        codes, strata = (prepared.value > np.median(prepared.value)).astype(np.int64), HALVES
    elif split is None:
        codes, strata = prepared.outcome, tuple[str | Message, ...](prepared.classes)
    else:
        codes, strata = split.test.astype(np.int64), _ROWS if prepared.n_patients < prepared.n_rows else _PATIENTS
    masks = [np.ones(prepared.n_rows, dtype=bool), *(codes == k for k in range(len(strata)))]
    rows: list[TableRow] = []
    for name, kind in prepared.kinds.items():
        if kind == "series":  # its summaries are rows of their own
            continue
        values = prepared.predictors[name]
        counted = _as_levels(values) if measured(kind) and _is_coded(values) else values
        if kind == "note":  # a note has no levels: each would be a patient's own words
            values = values.where(values.isna(), "…")
            counted = values
        found = (
            _category(name, counted, masks)
            if counted is not values or not measured(kind)
            else _numeric(name, values, masks)
        )
        missing = tuple(int(values.isna().to_numpy()[mask].sum()) for mask in masks[1:])
        rows.extend(replace(row, missing=missing) for row in found)
    return TableOne(strata=strata, counts=tuple(int(m.sum()) for m in masks[1:]), rows=tuple(rows))


def _is_coded(values: pd.Series) -> bool:
    """Say whether numbers are codes of a few categories: at most six different whole ones, from 0 to 9."""
    known = values.dropna().unique()
    return 0 < len(known) <= MOST_CODES and all(v == int(v) and 0 <= v <= 9 for v in known)


def _as_levels(values: pd.Series) -> pd.Series:
    """Write codes as texts, so that each is a level of its own."""
    return values.map(lambda v: f"{int(v)}", na_action="ignore").astype(object)


def _numeric(name: str, values: pd.Series, masks: list[npt.NDArray[np.bool_]]) -> list[TableRow]:
    numbers = values.to_numpy(dtype=np.float64)
    cells = [_summary(numbers[m]) for m in masks]
    return [
        TableRow(
            column=name,
            level=None,
            n_missing=int(np.isnan(numbers).sum()),
            cells=tuple(cells),
            smd=_largest([_numeric_smd(a, b) for i, a in enumerate(cells[1:]) for b in cells[1 : i + 1]]),
        )
    ]


def _summary(numbers: npt.NDArray[np.float64]) -> Cell:
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return Cell(n=0)
    q1, median, q3 = (float(q) for q in np.quantile(known, [0.25, 0.5, 0.75]))
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return Cell(n=len(known), mean=float(known.mean()), sd=sd, median=median, q1=q1, q3=q3)


def _category(name: str, values: pd.Series, masks: list[npt.NDArray[np.bool_]]) -> list[TableRow]:
    codes, uniques = pd.factorize(values)
    order = np.argsort(-np.bincount(codes[codes >= 0], minlength=len(uniques)), kind="stable")
    counts = np.stack([np.bincount(codes[m & (codes >= 0)], minlength=len(uniques)) for m in masks])[:, order]
    levels = [str(uniques[k]) for k in order]
    known = np.maximum(counts.sum(axis=1), 1)
    shares = _gathered(counts, MOST_LEVELS_COMPARED) / known[:, None]
    pairs = [(i, j) for i in range(1, len(masks)) for j in range(1, i)]
    smd = _largest([category_difference(shares[i], shares[j]) for i, j in pairs])
    if len(levels) > MOST_LEVELS:
        counts = _gathered(counts, MOST_LEVELS)
        levels = [*levels[: MOST_LEVELS - 1], f"… (+{len(levels) - MOST_LEVELS + 1})"]
    rows = [
        TableRow(
            column=name,
            level=level,
            n_missing=int((codes < 0).sum()),
            cells=tuple(Cell(n=int(c), share=float(c / t)) for c, t in zip(counts[:, place], known, strict=True)),
            smd=None,
        )
        for place, level in enumerate(levels)
    ]
    if all(map(_BAND.match, levels)):
        rows.sort(key=lambda row: _bounds(str(row.level)))
    return [replace(rows[0], smd=smd), *rows[1:]] if rows else []


def _bounds(level: str) -> tuple[float, bool]:
    """Return by what numbers and bands of numbers are sorted: the first number, what is below it before what begins there."""
    found = _BAND.match(level)
    assert found is not None
    return float(found[2]), found[1] not in ("<", "≤")


def _gathered(counts: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Gather the rarest levels into the last one, so that there are at most ``most``."""
    if counts.shape[1] <= most:
        return counts
    return np.column_stack([counts[:, : most - 1], counts[:, most - 1 :].sum(axis=1)])


def _numeric_smd(a: Cell, b: Cell) -> float | None:
    if a.mean is None or b.mean is None or a.sd is None or b.sd is None:
        return None
    return standardised_difference(a.mean, a.sd, b.mean, b.sd)


def _largest(values: list[float | None]) -> float | None:
    return max((v for v in values if v is not None), default=None)


_Line = tuple[str, list[str], float | None]


def _lines(rows: list[TableRow], sizes: tuple[int, ...], column: Shown, *, suppress: bool) -> list[_Line]:
    """Write the lines of one column: its levels or its numbers, then what is missing; ``sizes`` as the cells."""
    first = rows[0]
    known = np.array([[cell.n for cell in row.cells] for row in rows], dtype=np.int64)
    missing = np.array([first.n_missing, *(first.missing or [0] * (len(sizes) - 1))], dtype=np.int64)
    hidden = np.zeros((len(rows) + 1, len(sizes)), dtype=bool)
    if suppress:
        hidden = hidden_cells(np.vstack([known, missing]))
    lines: list[_Line] = []
    for row, hide in zip(rows, hidden, strict=False):
        if row.level is None:
            texts = _summaries(row.cells, suppress=suppress)
        else:  # a share of those known would tell how many are missing
            texts = [
                _count(c.n, None if gone else c.share, h)
                for c, h, gone in zip(row.cells, hide, hidden[-1], strict=True)
            ]
        name = _with_unit(column) if row.level is None else f"{column} = {column.value(row.level)}"
        lines.append((name, texts, row.smd))
    if first.n_missing:
        label = str(Message(N_("{column}: missing"), {"column": str(column)}))
        shares = missing / np.maximum(sizes, 1)
        texts = [_count(int(n), float(s), h) for n, s, h in zip(missing, shares, hidden[-1], strict=True)]
        lines.append((label, texts if first.missing else [*texts[:1], *["–"] * (len(sizes) - 1)], None))
    return lines


def _with_unit(column: Shown) -> str:
    return f"{column}, {column.beside}" if column.beside else str(column)


def _count(n: int, share: float | None, hidden: bool | np.bool_) -> str:
    if hidden:
        return HIDDEN
    return str(n) if share is None else f"{n} ({percent(share)})"


def _summaries(cells: tuple[Cell, ...], *, suppress: bool) -> list[str]:
    """Write numbers of every stratum; where one of few patients is hidden, so is a second, or the mean would follow."""
    few = [0 < cell.n < FEWEST_TOLD for cell in cells] if suppress else [False] * len(cells)
    if sum(few[1:]) == 1 and not few[0]:
        others = [at for at in range(1, len(cells)) if not few[at] and cells[at].n]
        if others:
            few[min(others, key=lambda at: cells[at].n)] = True
    return ["–" if hidden else _summary_text(cell) for cell, hidden in zip(cells, few, strict=True)]


def _summary_text(cell: Cell) -> str:
    if cell.mean is None:
        return "–"
    sd = "–" if cell.sd is None else _number(cell.sd, 3)
    low, high = _number(cell.q1), _number(cell.q3)
    quartiles = Message(N_("{low} to {high}"), {"low": low, "high": high})
    return f"{_number(cell.mean)} ({sd}); {_number(cell.median)} [{quartiles}]"


def _number(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else significant(value, digits)
