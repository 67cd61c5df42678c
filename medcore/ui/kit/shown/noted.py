"""What the audit trail is told of a page: who looked at which patients, and what was taken away."""

from __future__ import annotations

from typing import Any

from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit.cache import store
from medcore.ui.kit.state import state


def note_view(study: StudyRecord, action: str, *identity: object, run: RunRecord | None = None, **details: Any) -> None:
    """Put a look at patients into the trail, once until something else of its kind is looked at.

    ``identity`` says what is looked at and stays in the session; ``details`` go into the
    trail and hold numbers of rows and runs, never a value.
    """
    seen = (study.id, run.id if run else None, *identity)
    if state().noted.get(action) == seen:
        return
    numbered = {"number": run.number} if run else {}
    store().note(study.owner, study.id, action, run_id=run.id if run else None, **numbered, **details)
    state().noted[action] = seen


def note_export(what: str) -> None:
    """Put into the trail that something of the study at hand was taken away as a file."""
    study_id, person = state().study_id, state().person
    if study_id is not None and person is not None:
        store().note(person, study_id, "data.exported", what=what)
