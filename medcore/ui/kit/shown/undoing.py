"""The last change of a study, beside a button that takes it back."""

from __future__ import annotations

import streamlit as st

from medcore.errors import MedcoreError
from medcore.i18n import _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import layout
from medcore.ui.kit.cache import store
from medcore.ui.kit.state import speak, state

CHANGES = {
    "evaluate.choice": ("choice.changed",),
    "evaluate.answers": ("answers.changed",),
    "evaluate.version": ("run.recalibrated",),
    "train.runs": ("run.removed",),
    "studies.card": ("study.renamed", "study.shared_reader", "study.shared_modeller", "study.unshared"),
}
"""By where it is offered: which changes may be taken back there. The Data page offers any."""


def last_change(study: StudyRecord, *, where: str = "data") -> None:
    """Offer to take back the last change of a study, where it is one of this place."""
    last = store().last_change(study.owner, study.id)
    if last is None or (where != "data" and last.action not in CHANGES[where]):
        return
    key = f"{where}.last.{study.id}"
    layout.undo(str(last.sentence), key=key, on_click=lambda: _undo(study, last.seq))


def _undo(study: StudyRecord, seq: int) -> None:
    speak()
    try:
        store().undo(study.owner, study.id, seq=seq)
    except MedcoreError as problem:
        state().problem = problem
    else:
        st.toast(_("The last change was undone."))
