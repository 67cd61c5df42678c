"""Replay a recipe: on the rows to be learnt from, and unchanged on new patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.parts import with_parts
from medcore.data.preparation.cells import CELL_STEPS, Cells, map_values, typed_cells
from medcore.data.preparation.follow_up import EventTimes, check_followed, event_times
from medcore.data.preparation.number import check_number, parts_of, read_number
from medcore.data.preparation.outcomes import class_text, classes_of, codes_of
from medcore.data.preparation.predictors import PredictorReading, reading_of
from medcore.data.preparation.steps import Step, StepLog
from medcore.data.schema.patients import patient_codes
from medcore.data.values.typed import Typed, typed
from medcore.errors import MissingColumnsError, TargetError
from medcore.i18n import N_, Message
from medcore.targets import Target

if TYPE_CHECKING:
    from medcore.data.preparation.recipe import Recipe

Ints = npt.NDArray[np.int64]
_SETS_ASIDE: Mapping[str, str] = {"set_text_aside": "text", "dates_to_intervals": "date"}
"""Steps that leave columns out, and of which kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A cohort after its recipe: what a model may learn from, row by row.

    ``predictors`` has one column a predictor: float64, or object holding text;
    missing is NaN or None. ``outcome`` holds indices into ``classes``; with two
    classes the positive one is last; ``target`` says whether they stand in an order. ``rows`` are row numbers in the cohort,
    ``groups`` patient codes (None when no column names the patient), ``time``
    datetime64 or float, ``sites`` text with None where missing, ``sensitive`` the
    columns by which results are broken down (the site among them). ``set_aside``
    says why a column of the schema's predictors is not among ``predictors``.
    ``source`` is the cohort's own frame, shared and not copied. Where the outcome comes with a
    time, ``duration`` is how long each patient was followed and ``outcome`` what ended it, 0 for
    no event seen; ``target`` says in which unit. Where the outcome is a number, ``value`` is it, and
    ``outcome`` says in which fifth it lies, by which folds are balanced and Table 1 is broken down.
    """

    predictors: pd.DataFrame = field(repr=False)
    kinds: Mapping[str, str] = field(repr=False)
    outcome: Ints = field(repr=False)
    classes: tuple[str, ...]
    target: Target
    rows: Ints = field(repr=False)
    groups: Ints | None = field(repr=False)
    time: npt.NDArray[Any] | None = field(repr=False)
    sites: npt.NDArray[Any] | None = field(repr=False)
    sensitive: pd.DataFrame = field(repr=False)
    log: tuple[StepLog, ...]
    set_aside: Mapping[str, Message]
    source: pd.DataFrame = field(repr=False)
    duration: npt.NDArray[np.float64] | None = field(repr=False, default=None)
    value: npt.NDArray[np.float64] | None = field(repr=False, default=None)

    @property
    def n_rows(self) -> int:
        """Number of rows that remain."""
        return len(self.outcome)

    @property
    def n_patients(self) -> int:
        """Number of different patients; rows, when no column names the patient."""
        return self.n_rows if self.groups is None else len(np.unique(self.groups))

    def column(self, name: str) -> pd.Series:
        """Return any column of the table as it was read, for the rows that remain."""
        if name not in self.source.columns:
            raise MissingColumnsError.between(wanted=[name], got=self.source.columns)
        return self.source[name].iloc[self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Return counts, classes and the log: JSON-ready and without any row."""
        return {
            "n_rows": self.n_rows,
            "n_patients": self.n_patients,
            "predictors": list(self.kinds),
            "classes": list(self.classes),
            "class_counts": [int(n) for n in np.bincount(self.outcome, minlength=len(self.classes))],
            "set_aside": {name: str(reason) for name, reason in self.set_aside.items()},
            "log": [entry.to_dict() for entry in self.log],
        }


def prepare(cohort: Cohort, recipe: Recipe) -> Prepared:
    """Prepare a cohort for training.

    Rows without an outcome are dropped and counted in the log, as are those of
    any other step that drops rows. Raises TargetError when no outcome is chosen
    or when it has fewer than two classes, MissingColumnsError when the schema
    names a column that the table lacks.
    """
    return _prepared(cohort, recipe, None)


