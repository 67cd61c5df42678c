import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from medcore.data.cohort import Cohort
from medcore.errors import NotFoundError
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store, StudyRecord
from medcore.studies.kept.files import first_patients_name, result_name
from medcore.studies.tables import StudyRow, now

PLANTED = ("Zhelyazkova", "木村拓哉")
"""Names of patients, as a file, a study and a category may carry them."""


@pytest.fixture
def planted(store: Store, cohort: Cohort, tmp_path: Path) -> StudyRecord:
    """A study that holds names wherever a person can put them, with a run, its results and a checkpoint."""
    frame = cohort.frame.assign(ward=[PLANTED[0]] * 30 + [PLANTED[1]] * 30)
    named = replace(cohort, frame=frame, name=f"{PLANTED[0]}.csv")
    study = store.create_study("ann", f"Ward of {PLANTED[1]}", named, original="\n".join(PLANTED).encode())
    store.rename_study("ann", study.id, f"Mrs {PLANTED[0]}")
    store.save_answers("ann", study.id, {"purpose": f"to help {PLANTED[0]}"})
    run = store.create_run("ann", study.id, TrainSettings())
    (store.checkpoint_dir(run.id) / "state.json").write_bytes(PLANTED[0].encode())
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "rows.json").write_text(PLANTED[1])
    store.begin_attempt("ann", run.id)
    store.append_progress("ann", run.id, [Progress(stage="final", model="seed", epoch=1)])
    store.keep_result("ann", run.id, tmp_path / "result")
    store.keep_first_patients("ann", run.id, PLANTED[0].encode())
    store.finish_run("ann", run.id, "done", attempt=1, summary={})
    store.count_look("ann", study.id, run.id)
    return store.get_study("ann", study.id)


def everything(settings: Settings) -> bytes:
    """Every byte in the data folder, the database's log and free pages among them."""
    return b"".join(p.read_bytes() for p in sorted(settings.data_dir.rglob("*")) if p.is_file())


def readable(settings: Settings) -> list[str]:
    """The planted names that stand anywhere in the data folder as text: in UTF-8, or as JSON may escape them."""
    left = everything(settings)
    return [name for name in PLANTED for text in (name, json.dumps(name)[1:-1]) if text.encode() in left]


def test_no_name_of_a_study_can_be_read_in_any_file_before_and_after_its_deletion(
    store: Store, planted: StudyRecord, studies_settings: Settings
) -> None:
    assert planted.name == f"Mrs {PLANTED[0]}"
    assert readable(studies_settings) == []
    store.delete_study("ann", planted.id)
    receipt = store.purge_study("ann", planted.id)
    assert (receipt.n_rows, receipt.n_originals, receipt.n_runs, receipt.n_results) == (60, 1, 1, 1)
    assert (receipt.n_checkpoints, receipt.n_looks) == (1, 1)
    assert store.list_studies("ann", deleted=True) == ()
    assert readable(studies_settings) == []
    assert [p for p in (studies_settings.data_dir / "files").rglob("*") if p.is_file()] == []


def test_the_trail_keeps_who_did_what_and_when_but_no_name(store: Store, planted: StudyRecord) -> None:
    before = store.audit("ann", planted.id)
    store.purge_study("ann", planted.id)
    after = store.audit("ann", planted.id)
    assert [(e.action, e.created_at) for e in after[:-1]] == [(e.action, e.created_at) for e in before]
    assert after[-1].action == "study.purged"
    assert not any(e.undoable for e in after)
    assert all(name not in str(e.sentence) for e in after for name in PLANTED)
    with pytest.raises(NotFoundError):
        store.undo("ann", planted.id)


def test_a_table_that_another_study_uses_stays_and_the_receipt_says_so(
    store: Store, planted: StudyRecord, cohort: Cohort
) -> None:
    shared = store.load_cohort("ann", planted.id)
    other = store.create_study("ann", "Other", shared)
    assert store.purge_study("ann", planted.id).n_rows == 0
    assert store.load_cohort("ann", other.id).n_rows == 60


def test_what_was_deleted_long_enough_ago_goes_by_itself_and_nothing_else(store: Store, cohort: Cohort) -> None:
    old, recent, living = (store.create_study("ann", name, cohort) for name in ("Old", "Recent", "Living"))
    for study in (old, recent):
        store.delete_study("ann", study.id)
    with Session(store._engine) as session, session.begin():
        session.execute(update(StudyRow).where(StudyRow.id == old.id).values(deleted_at=now() - timedelta(days=31)))
    assert [r.study_id for r in store.purge_expired(30)] == [old.id]
    assert [s.id for s in store.list_studies("ann", deleted=True)] == [recent.id]
    assert [s.id for s in store.list_studies("ann")] == [living.id]


def test_files_that_no_row_knows_are_swept_when_old_and_known_ones_stay(store: Store, planted: StudyRecord) -> None:
    root = Path(store.files.root)
    kept = {p for p in root.rglob("*") if p.is_file()}
    owner = next(root.iterdir()).name
    lost = [root / owner / "cohorts" / "lost.parquet", root / result_name("bob", "f" * 32) / "manifest.json"]
    lost.append(root / first_patients_name("bob", "f" * 32))
    young = root / owner / "cohorts" / "being-written.parquet"
    for path in (*lost, young):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"rows")
    for path in (*lost, lost[1].parent, *kept):
        os.utime(path, (1e9, 1e9))
    assert store.sweep_orphans() == 3
    assert {p for p in root.rglob("*") if p.is_file()} == kept | {young}


def test_a_deleted_row_is_overwritten_in_the_database(studies_settings: Settings, store: Store) -> None:
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
    with closing(sqlite3.connect(studies_settings.data_dir / "medcore.db")) as plain, plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_no_file_is_readable_to_others_where_nobody_set_a_umask(
    store: Store, planted: StudyRecord, studies_settings: Settings
) -> None:
    store.create_study("ann", "Copy", store.load_cohort("ann", planted.id))
    folder = studies_settings.data_dir
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files and [path for path in [folder, *files] if path.stat().st_mode & 0o077] == []
