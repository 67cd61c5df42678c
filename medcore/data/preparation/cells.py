"""The steps that change cells: the same for training rows and for one new patient."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.preparation.steps import Step
from medcore.data.schema.names import says
from medcore.data.values.typed import code_matches, distinct, typed

SECONDS_A_DAY = 86400.0
# HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(C): ages over 89 are one category, 90 or older.
OLDEST_TOLD = 90.0
OLDEST = 130.0


@dataclass(slots=True)
class Cells:
    """Typed columns on their way to predictors; each step replaces whole columns."""

    columns: dict[str, pd.Series]
    schema: Schema
    raw: pd.DataFrame

    def set(self, name: str, values: pd.Series) -> int:
        """Replace a column and count the cells that are not as they were."""
        before = self.columns[name]
        same = (before == values) | (before.isna() & values.isna())
        self.columns[name] = values
        return int((~same.to_numpy(dtype=bool)).sum())

    def texts(self) -> list[str]:
        """Names of the columns that hold text."""
        return [c.name for c in self.schema.columns if c.kind in ("category", "boolean", "text")]


def typed_cells(
    frame: pd.DataFrame, schema: Schema, *, missing_codes: bool, read: pd.DataFrame | None = None
) -> tuple[Cells, int]:
    """Read the cells as the schema says, unless ``read`` holds them so; also count the codes that became missing."""
    plain = replace(schema, columns=tuple(replace(c, missing_codes=()) for c in schema.columns))
    part = frame[list(schema.names)]
    table = typed(part, schema if missing_codes else plain) if read is None else read
    changed = sum(_n_coded(part[c.name], c) for c in schema.columns if c.missing_codes) if missing_codes else 0
    columns = {
        c.name: _as_object(table[c.name]) if c.kind not in ("numeric", "date") else table[c.name]
        for c in schema.columns
    }
    return Cells(columns, schema, part), changed


def _n_coded(values: pd.Series, column: Column) -> int:
    cells = distinct(values)
    return int(cells.counts[code_matches(column, cells.texts)].sum())


def tidy_text(text: str) -> str:
    r"""Write a category without stray spaces, tabs and full-width characters.

    >>> tidy_text("ckd\t"), tidy_text("Ａ型　阳性 ")
    ('ckd', 'A型 阳性')
    """
    return " ".join(unicodedata.normalize("NFKC", text).split())


def map_values(values: pd.Series, rule: Callable[[Any], str]) -> pd.Series:
    """Apply a rule to every different value once; an empty result is missing."""
    codes, uniques = pd.factorize(values)
    lookup = np.empty(len(uniques) + 1, dtype=object)
    lookup[:-1] = [rule(u) or None for u in uniques]
    lookup[-1] = None
    return pd.Series(lookup[codes], index=values.index, name=values.name, dtype=object)


def _tidy_categories(cells: Cells, step: Step) -> int:
    """Count the cells that reading tidied: reading always does, and this step says so."""
    return sum(_n_untidy(cells.raw[n]) for n in cells.texts() if _chosen(step, n))


def _n_untidy(values: pd.Series) -> int:
    counts = values.value_counts()
    untidy = [isinstance(v, str) and bool(v.strip()) and tidy_text(v) != v for v in counts.index]
    return int(counts.to_numpy()[untidy].sum())


def _same_case(cells: Cells, step: Step) -> int:
    return sum(cells.set(n, map_values(cells.columns[n], str.casefold)) for n in cells.texts() if _chosen(step, n))


def _implausible_values(cells: Cells, step: Step) -> int:
    changed = 0
    for column in cells.schema.columns:
        if column.kind != "numeric" or not _chosen(step, column.name):
            continue
        values = cells.columns[column.name]
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        changed += cells.set(column.name, values.where(values.between(low, high)))
    return changed


def _cap_ages(cells: Cells, step: Step) -> int:
    changed = 0
    for column in cells.schema.columns:
        if column.kind == "numeric" and says(column.name, "age") and _chosen(step, column.name):
            ages = cells.columns[column.name]
            changed += cells.set(
                column.name, ages.where(~ages.between(OLDEST_TOLD, OLDEST, inclusive="neither"), OLDEST_TOLD)
            )
    return changed


def _dates_to_intervals(cells: Cells, step: Step) -> int:
    reference = step.options.get("reference")
    dates = [c.name for c in cells.schema.columns if c.kind == "date" and c.name != reference]
    if reference is None or reference not in cells.columns:
        return 0
    start = cells.columns[reference]
    for name in dates:
        cells.columns[name] = (cells.columns[name] - start).dt.total_seconds() / SECONDS_A_DAY
    return int(sum(cells.columns[name].notna().sum() for name in dates))


def _fill_zero(cells: Cells, step: Step) -> int:
    changed = 0
    for name, values in cells.columns.items():
        if _chosen(step, name) and values.dtype.kind != "M":
            filled = values.where(values.notna(), 0.0 if values.dtype.kind == "f" else "0")
            changed += cells.set(name, filled)
    return changed


def _chosen(step: Step, name: str) -> bool:
    return not step.columns or name in step.columns


def _as_object(values: pd.Series) -> pd.Series:
    objects = values.astype(object)
    return objects.where(objects.notna(), None)


CELL_STEPS: Mapping[str, Callable[[Cells, Step], int]] = {
    "tidy_categories": _tidy_categories,
    "same_case": _same_case,
    "implausible_values": _implausible_values,
    "cap_ages": _cap_ages,
    "dates_to_intervals": _dates_to_intervals,
    "fill_zero": _fill_zero,
}
