"""Open a study: from a built-in sample, or from a table that a person brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Literal

from medcore.data.cohort import Cohort
from medcore.data.long import Pivot
from medcore.data.privacy import Decision, installation_key, protect, screen
from medcore.data.reading.table import reshape
from medcore.data.samples import Sample, load_sample, samples
from medcore.errors import InputError, NotFoundError
from medcore.i18n import N_
from medcore.jobs import Stop
from medcore.jobs.web.uploads import read_rows, read_upload
from medcore.settings import Settings
from medcore.studies.records import RunRecord, StudyRecord
from medcore.studies.stores.whole.archive import is_study_archive
from medcore.ui.kit.cache import cohort, store, studies
from medcore.ui.kit.guards import require_owner
from medcore.ui.kit.state import Pending, state

RESHAPED = {"pivot", "fill_down"}
"""Ways of reading that need no file."""
FEWEST_ROWS = 2
Stage = Literal["outcome", "train", "training", "trained"]


def open_sample(sample: Sample) -> StudyRecord:
    """Open a built-in sample as a study that is ready to train; the same one if it is open already."""
    study = sample_study(sample) or store().create_study(require_owner(), str(sample.title), load_sample(sample.key))
    state().open_study(study.id)
    return study


def sample_study(sample: Sample) -> StudyRecord | None:
    """Return this owner's study of a built-in sample, if there is one."""
    digest = _digest(sample.key)
    known = studies(require_owner())
    return next((s for s in known if s.cohort_sha256 == digest and s.cohort_name == sample.path.name), None)


def open_table(name: str, data: bytes, *, overrides: Mapping[str, Any] | None = None) -> StudyRecord | None:
    """Read a table and open a study on it, as :func:`read_file` and :func:`open_read` do."""
    return open_read(name, data, read_file(require_owner(), name, data, overrides=overrides))


def read_file(
    owner: str, name: str, data: bytes, *, overrides: Mapping[str, Any] | None = None, stop: Stop | None = None
) -> Cohort | StudyRecord:
    """Read a table that somebody brings, or bring in a study exported from medcore; needs no session.

    Raises:
        UnreadableFileError: the file is not a table; nothing is kept.
        CancelledError: somebody asked to stop.

    """
    if is_study_archive(data):
        return store().import_study(owner, data, read_rows=partial(read_rows, stop=stop))
    return read_upload(name, data, overrides=overrides, stop=stop)


def open_read(name: str, data: bytes, read: Cohort | StudyRecord) -> StudyRecord | None:
    """Open a study on a table that was read; its outcome is still to be chosen.

    A table in which something may tell who the patients are is not stored: it
    waits in the session for decisions on the Data page, and None is returned.

    Raises:
        InputError: it has too few rows.

    """
    if isinstance(read, StudyRecord):
        state().open_study(read.id)
        return read
    if read.n_rows < FEWEST_ROWS:
        raise InputError(
            N_(
                "The table {name} has {n} row(s), which no model can learn from. To see the risk of one patient, open a trained study and choose Patient, New table. If rows are missing, read the file in another way or look at its first lines."
            ),
            name=name,
            n=read.n_rows,
        )
    risky = tuple(f for f in screen(read.frame, read.schema) if f.severity == "error")
    state().pending = Pending(read, _study_name(name), risky) if risky else None
    if risky:
        return None
    study = store().create_study(require_owner(), _study_name(name), read, original=data)
    state().open_study(study.id)
    return study


def read_again(study: StudyRecord, overrides: Mapping[str, Any]) -> StudyRecord | None:
    """Read a study's file in another way and open a new study on it; the old one stays as it is.

    Rows of results become rows of patients, and cells under merged ones are filled, also
    where the file itself was not kept because it names patients.

    Raises:
        NotFoundError: the file as it was brought was not kept.

    """
    data = store().load_original(study.owner, study.id)
    rows = cohort(study)
    overrides = {**rows.source.choices(), **overrides}
    if data is None and set(overrides) <= RESHAPED | set(rows.source.choices()):
        pivot = Pivot.from_dict(overrides["pivot"]) if overrides.get("pivot") else None
        new = [name for name in overrides.get("fill_down", ()) if name not in rows.source.fill_down]
        made = store().create_study(study.owner, study.name, reshape(rows, fill_down_of=new, pivot=pivot))
        state().open_study(made.id)
        return made
    if data is None:
        raise NotFoundError(N_("The file of this study was not kept. Upload it again."))
    return open_table(study.cohort_name, data, overrides=overrides)


def open_joined(study: StudyRecord, joined: Cohort) -> StudyRecord | None:
    """Open a study on a table to which columns were added; it waits for decisions where they may tell who a patient is.

    The files themselves are not kept.
    """
    risky = tuple(f for f in screen(joined.frame, joined.schema) if f.severity == "error")
    state().pending = Pending(joined, study.name, risky) if risky else None
    if risky:
        return None
    made = store().create_study(study.owner, study.name, joined)
    state().open_study(made.id)
    return made


def open_protected(pending: Pending, decisions: Sequence[Decision]) -> StudyRecord:
    """Carry out the decisions about identifiers and open a study on what remains.

    The file as it was brought is not kept. What was decided, with the reasons, goes
    into the study's audit trail.
    """
    read = protect(pending.cohort, decisions, key=installation_key(Settings.from_env().data_dir))
    study = store().create_study(require_owner(), pending.name, read)
    protected = [d.column for d in decisions if d.action != "keep"]
    if protected:
        store().note(study.owner, study.id, "privacy.protected", columns=protected)
    for kept in (d for d in decisions if d.action == "keep"):
        store().note(study.owner, study.id, "privacy.overridden", column=kept.column, reason=kept.reason)
    state().pending = None
    state().open_study(study.id)
    return study


def stage_of(study: StudyRecord, runs: tuple[RunRecord, ...]) -> Stage:
    """Say how far a study is."""
    if study.schema.outcome is None:
        return "outcome"
    if any(run.unfinished for run in runs):
        return "training"
    return "trained" if any(run.state == "done" for run in runs) else "train"


@cache
def _digest(key: str) -> str:
    return next(sample.sha256 for sample in samples() if sample.key == key)


def _study_name(file_name: str) -> str:
    """Name a study after its file, without the endings."""
    stem = file_name.split(".")[0].replace("_", " ").strip()
    return stem or file_name
