"""The outcome as class indices: which classes there are, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.schema.targets import against_event, as_outcome, class_counts
from medcore.errors import TargetError
from medcore.i18n import N_
from medcore.targets import Target

MOST_CLASSES = 50
MOST_CLASSES_NAMED = 10


def class_text(value: object) -> str:
    """Write a class as a person would: 1.0 is ``1``.

    >>> class_text(1.0), class_text("died")
    ('1', 'died')
    """
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        return f"{float(value):g}"
    return str(value)


def classes_of(texts: pd.Series, column: Column, positive: str | None) -> tuple[str, ...]:
    """Name the classes in their fixed order; with two, the positive one is last.

    When a positive class is chosen among more than two, the others are one
    class, named ``not <positive>``. Raises TargetError when there are fewer than
    two classes, more than 50, or none that is the positive one.
    """
    values = [str(v) for v in texts.dropna().unique()]
    if len(values) < 2:
        raise TargetError(
            N_(
                "The outcome “{column}” has {n} class(es) in the rows that have one; at least two are needed. Choose another column, or add patients with another outcome."
            ),
            column=column.name,
            n=len(values),
        )
    if len(values) > MOST_CLASSES:
        raise TargetError(
            N_(
                "The outcome “{column}” has {n} different values; medcore predicts classes, at most {most}. Choose another column, or group its values first."
            ),
            column=column.name,
            n=len(values),
            most=MOST_CLASSES,
        )
    ordered = _in_order(values, column.levels)
    if positive is None:
        return tuple(ordered)
    chosen = _matching(positive, ordered)
    if chosen is None:
        raise _no_such_class(column.name, positive, ordered)
    return against_event(ordered, chosen)


def codes_of(
    texts: pd.Series, classes: Sequence[str], column: str, *, words: Sequence[str] = ()
) -> npt.NDArray[np.int64]:
    """Return each row's class index, −1 where the outcome is missing.

    ``words`` are those the outcome had in training; where several of them are one class
    ("not died"), any other word is no part of it. Raises TargetError when a value is none of the classes.
    """
    codes, uniques = pd.factorize(texts)
    combined = Target.of(classes).event is not None and classes[0] == f"not {classes[1]}"
    index = {name: i for i, name in enumerate(classes)}
    lookup = np.full(len(uniques) + 1, -1, dtype=np.int64)
    unknown = 0
    for i, value in enumerate(uniques):
        match = _matching(str(value), classes)
        if match is not None:
            lookup[i] = index[match]
        elif combined and (not words or _matching(str(value), words) is not None):
            lookup[i] = 0
        else:
            unknown += 1
    if unknown:
        raise TargetError(
            N_(
                "The outcome “{column}” has {n} value(s) that the model does not know. Its classes are: {classes}. Write the outcome in the same words."
            ),
            column=column,
            n=unknown,
            classes=list(words if combined and words else classes)[:MOST_CLASSES_NAMED],
        )
    return np.asarray(lookup[codes], dtype=np.int64)


def answers_read_as_missing(frame: pd.DataFrame, column: Column) -> dict[str, int]:
    """Count the rows of each text of an outcome that is read as missing, such as a 9 beside 0 and 1."""
    read = class_counts(frame, replace(as_outcome(column), kind="category"))
    every = class_counts(frame, replace(column, kind="category", missing_codes=()))
    return {text: n for text, n in every.items() if text not in read}


def count_as_answers(schema: Schema, name: str, named: Sequence[str]) -> Schema:
    """Take the texts of an outcome that a person names as answers for such, although they were read as missing."""
    codes = schema[name].missing_codes
    kept = tuple(code for code in codes if _matching(code, named) is None)
    return schema if kept == codes else schema.change(name, missing_codes=kept, kind="category")


def _in_order(values: list[str], levels: Sequence[str]) -> list[str]:
    ranked = {v: i for v in values for i, level in enumerate(levels) if _matching(level, [v]) is not None}
    if levels and len(ranked) == len(values):
        return sorted(values, key=lambda v: ranked[v])
    numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce")
    if numbers.notna().all():
        return [values[i] for i in np.argsort(numbers.to_numpy(), kind="stable")]
    return sorted(values)


def _matching(wanted: str, values: Sequence[str]) -> str | None:
    if wanted in values:
        return wanted
    return next((value for value in values if same_class(wanted, value)), None)


def same_class(one: str, other: str) -> bool:
    """Say whether two texts name one class: without regard to case, or as the same number.

    >>> same_class("Dead ", "dead"), same_class("1.0", "1"), same_class("1", "2")
    (True, True, False)
    """
    tidy = one.strip().casefold()
    return other.strip().casefold() == tidy or _same_number(tidy, other)


def _same_number(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _no_such_class(column: str, positive: str, values: list[str]) -> TargetError:
    if len(values) > MOST_CLASSES_NAMED:
        return TargetError(
            N_(
                "The outcome “{column}” has no class “{positive}” among its {n} classes. Choose one that is in the table."
            ),
            column=column,
            positive=positive,
            n=len(values),
        )
    return TargetError(
        N_("The outcome “{column}” has no class “{positive}”. Its classes are: {classes}. Choose one of them."),
        column=column,
        positive=positive,
        classes=values,
    )
