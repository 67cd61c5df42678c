"""Open a study: from a built-in sample, or from a table that a person brings."""

from __future__ import annotations

from typing import Literal

from medcore.data.reading import read_table
from medcore.data.samples import Sample, load_sample
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.cache import store
from medcore.ui.guards import require_owner
from medcore.ui.state import state

Stage = Literal["outcome", "train", "training", "trained"]


def open_sample(sample: Sample) -> StudyRecord:
    """Open a built-in sample as a study that is ready to train; the same one if it is open already."""
    cohort, owner = load_sample(sample.key), require_owner()
    known = (
        s for s in store().list_studies(owner) if s.cohort_sha256 == cohort.sha256 and s.cohort_name == cohort.name
    )
    study = next(known, None) or store().create_study(owner, str(sample.title), cohort)
    state().open_study(study.id)
    return study


def open_table(name: str, data: bytes) -> StudyRecord:
    """Read a table and open a study on it; its outcome is still to be chosen.

    Raises:
        UnreadableFileError: the file is not a table; nothing is kept.

    """
    cohort = read_table((name, data))
    study = store().create_study(require_owner(), _study_name(name), cohort, original=data)
    state().open_study(study.id)
    return study


def stage_of(study: StudyRecord, runs: tuple[RunRecord, ...]) -> Stage:
    """Say how far a study is."""
    if study.schema.outcome is None:
        return "outcome"
    if any(run.unfinished for run in runs):
        return "training"
    return "trained" if any(run.state == "done" for run in runs) else "train"


def _study_name(file_name: str) -> str:
    """Name a study after its file, without the endings."""
    stem = file_name.split(".")[0].replace("_", " ").strip()
    return stem or file_name
