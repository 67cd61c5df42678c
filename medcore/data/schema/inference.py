"""What every column is: kind, role, unit, plausible range and missing codes, each with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from medcore.data.cohort import Column, Schema
from medcore.data.notation import Reading
from medcore.data.quantities.ranges import find_quantity, units_of
from medcore.data.quantities.units import fold_unit
from medcore.data.schema.kinds import Contents, guess_kind, guess_native
from medcore.data.schema.learning import HEAD, learn_codes, learn_dates, learn_notation, learn_units
from medcore.data.schema.missing import missing_numbers, missing_words
from medcore.data.schema.names import says
from medcore.data.schema.roles import Size, assign_roles
from medcore.data.schema.targets import TargetProposal, choose_target, propose_targets
from medcore.data.values.column import convert
from medcore.data.values.folding import distinct
from medcore.data.values.numbers import parse_numbers
from medcore.data.values.time.dates import Dates, order_of
from medcore.i18n import N_, Message

MOST_ROWS, N_BLOCKS = 400_000, 4
GLANCE = 2000
"""Distinct texts that already tell numbers from words."""
__all__ = ["TargetProposal", "choose_target", "infer_schema", "propose_targets"]


def infer_schema(frame: pd.DataFrame, *, units: Mapping[str, str] | None = None) -> Schema:
    """Find out what every column of a table is; the outcome is never guessed here.

    Each Column carries how sure the guess is and why. ``frame`` is as read: text
    cells, or a typed file's own types; ``units`` are those that the file states. Beyond :data:`MOST_ROWS` rows, blocks
    from all over the table are looked at.
    """
    decimal = frame.attrs.get("decimal")
    frame = _look(frame)
    read = [_read(str(name), frame[name], decimal, (units or {}).get(str(name), "")) for name in frame.columns]
    columns = _one_order([r[0] for r in read], [r[2] for r in read])
    return Schema(assign_roles(columns, [r[1] for r in read], frame))


def _look(frame: pd.DataFrame) -> pd.DataFrame:
    """Take whole blocks of rows, so that patients who come back in following rows still do."""
    if len(frame) <= MOST_ROWS:
        return frame
    size = MOST_ROWS // N_BLOCKS
    starts = np.linspace(0, len(frame) - size, N_BLOCKS).astype(int)
    return pd.concat([frame.iloc[s : s + size] for s in starts])


def _read(name: str, values: pd.Series, decimal: str | None, unit: str) -> tuple[Column, Size, Dates | None]:
    cells = distinct(values)
    native = guess_native(values)
    if native is not None:
        column = Column(name=name, kind=native.kind, confidence=native.confidence, reason=native.reason)
        return replace(column, reading=Reading()), Size.of(cells), None
    reading = learn_notation(name, cells, decimal)
    reading = replace(reading, unit=unit or reading.unit)
    numbers = parse_numbers(cells.texts, reading=reading)
    glance = cells.counts[:GLANCE]
    absent = missing_words(cells, float(glance[numbers.readable[:GLANCE]].sum() / max(1, glance.sum())))
    contents = Contents.of(name, cells, absent, numbers)
    guess = guess_kind(contents)
    column = Column(
        name=name,
        kind=guess.kind,
        unit=guess.unit,
        levels=guess.levels,
        missing_codes=tuple(str(w) for w in cells.texts.filter(pa.array(absent)).to_pylist()),
        confidence=guess.confidence,
        reason=guess.reason,
        sensitive=says(name, "sensitive"),
        reading=learn_dates(contents.dates, contents.counts, reading),
    )
    if guess.kind == "numeric":
        column = _measured(column, contents)
    elif guess.kind == "category":
        column = _coded(column, contents, values)
    return column, Size.of(cells), contents.dates if guess.kind == "date" else None


def _one_order(columns: list[Column], dates: list[Dates | None]) -> list[Column]:
    """Read dates that do not tell day from month in the order that the table's other dates prove."""
    proved = {order_of(d) for d in dates if d is not None} - {None, "ymd"}
    if len(proved) != 1:
        return columns
    order = proved.pop()
    return [
        replace(
            c, reading=replace(c.reading, dates=order), confidence=0.9, reason=Message(N_("Its cells are dates."), {})
        )
        if d is not None and d.ambiguous and c.reading is not None and order is not None
        else c
        for c, d in zip(columns, dates, strict=True)
    ]


def _measured(column: Column, contents: Contents) -> Column:
    """Add unit, plausible range and numeric missing codes to a numeric column."""
    reading = learn_units(column.name, contents.numbers, contents.counts, column.reading or Reading())
    values, _converted, _unknown = convert(contents.numbers, reading)
    unit = reading.unit or None
    by_row = np.repeat(values, contents.counts)
    by_row = by_row[~np.isnan(by_row) & (by_row != 0)]
    quantity = find_quantity(column.name, by_row, unit=unit)
    found = missing_numbers(replace(contents.numbers, value=values), contents.counts, contents.texts, quantity)
    column = replace(column, missing_codes=column.missing_codes + found.codes, unit=unit)
    if quantity is not None:
        column = replace(
            column,
            unit=quantity.unit if not unit or fold_unit(unit) == fold_unit(quantity.unit) else unit,
            confidence=column.confidence if unit or len(units_of(quantity.name)) == 1 else min(column.confidence, 0.85),
            low=quantity.low,
            high=quantity.high,
            reason=Message(
                N_("Its name says {quantity}; plausible in {unit} after: {source}."),
                {"quantity": quantity.name, "unit": quantity.unit, "source": quantity.source},
            ),
        )
    if found.codes and found.reason is not None:
        column = replace(column, confidence=min(column.confidence, found.confidence), reason=found.reason)
    return replace(column, reading=replace(reading, unit=column.unit or ""))


def _coded(column: Column, contents: Contents, values: pd.Series) -> Column:
    """Add to categories how their codes are written, and numeric missing codes where they are numbers."""
    raw = pa.array([str(v) for v in values.dropna().unique()[:HEAD]], type=pa.large_string())
    column = replace(column, reading=learn_codes(raw, contents.texts, column.reading or Reading()))
    if not contents.numbers.readable.all() or contents.k > 12:
        return column
    found = missing_numbers(contents.numbers, contents.counts, contents.texts, None)
    codes = tuple(c for c in found.codes if float(c) < 0 or float(c) in (9, 99, 999))
    return replace(column, missing_codes=column.missing_codes + codes)
