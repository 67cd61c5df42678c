"""Choose an outcome that is a number, and read it: with its logarithm or without, between limits or not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.schema.names import says, spoken
from medcore.data.schema.targets import MOST_CLASSES
from medcore.data.values.column import UNUSED
from medcore.data.values.names import clean_name
from medcore.data.values.typed import read_values
from medcore.errors import MissingColumnsError, SettingsError, TargetError
from medcore.i18n import N_, Message
from medcore.targets import Number

Floats = npt.NDArray[np.float64]
FEWEST_ROWS = 40
"""Rows with the number below which no model is trained: no tail of its errors could be seen."""
FEWEST_VALUES = 5
"""Different values below which an outcome is one of classes."""
SKEWED = 1.0
"""Skewness from which a distribution is called highly skewed (Bulmer 1979, *Principles of Statistics*, § 4)."""
N_PARTS = 5
"""Parts of equal size by which folds are balanced and Table 1 is broken down."""
_MEASURED = re.compile(
    r"\b(los|length of (hospital |icu )?stay|hospital days|hba1c|blood loss|cost|costs|charges|score|duration|weight|volume|level|dose|change|loss)\b"
    r"|住院(天数|日|时长)|天数|费用|出血量|评分|得分|体重|剂量"
)


@dataclass(frozen=True, slots=True)
class NumberProposal:
    """A column of numbers that could be the outcome, and why."""

    column: str
    confidence: float
    reason: Message

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the reason in the current language."""
        return {"column": self.column, "confidence": self.confidence, "reason": str(self.reason)}


def propose_numbers(frame: pd.DataFrame, schema: Schema) -> tuple[NumberProposal, ...]:
    """Rank the columns of numbers that could be the outcome, best first: by name, and by place in the table."""
    found = []
    for place, column in enumerate(schema.columns):
        if column.role in ("identifier", "group", "site", "time") or not is_number(frame, column):
            continue
        last = place == len(schema.columns) - 1
        named = says(column.name, "outcome") or bool(_MEASURED.search(spoken(column.name)))
        score = 0.2 + 0.3 * last + 0.35 * named - 0.2 * column.sensitive
        reason = Message(
            N_("It is the last column, and a measurement.") if last else N_("Its name is that of a result, and it is a measurement.")
        ) if last or named else Message(N_("It is a measurement."))  # fmt: skip
        found.append(
            (round(max(score, 0.01), 2), place, NumberProposal(column.name, round(max(score, 0.01), 2), reason))
        )
    return tuple(proposal for _score, _place, proposal in sorted(found, key=lambda f: (-f[0], -f[1])))


def is_number(frame: pd.DataFrame, column: Column) -> bool:
    """Say whether a column holds numbers, too many different ones to be classes."""
    return column.kind == "numeric" and int(frame[column.name].nunique()) > MOST_CLASSES


def could_be_number(frame: pd.DataFrame, column: Column) -> bool:
    """Say whether a column holds numbers, of at least so many different values that they could be a measurement."""
    return column.kind == "numeric" and int(frame[column.name].nunique()) >= FEWEST_VALUES


