"""What every column is: kind, role, unit, plausible range and missing codes, each with a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from medcore.data.cohort import Column, Schema
from medcore.data.schema.kinds import Contents, Guess, guess_kind, guess_native
from medcore.data.schema.missing import missing_numbers, missing_words
from medcore.data.schema.names import says
from medcore.data.schema.ranges import find_quantity, fold_unit, unit_in_name, units_of
from medcore.data.schema.roles import Size, assign_roles
from medcore.data.schema.targets import TargetProposal, choose_target, propose_targets
from medcore.data.values.numbers import parse_numbers
from medcore.data.values.typed import Distinct, distinct
from medcore.i18n import N_, Message

MOST_ROWS, N_BLOCKS = 400_000, 4
__all__ = ["TargetProposal", "choose_target", "infer_schema", "propose_targets"]


def infer_schema(frame: pd.DataFrame) -> Schema:
    """Find out what every column of a table is; the outcome is never guessed here.

    Each Column carries how sure the guess is and why. ``frame`` is as read: text
    cells, or a typed file's own types. Beyond :data:`MOST_ROWS` rows, blocks
    from all over the table are looked at.
    """
    decimal = frame.attrs.get("decimal")
    frame = _look(frame)
    read = [_read(str(name), frame[name], decimal) for name in frame.columns]
    return Schema(assign_roles([r[0] for r in read], [r[1] for r in read], frame))


def _look(frame: pd.DataFrame) -> pd.DataFrame:
    """Take whole blocks of rows, so that patients who come back in following rows still do."""
    if len(frame) <= MOST_ROWS:
        return frame
    size = MOST_ROWS // N_BLOCKS
    starts = np.linspace(0, len(frame) - size, N_BLOCKS).astype(int)
    return pd.concat([frame.iloc[s : s + size] for s in starts])


def _read(name: str, values: pd.Series, decimal: str | None) -> tuple[Column, Size]:
    cells = distinct(values)
    native = guess_native(values)
    if native is not None:
        return Column(name=name, kind=native.kind, confidence=native.confidence, reason=native.reason), Size.of(cells)
    numeric_share = _numeric_share(cells, decimal)
    absent = missing_words(cells, numeric_share)
    contents = Contents.of(name, cells, absent, decimal)
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
    )
    return (_measured(column, contents, guess) if guess.kind == "numeric" else _coded(column, contents)), Size.of(cells)


def _numeric_share(cells: Distinct, decimal: str | None) -> float:
    if len(cells.texts) == 0:
        return 0.0
    plain = parse_numbers(cells.texts.slice(0, 2000), decimal=decimal).readable
    counts = cells.counts[:2000]
    return float(counts[plain].sum() / max(1, counts.sum()))


def _measured(column: Column, contents: Contents, guess: Guess) -> Column:
    """Add unit, plausible range and numeric missing codes to a numeric column."""
    values = contents.numbers.value[contents.numbers.readable]
    unit = unit_in_name(column.name) or guess.unit
    quantity = find_quantity(column.name, values[values != 0], unit=unit)
    found = missing_numbers(contents.numbers, contents.counts, contents.texts, quantity)
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
    return column


def _coded(column: Column, contents: Contents) -> Column:
    """Add numeric missing codes to categories that are written as numbers."""
    if column.kind != "category" or not contents.numbers.readable.all() or contents.k > 12:
        return column
    found = missing_numbers(contents.numbers, contents.counts, contents.texts, None)
    codes = tuple(c for c in found.codes if float(c) < 0 or float(c) in (9, 99, 999))
    return replace(column, missing_codes=column.missing_codes + codes)
