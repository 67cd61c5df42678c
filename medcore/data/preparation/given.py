"""Values that were given and could not be used: they are not missing, and a person should know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.cohort import Schema
from medcore.data.parts import with_parts
from medcore.data.preparation.recipe import Recipe
from medcore.data.preparation.replay import needed_columns
from medcore.data.values.column import UNUSED
from medcore.data.values.typed import Typed, read_values

OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, slots=True)
class Unused:
    """Which cells of new patients were given and not used: why (n, by column; empty where used), and what they say.

    The reasons are ``unreadable``, ``unknown_unit`` and ``out_of_range``. Columns all of whose cells
    were used or empty are left out.
    """

    reasons: Mapping[str, NDArray[np.object_]] = field(repr=False, default_factory=dict)
    texts: Mapping[str, NDArray[np.object_]] = field(repr=False, default_factory=dict)

    def reason(self, column: str, row: int) -> str:
        """Return why a cell was not used; empty when it was, or when nothing was given."""
        return str(self.reasons[column][row]) if column in self.reasons else ""

    def text(self, column: str, row: int) -> str | None:
        """Return what an unused cell says, None for any other cell."""
        return str(self.texts[column][row]) if self.reason(column, row) else None


def read_needed(frame: pd.DataFrame, schema: Schema, recipe: Recipe) -> Typed | None:
    """Read what a recipe needs of new patients once, for their predictors and for what could not be used of them.

    None where the recipe does not read missing codes as missing: the two are not the same reading then.
    """
    if not recipe.is_on("missing_codes"):
        return None
    wanted = set(needed_columns(schema, recipe))
    needed = replace(schema, columns=tuple(c for c in schema.columns if c.name in wanted))
    return read_values(with_parts(frame, schema.readings), needed)


def unused_values(frame: pd.DataFrame, schema: Schema, recipe: Recipe, *, read: Typed | None = None) -> Unused:
    """Find what was given and not used among the columns that a recipe needs; ``frame`` is as read.

    ``read`` is what :func:`read_needed` made of it, where that is at hand.
    """
    frame = with_parts(frame, schema.readings)
    wanted = set(needed_columns(schema, recipe))
    part = Schema(tuple(c for c in schema.columns if c.name in wanted and c.name in frame.columns))
    read = read_values(frame, part) if read is None else read
    reasons: dict[str, NDArray[np.object_]] = {}
    for column in part.columns:
        why = np.full(len(frame), "", dtype=object)
        for status, name in UNUSED.items():
            why[read.status[column.name] == status] = name
        if column.kind == "numeric" and recipe.is_on("implausible_values"):
            values = read.frame[column.name].to_numpy(dtype=float)
            low = -np.inf if column.low is None else column.low
            high = np.inf if column.high is None else column.high
            why[(values < low) | (values > high)] = OUT_OF_RANGE
        if (why != "").any():
            reasons[column.name] = why
    return Unused(reasons, {name: frame[name].to_numpy(dtype=object) for name in reasons})
