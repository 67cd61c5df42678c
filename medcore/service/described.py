"""A model's own schema: what it reads, with names, units, ranges, levels and an example, as JSON Schema."""

from __future__ import annotations

from typing import Any

from medcore.data.cohort import Column
from medcore.explanation.patient.patients import shown
from medcore.explanation.patient.released import ReleasedModel


def schema_of(model: ReleasedModel) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a patient's values."""
    return {
        "type": "object",
        "properties": {column.name: _property(model, column) for column in (*model.columns, *model.apart)},
        "additionalProperties": False,
        "minProperties": 1,
    }


def example_of(model: ReleasedModel) -> dict[str, Any]:
    """Return made values of nobody: each column's middle, or its most frequent level."""
    return {column.name: _typical(model, column) for column in model.columns}


def _property(model: ReleasedModel, column: Column) -> dict[str, Any]:
    naming = model.bundle.schema.shown(column.name)
    told: dict[str, Any] = {"title": naming.words, "type": ["number", "string", "object", "null"]}
    if column.kind != "numeric":
        told["type"] = ["string", "number", "boolean", "null"]
        levels = _levels(model, column.name)
        if levels:
            told["examples"] = list(levels)
            named = [f"{level} = {naming.value(level)}" for level in levels if naming.value(level) != level]
            told |= {"description": "; ".join(named)} if named else {}
        return told
    if column.unit:
        told["x-unit"] = column.unit
    low, high = column.low, column.high
    told |= {} if low is None else {"x-plausible-minimum": low}
    return told | ({} if high is None else {"x-plausible-maximum": high})


def _levels(model: ReleasedModel, name: str) -> tuple[str, ...]:
    codebook = model.bundle.codebook
    if name not in codebook.columns:
        return ()
    return tuple(getattr(codebook.encoders[codebook.columns.index(name)], "levels", ()))


def _typical(model: ReleasedModel, column: Column) -> Any:
    """Return a value for an example: never a patient's, but what is usual."""
    levels = _levels(model, column.name)
    if levels:
        return levels[0]
    codebook = model.bundle.codebook
    if column.name not in codebook.columns:
        return None
    encoder = codebook.encoders[codebook.columns.index(column.name)]
    low, high = getattr(encoder, "low", None), getattr(encoder, "high", None)
    if column.kind != "numeric" or low is None or high is None or low != low:
        return None
    return float(shown(round((low + high) / 2, 1)) or 0)
