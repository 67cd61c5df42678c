"""Cohort and Schema: the rows of one uploaded table, and what each column is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.attachments import Attachments
from medcore.data.follow_up import FollowUp
from medcore.data.long import Pivot, Summarised
from medcore.data.notation import Reading
from medcore.data.parts import with_parts
from medcore.data.shown import Shown
from medcore.errors import MissingColumnsError
from medcore.i18n import N_, Message
from medcore.notebook import NotebookTable, ShownInNotebooks
from medcore.targets import Number, Target

Kind = Literal["numeric", "category", "boolean", "date", "text", "note", "series"]
Role = Literal["outcome", "predictor", "identifier", "group", "time", "site", "sensitive", "ignored"]
KINDS: tuple[str, ...] = get_args(Kind)
ROLES: tuple[str, ...] = get_args(Role)
DECIMALS_OF_DAYS = 1  # a date enters a model as days since another; a tenth is about two hours
COUNT_OR_CODE = N_("Few different whole numbers: a count or a code?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column of a table is.

    ``role`` is what the column does. A column used for subgroups and never as a
    predictor has the role ``sensitive``; a predictor by which results are also
    broken down (age, sex) keeps the role ``predictor`` and sets ``sensitive``.
    ``low`` and ``high`` bound what is plausible, in ``unit``. ``levels`` is the
    order of an ordered category's values, lowest first. ``label`` says in words
    what ``name`` is ("Chest pain type" for ``cp``), ``level_labels`` what the codes
    in its cells are. ``reading`` is how its cells are written; without one (a schema
    of an earlier version) the table at hand decides. ``summary`` says what of a patient's results it was made of.
    """

    name: str
    kind: Kind
    role: Role = "predictor"
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    missing_codes: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    sensitive: bool = False
    description: str = ""
    label: str = ""
    level_labels: Mapping[str, str] = field(default_factory=dict)
    confidence: float = 1.0
    reason: Message | None = None
    reading: Reading | None = None
    summary: Summarised | None = None

    @property
    def free_text(self) -> bool:
        """Whether people wrote its cells in their own words, read word by word (``note``) or not (``text``)."""
        return self.kind in ("text", "note")

    @property
    def over_time(self) -> bool:
        """Whether its cells are a measurement's results in steps of time (:mod:`medcore.data.values.sequences`)."""
        return self.kind == "series"

    @property
    def maybe_codes(self) -> bool:
        """Whether its few whole numbers were read as amounts without anybody having said that they are."""
        guessed = self.reason is not None and self.reason.template == COUNT_OR_CODE and self.confidence < 1.0
        return guessed and self.kind == "numeric" and not self.level_labels

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return data | {
            "missing_codes": list(self.missing_codes),
            "levels": list(self.levels),
            "level_labels": dict(self.level_labels),
            "reason": self.reason.to_dict() if self.reason else None,
            "reading": self.reading.to_dict() if self.reading else None,
            "summary": asdict(self.summary) if self.summary else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Column:
        """Read what :meth:`to_dict` wrote."""
        reason, reading, summary = (data.get(name) for name in ("reason", "reading", "summary"))
        return cls(
            **dict(data)
            | {
                "missing_codes": tuple(data.get("missing_codes", ())),
                "levels": tuple(data.get("levels", ())),
                "reason": Message.from_dict(reason) if reason else None,
                "reading": Reading.from_dict(reading) if reading else None,
                "summary": Summarised(**summary) if summary else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table in file order, and the outcome's positive class.

    ``positive`` is the text of the class whose risk is predicted when there are
    two classes; ``None`` until it is known, and for more than two classes. ``pivot``
    says how rows of results became the columns, where they did. ``absence`` is the class
    that means "none of these" among more than two, where a person said which. ``follow_up``
    says when the outcome came, where it comes with a time; ``number`` how it is predicted, where it is a number;
    ``series`` how a second, long table became columns that sum up each patient's measurements.
    """

    columns: tuple[Column, ...]
    positive: str | None = None
    pivot: Pivot | None = None
    absence: str | None = None
    follow_up: FollowUp | None = None
    number: Number | None = None
    series: Pivot | None = None

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise MissingColumnsError.between(wanted=[name], got=self.names)

    def shown(self, name: str) -> Shown:
        """Say how a column is shown to people; one that is not of the table by its name alone."""
        column = next((c for c in self.columns if c.name == name), None)
        if column is None:
            return Shown(name)
        label = "" if column.label.strip().casefold() == name.strip().casefold() else column.label.strip()
        decimals = DECIMALS_OF_DAYS if column.kind == "date" else None
        if column.summary is not None:
            label, decimals = label or str(column.summary.words(column.unit)), column.summary.decimals
        made = column.summary is not None
        return Shown(name, label, column.unit or "", column.level_labels, decimals, made)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in file order."""
        return tuple(c.name for c in self.columns)

    @property
    def readings(self) -> dict[str, Reading]:
        """How the cells of each column are read, by name, of those of which it was learnt."""
        return {c.name: c.reading for c in self.columns if c.reading is not None}

    @property
    def outcome(self) -> Column | None:
        """The column to be predicted, if it has been chosen."""
        return next(iter(self.with_role("outcome")), None)

    @property
    def target(self) -> Target | None:
        """What would be predicted, as far as the schema knows its classes."""
        outcome = self.outcome
        if outcome is None:
            return None
        if self.follow_up is not None:
            return self.follow_up.target
        if self.number is not None:
            return self.number
        words = outcome.reading.words if outcome.reading else ()
        if self.positive is not None or len(words) == 2:
            return Target(2)
        ordered = len(outcome.levels) > 2 and set(words) <= set(outcome.levels)
        return Target(max(len(words), 3), ordered)

    @property
    def predictors(self) -> tuple[Column, ...]:
        """The columns the model may use; those that say when the outcome came are none of them."""
        afterwards = self.follow_up.columns if self.follow_up else ()
        return tuple(c for c in self.with_role("predictor") if c.name not in afterwards)

    @property
    def sensitive(self) -> tuple[Column, ...]:
        """The columns by which results are broken down."""
        return tuple(c for c in self.columns if c.sensitive or c.role == "sensitive")

    def with_role(self, role: Role) -> tuple[Column, ...]:
        """Return the columns of one role."""
        return tuple(c for c in self.columns if c.role == role)

    def only(self, role: Role) -> Column | None:
        """Return the one column of a role such as group, time or site, if any."""
        return next(iter(self.with_role(role)), None)

    def change(self, name: str, **fields: Any) -> Schema:
        """Return a schema in which one column is changed."""
        self[name]
        return replace(self, columns=tuple(replace(c, **fields) if c.name == name else c for c in self.columns))

    def drop(self, names: Iterable[str]) -> Schema:
        """Return a schema in which the named columns are ignored."""
        schema = self
        for name in names:
            schema = schema.change(name, role="ignored")
        return schema

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        data: dict[str, Any] = {"columns": [c.to_dict() for c in self.columns], "positive": self.positive}
        data |= {"pivot": self.pivot.to_dict()} if self.pivot else {}
        data |= {"series": self.series.to_dict()} if self.series else {}
        data |= {"follow_up": self.follow_up.to_dict()} if self.follow_up else {}
        data |= {"number": self.number.to_dict()} if self.number else {}
        return data | ({"absence": self.absence} if self.absence else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Read what :meth:`to_dict` wrote."""
        pivot, follow_up, number, series = (data.get(k) for k in ("pivot", "follow_up", "number", "series"))
        return cls(
            tuple(Column.from_dict(c) for c in data["columns"]),
            data.get("positive"),
            Pivot.from_dict(pivot) if pivot else None,
            data.get("absence"),
            FollowUp.from_dict(follow_up) if follow_up else None,
            Number.from_dict(number) if number else None,
            Pivot.from_dict(series) if series else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How a file was read: detected, shown, and overridable.

    ``every_row`` reads rows of units, repeated names, totals and notes as patients
    too; ``aside`` counts those that were set aside otherwise. ``numbering`` says which row of
    the file, as a spreadsheet shows it, the rows are: pairs, one after the other, of a row from 0
    and its number there, from which on both count up together; empty where the names are row 1
    and nothing lies between. ``fill_down`` names
    columns whose empty cells take the value above, ``pivot`` is a Pivot by which
    rows of results became rows of patients. ``patients_in`` is "columns" where the table lay on its
    side and was turned, "rows" where it was asked for as it stands, and else empty. ``shifted`` are rows, from 0,
    that had more cells than there are columns. ``long_sheets`` are other sheets, or files of an archive, that have
    several rows of each of its patients.
    """

    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    decimal: str = "."
    thousands: str = ""
    skip_lines: int = 0
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    n_bytes: int = 0
    hidden_sheets: tuple[str, ...] = ()
    every_row: bool = False
    fill_down: tuple[str, ...] = ()
    pivot: Mapping[str, Any] = field(default_factory=dict)
    patients_in: Literal["", "rows", "columns"] = ""
    aside: Mapping[str, int] = field(default_factory=dict)
    shifted: tuple[int, ...] = ()
    numbering: tuple[int, ...] = ()
    long_sheets: tuple[str, ...] = ()

    def rows_in_file(self, rows: Iterable[int]) -> NDArray[np.int64]:
        """Return the numbers of rows (from 0) as the file has them in a spreadsheet, which begins at 1.

        >>> Source(numbering=(0, 4, 2, 9)).rows_in_file([0, 1, 2, 3]).tolist(), Source().rows_in_file([0]).tolist()
        ([4, 5, 9, 10], [2])
        """
        given = np.fromiter(rows, dtype=np.int64)
        starts, lines = (
            np.array(part, dtype=np.int64) for part in ((0, *self.numbering[::2]), (2, *self.numbering[1::2]))
        )
        at = np.searchsorted(starts, given, side="right") - 1
        return np.asarray(lines[at] + given - starts[at])

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def choices(self) -> dict[str, Any]:
        """Return what was chosen and not found: it holds when the file is read again in another way."""
        chosen = {name: getattr(self, name) for name in ("sheet", "every_row", "fill_down", "pivot", "patients_in")}
        return {name: value for name, value in chosen.items() if value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Source:
        """Read what :meth:`to_dict` wrote."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Cohort(ShownInNotebooks):
    """The rows of one uploaded table with its schema; never changed once made.

    ``frame`` holds the table as it was read: one row a line of the file in file
    order (``RangeIndex`` from 0), every cell of a text format as the text of the
    file (pandas ``str`` dtype, an empty cell missing), typed formats with their
    own types. ``sha256`` is that of the file's bytes, or with ``attachments`` beside
    the table one that stands for all files. ``repr`` shows no value.
    """

    frame: pd.DataFrame = field(repr=False, compare=False)
    schema: Schema = field(repr=False)
    sha256: str
    name: str
    source: Source = field(default_factory=Source)
    repairs: tuple[Message, ...] = ()
    attachments: Attachments = field(default_factory=Attachments)

    @property
    def n_rows(self) -> int:
        """Number of rows of the table."""
        return len(self.frame)

    def notebook_table(self) -> NotebookTable:
        """Show its columns, and no value of any patient."""
        caption = str(
            Message(N_("{rows} rows, {columns} columns"), {"rows": self.n_rows, "columns": len(self.schema.columns)})
        )
        header = tuple(str(Message(word)) for word in (N_("Column"), N_("Kind"), N_("Role"), N_("Unit")))
        return NotebookTable(caption, header, [(c.name, c.kind, c.role, c.unit or "") for c in self.schema.columns])

    def with_schema(self, schema: Schema) -> Cohort:
        """Return the same rows under an edited schema, with the columns that it makes of parts of others."""
        return replace(self, schema=schema, frame=with_parts(self.frame, schema.readings))
