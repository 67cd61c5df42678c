"""Checks of units: milligrams among millimoles, Fahrenheit among Celsius."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medcore.data.quality.catalogue import Hit, check
from medcore.data.quality.view import View
from medcore.data.ranges import mixed_units
from medcore.i18n import N_, Message


@check(
    "values.mixed_units",
    "warning",
    why=N_("One number means different things in two units; the model takes the unit for the patient's illness."),
    remedy=N_("Ask where these rows come from, and convert them at the source to the unit of the rest."),
)
def mixed(view: View) -> Iterator[Hit]:
    """Values that seem to be in another unit than the rest of their column."""
    for column in view.schema.columns:
        if column.kind != "numeric" or column.low is None or column.name not in view.frame.columns:
            continue
        levels = view.levels(column.name)
        if levels.numbers is None:
            continue
        found = mixed_units(column.name, np.append(levels.numbers, np.nan)[levels.codes], unit=column.unit)
        if found is not None:
            n = int(found.mask.sum())
            yield Hit(
                message=Message(
                    N_("{n} value(s) of “{column}” look like {other} among {unit}."),
                    {"n": n, "column": column.name, "other": found.other.unit, "unit": found.main.unit},
                ),
                columns=(column.name,),
                n_rows=n,
            )
