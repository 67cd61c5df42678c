"""The data dictionary: a schema as a CSV that people can edit in a spreadsheet and give back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from medcore.data.cohort import KINDS, ROLES, Column, Schema
from medcore.data.notation import Reading
from medcore.data.schema.dictionaries.redcap import apply_dictionary, is_dictionary
from medcore.data.values.names import clean_name
from medcore.errors import InputError, MissingColumnsError
from medcore.i18n import N_

FIELDS = (
    "name",
    "label",
    "kind",
    "role",
    "unit",
    "low",
    "high",
    "missing_codes",
    "levels",
    "level_labels",
    "sensitive",
    "event",
    "description",
    "reading",
)
_CHOICES: Mapping[str, tuple[str, ...]] = {"kind": KINDS, "role": ROLES}
_EQUALS = re.compile("(?<![<>])=")  # a code may be "<=5"
_TRUE = frozenset(["yes", "true", "1", "是", "y"])


def save_dictionary(schema: Schema) -> str:
    """Write a schema as a data dictionary: CSV text, one line a column.

    ``label`` says in words what the column is, ``level_labels`` what the codes in its
    cells are (``1=male|2=female``). Several missing codes or levels are separated by ``|``; ``event`` holds the
    outcome's positive class, ``reading`` how the cells are written where that is
    not plain (``decimal=,; dates=mdy``). A cell that a spreadsheet would take for a formula
    is preceded by an apostrophe.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    for column in schema.columns:
        writer.writerow({k: _guard(v) for k, v in _row(column, schema.positive).items()})
    return out.getvalue()


def load_dictionary(schema: Schema, text: str) -> Schema:
    """Apply a data dictionary to a schema: what the dictionary says replaces what was inferred.

    An empty cell leaves the schema as it is; a field that the dictionary lacks
    too. A REDCap data dictionary is taken as well, see :func:`apply_dictionary`.
    Raises MissingColumnsError when it names a column that the table does
    not have, InputError when a cell cannot be understood.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    if is_dictionary(reader.fieldnames or ()):
        return apply_dictionary(schema, list(reader))
    if not reader.fieldnames or "name" not in reader.fieldnames:
        raise InputError(
            N_("A data dictionary is a CSV with the columns {fields}; this file lacks the column name."),
            fields=list(FIELDS),
        )
    rows = list(reader)
    unknown = [n for n in (_name(r) for r in rows) if n not in schema.names]
    if unknown:
        raise MissingColumnsError.between(wanted=unknown, got=schema.names)
    for row in rows:
        schema = _apply(schema, _name(row), {k: _plain(v) for k, v in row.items() if k in FIELDS and v})
    return schema


def write_labels(labels: Mapping[str, str]) -> str:
    """Write what codes mean in one line.

    >>> write_labels({"1": "male", "2": "female"})
    '1=male|2=female'
    """
    return "|".join(f"{code}={label.replace('|', '/')}" for code, label in labels.items())


def read_labels(text: str) -> dict[str, str]:
    """Read what :func:`write_labels` wrote, blanks about the signs allowed; a part that says nothing is passed over.

    >>> read_labels("1 = male | 2 = female")
    {'1': 'male', '2': 'female'}
    """
    pairs = (_EQUALS.split(part, maxsplit=1) for part in text.split("|"))
    return {
        pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2 and pair[0].strip() and pair[1].strip()
    }


def _row(column: Column, positive: str | None) -> dict[str, str]:
    return {
        "name": column.name,
        "label": column.label,
        "kind": column.kind,
        "role": column.role,
        "unit": column.unit or "",
        "low": "" if column.low is None else f"{column.low:g}",
        "high": "" if column.high is None else f"{column.high:g}",
        "missing_codes": "|".join(column.missing_codes),
        "levels": "|".join(column.levels),
        "level_labels": write_labels(column.level_labels),
        "sensitive": "yes" if column.sensitive else "no",
        "event": (positive or "") if column.role == "outcome" else "",
        "description": column.description,
        "reading": column.reading.to_text() if column.reading else "",
    }


def _apply(schema: Schema, name: str, cells: Mapping[str, str]) -> Schema:
    if cells.get("role") == "outcome":
        for other in schema.with_role("outcome"):
            schema = schema.change(other.name, role="ignored") if other.name != name else schema
    changes = {field: _understood(name, field, text) for field, text in cells.items() if field not in ("name", "event")}
    known = schema[name].reading
    if "reading" in changes and known is not None:  # the outcome's words are learnt from its cells, not written here
        changes["reading"] = replace(changes["reading"], words=known.words)
    schema = schema.change(name, **changes, confidence=1.0)
    return replace(schema, positive=cells["event"]) if cells.get("event") else schema


def _understood(name: str, field: str, text: str) -> Any:
    if field in _CHOICES:
        if text not in _CHOICES[field]:
            raise _not_understood(name, field, _CHOICES[field])
        return text
    if field in ("low", "high"):
        return _number(name, field, text)
    if field == "reading":
        return _reading(name, field, text)
    if field == "level_labels":
        return read_labels(text)
    if field in ("missing_codes", "levels"):
        return tuple(part for part in text.split("|") if part)
    return text.strip().lower() in _TRUE if field == "sensitive" else text


def _number(name: str, field: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _not_understood(name, field, ("a number",)) from None


def _reading(name: str, field: str, text: str) -> Reading:
    try:
        return Reading.from_text(text)
    except ValueError:
        raise _not_understood(name, field, (Reading(decimal=",", dates="mdy").to_text(), "plain")) from None


def _not_understood(name: str, field: str, expected: tuple[str, ...]) -> InputError:
    return InputError(
        N_("The data dictionary's cell {field} of the column {name} is not understood. It can be: {expected}."),
        field=field,
        name=name,
        expected=list(expected),
    )


def _name(row: Mapping[str, str | None]) -> str:
    return clean_name(_plain(row.get("name") or ""))


def _guard(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(cell) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "\t", "\r") else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
