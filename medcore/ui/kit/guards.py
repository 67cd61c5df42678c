"""What a page needs before it can begin; where it is missing, the next step is shown.

Every page starts with a guard, also when it is reached by a deep link. A guard
either returns what the page asked for or ends the page with one clear way on.
"""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from medcore.errors import NotFoundError
from medcore.i18n import _
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit import cache, links
from medcore.ui.kit.frame import entry
from medcore.ui.kit.layout import empty, note
from medcore.ui.kit.notices import error
from medcore.ui.kit.state import state


def require_owner() -> str:
    """Return whose studies this browser may open, as its signed cookie proves."""
    owner = entry.person()
    if owner is None:
        _stop(
            _("This browser is not signed in to this installation"),
            _("Open medcore at the address that “make app” printed, and allow its cookie."),
        )
    return owner


def require_administrator() -> str:
    """Return who is at the page, if they are an administrator; else say that they are not."""
    person = require_owner()
    try:
        cache.store().require_administrator(person)
    except NotFoundError as problem:
        error(problem)
        st.stop()
    return person


def current_study() -> StudyRecord | None:
    """Return the study at hand, if there is one and this person may open it.

    The frame asks first, beside the page; why it cannot be opened is said at the top of the page.
    """
    study_id = state().study_id
    if study_id is None:
        return None
    try:
        return cache.study(require_owner(), study_id)
    except NotFoundError as problem:
        state().open_study(None)
        state().problem = problem
        return None


def require_study() -> StudyRecord:
    """Return the study at hand, or show the way to open one."""
    study = current_study()
    if study is None:
        _stop(
            _("No study is open"),
            _("Open a built-in sample, one of your studies, or a table of your own."),
            page="studies",
            label=_("Choose a study"),
        )
    if study.access == "read":
        note(_("You may read this study and not change it."))
    return study


def require_outcome() -> StudyRecord:
    """Return the study at hand once its outcome is chosen, or show the way to choose it."""
    study = require_study()
    if study.schema.outcome is None:
        _stop(
            _("The outcome has not been chosen"),
            _("Say which column is to be predicted, and which of its values is the event."),
            page="data",
            label=_("Choose the outcome"),
        )
    return study


def require_run(study: StudyRecord) -> RunRecord:
    """Return the finished run of a study at hand (else the chosen one, else the newest), or show the way to train."""
    runs = finished_runs(study)
    if not runs:
        _stop(
            _("No model has been trained in this study"),
            _("Train one first; on a table of some hundred patients it takes less than a minute."),
            page="train",
            label=_("Train a model"),
        )
    newest = next((run for run in runs if run.version_of is None), runs[0])
    wanted = (state().run_id, study.choice.run_id if study.choice else None, newest.id)
    usual = next(run for run_id in wanted for run in runs if run.id == run_id)
    return _linked_run(runs, usual)


def _linked_run(runs: tuple[RunRecord, ...], usual: RunRecord) -> RunRecord:
    """Return the run that the address newly asks for by its number, else the usual one."""
    said, run = links.asked("run", usual.id), usual
    if said:
        found = next((run for run in runs if str(run.number) == said), None)
        if found is None:
            note(_("This study has no finished run of the number in the link; another one is shown."), look="warning")
        else:
            run, state().run_id = found, found.id
            if "evaluate.run" in st.session_state:
                st.session_state["evaluate.run"] = run.id
    links.keep("run", str(run.number), run.id)
    return run


def finished_runs(study: StudyRecord) -> tuple[RunRecord, ...]:
    """Return the study's finished runs, the newest first."""
    return tuple(run for run in cache.runs(study.owner, study.id) if run.state == "done")


def _stop(title: str, text: str, *, page: str | None = None, label: str | None = None) -> NoReturn:
    empty(title, text, page=page, label=label)
    st.stop()
