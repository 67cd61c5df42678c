"""Studies: what I work on, and how to begin."""

from __future__ import annotations

import streamlit as st

from medcore.data.samples import Sample, samples
from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import components, guards
from medcore.ui.kit.cache import store
from medcore.ui.kit.state import state
from medcore.ui.studies import opening

STAGES = {
    "outcome": (N_("Outcome to be chosen"), "stale", "data"),
    "train": (N_("Ready to train"), "queued", "train"),
    "training": (N_("Training"), "running", "train"),
    "trained": (N_("Trained"), "done", "evaluate"),
}
SHOWN = 12


def page() -> None:
    owner = guards.require_owner()
    studies = store().list_studies(owner)
    components.header(
        _("Studies"),
        _("A study is one table of patients and all that is done with it: prepare, train, judge, explain."),
    )
    deleted()
    if studies:
        your_studies(studies)
    upload()
    sample_cards()


def deleted() -> None:
    """Offer to bring the study back that was deleted last."""
    gone = {study.id: study for study in store().list_studies(guards.require_owner(), deleted=True)}
    study = gone.get(state().deleted_study or "")
    if study is not None:
        components.undo(
            _("“{name}” was deleted.", name=study.name), key="studies.deleted", on_click=lambda: restore(study)
        )


def your_studies(studies: tuple[StudyRecord, ...]) -> None:
    components.section(_("Your studies"))
    wanted = ""
    if len(studies) > SHOWN:
        wanted = st.text_input(_("Find a study by name"), key="studies.find").casefold()
    found = [s for s in studies if wanted in s.name.casefold()]
    for study in found[:SHOWN]:
        study_card(study)
    if len(found) > SHOWN:
        components.note(_("{n} more studies: type a part of the name to find one.", n=len(found) - SHOWN))


def study_card(study: StudyRecord) -> None:
    runs = store().list_runs(study.owner, study.id)
    name, look, next_page = STAGES[opening.stage_of(study, runs)]
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
            st.button(_("Rename"), key=f"studies.rename.{study.id}", on_click=rename, args=(study,))
            st.button(
                _("Delete"), key=f"studies.delete.{study.id}", on_click=delete, args=(study,), icon=":material/delete:"
            )


def upload() -> None:
    components.section(
        _("Bring a table"),
        _("One row a patient or a visit, one column a measurement. It stays on this machine."),
    )
    file = st.file_uploader(
        _("Table with the columns' names in its first line"),
        key=f"studies.file.{state().uploads}",
        help=_(
            "CSV, TSV, Excel, ODS, Parquet, Feather, Stata, SAS or SPSS; also compressed. Encoding and separator are detected."
        ),
    )
    if file is not None:
        with components.errors_shown():
            with st.spinner(_("Reading {name} …", name=components.plain(file.name))):
                opening.open_table(file.name, file.getvalue())
            state().uploads += 1
            components.go("data")


def sample_cards() -> None:
    components.section(
        _("Or try a built-in sample"), _("Real, openly licensed tables. One click opens one, ready to train.")
    )
    known = samples()
    for left in range(0, len(known), 2):
        for column, sample in zip(st.columns(2), known[left : left + 2], strict=False):
            with column, st.container(border=True, height="stretch", key=f"studies-sample-{sample.key}"):
                sample_card(sample)


def sample_card(sample: Sample) -> None:
    components.card(str(sample.title), str(sample.summary))
    if st.button(_("Open this sample"), key=f"studies.sample.{sample.key}"):
        with components.errors_shown():
            opening.open_sample(sample)
            components.go("train")


def rename(study: StudyRecord) -> None:
    name = st.session_state.get(f"studies.name.{study.id}", "")
    if name.strip():
        store().rename_study(study.owner, study.id, name)


def delete(study: StudyRecord) -> None:
    store().delete_study(study.owner, study.id)
    state().deleted_study = study.id
    if state().study_id == study.id:
        state().open_study(None)


def restore(study: StudyRecord) -> None:
    store().restore_study(study.owner, study.id)
    state().deleted_study = None


page()
