"""Values that a program gave by column, written as the cells of a file: from there on everything is read alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from medcore.errors import SettingsError
from medcore.i18n import N_

LONGEST_VALUE = 20_000
"""Characters of one value: a note may be long, a number may not."""


def cell_text(name: str, value: Any) -> str | None:
    """Write a value of a column as a cell of a file; None where nothing is given.

    A value is text, a number, true or false, null, or ``{"value": …, "unit": …}``.

    Raises:
        SettingsError: it is none, or too long.

    """
    if isinstance(value, Mapping):
        number, unit = value.get("value"), value.get("unit")
        if set(value) - {"value", "unit"} or not isinstance(unit, str | None):
            raise _no_value(name)
        written = cell_text(name, number) if not isinstance(number, Mapping) else None
        return None if written is None else f"{written} {unit}".strip() if unit else written
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value) if math.isfinite(value) else None
    if isinstance(value, str):
        if len(value) > LONGEST_VALUE:
            raise SettingsError(
                N_("The value of {column} is longer than {n} characters."), column=name, n=LONGEST_VALUE
            )
        return value.strip() or None
    raise _no_value(name)


def _no_value(name: str) -> SettingsError:
    return SettingsError(
        N_('The value of {column} is neither text, a number, true, false, null nor {{"value": …, "unit": …}}.'),
        column=name,
    )
