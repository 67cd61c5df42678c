"""What a file says of its columns beside their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from medcore.data.cohort import Schema
from medcore.data.long import Summarised
from medcore.data.reading.layout.aside import Aside
from medcore.data.values.names import clean_name

MAX_LABEL = 300


@dataclass(frozen=True, slots=True)
class Said:
    """What a file says of its columns beside their names."""

    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    summaries: Mapping[str, Summarised] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: pd.DataFrame, names: Sequence[str], groups: Sequence[str], aside: Aside) -> Said:
        """Collect it by the names of the columns that are there."""
        there = {j: name for j, name in enumerate(names) if name in frame.columns}
        return cls(
            {there[j]: clean_name(unit) for j, unit in aside.unit_of.items() if j in there},
            {there[j]: clean_name(label)[:MAX_LABEL] for j, label in aside.label_of.items() if j in there},
            {there[j]: clean_name(group)[:MAX_LABEL] for j, group in enumerate(groups) if group and j in there},
        )


def described(schema: Schema, said: Said) -> Schema:
    """Return a schema with what the file says of its columns."""
    for name, group in said.groups.items():
        schema = schema.change(name, description=group)
    for name, label in said.labels.items():
        schema = schema.change(name, label=label)
    for name, order in said.levels.items():
        if schema[name].kind == "category":
            schema = schema.change(name, levels=order)
    made = said.summaries
    return (
        replace(schema, columns=tuple(replace(c, summary=made.get(c.name)) for c in schema.columns)) if made else schema
    )
