"""A study as a card: what it is, how far it is, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import components, guards
from medcore.ui.kit.cache import store
from medcore.ui.kit.state import state
from medcore.ui.studies import create

STAGES = {
    "outcome": (N_("Outcome to be chosen"), "stale", "data"),
    "train": (N_("Ready to train"), "queued", "train"),
    "training": (N_("Training"), "running", "train"),
    "trained": (N_("Trained"), "done", "evaluate"),
}


def undo_deletion() -> None:
    """Offer to bring the study back that was deleted last."""
    gone = {study.id: study for study in store().list_studies(guards.require_owner(), deleted=True)}
    study = gone.get(state().deleted_study or "")
    if study is not None:
        components.undo(
            _("“{name}” was deleted.", name=study.name), key="studies.deleted", on_click=lambda: _restore(study)
        )


def study_card(study: StudyRecord) -> None:
    """Show one study with its state, the way to its next step, and rename and delete."""
    runs = store().list_runs(study.owner, study.id)
    name, look, next_page = STAGES[create.stage_of(study, runs)]
    outcome = study.schema.outcome
    facts = [_("{n} rows", n=f"{study.n_rows:,}"), _("{n} columns", n=study.n_columns)]
    if outcome is not None:
        facts.append(_("predicts {column}", column=outcome.name))
    if runs:
        facts.append(_("training runs: {n}", n=len(runs)))
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"studies-card-{study.id}"):
        components.card(study.name, " · ".join(facts), badge=_(name), look=look)
        if st.button(_("Open"), key=f"studies.open.{study.id}", type="primary"):
            state().open_study(study.id)
            components.go(next_page)
        with st.popover(_("More"), key=f"studies.more.{study.id}"):
            st.text_input(_("Name"), study.name, max_chars=200, key=f"studies.name.{study.id}")
            st.button(_("Rename"), key=f"studies.rename.{study.id}", on_click=_rename, args=(study,))
            st.button(
                _("Delete"), key=f"studies.delete.{study.id}", on_click=_delete, args=(study,), icon=":material/delete:"
            )


def _rename(study: StudyRecord) -> None:
    name = st.session_state.get(f"studies.name.{study.id}", "")
    if name.strip():
        store().rename_study(study.owner, study.id, name)


def _delete(study: StudyRecord) -> None:
    store().delete_study(study.owner, study.id)
    state().deleted_study = study.id
    if state().study_id == study.id:
        state().open_study(None)


def _restore(study: StudyRecord) -> None:
    store().restore_study(study.owner, study.id)
    state().deleted_study = None