def prepare_evaluation(cohort: Cohort, recipe: Recipe, classes: Sequence[str]) -> Prepared:
    """Prepare patients for judging a model that already exists.

    The classes and their order are the model's. No row is dropped but those
    whose outcome is missing; an outcome the model does not know is an error.
    """
    return _prepared(cohort, recipe, tuple(classes))


def prepare_predictors(
    frame: pd.DataFrame, schema: Schema, recipe: Recipe, *, read: Typed | None = None
) -> pd.DataFrame:
    """Prepare new patients exactly as the training rows were; no row is ever dropped.

    Columns are matched by name, further columns are ignored. Returns the same
    columns as ``Prepared.predictors`` with one row for each row of ``frame``.
    ``read`` is what :func:`~medcore.data.preparation.given.read_needed` made of the frame, where that is at hand.
    Raises MissingColumnsError naming the columns that are lacking.
    """
    _require(frame, required_columns(schema, recipe))
    needed, known = _only(schema, needed_columns(schema, recipe)), None if read is None else read.frame
    cells = _cells(with_parts(frame, schema.readings), needed, recipe, read=known)[0]
    return _predictors(cells, schema, recipe).reset_index(drop=True)


def required_columns(schema: Schema, recipe: Recipe) -> tuple[str, ...]:
    """Name the columns a table of new patients must have, in file order; a part of a column needs the whole."""
    whole = {c.name: c.reading.part_of for c in schema.columns if c.reading and c.reading.part_of}
    return tuple(dict.fromkeys(whole.get(name, name) for name in needed_columns(schema, recipe)))


def needed_columns(schema: Schema, recipe: Recipe) -> tuple[str, ...]:
    """Name the columns of the schema from which predictors are made, parts of others among them."""
    reference = _reference(schema, recipe)
    kept = [c for c in schema.predictors if _aside(c, recipe, reference) is None]
    names = {c.name for c in kept}
    if reference and any(c.kind == "date" for c in kept):
        names.add(reference)
    return tuple(n for n in schema.names if n in names)


def outcome_codes(frame: pd.DataFrame, schema: Schema, recipe: Recipe, classes: Sequence[str]) -> Ints:
    """Return the outcome of each row as an index into ``classes``, −1 where it is missing."""
    column = _outcome(schema)
    _require(frame, [column.name])
    texts = _outcome_texts(frame, schema, recipe, column)
    return codes_of(texts, classes, column.name, words=_words(column))


def _prepared(cohort: Cohort, recipe: Recipe, known: tuple[str, ...] | None) -> Prepared:
    schema, frame = cohort.schema, cohort.frame
    column = _outcome(schema)
    wanted = needed_columns(schema, recipe)
    _require(frame, [column.name, *wanted])
    cells, cell_log = _cells(frame, _only(schema, wanted), recipe)
    times = None if schema.follow_up is None else event_times(cohort, schema)
    value = None if schema.number is None else read_number(cohort, schema)[0]
    target: Target
    if schema.follow_up is not None and times is not None:
        classes, outcome, target = schema.follow_up.classes, times.event, schema.follow_up.target
    elif schema.number is not None and value is not None:
        (outcome, classes), target = parts_of(value), schema.number
    else:
        texts = _outcome_texts(frame, schema, recipe, column)
        classes = known or classes_of(texts, column, schema.positive)
        outcome = codes_of(texts, classes, column.name, words=_words(column) if known else ())
        target = Target.of(classes, column.levels)
    groups = _groups(frame, schema, recipe)
    kept, row_log = _kept_rows(cohort, recipe, outcome, groups, training=known is None)
    if value is not None:
        if known is None:
            check_number(value[kept], column.name)
    elif times is None:
        _require_classes(outcome[kept], column.name, at_least=2 if known is None else 1)
    elif known is None and schema.follow_up is not None:
        check_followed(EventTimes(times.duration[kept], outcome[kept]), schema.follow_up)
    log = _with_set_aside(cell_log, schema, recipe, len(frame)) | row_log
    return Prepared(
        predictors=_rows(_predictors(cells, schema, recipe), kept),
        kinds={name: reading.name for name, reading in _readings(schema, recipe).items()},
        outcome=outcome[kept],
        classes=classes,
        target=target,
        rows=kept,
        groups=None if groups is None else groups[kept],
        time=_time(frame, schema, kept),
        sites=_sites(frame, schema, kept),
        sensitive=_sensitive(frame, schema, kept),
        log=_in_order(log, recipe),
        set_aside=_set_aside(schema, recipe),
        source=frame,
        duration=None if times is None else times.duration[kept],
        value=None if value is None else value[kept],
    )


