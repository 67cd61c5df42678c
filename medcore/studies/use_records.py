"""What the store gives back about models in use: releases, their patients, predictions, tasks and tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, Self, get_args

from medcore.errors import SettingsError
from medcore.i18n import N_

TaskKind = Literal["note", "task", "look_again"]
TASK_KINDS: tuple[TaskKind, ...] = get_args(TaskKind)
ReleaseState = Literal["in use", "succeeded", "expired", "withdrawn"]
RELEASE_STATES: Mapping[ReleaseState, str] = {
    "in use": N_("in use"),
    "succeeded": N_("succeeded by a later version"),
    "expired": N_("no longer valid"),
    "withdrawn": N_("withdrawn"),
}
LONGEST_TEXT = 4_000
_MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a version is released: what for, for whom, until when, from which risk on it calls.

    ``figures`` are those it was released on, by set (``cross_validated``, ``test``) and measure, each
    with its interval; ``codes`` says how a column is found in a FHIR bundle (:mod:`medcore.service.records.fhir`),
    ``reminders`` when patients are to be looked at again (:class:`medcore.studies.reminders.ReminderRules`).
    """

    intended_use: str
    for_whom: str
    threshold: float | None
    valid_until: date | None = None
    figures: Mapping[str, Any] = field(default_factory=dict, repr=False)
    codes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reminders: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for text in (self.intended_use, self.for_whom):
            if not text.strip() or len(text) > LONGEST_TEXT:
                raise SettingsError(
                    N_("Say what the model is released for, and for which patients: that stands in every answer of it.")
                )
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise SettingsError(N_("The threshold is {value}; it is a risk between 0 and 1."), value=self.threshold)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        until = self.valid_until.isoformat() if self.valid_until else None
        return {name: getattr(self, name) for name in self.__slots__} | {"valid_until": until}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote."""
        until = data.get("valid_until")
        return cls(**{**data, "valid_until": date.fromisoformat(until) if until else None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version of a model that a person released; nothing of it changes but that it may be withdrawn.

    ``owner`` is the person in whose name it was asked for, as of every record. ``newest`` says that
    no later version is in use.
    """

    id: str
    owner: str = field(repr=False)
    study_id: str
    run_id: str
    model: str
    version: int
    bundle_sha256: str
    terms: Terms
    released_by: str = field(repr=False)
    released_at: datetime
    withdrawn_by: str | None = field(repr=False, default=None)
    withdrawn_at: datetime | None = None
    withdrawn_why: str | None = None
    newest: bool = True

    @property
    def state(self) -> ReleaseState:
        """Whether it may be used now: a withdrawn, expired or succeeded version answers nothing."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.terms.valid_until is not None and datetime.now(UTC).date() > self.terms.valid_until:
            return "expired"
        return "in use" if self.newest else "succeeded"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form, without people's names."""
        simple = ("id", "study_id", "run_id", "model", "version", "bundle_sha256", "state", "withdrawn_why")
        return {name: getattr(self, name) for name in simple} | {
            "terms": self.terms.to_dict(),
            "released_at": self.released_at.isoformat(),
            "withdrawn_at": self.withdrawn_at.isoformat() if self.withdrawn_at else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPatient:
    """One patient about whom a model was asked, with its answer: what is to be kept.

    ``values`` are as given, by column; ``risks`` one a class; ``risk`` that of the event in question
    (of a number the number itself). ``patient`` is an identifier, ``request`` the key of the request.
    """

    values: Mapping[str, Any] = field(repr=False)
    risk: float = field(repr=False)
    risks: Sequence[float] = field(repr=False)
    called: bool
    flags: Sequence[str] = ()
    at: datetime | None = None
    patient: str | None = field(repr=False, default=None)
    request: str | None = field(repr=False, default=None)
    request_body: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRecord:
    """What one version said of one patient at one moment, and what came of it."""

    id: int
    model: str
    version: int
    patient_id: str | None
    at: datetime
    made_at: datetime
    risk: float = field(repr=False)
    called: bool
    values: Mapping[str, Any] = field(repr=False)
    risks: tuple[float, ...] = field(repr=False)
    flags: tuple[str, ...]
    outcome: float | None = field(repr=False)
    outcome_at: datetime | None
    outcome_on: date | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        moments = {n: t.isoformat() if (t := getattr(self, n)) else None for n in ("at", "made_at", "outcome_at")}
        return {name: getattr(self, name) for name in self.__slots__} | {
            "values": dict(self.values),
            "risks": list(self.risks),
            "flags": list(self.flags),
            **moments,
            "outcome_on": self.outcome_on.isoformat() if self.outcome_on else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAlarms:
    """How many changes of a version in use stand since it was last watched, by what they ask for."""

    model: str
    version: int
    study_id: str
    watched_at: datetime
    month: str
    n_stop: int = 0
    n_recalibrate: int = 0
    n_look: int = 0

    @property
    def n(self) -> int:
        """All of them."""
        return self.n_stop + self.n_recalibrate + self.n_look


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistEntry:
    """A patient of a released model as the worklist shows it: the last two predictions and what is open.

    ``at`` is the last visit and ``first_at`` the first, ``before`` the risk of the visit before, ``n_open`` the open
    tasks, ``due_at`` when the first is due.
    """

    patient_id: str
    identifier: str = field(repr=False)
    version: int
    at: datetime
    first_at: datetime
    risk: float = field(repr=False)
    called: bool
    n_flags: int
    before: float | None = field(repr=False)
    outcome: float | None = field(repr=False)
    n_predictions: int
    n_open: int
    due_at: datetime | None

    @property
    def change(self) -> float | None:
        """How the risk changed since the visit before."""
        return None if self.before is None else self.risk - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """A note, a task or a reminder for a patient."""

    id: str
    patient_id: str
    kind: TaskKind
    text: str = field(repr=False)
    by: str = field(repr=False)
    whose: str | None = field(repr=False)
    due_at: datetime | None
    created_at: datetime
    done_at: datetime | None
    done_by: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """A program's token: everything but the token itself."""

    id: str
    person: str = field(repr=False)
    label: str
    model: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    @property
    def holds(self) -> bool:
        """Whether it still opens anything."""
        return self.ended_at is None and datetime.now(UTC) < self.expires_at


def checked_model_name(name: str) -> str:
    """Return a model's name as it stands in addresses.

    Raises:
        SettingsError: it could not stand there.

    """
    name = name.strip().lower().replace("_", "-").replace(" ", "-")
    if not _MODEL_NAME.fullmatch(name):
        raise SettingsError(
            N_(
                "The name of a released model stands in addresses: 2 to 63 small letters a to z, digits and hyphens, such as heart-disease."
            )
        )
    return name
