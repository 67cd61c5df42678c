"""Deleted studies: brought back, or removed for good, with a receipt of what went."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from medcore.i18n import _
from medcore.jobs.queries.deletion import purge_study
from medcore.studies import Receipt
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import store, studies
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import state


def deleted_studies(owner: str) -> None:
    """List what was deleted, until when it can be brought back, and what went for good just now."""
    if state().receipt is not None:
        _show(state().receipt)
    gone = studies(owner, deleted=True)
    if gone:
        with st.expander(_("Deleted studies: {n}", n=len(gone)), icon=":material/delete:"):
            for study in gone:
                _line(study)


def _line(study: StudyRecord) -> None:
    assert study.deleted_at is not None
    last = study.deleted_at + timedelta(days=store().settings.retention_days)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"studies-bin-{study.id}"):
        components.card(
            study.name,
            _(
                "Deleted on {day}; removed for good on {last}.",
                day=f"{study.deleted_at:%Y-%m-%d}",
                last=f"{last:%Y-%m-%d}",
            ),
        )
        st.button(_("Bring back"), key=f"studies.restore.{study.id}", on_click=_restore, args=(study,))
        with st.popover(_("Remove for good"), key=f"studies.purge.{study.id}"):
            st.markdown(
                _(
                    "Table, original file, runs, results and names go at once from this installation and cannot be brought back. Your backups are yours to clear."
                )
            )
            st.button(_("Yes, remove it for good"), key=f"studies.purge.yes.{study.id}", on_click=_purge, args=(study,))


def _show(receipt: Receipt | None) -> None:
    if receipt is None:
        return
    components.note(
        _(
            "Removed for good on {moment}: {rows} patients’ rows, {originals} original file(s), {runs} run(s), {results} result(s), {checkpoints} checkpoint(s), {predictions} prediction(s) of released models, the names in {trail} entries of the audit trail.",
            moment=f"{receipt.purged_at:%Y-%m-%d %H:%M} UTC",
            rows=receipt.n_rows,
            originals=receipt.n_originals,
            runs=receipt.n_runs,
            results=receipt.n_results,
            checkpoints=receipt.n_checkpoints,
            predictions=receipt.n_predictions,
            trail=receipt.n_trail,
        ),
        look="success",
    )


def _restore(study: StudyRecord) -> None:
    store().restore_study(study.owner, study.id)
    state().deleted_study = None


def _purge(study: StudyRecord) -> None:
    state().receipt = purge_study(store(), study.owner, study.id)
    state().deleted_study = None
