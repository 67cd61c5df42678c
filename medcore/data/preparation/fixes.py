"""Carry out the one-click fix of a finding."""

from __future__ import annotations

from medcore.data.cohort import Schema
from medcore.data.findings import Fix
from medcore.data.preparation.recipe import Recipe

ONLY_ONE = ("group", "site", "time", "outcome")


def apply_fix(fix: Fix, schema: Schema, recipe: Recipe) -> tuple[Schema, Recipe]:
    """Return schema and recipe as the fix would have them; columns that are gone are passed over."""
    if fix.action == "set_column":
        for name in fix.columns:
            if name in schema.names:
                schema = change_column(schema, name, **fix.values)
        return schema, recipe
    return schema, recipe.switch(str(fix.values["step"]), fix.action == "step_on")


def change_column(schema: Schema, name: str, **fields: object) -> Schema:
    """Change one column and keep roles that only one column can have at one column.

    A column that loses ``group`` becomes an identifier, one that loses ``site``
    or ``time`` is ignored.
    """
    role = fields.get("role")
    if role in ONLY_ONE:
        for other in schema.columns:
            if other.role == role and other.name != name:
                schema = schema.change(other.name, role="identifier" if role == "group" else "ignored")
    return schema.change(name, **fields)
