"""Identities: hashes that change when what they stand for changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from medcore.data.cohort import Cohort, Schema

# What says how a column is understood by people, and changes nothing that is computed.
WORDS = ("description", "confidence", "reason", "unit", "sensitive", "label", "level_labels", "summary")

# What a Source says of the file beyond how it is read, and what older studies did not have.
FOUND = ("hidden_sheets", "shifted", "numbering", "long_sheets")
LATER = ("every_row", "fill_down", "pivot", "aside", "patients_in")


def digest(data: Any) -> str:
    """Return the SHA-256 of JSON-ready data, independent of the order of its keys."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def content_key(cohort: Cohort) -> str:
    """Identify a table as it was read: the bytes of its file and how they were understood.

    The same bytes read with another delimiter are another table. What was
    set aside and what was chosen count where there is any.
    """
    source = {k: v for k, v in cohort.source.to_dict().items() if k not in FOUND and (v or k not in LATER)}
    return digest({"sha256": cohort.sha256, "source": source})


def plan_identity(
    content: str, schema: Schema, recipe: Mapping[str, Any] | None, split: Mapping[str, Any] | None
) -> str:
    """Identify what a run depends on: the table, its schema, the recipe and the split.

    A change of any of them gives another identity, so that older runs are shown
    as out of date. Descriptions and units are words and change nothing.
    """
    columns = [{k: v for k, v in c.to_dict().items() if k not in WORDS} for c in schema.columns]
    return digest(
        {"content": content, "columns": columns, "positive": schema.positive, "recipe": recipe, "split": split}
    )
