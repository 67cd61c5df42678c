"""Carry out the one-click fix of a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from medcore.data.cohort import Column, Schema
from medcore.data.findings import Fix
from medcore.data.notation import Reading
from medcore.data.preparation.recipe import Recipe
from medcore.data.quantities.ranges import Quantity, find_quantity, units_of
from medcore.data.values.booleans import opposite
from medcore.errors import SettingsError
from medcore.i18n import N_

ONLY_ONE = ("group", "site", "time", "outcome")


def apply_fix(fix: Fix, schema: Schema, recipe: Recipe) -> tuple[Schema, Recipe]:
    """Return schema and recipe as the fix would have them; columns that are gone are passed over.

    A fix that reads the file again changes neither; whoever has the file carries it out.
    """
    if fix.action == "read_again":
        return schema, recipe
    if fix.action in ("step_on", "step_off"):
        return schema, recipe.switch(str(fix.values["step"]), fix.action == "step_on")
    for name in fix.columns:
        schema = _fixed(fix, schema, name) if name in schema.names else schema
    return schema, recipe


def _fixed(fix: Fix, schema: Schema, name: str) -> Schema:
    """Carry a fix out in one column."""
    if fix.action == "split_column":
        return split_column(schema, name, fix.values["parts"])
    if fix.action == "empty_is_no":
        return read_empty_as_no(schema, name, fix.values["words"][name])
    if fix.action == "leave_class_out":
        left = change_column(schema, name, missing_codes=tuple(fix.values["codes"]))
        return replace(left, positive=fix.values["event"])
    return change_column(schema, name, **fix.values)


def read_empty_as_no(schema: Schema, name: str, word: str) -> Schema:
    """Read a column as boxes that were ticked, with ``word``, or left empty, which is no; of new patients too."""
    reading = replace(schema[name].reading or Reading(), empty_is_no=True, notation="number", unit="")
    column = schema[name]
    levels = column.levels if column.kind == "boolean" and len(column.levels) == 2 else (opposite(word), word)
    return change_column(schema, name, kind="boolean", levels=levels, reading=reading, unit=None, low=None, high=None)


def split_column(schema: Schema, name: str, parts: Sequence[str]) -> Schema:
    """Put the measurements of a column's cells in columns of their own, and leave the column itself out.

    ``parts`` are their names, as :func:`medcore.data.parts.names_of_parts` finds them; the two of a
    blood pressure are called systolic and diastolic. The new columns are read from the old one, of
    new patients too: see :func:`medcore.data.parts.with_parts`.
    """
    schema[name]
    pressure = find_quantity(name)
    is_pressure = pressure is not None and "pressure" in pressure.name and len(parts) == 2
    made = []
    for part, word in enumerate(("systolic", "diastolic") if is_pressure else parts):
        label = f"{name} {word}"
        if label in schema.names:
            return schema
        quantity = next(iter(units_of(f"{word} blood pressure")), None) if is_pressure else None
        reading = Reading(part_of=name, part=part, part_name="" if "(" in parts[part] else parts[part])
        made.append(_part_column(label, reading, quantity))
    at = schema.names.index(name) + 1
    columns = (*schema.columns[:at], *made, *schema.columns[at:])
    return replace(schema, columns=columns).change(name, role="ignored")


def _part_column(label: str, reading: Reading, quantity: Quantity | None) -> Column:
    unit = quantity.unit if quantity else None
    return Column(
        name=label,
        kind="numeric",
        unit=unit,
        low=quantity.low if quantity else None,
        high=quantity.high if quantity else None,
        reading=replace(reading, unit=unit or ""),
    )


def change_column(schema: Schema, name: str, **fields: object) -> Schema:
    """Change one column and keep roles that only one column can have at one column.

    A column that loses ``group`` becomes an identifier, one that loses ``site``
    or ``time`` is ignored. A kind that is set here is a person's decision, and sure; raises
    SettingsError for measurements over time, which no decision makes of a column.
    """
    if fields.get("kind") == "series" and not schema[name].over_time:
        raise SettingsError(
            N_("“{column}” cannot be made measurements over time: these come from a table of measurements."),
            column=name,
        )
    role = fields.get("role")
    if role in ONLY_ONE:
        for other in schema.columns:
            if other.role == role and other.name != name:
                schema = schema.change(other.name, role="identifier" if role == "group" else "ignored")
    return schema.change(name, **({"confidence": 1.0} if "kind" in fields else {}), **fields)
