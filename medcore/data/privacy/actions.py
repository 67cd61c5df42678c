"""What is done about identifiers: drop, pseudonymise, make ages 90, or keep with a reason."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from medcore.data.cohort import Cohort
from medcore.data.long import FROM_FILE
from medcore.data.schema.names import names_patients
from medcore.data.values.numbers import parse_numbers
from medcore.data.values.typed import distinct
from medcore.errors import MissingColumnsError, SettingsError
from medcore.i18n import N_

Action = Literal["drop", "pseudonymise", "years", "age_90", "keep"]
ACTIONS: tuple[str, ...] = get_args(Action)
PSEUDONYM_LENGTH = 16
FEWEST_KEY_BYTES = 16
OLDEST_TOLD = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do about one column; keeping an identifier needs a reason, which is recorded."""

    column: str
    action: Action
    reason: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise SettingsError(
                N_("There is no privacy action “{action}”. Choose one of: {known}."),
                action=self.action,
                known=list(ACTIONS),
            )
        if self.action == "keep" and not self.reason.strip():
            raise SettingsError(N_("Keeping “{column}” needs a reason. Write why it may be kept."), column=self.column)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)


def pseudonymise(values: pd.Series, key: bytes) -> pd.Series:
    """Replace each value by a pseudonym of 16 hexadecimal digits; the same value and key give the same one.

    HMAC-SHA256 (RFC 2104) of the trimmed text. Without the key nobody can tell
    the value or try candidates; so the key is kept apart from the table.
    Missing stays missing. Raises SettingsError for a key of under 16 bytes.
    """
    if len(key) < FEWEST_KEY_BYTES:
        raise SettingsError(N_("The key for pseudonyms is too short; it needs at least 16 bytes."))
    cells = distinct(values)
    names = [hmac.new(key, word.encode(), hashlib.sha256).hexdigest()[:PSEUDONYM_LENGTH] for word in cells.words()]
    lookup = np.array([*names, None], dtype=object)
    return pd.Series(lookup[cells.codes], index=values.index, name=values.name, dtype="str")


def protect(cohort: Cohort, decisions: Sequence[Decision], *, key: bytes | None = None) -> Cohort:
    """Return the cohort with every decision carried out, under an identity of its own.

    Dropped columns are gone from frame and schema. The new ``sha256`` is made of
    the file's and the decisions, so that results on the two are never mixed up.
    Raises MissingColumnsError, and SettingsError when a pseudonym lacks its key.
    """
    lacking = [d.column for d in decisions if d.column not in cohort.frame.columns]
    if lacking:
        raise MissingColumnsError.between(wanted=lacking, got=cohort.frame.columns)
    changing = [d for d in decisions if d.action != "keep"]
    if not changing:
        return cohort
    dropped = {d.column for d in changing if d.action == "drop"}
    frame = cohort.frame.drop(columns=list(dropped))
    for decision in changing:
        if decision.action != "drop":
            frame[decision.column] = _changed(frame[decision.column], decision, key)
    frame.attrs = dict(cohort.frame.attrs)
    schema = replace(
        cohort.schema,
        columns=tuple(_column(c, changing) for c in cohort.schema.columns if c.name not in dropped),
    )
    return replace(cohort, frame=frame, schema=schema, sha256=_identity(cohort.sha256, changing))


def with_pseudonyms(patients: Cohort, other: Cohort, key: bytes) -> Cohort:
    """Return a second table of the same patients in whose columns their names are the pseudonyms of the patients' table.

    A column that names patients is changed where its pseudonyms are in the patients' table: what was replaced there before it
    was stored. Nothing is changed where no column of that table holds pseudonyms.
    """
    codes = {
        c.name: {*patients.frame[c.name].dropna()}
        for c in patients.schema.columns
        if c.role in ("identifier", "group") and _are_pseudonyms(patients.frame[c.name])
    }
    named = [
        c.name
        for c in other.schema.columns
        if codes and c.name in other.frame and (c.name == FROM_FILE or names_patients(c.name))
    ]
    changed = {name: pseudonymise(other.frame[name], key) for name in named}
    same = {
        name: values for name, values in changed.items() if any({*values.dropna()} & known for known in codes.values())
    }
    return replace(other, frame=other.frame.assign(**same)) if same else other


def _are_pseudonyms(values: pd.Series) -> bool:
    known = values.dropna()
    return bool(len(known)) and bool(known.astype("str").str.fullmatch(f"[0-9a-f]{{{PSEUDONYM_LENGTH}}}").all())


def _changed(values: pd.Series, decision: Decision, key: bytes | None) -> pd.Series:
    if decision.action == "pseudonymise":
        if key is None:
            raise SettingsError(N_("A pseudonym for “{column}” needs a key."), column=decision.column)
        return pseudonymise(values, key)
    return _in_years(values) if decision.action == "years" else _capped_age(values)


def _in_years(values: pd.Series) -> pd.Series:
    """Keep the year of each date, as text."""
    from medcore.data.values.time.dates import parse_dates

    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        years: pd.Series = values.dt.year.astype("Int64").astype("str")
        return years
    cells = distinct(values)
    dates = pd.Series(parse_dates(cells.texts).value)
    lookup = np.array([*(None if pd.isna(d) else str(d.year) for d in dates), None], dtype=object)
    return pd.Series(lookup[cells.codes], index=values.index, name=values.name, dtype="str")


def _capped_age(values: pd.Series) -> pd.Series:
    if values.dtype.kind in "fi":
        return values.where(~((values >= OLDEST_TOLD) & (values < 130)), OLDEST_TOLD)
    cells = distinct(values)
    ages = parse_numbers(cells.texts, decimal=None).value
    old = np.append((ages >= OLDEST_TOLD) & (ages < 130), False)[cells.codes]
    capped: pd.Series = values.where(~old, str(OLDEST_TOLD))
    return capped


def _column(column: Any, changing: Sequence[Decision]) -> Any:
    actions: Mapping[str, Action] = {d.column: d.action for d in changing}
    action = actions.get(column.name)
    if action == "pseudonymise":
        role = column.role if column.role in ("group", "site") else "identifier"
        return replace(column, kind="category", role=role, low=None, high=None, levels=())
    if action == "years":
        return replace(column, kind="numeric", low=None, high=None)
    return column


def _identity(sha256: str, decisions: Sequence[Decision]) -> str:
    done = sorted((d.column, d.action) for d in decisions)
    return hashlib.sha256(json.dumps([sha256, done], ensure_ascii=False).encode()).hexdigest()
