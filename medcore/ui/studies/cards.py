"""A study as a card: what it is, how far it is, its best figure, and the next step."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from medcore.i18n import N_, _
from medcore.studies.records import RunRecord, StudyRecord
from medcore.studies.use_records import StandingAlarms
from medcore.ui.kit import guards
from medcore.ui.kit.cache import runs as runs_of
from medcore.ui.kit.cache import standing, store, studies
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import speak, state
from medcore.ui.kit.words import model_name
from medcore.ui.studies import create
from medcore.ui.studies.sharing import sharing

STAGES = {
    "outcome": (N_("Outcome to be chosen"), "stale", "data", N_("Choose the outcome")),
    "train": (N_("Ready to train"), "queued", "train", N_("Train a model")),
    "training": (N_("Training"), "running", "train", N_("Watch it learn")),
    "trained": (N_("Trained"), "done", "evaluate", N_("Judge it")),
}


def undo_deletion() -> None:
    """Offer to bring the study back that was deleted last."""
    gone = {study.id: study for study in studies(guards.require_owner(), deleted=True)}
    study = gone.get(state().deleted_study or "")
    if study is not None:
        components.undo(
            _("“{name}” was deleted.", name=study.name), key="studies.deleted", on_click=lambda: _restore(study)
        )


def study_card(study: StudyRecord) -> None:
    """Show one study with its state, the way to its next step, and what else can be done with it."""
    runs = runs_of(study.owner, study.id)
    stage = create.stage_of(study, runs)
    name, look, next_page, step = STAGES[stage]
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"studies-card-{study.id}"):
        components.card(study.name, " · ".join(_facts(study, runs)), badge=_(name), look=look)
        if st.button(_(step), key=f"studies.open.{study.id}", type="primary"):
            _open(study, next_page)
        if stage == "trained" and st.button(_("Explain a patient"), key=f"studies.explain.{study.id}"):
            _open(study, "patient")
        with st.popover(_("More"), key=f"studies.more.{study.id}"):
            _more(study)
    for alarms in standing(guards.require_owner()):
        if alarms.study_id == study.id and alarms.n:
            _changed(alarms)


def _changed(alarms: StandingAlarms) -> None:
    """Say of a model in use what has changed and still holds, with the way there."""
    asked = {N_("stop"): alarms.n_stop, N_("recalibrate"): alarms.n_recalibrate, N_("look"): alarms.n_look}
    components.note(
        _(
            "{model} {version} in use, watched on {day}: {changes}.",
            model=alarms.model,
            version=alarms.version,
            day=f"{alarms.watched_at:%Y-%m-%d}",
            changes=[_("{n} to {what}", n=n, what=_(what)) for what, n in asked.items() if n],
        ),
        look="error" if alarms.n_stop else "warning",
    )
    if st.button(_("See what changed"), key=f"studies.watch.{alarms.model}", icon=":material/monitor_heart:"):
        state().model = alarms.model
        components.go("watch")


def best_run(study: StudyRecord, runs: Sequence[RunRecord]) -> RunRecord | None:
    """Return the run that a study stands for: the chosen one, else that of the highest out-of-fold AUROC, or R²."""
    figures = [(run, run.auroc or run.r2) for run in runs if run.state == "done"]
    judged = [(run, figure.value) for run, figure in figures if figure is not None and figure.exists]
    chosen = next((run for run, _value in judged if study.choice and run.id == study.choice.run_id), None)
    return chosen or max(judged, key=lambda one: (not one[0].out_of_date, one[1]), default=(None,))[0]


def _facts(study: StudyRecord, runs: Sequence[RunRecord]) -> list[str]:
    """Say in a line when it was changed, who is in it, what it predicts, and how well."""
    one_a_patient = not any(column.role == "group" for column in study.schema.columns)
    facts = [f"{study.updated_at:%Y-%m-%d}"]
    facts.append(_("{n} patients", n=f"{study.n_rows:,}") if one_a_patient else _("{n} rows", n=f"{study.n_rows:,}"))
    if study.schema.outcome is not None:
        facts.append(_("predicts {column}", column=study.schema.shown(study.schema.outcome.name).words))
    best = best_run(study, runs)
    figure = None if best is None else best.auroc or best.r2
    if best is not None and figure is not None:
        told = N_("AUROC {figure}, {model}") if best.auroc else N_("R² {figure}, {model}")
        interval = components.with_interval(figure, digits=2)
        facts.append(_(told, figure=interval, model=model_name(best.settings.model)))
    if len(runs) > 1:
        facts.append(_("training runs: {n}", n=len(runs)))
    return facts


def _more(study: StudyRecord) -> None:
    """Offer to rename, duplicate, take along, share and delete a study, as far as this person may."""
    if study.shared_by is not None:
        components.caption(_("Shared with you by {person}.", person=study.shared_by))
    if study.access == "read":
        return
    st.text_input(_("Name"), study.name, max_chars=200, key=f"studies.name.{study.id}")
    st.button(_("Rename"), key=f"studies.rename.{study.id}", on_click=_rename, args=(study,))
    st.button(
        _("Duplicate"),
        key=f"studies.duplicate.{study.id}",
        on_click=_duplicate,
        args=(study,),
        icon=":material/content_copy:",
        help=_("A second study with the same table, plan and finished runs."),
    )
    components.download(
        _("Export as one archive"),
        lambda: store().export_study(study.owner, study.id),
        file_name="medcore-study.zip",
        mime="application/zip",
        key=f"studies.export.{study.id}",
        noted=False,
    )
    components.caption(
        _("It holds the patients’ rows: keep it as you keep the table. Bring it in again where tables are brought.")
    )
    sharing(study)
    components.last_change(study, where="studies.card")
    if study.access == "own":
        st.button(
            _("Delete"), key=f"studies.delete.{study.id}", on_click=_delete, args=(study,), icon=":material/delete:"
        )


def _open(study: StudyRecord, page: str) -> None:
    state().open_study(study.id)
    components.go(page)


def _rename(study: StudyRecord) -> None:
    name = st.session_state.get(f"studies.name.{study.id}", "")
    if name.strip():
        store().rename_study(study.owner, study.id, name)


def _duplicate(study: StudyRecord) -> None:
    speak()
    with components.errors_shown():
        store().duplicate_study(study.owner, study.id, _("{name} (copy)", name=study.name))


def _delete(study: StudyRecord) -> None:
    store().delete_study(study.owner, study.id)
    state().deleted_study = study.id
    if state().study_id == study.id:
        state().open_study(None)


def _restore(study: StudyRecord) -> None:
    store().restore_study(study.owner, study.id)
    state().deleted_study = None
