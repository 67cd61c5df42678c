"""REDCap: what its exports add to a study's own columns, and its data dictionary.

Source: REDCap, Vanderbilt University: the data dictionary's 18 columns, and the export's
``field___code`` for checkboxes, ``form_complete`` (0 incomplete, 1 unverified, 2 complete)
and ``redcap_*`` for events, repeats and access groups.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from medcore.data.cohort import Column, Schema
from medcore.data.quantities.ranges import unit_in_name
from medcore.data.schema.names import says
from medcore.data.values.names import clean_name
from medcore.i18n import N_, Message

_CHECKBOX = re.compile(r"^(?P<field>.+?)___(?P<code>\w+)$")
_FIELD, _TYPE, _LABEL, _CHOICES = "field", "type", "label", "choices"
_NOTE, _IDENTIFIER = "note", "identifier"
_HEADERS = {
    "variable / field name": _FIELD,
    "field_name": _FIELD,
    "field type": _TYPE,
    "field_type": _TYPE,
    "field label": _LABEL,
    "field_label": _LABEL,
    "choices, calculations, or slider labels": _CHOICES,
    "choices or calculations": _CHOICES,
    "select_choices_or_calculations": _CHOICES,
    "field note": _NOTE,
    "field_note": _NOTE,
    "identifier?": _IDENTIFIER,
    "identifier": _IDENTIFIER,
}
_CODED = ("radio", "dropdown")
_YES_NO = {"yesno": ("No", "Yes"), "truefalse": ("False", "True")}


def is_export(names: Sequence[str]) -> bool:
    """Say whether a table's column names are those of a REDCap export.

    >>> is_export(["record_id", "race___1"]), is_export(["age", "treatment_complete"])
    (True, False)
    """
    return any(n.startswith("redcap_") for n in names) or (
        names[:1] == ["record_id"] and any(n.endswith("_complete") or _CHECKBOX.match(n) for n in names)
    )


def own_columns(columns: Sequence[Column], *, repeated: bool) -> tuple[Column, ...]:
    """Give REDCap's own columns their roles: they follow the work of the study and not the patient.

    ``repeated`` says that the first column's values come back: REDCap's record stands there,
    and events and repeats give it several rows.
    """
    if not is_export([c.name for c in columns]):
        return tuple(columns)
    first, *others = map(_own, columns)
    grouped = any(c.role == "group" for c in (first, *others))
    if repeated and not grouped and says(first.name, "identifier") and first.role in ("predictor", "identifier"):
        reason = Message(N_("REDCap's record; its rows are events or repeats of one patient and belong together."), {})
        first = replace(first, kind="category", role="group", low=None, high=None, unit=None, reason=reason)
    return (first, *others)


def _own(column: Column) -> Column:
    checkbox = _CHECKBOX.match(column.name)
    if checkbox and says(checkbox["field"], "sensitive"):
        return replace(column, sensitive=True)
    if column.name == "redcap_data_access_group" and column.role == "predictor":
        return replace(column, role="site", reason=Message(N_("REDCap's group of users is the site as a rule."), {}))
    if column.name.startswith("redcap_") and column.role == "predictor":
        return _ignored(column, N_("REDCap's own column: it says where in the study a row stands, and no finding."))
    if column.name.endswith("_complete") and column.role == "predictor":
        return _ignored(column, N_("REDCap's own column: it says how far a form was filled in, and no finding."))
    return column


def _ignored(column: Column, template: str) -> Column:
    return replace(column, role="ignored", confidence=0.95, reason=Message(template, {}))


def is_dictionary(headers: Sequence[str]) -> bool:
    """Say whether the headers of a CSV are those of a REDCap data dictionary."""
    meant = {_HEADERS.get(h.strip().lower()) for h in headers}
    return {_FIELD, _TYPE, _LABEL} <= meant


def apply_dictionary(schema: Schema, rows: Sequence[Mapping[str, str | None]]) -> Schema:
    """Give columns their labels, the words of their codes and their kinds as a REDCap data dictionary says.

    A dictionary is of the whole project: fields that the table lacks, and notes on the form, are passed over.
    """
    for row in rows:
        said = {_HEADERS[k.strip().lower()]: v or "" for k, v in row.items() if (k or "").strip().lower() in _HEADERS}
        field, words = clean_name(said[_FIELD]), choices(said.get(_CHOICES, ""))
        label = plain_label(said[_LABEL])
        if said[_TYPE] == "checkbox":
            for code, word in words.items():
                name = f"{field}___{code.lower().replace('-', '_')}"
                schema = _change(schema, name, {"label": f"{label}: {word}", "kind": "boolean"})
        else:
            schema = _change(schema, field, {"label": label} | _kind(said, words))
            schema = _measured(schema, field, unit_in_name(label) or unit_in_name(f"({said.get(_NOTE, '')})"))
    return schema


def _kind(said: Mapping[str, str], words: Mapping[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if said[_TYPE] in _CODED and words:
        changes = {"kind": "category", "level_labels": words}
    elif said[_TYPE] in _YES_NO:
        changes = {"kind": "boolean", "level_labels": dict(zip("01", _YES_NO[said[_TYPE]], strict=True))}
    if said.get(_IDENTIFIER, "").strip().lower() == "y":
        changes["role"] = "identifier"
    return changes


def _change(schema: Schema, name: str, changes: Mapping[str, Any]) -> Schema:
    if name not in schema.names:
        return schema
    column, asked = schema[name], dict(changes)
    if asked.get("kind") == "category" and column.kind == "boolean":
        del asked["kind"]
    if asked.get("kind", column.kind) != column.kind:
        asked |= {"low": None, "high": None, "unit": None, "confidence": 1.0}
    if column.role in ("outcome", "group"):
        asked.pop("role", None)
    return schema.change(name, **asked)


def _measured(schema: Schema, name: str, unit: str | None) -> Schema:
    """Give a number without a unit that of its label or field note."""
    if unit is None or name not in schema.names or schema[name].kind != "numeric" or schema[name].unit:
        return schema
    return schema.change(name, unit=unit)


def choices(text: str) -> dict[str, str]:
    """Read the words of a field's codes.

    >>> choices("1, White | 2, Black or African American | 9, Not known, or not asked")
    {'1': 'White', '2': 'Black or African American', '9': 'Not known, or not asked'}
    """
    pairs = (part.partition(",") for part in text.split("|"))
    return {code.strip(): plain_label(word) for code, comma, word in pairs if comma and code.strip()}


def plain_label(text: str) -> str:
    """Take a label out of its markup and lines."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())