def _with_set_aside(log: Mapping[str, StepLog], schema: Schema, recipe: Recipe, n: int) -> dict[str, StepLog]:
    """Say of the steps that set columns aside which those are."""
    aside, found = _set_aside(schema, recipe), dict(log)
    for step in recipe.steps:
        if step.kind in _SETS_ASIDE:
            columns = tuple(name for name in aside if schema[name].kind == _SETS_ASIDE[step.kind])
            found[step.kind] = replace(found.get(step.kind, StepLog(step, n, n)), columns_set_aside=columns)
    return found


def _in_order(log: Mapping[str, StepLog], recipe: Recipe) -> tuple[StepLog, ...]:
    """Put the log in the recipe's order; rows without an outcome are counted even if the recipe forgot them."""
    named = [s.kind for s in recipe.steps]
    return tuple(log[kind] for kind in [*named, *(k for k in log if k not in named)] if kind in log)


def _outcome(schema: Schema) -> Column:
    if schema.outcome is None:
        raise TargetError(N_("No outcome is chosen. Choose the column to be predicted."))
    return schema.outcome


def _words(column: Column) -> tuple[str, ...]:
    return column.reading.words if column.reading else ()


def _require(frame: pd.DataFrame, wanted: Sequence[str]) -> None:
    present = set(map(str, frame.columns))
    if not present.issuperset(wanted):
        raise MissingColumnsError.between(wanted=wanted, got=frame.columns)


def _require_classes(outcome: Ints, column: str, *, at_least: int) -> None:
    n = len(np.unique(outcome))
    if n < at_least:
        raise TargetError(
            N_(
                "Only {n} class(es) of the outcome “{column}” remain after preparation; at least {least} are needed. Switch off a step that drops rows, or choose another outcome."
            ),
            n=n,
            column=column,
            least=at_least,
        )


def _only(schema: Schema, names: Sequence[str]) -> Schema:
    return replace(schema, columns=tuple(c for c in schema.columns if c.name in set(names)))


def _rows(frame: pd.DataFrame, kept: Ints) -> pd.DataFrame:
    return frame.iloc[kept].reset_index(drop=True)


def _reference(schema: Schema, recipe: Recipe) -> str | None:
    """Name the date from which others are counted, when dates are counted at all."""
    step = recipe.step("dates_to_intervals")
    name = step.options.get("reference") if step and step.on else None
    return str(name) if name in schema.names and schema[str(name)].kind == "date" else None


def _aside(column: Column, recipe: Recipe, reference: str | None) -> Message | None:
    """Say why a predictor of the schema is not used, or None when it is."""
    if column.kind == "text" and recipe.is_on("set_text_aside"):
        return Message(N_("free text is not used as a predictor"))
    if column.kind == "date" and column.name == reference:
        return Message(N_("the other dates are counted from it"))
    if column.kind == "date" and reference is None:
        return Message(N_("a calendar date does not come back in new patients"))
    return None


def _set_aside(schema: Schema, recipe: Recipe) -> dict[str, Message]:
    reference = _reference(schema, recipe)
    reasons = {c.name: _aside(c, recipe, reference) for c in schema.predictors}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _readings(schema: Schema, recipe: Recipe) -> dict[str, PredictorReading]:
    """Say how each predictor that is used is read."""
    aside = _set_aside(schema, recipe)
    return {c.name: reading_of(c.kind) for c in schema.predictors if c.name not in aside}


def _predictors(cells: Cells, schema: Schema, recipe: Recipe) -> pd.DataFrame:
    readings = _readings(schema, recipe).items()
    return pd.DataFrame({name: reading.column(cells.columns[name]) for name, reading in readings})


def _cells(
    frame: pd.DataFrame, schema: Schema, recipe: Recipe, *, read: pd.DataFrame | None = None
) -> tuple[Cells, dict[str, StepLog]]:
    """Run the steps that change cells, in the recipe's order."""
    n = len(frame)
    coded = recipe.is_on("missing_codes")
    cells, changed = typed_cells(frame, schema, missing_codes=coded, read=read)
    log = {}
    for step in recipe.steps:
        if step.kind == "missing_codes":
            log[step.kind] = StepLog(step, n, n, changed)
        elif step.kind in CELL_STEPS:
            log[step.kind] = StepLog(step, n, n, CELL_STEPS[step.kind](cells, step) if step.on else 0)
    return cells, log


