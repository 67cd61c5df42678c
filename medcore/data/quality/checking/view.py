"""What the checks look at: a cohort with each column read once, and its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.preparation.event_time import EventTimeProposal, propose_event_times
from medcore.data.preparation.follow_up import event_times
from medcore.data.preparation.number import read_number
from medcore.data.preparation.outcomes import class_text, classes_of, codes_of
from medcore.data.preparation.recipe import Recipe, default_recipe
from medcore.data.schema.inference import choose_target, propose_targets
from medcore.data.schema.patients import patient_codes
from medcore.data.values.column import PRESENT, Texts, read_texts
from medcore.data.values.time.dates import Dates, parse_dates
from medcore.data.values.typed import Distinct, cells_of, code_matches, is_stated, typed
from medcore.errors import InputError
from medcore.targets import Target

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Levels:
    """A column as its distinct values: ``codes`` (n) into them, −1 where missing.

    ``numbers`` (k) are the values of a numeric column in rising order, else None.
    """

    codes: Ints
    n: int
    numbers: Floats | None = None

    @property
    def missing(self) -> Bools:
        """Mark the rows without a value."""
        return np.asarray(self.codes < 0)

    @property
    def counts(self) -> Ints:
        """Rows of each distinct value."""
        return np.bincount(self.codes[self.codes >= 0], minlength=self.n).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of each row as an index into ``classes``, −1 where missing; ``levels`` is their order, if they have one."""

    name: str
    codes: Ints
    classes: tuple[str, ...]
    chosen: bool
    levels: tuple[str, ...] = ()

    @property
    def target(self) -> Target:
        """What is predicted."""
        return Target.of(self.classes, self.levels)

    @property
    def known(self) -> Bools:
        """Mark the rows that have an outcome."""
        return np.asarray(self.codes >= 0)

    @property
    def counts(self) -> Ints:
        """Rows of each class."""
        return np.bincount(self.codes[self.known], minlength=len(self.classes)).astype(np.int64)


