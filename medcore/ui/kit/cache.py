"""What is computed once and kept: one line a function, the identity in the key.

Rows and results about patients are kept for one session only and never shared.
Every key names what was computed and the identity of what it was computed from
(a study's ``content_key`` or ``identity``, a run's id), never a frame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medcore.data.cohort import Cohort, Schema
from medcore.data.describe.mended import Mend, mended, mended_of
from medcore.models.contract.progress import Progress
from medcore.models.run.number.results import NumberResults, has_number_results, read_number_results
from medcore.models.run.results import Results, read_results
from medcore.models.run.timed.results import TimedResults, has_timed_results, read_timed_results
from medcore.settings import Settings
from medcore.studies.people.roles import Role
from medcore.studies.records import RunRecord, StudyRecord
from medcore.studies.store import Store
from medcore.studies.stores.session import writings
from medcore.studies.use_records import StandingAlarms
from medcore.ui.kit.state import state

T = TypeVar("T")


def once(compute: Callable[[], T], *identity: object) -> T:
    """Compute once a session and person for an identity: ``once(lambda: profile(cohort), "profile", study.identity)``.

    The result must be treated as frozen: the same object is given every time.
    """
    result: T = _kept((str(state().person), *map(str, identity)), compute)
    return result


def asked(question: Callable[[], T], *identity: Hashable) -> T:
    """Ask the database once in a run of a page, and once more after anything was written.

    A page asks for its study in a dozen places; each time is some milliseconds, the check of who may see it included.
    """
    context = get_script_run_ctx()
    run = None if context is None else context.parallel_coordinator  # made anew for each run of the page
    if run is None:
        return question()
    if _answers.run is not run or _answers.writings != writings():
        _answers.run, _answers.writings, _answers.found = run, writings(), {}
    if identity not in _answers.found:
        _answers.found[identity] = question()
    answer: T = _answers.found[identity]
    return answer


def store() -> Store:
    """Return the installation's store, one for the whole web process."""
    return asked(lambda: _store(Settings.from_env()), "store")


def role(person: str) -> Role:
    """Return a person's role."""
    return asked(lambda: store().role(person), "role", person)


def study(owner: str, study_id: str) -> StudyRecord:
    """Return a study as it is now."""
    return asked(lambda: store().get_study(owner, study_id), "study", owner, study_id)


def studies(owner: str, *, deleted: bool = False) -> tuple[StudyRecord, ...]:
    """Return a person's studies as they are now."""
    return asked(lambda: store().list_studies(owner, deleted=deleted), "studies", owner, deleted)


def runs(owner: str, study_id: str) -> tuple[RunRecord, ...]:
    """Return a study's runs as they are now, the newest first."""
    return asked(lambda: store().list_runs(owner, study_id), "runs", owner, study_id)


def standing(owner: str) -> tuple[StandingAlarms, ...]:
    """Return what watching found last of each model in use that is open to a person."""
    return asked(lambda: store().standing(owner), "standing", owner)


def cohort(study: StudyRecord) -> Cohort:
    """Return a study's rows under its present schema."""
    rows = once(lambda: store().load_cohort(study.owner, study.id), "cohort", study.content_key)
    return rows.with_schema(study.schema)


def progress(run: RunRecord) -> list[Progress]:
    """Return a run's moments so far; only those that are new are read from the store."""
    followed = once(_Followed, "progress", run.id)
    for point in store().progress(run.owner, run.id, followed.seq):
        followed.seq = point.seq
        followed.points.append(point.progress)
    return followed.points


def results(run: RunRecord) -> Results:
    """Return everything a finished run found, without loading its model, in the study's present words for the classes."""
    found = once(lambda: read_results(store().result_folder(run.owner, run.id)), "results", run.id)
    return found.named_as(study(run.owner, run.study_id).schema)


def by_when(run: RunRecord) -> bool:
    """Whether a finished run's model says by when an event comes, so that it has results of its own kind."""
    return once(lambda: has_timed_results(store().result_folder(run.owner, run.id)), "by_when", run.id)


def timed_results(run: RunRecord) -> TimedResults:
    """Return everything a finished run that says by when found, without loading its model."""
    return once(lambda: read_timed_results(store().result_folder(run.owner, run.id)), "timed_results", run.id)


def of_number(run: RunRecord) -> bool:
    """Whether a finished run's model predicts a number, so that it has results of its own kind."""
    return once(lambda: has_number_results(store().result_folder(run.owner, run.id)), "of_number", run.id)


def number_results(run: RunRecord) -> NumberResults:
    """Return everything a finished run that predicts a number found, without loading its model."""
    return once(lambda: read_number_results(store().result_folder(run.owner, run.id)), "number_results", run.id)


def any_results(run: RunRecord) -> Results | TimedResults | NumberResults:
    """Return everything a finished run found, whatever it predicts."""
    if of_number(run):
        return number_results(run)
    return timed_results(run) if by_when(run) else results(run)


def mends(study: StudyRecord) -> tuple[Mend, ...]:
    """Return what was mended in a study's table between its file and its numbers."""
    return once(lambda: mended(cohort(study)), "mended", study.identity)


def model_mends(rows: Cohort, run: RunRecord, schema: Schema, *identity: object) -> tuple[Mend, ...]:
    """Return what was mended in a table in the columns that a run's model, of this schema, reads."""
    return once(lambda: mended_of(rows, schema), "mended", run.id, rows.sha256, *identity)


@dataclass(slots=True)
class _Followed:
    seq: int = 0
    points: list[Progress] = field(default_factory=list)


class _AnswersOfThisThread(threading.local):
    """What was asked in a run of a page; each runs in a thread of its own."""

    run: object = None
    writings: int = -1
    found: dict[tuple[Hashable, ...], Any] = {}  # noqa: RUF012 - replaced, never changed


_answers = _AnswersOfThisThread()


@st.cache_resource(scope="session", max_entries=64, show_spinner=False)
def _kept(identity: tuple[str, ...], _compute: Callable[[], Any]) -> Any:  # noqa: ARG001
    return _compute()


@cache
def _store(settings: Settings) -> Store:
    return Store(settings)