def choose_number(
    cohort: Cohort,
    target: str,
    *,
    log: bool | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Schema:
    """Make a column the outcome, as a number.

    Without ``log`` its logarithm is learnt where all values are above 0 and it is the less skewed of the two. Without
    ``low`` the limit is 0 where no value is below it. The column keeps its unit; the reason says what was chosen.

    Raises:
        MissingColumnsError, TargetError, SettingsError: what cannot be, in one sentence.

    """
    schema = cohort.schema
    name = target if target in schema.names else clean_name(target)
    if name not in schema.names:
        raise MissingColumnsError.between(wanted=[target], got=schema.names, table=cohort.name)
    for other in schema.with_role("outcome"):
        schema = schema.change(other.name, role="predictor")
    schema = schema.change(name, role="outcome", kind="numeric", levels=(), low=None, high=None)
    schema = replace(schema, positive=None, absence=None, follow_up=None, number=Number(low=low, high=high))
    if low is not None and high is not None and low >= high:
        raise SettingsError(
            N_("The lower limit {low} is not below the upper limit {high}. Give them the other way round."),
            low=f"{low:g}",
            high=f"{high:g}",
        )
    value, n_unreadable = read_number(cohort, schema)
    known = value[~np.isnan(value)]
    check_number(known, name)
    skew = skewness(known)
    reasons: list[Message] = []
    if log is None:
        log = bool(known.min() > 0 and skew > SKEWED and abs(skewness(np.log(known))) < skew)
        told = {"column": name, "skew": f"{skew:.1f}"}
        reasons.append(
            Message(N_("“{column}” is above 0 and skewed to the right ({skew}), so models learn its logarithm."), told)
            if log
            else Message(N_("“{column}” is predicted as it is (skewness {skew})."), told)
        )
    if low is None and not log and known.min() >= 0:
        low = 0.0
        reasons.append(Message(N_("None of its values is below 0, so no prediction is.")))
    if n_unreadable:
        reasons.append(Message(N_("{n} value(s) could not be read and are left out."), {"n": n_unreadable}))
    schema = replace(schema, number=Number(log=log, low=low, high=high))
    read_number(cohort, schema)  # refuses what the logarithm or a limit rules out
    reason = Message(N_("It is predicted as a number."))
    for more in reasons:
        reason = Message(N_("{event} {unit}"), {"event": reason, "unit": more})
    return schema.change(name, reason=reason)


def read_number(cohort: Cohort, schema: Schema) -> tuple[Floats, int]:
    """Read the outcome's numbers (n,), NaN where unknown, and count the cells that were given and are none.

    Raises:
        MissingColumnsError: the table lacks the column.
        TargetError: a value that has no logarithm, or lies beyond a limit.

    """
    column, number = schema.outcome, schema.number
    if column is None or number is None:
        raise TargetError(N_("No outcome is chosen. Choose the column to be predicted."))
    if column.name not in cohort.frame.columns:
        raise MissingColumnsError.between(wanted=[column.name], got=cohort.frame.columns, table=cohort.name)
    read = read_values(cohort.frame[[column.name]], Schema((column,)))
    value = pd.to_numeric(read.frame[column.name], errors="coerce").to_numpy(dtype=np.float64, copy=True)
    value[~np.isfinite(value)] = np.nan
    if number.log:
        _refuse(
            cohort,
            value <= 0,
            N_(
                "{n} row(s) have a “{column}” of 0 or below, the first in row {row} of the file, and such a number has no logarithm. Predict it without the logarithm (--scale plain), or leave these rows out."
            ),
            column=column.name,
        )
    if number.low is not None:
        _refuse(
            cohort,
            value < number.low,
            N_(
                "{n} row(s) have a “{column}” below {limit}, the first in row {row} of the file. Correct the lower limit, or these values."
            ),
            column=column.name,
            limit=f"{number.low:g}",
        )
    if number.high is not None:
        _refuse(
            cohort,
            value > number.high,
            N_(
                "{n} row(s) have a “{column}” above {limit}, the first in row {row} of the file. Correct the upper limit, or these values."
            ),
            column=column.name,
            limit=f"{number.high:g}",
        )
    return value, int(np.isin(read.status[column.name], list(UNUSED)).sum())


def check_number(known: Floats, name: str) -> None:
    """Refuse numbers (n,) of which nothing can be learnt: too few, or hardly any different ones.

    Raises:
        TargetError: it is so.

    """
    if len(known) < FEWEST_ROWS:
        raise TargetError(
            N_(
                "Only {n} rows have a number in “{column}”; at least {least} are needed to learn from and be judged by. Add patients, or choose another outcome."
            ),
            n=len(known),
            column=name,
            least=FEWEST_ROWS,
        )
    n_values = len(np.unique(known))
    if n_values == 1:
        raise TargetError(
            N_("“{column}” is the same number in all rows, so there is nothing to predict. Choose another outcome."),
            column=name,
        )
    if n_values < FEWEST_VALUES:
        raise TargetError(
            N_(
                "“{column}” has only {n} different values; as a number it needs at least {least}. Predict it as classes (--outcome classes)."
            ),
            column=name,
            n=n_values,
            least=FEWEST_VALUES,
        )


def skewness(values: Floats) -> float:
    """Return the moment coefficient of skewness of values (n,); 0 where they are all the same.

    >>> round(skewness(np.array([1.0, 2.0, 3.0, 10.0])), 3)
    1.018
    """
    centred = values - values.mean()
    spread = float(np.sqrt((centred**2).mean()))
    return float((centred**3).mean() / spread**3) if spread > 0 else 0.0


def parts_of(value: Floats) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return of numbers (n,) in which part of about equal size each lies, −1 where unknown, and how the parts are called.

    >>> parts_of(np.array([1.0, 2.0, 3.0, 4.0, np.nan, 10.0]))
    (array([ 0,  1,  2,  3, -1,  4]), ('1–1.8', '1.8–2.6', '2.6–3.4', '3.4–5.2', '5.2–10'))
    """
    known = value[~np.isnan(value)]
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, N_PARTS + 1))) if known.size else np.zeros(1)
    inner = edges[1:-1]
    part = np.where(np.isnan(value), -1, np.searchsorted(inner, np.nan_to_num(value), side="left"))
    names: Sequence[str] = [f"{low:.4g}–{high:.4g}" for low, high in pairwise(edges)]
    return part.astype(np.int64), tuple(names) or (f"{edges[0]:.4g}",)


def _refuse(cohort: Cohort, wrong: npt.NDArray[np.bool_], words: str, **values: Any) -> None:
    rows = np.flatnonzero(wrong)
    if rows.size:
        raise TargetError(words, n=int(rows.size), row=int(cohort.source.rows_in_file(rows[:1])[0]), **values)