@dataclass
class View:
    """One cohort under inspection. Columns are read when a check first asks, and kept."""

    cohort: Cohort
    recipe: Recipe
    aurocs: dict[str, float] | None = field(default=None, repr=False)
    _cells: dict[str, Distinct] = field(default_factory=dict, repr=False)
    _texts: dict[str, Texts] = field(default_factory=dict, repr=False)
    _dates: dict[str, Dates] = field(default_factory=dict, repr=False)
    _levels: dict[str, Levels] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, cohort: Cohort, recipe: Recipe | None) -> View:
        """Look at a cohort; without a recipe, the proposed one counts."""
        return cls(cohort, recipe or default_recipe(cohort.schema))

    @property
    def frame(self) -> pd.DataFrame:
        """The table as it was read."""
        return self.cohort.frame

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.cohort.frame)

    @cached_property
    def event_times(self) -> tuple[EventTimeProposal, ...]:
        """Which columns could be an outcome with its time."""
        return propose_event_times(self.frame, self.schema)

    @cached_property
    def schema(self) -> Schema:
        """The schema; with the likeliest outcome while none is chosen."""
        schema = self.cohort.schema
        if schema.outcome is not None or self.n == 0:
            return schema
        for proposal in propose_targets(self.frame, schema, cells=self.cells)[:1]:
            try:
                return choose_target(schema, self.frame, proposal.column, positive=proposal.positive)
            except InputError:
                return schema
        return schema

    @property
    def predictors(self) -> tuple[Column, ...]:
        """Columns the model would use and the table has."""
        present = set(self.frame.columns)
        return tuple(c for c in self.schema.predictors if c.name in present)

    @cached_property
    def outcome(self) -> Outcome | None:
        """The outcome, chosen or proposed; None when there is none that can be predicted."""
        column = self.schema.outcome
        if column is None or column.name not in self.frame.columns:
            return None
        if self.schema.follow_up is not None:
            return self._timed(column)
        if self.schema.number is not None:
            return self._halved(column)
        part = Schema((column,))
        values = typed(self.frame[[column.name]], part)[column.name]
        texts = values.map(class_text, na_action="ignore").astype(object)
        try:
            classes = classes_of(texts, column, self.schema.positive)
            codes = codes_of(texts, classes, column.name)
        except InputError:
            return None
        return Outcome(column.name, codes, classes, self.cohort.schema.outcome is not None, column.levels)

    def _timed(self, column: Column) -> Outcome | None:
        """Return whether each row had the event in question while it was followed."""
        try:
            event = event_times(self.cohort, self.schema).event
        except InputError:
            return None
        codes = np.where(event < 0, -1, event == 1).astype(np.int64)
        name = str(self.schema.positive)
        return Outcome(column.name, codes, (f"not {name}", name), chosen=self.cohort.schema.outcome is not None)

    def _halved(self, column: Column) -> Outcome | None:
        """Return whether each row's number is above the median, by which single columns are told apart."""
        try:
            value, _n = read_number(self.cohort, self.schema)
        except InputError:
            return None
        middle = float(np.nanmedian(value)) if not np.isnan(value).all() else 0.0
        codes = np.where(np.isnan(value), -1, value > middle).astype(np.int64)
        names = (f"≤ {middle:.4g}", f"> {middle:.4g}")
        return Outcome(column.name, codes, names, chosen=self.cohort.schema.outcome is not None)

    @cached_property
    def folds(self) -> Ints:
        """Return five folds by which a single column is judged out of fold, whole patients together."""
        group = self.schema.only("group")
        if group is not None and group.name in self.frame.columns:
            units = patient_codes(self.frame[group.name])
        else:
            units = np.arange(self.n, dtype=np.int64)
        drawn = np.random.default_rng(0).integers(0, 5, int(units.max(initial=0)) + 1)
        return np.asarray(drawn[units], dtype=np.int64)

    def cells(self, name: str) -> Distinct:
        """Return a column's distinct texts."""
        if name not in self._cells:
            self._cells[name] = cells_of(self.frame[name], self.cohort.schema[name])
        return self._cells[name]

    def texts(self, name: str) -> Texts:
        """Return what a column's distinct texts are read as, and what became of each."""
        if name not in self._texts:
            self._texts[name] = read_texts(self.cells(name).texts, self.schema[name], self.frame.attrs.get("decimal"))
        return self._texts[name]

    def dates(self, column: Column) -> Dates:
        """Return what the distinct texts of a column of dates say, and how each is written."""
        if column.name not in self._dates:
            self._dates[column.name] = parse_dates(self.cells(column.name).texts, reading=column.reading, named=True)
        return self._dates[column.name]

    def is_typed(self, column: Column) -> bool:
        """Tell whether a column's values were stated by a typed file, and not written in texts."""
        return is_stated(self.frame[column.name], column)

    def levels(self, name: str) -> Levels:
        """Return a column's distinct values, codes for missing being missing."""
        if name not in self._levels:
            self._levels[name] = self._read(self.schema[name])
        return self._levels[name]

    def coded_missing(self, column: Column) -> int:
        """Count the cells that hold one of a column's codes for missing."""
        if not column.missing_codes:
            return 0
        cells = self.cells(column.name)
        return int(cells.counts[code_matches(column, cells.texts)].sum())

    def _read(self, column: Column) -> Levels:
        if column.over_time:
            there = self.frame[column.name].notna().to_numpy(bool)
            return Levels(np.where(there, np.cumsum(there) - 1, -1).astype(np.int64), int(there.sum()))
        if column.kind == "date" or self.is_typed(column):
            values = typed(self.frame[[column.name]], Schema((column,)))[column.name]
            numbers, codes = np.unique(_as_number(values), return_inverse=True)
            return _ordered(numbers, codes.astype(np.int64))
        cells, read = self.cells(column.name), self.texts(column.name)
        if column.kind == "numeric":
            numbers, index = np.unique(read.value, return_inverse=True)
            return _ordered(numbers, np.append(index, -1)[cells.codes].astype(np.int64))
        absent = read.status != PRESENT
        lookup = np.append(np.where(absent, -1, np.cumsum(~absent) - 1), -1)
        return Levels(lookup[cells.codes].astype(np.int64), int((~absent).sum()))


def _as_number(values: pd.Series) -> Floats:
    if values.dtype.kind == "M":
        numbers = values.to_numpy("datetime64[s]").astype("int64").astype(np.float64)
        return np.where(values.isna(), np.nan, numbers)
    return values.to_numpy(dtype=np.float64)


def _ordered(numbers: Floats, codes: Ints) -> Levels:
    """Take NaN, which sorts last, out of the distinct values."""
    n = int((~np.isnan(numbers)).sum())
    return Levels(np.where(codes >= n, -1, codes), n, numbers[:n])