def _outcome_texts(frame: pd.DataFrame, schema: Schema, recipe: Recipe, column: Column) -> pd.Series:
    """Read the outcome as the text of its classes, tidied as the recipe tidies categories."""
    values = _typed_part(frame, schema, [column.name])[column.name]
    texts = map_values(values, class_text)
    if recipe.is_on("same_case"):
        texts = map_values(texts, str.casefold)
    return texts


def _typed_part(frame: pd.DataFrame, schema: Schema, names: Sequence[str]) -> pd.DataFrame:
    part = _only(schema, [n for n in names if n in frame.columns])
    return typed(frame[list(part.names)], part)


def _groups(frame: pd.DataFrame, schema: Schema, recipe: Recipe) -> Ints | None:
    group = schema.only("group")
    if group is None or group.name not in frame.columns:
        return None
    return patient_codes(frame[group.name], use_part=recipe.is_on("patient_part"))


def _kept_rows(
    cohort: Cohort, recipe: Recipe, outcome: Ints, groups: Ints | None, *, training: bool
) -> tuple[Ints, dict[str, StepLog]]:
    """Run the steps that drop rows; rows without an outcome are dropped in any case."""
    kept = np.arange(len(outcome), dtype=np.int64)
    log = {}
    steps = (
        recipe.steps if recipe.step("drop_rows_without_outcome") else (*recipe.steps, Step("drop_rows_without_outcome"))
    )
    for step in steps:
        if not step.training_only or (not training and step.kind != "drop_rows_without_outcome"):
            continue
        before = len(kept)
        if step.on and step.kind == "drop_rows_without_outcome":
            kept = kept[outcome[kept] >= 0]
        elif step.on and step.kind == "drop_duplicate_rows":
            kept = kept[~cohort.frame.iloc[kept].duplicated().to_numpy()]
        elif step.on and step.kind == "last_row_per_patient" and groups is not None:
            kept = _last_rows(kept, groups, _time(cohort.frame, cohort.schema, kept))
        named = len(kept) if step.on and step.kind == "patient_part" and _named_by_part(cohort, groups) else 0
        log[step.kind] = StepLog(step, before, len(kept), named)
    return kept, log


def _named_by_part(cohort: Cohort, groups: Ints | None) -> bool:
    """Say whether patients were read out of the records' names: there are then fewer of them than names."""
    group = cohort.schema.only("group")
    if group is None or groups is None:
        return False
    names = cohort.frame[group.name]
    return len(np.unique(groups)) < names.nunique() + int(names.isna().sum())


def _last_rows(kept: Ints, groups: Ints, time: npt.NDArray[Any] | None) -> Ints:
    """Keep the latest row of every patient; by place in the file where there is no time."""
    table = pd.DataFrame({"row": kept, "group": groups[kept], "time": kept if time is None else time})
    last = table.sort_values(["time", "row"], na_position="first", kind="stable").groupby("group")["row"].last()
    return np.sort(last.to_numpy(dtype=np.int64))


def _sensitive(frame: pd.DataFrame, schema: Schema, kept: Ints) -> pd.DataFrame:
    """Return the columns by which results are broken down: those marked sensitive, and the site as text."""
    part = _rows(_typed_part(frame, schema, [c.name for c in schema.sensitive]), kept)
    site, sites = schema.only("site"), _sites(frame, schema, kept)
    return part if site is None or sites is None else part.assign(**{site.name: sites})


def _time(frame: pd.DataFrame, schema: Schema, kept: Ints) -> npt.NDArray[Any] | None:
    column = schema.only("time")
    if column is None or column.name not in frame.columns:
        return None
    values = _typed_part(frame, schema, [column.name])[column.name].iloc[kept]
    if values.dtype.kind in "mMfi":
        return values.to_numpy()
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)


def _sites(frame: pd.DataFrame, schema: Schema, kept: Ints) -> npt.NDArray[Any] | None:
    column = schema.only("site")
    if column is None or column.name not in frame.columns:
        return None
    values = _typed_part(frame, schema, [column.name])[column.name].iloc[kept]
    return map_values(values, class_text).to_numpy(dtype=object)
