"""What one browser session remembers, in one typed object.

Streamlit forgets a widget's value when its page is left. So a widget's key is
``page.widget`` and it is made with ``persist_state="session"``; what several
pages share is a field of :class:`SessionState`. A reload of the browser ends the
session: the study and the language are therefore also in the address, and
:func:`from_address` reads them back. The address is never trusted: who may see a
study is decided by :mod:`medcore.ui.kit.guards`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import streamlit as st

from medcore.data.cohort import Cohort
from medcore.data.findings import Finding
from medcore.errors import MedcoreError
from medcore.i18n import LANGUAGES, best_language, use_language
from medcore.studies import Receipt

if TYPE_CHECKING:
    from medcore.ui.kit.links import Linked

_KEY = "medcore"


@dataclass(frozen=True, slots=True)
class Pending:
    """A table that waits for decisions about identifiers; nothing of it is stored."""

    cohort: Cohort = field(repr=False)
    name: str
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class SessionState:
    """One session's shared memory. ``run_id`` is the run that is being looked at."""

    language: str
    study_id: str | None = None
    run_id: str | None = None
    about: str | None = None
    """The study that the present page is about where that is not the one at hand: exports are noted there."""
    thresholds: dict[str, float] = field(default_factory=dict)
    """The threshold a run is read at, by run."""
    patients: dict[str, int] = field(default_factory=dict)
    """The row of the table that another page asked the Patient page to show, by run."""
    opened: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Which list and which place in it the Patient page shows as a record, by run."""
    typed: dict[str, Any] = field(default_factory=dict, repr=False)
    """The patient typed in last, by run; never stored."""
    model: str = ""
    """The released model whose patients are looked at."""
    course: str | None = field(default=None, repr=False)
    """The number of the patient of it whose course is shown."""
    watched: dict[str, datetime] = field(default_factory=dict)
    """As of when each released version is watched."""
    tour: int = 0
    """The step of the tour that is shown; 0 where none is."""
    tour_left: int = 0
    """The step at which the tour was left in this session."""
    deleted_study: str | None = None
    """The study deleted last in this session, which may be brought back."""
    receipt: Receipt | None = None
    """What went when a study was removed for good last in this session."""
    addressed: str | None = None
    """The study that stood in the address last."""
    pending: Pending | None = None
    """A table that was read and not stored, because something in it may tell who the patients are."""
    reports: dict[str, bytes] = field(default_factory=dict)
    """Finished reports, by run, format, threshold, language and answers."""
    person: str | None = field(default=None, repr=False)
    """Whose session this is; for somebody else it begins anew."""
    problem: MedcoreError | None = None
    """What went wrong in a callback, which runs before there is a page to say it on."""
    noted: dict[str, Any] = field(default_factory=dict, repr=False)
    """What the audit trail was told last, by kind: a rerun of the page tells it nothing new."""
    refits: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What bootstrap samples said of a run's model, told as JSON, by run."""
    page: str = ""
    """The page drawn last."""
    linked: dict[str, Linked] = field(default_factory=dict, repr=False)
    """What that page wrote into the address, by name."""
    drawn: set[str] = field(default_factory=set, repr=False)
    """Which of these names the present run of the page has drawn."""
    waiting: bool = False
    """Whether the present run of the page waits for work, so that part of it is not drawn yet."""
    uploads: int = 0
    """Counts finished uploads: a new key empties the uploader and frees its memory."""

    def bind(self, person: str | None) -> None:
        """Let the session be a person's; what another one left in it is gone."""
        if self.person is not None and person != self.person:
            fresh = SessionState(language=self.language)
            for name in self.__slots__:
                setattr(self, name, getattr(fresh, name))
            for key in [k for k in st.session_state if k != _KEY]:
                del st.session_state[key]
        self.person = person

    def open_study(self, study_id: str | None) -> None:
        """Go to another study, or to none; what belonged to the last one is forgotten."""
        self.receipt = None
        if study_id != self.study_id:
            self.study_id, self.run_id = study_id, None
            self.thresholds.clear()
            self.patients.clear()
            self.opened.clear()
            self.typed.clear()
            self.reports.clear()
            self.refits.clear()


def state() -> SessionState:
    """Return this session's state, made on first use from the browser's language."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = SessionState(language=_browser_language())
    found: SessionState = st.session_state[_KEY]
    return found


def ask_for_patient(run_id: str, row: int) -> None:
    """Let the Patient page begin with one row of the table."""
    state().patients[run_id] = row


def speak() -> None:
    """Use the session's language in what follows; callbacks and fragments begin with it."""
    use_language(state().language)


def write_again() -> None:
    """Have every select send its choice to the browser again: it keeps the words of the language it was made in."""
    for key, value in list(st.session_state.items()):
        # Only choices: a button or a file, among others, refuses to be set.
        if isinstance(key, str) and isinstance(value, (str, list)) and not key.startswith("frame."):
            st.session_state[key] = value


def from_address() -> None:
    """Take the study and the language from the address, the study where it newly asks for one.

    A study that was opened since the address was written goes before what stands in it.
    """
    current, query = state(), st.query_params
    if query.get("lang") in LANGUAGES:
        current.language = query["lang"]
    if query.get("tour", "").isdigit() and not current.tour_left:
        current.tour = int(query["tour"])
    asked = query.get("study")
    if asked and asked != current.addressed:
        current.open_study(asked)
    current.addressed = asked


def to_address() -> None:
    """Write the study and the language into the address, so that a reload or a link finds them."""
    for name, value in address().items():
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    for name in ("study", "tour"):
        if name not in address() and name in st.query_params:
            del st.query_params[name]
    state().addressed = st.query_params.get("study")


def address() -> Mapping[str, str]:
    """Return the part of the address that every link inside the app carries along."""
    current = state()
    pairs = {"lang": current.language, "study": current.study_id, "tour": str(current.tour or "")}
    return {name: value for name, value in pairs.items() if value}


def _browser_language() -> str:
    return best_language(st.context.headers.get("Accept-Language") or st.context.locale)
