"""What the audit trail is told of a page: who looked at which patients, and what was taken away."""

from __future__ import annotations

from collections.abc import Callable
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


def noting_export(what: str, make: Callable[[], bytes | str]) -> Callable[[], bytes | str]:
    """Return what makes a file and puts into the trail that it was taken away from the study that the page is about.

    Noting with the making spares the click a rerun, during which Streamlit gives every file a
    new name and answers a second click with the old one that there is no such file.
    """
    study_id, person, kept = state().about or state().study_id, state().person, store()

    def made() -> bytes | str:
        file = make()
        if study_id is not None and person is not None:
            kept.note(person, study_id, "data.exported", what=what)
        return file

    return made
