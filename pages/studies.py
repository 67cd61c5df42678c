"""Studies: what I work on, and how to begin."""

from __future__ import annotations

import streamlit as st

from medcore.data.samples import Sample, samples
from medcore.i18n import _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import cache, guards
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import state
from medcore.ui.studies import create, tour
from medcore.ui.studies.bin import deleted_studies
from medcore.ui.studies.cards import study_card, undo_deletion
from medcore.ui.studies.compare import compare_studies

SHOWN = 12


def page() -> None:
    owner = guards.require_owner()
    studies = cache.studies(owner)
    components.header(
        _("Studies"),
        _("A study is one table of patients and all that is done with it: prepare, train, judge, explain."),
    )
    undo_deletion()
    if studies:
        your_studies(studies)
    elif cache.role(owner) == "reader":
        components.empty(
            _("No study has been shared with you yet"),
            _(
                "Your role here is reader: you look at studies that their owners share with the name you signed in with."
            ),
        )
    else:
        components.empty(
            _("There is no study yet"),
            _("Bring a table of your own, open a built-in sample, or take the tour: it begins with a sample."),
        )
    if cache.role(owner) != "reader":
        tour.invitation()
        upload()
        sample_cards()
    deleted_studies(owner)


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
    compare_studies(studies)


def upload() -> None:
    components.section(
        _("Bring a table"),
        _(
            "One row a patient or a visit, one column a measurement; or a study exported from medcore. It stays on this machine."
        ),
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
            owner, name, data = guards.require_owner(), file.name, file.getvalue()
            read = components.waited(
                lambda task: create.read_file(owner, name, data, stop=task.stop),
                *("studies.file", file.file_id),
                key="studies.reading",
                doing=_("{name} is read.", name=components.plain(name)),
                keep=False,
            )
            if read is None:
                return
            study = create.open_read(name, data, read)
            state().uploads += 1
            if study is not None and guards.finished_runs(study):
                st.rerun()  # one that came from an archive: its card, on top of the list, says what is next
            components.go("data")


def sample_cards() -> None:
    components.section(
        _("Or try a built-in sample"),
        _("Openly licensed tables of real patients; one that is made says so. One click opens one, ready to train."),
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
            create.open_sample(sample)
            components.go("train")


page()
