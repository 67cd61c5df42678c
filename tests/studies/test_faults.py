"""A damaged, locked, empty, read-only or full place: one sentence each, and everything is there again afterwards."""

import ctypes
import os
import resource
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from medcore.data.cohort import Cohort
from medcore.errors import SettingsError
from medcore.settings import Settings
from medcore.studies import Store, StudyRecord, database
from medcore.studies.database import forget_engines
from medcore.studies.faults import fault


@pytest.fixture
def study(store: Store, cohort: Cohort) -> StudyRecord:
    return store.create_study("ann", "Ward", cohort, original=b"bytes")


def backup(settings: Settings, to: Path) -> Path:
    """Copy the database as SQLite itself does, and let go of it."""
    forget_engines()
    with closing(sqlite3.connect(settings.data_dir / "medcore.db")) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    source.close()
    target.close()
    return to


def put_back(settings: Settings, copy: Path) -> None:
    forget_engines()
    for left in settings.data_dir.glob("medcore.db*"):
        left.unlink()
    shutil.copy(copy, settings.data_dir / "medcore.db")


@pytest.mark.parametrize("damage", ["no database", "cut", "holes"])
def test_a_damaged_database_is_named_left_alone_and_mended_by_a_backup(
    studies_settings: Settings, cohort: Cohort, study: StudyRecord, tmp_path: Path, damage: str
) -> None:
    copy = backup(studies_settings, tmp_path / "backup.db")
    path = studies_settings.data_dir / "medcore.db"
    whole = path.read_bytes()
    damaged = {
        "no database": b"<html>not found</html>" * 500,
        "cut": whole[: len(whole) // 2 - 100],
        "holes": whole[:8192] + os.urandom(len(whole) - 8192),
    }[damage]
    path.write_bytes(damaged)
    with pytest.raises(SettingsError, match="is damaged and was left as it is"):
        Store(studies_settings).check()
    forget_engines()
    assert path.read_bytes() == damaged
    put_back(studies_settings, copy)
    assert Store(studies_settings).load_cohort("ann", study.id) == cohort


@pytest.mark.parametrize("lost", ["gone", "empty"])
def test_an_empty_database_beside_files_of_studies_is_refused_and_no_file_is_swept(
    studies_settings: Settings, cohort: Cohort, study: StudyRecord, tmp_path: Path, lost: str
) -> None:
    copy = backup(studies_settings, tmp_path / "backup.db")
    for left in studies_settings.data_dir.glob("medcore.db*"):
        left.unlink()
    if lost == "empty":
        (studies_settings.data_dir / "medcore.db").touch()
    with pytest.raises(SettingsError, match=r"The database is empty, but .*files holds files of studies"):
        Store(studies_settings)
    put_back(studies_settings, copy)
    assert Store(studies_settings).load_cohort("ann", study.id) == cohort


def test_a_locked_database_is_named_and_works_again_when_it_is_let_go(
    studies_settings: Settings, study: StudyRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_engines()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    store = Store(studies_settings)
    other = sqlite3.connect(studies_settings.data_dir / "medcore.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SettingsError, match="is locked by another program"):
        store.rename_study("ann", study.id, "Other")
    with pytest.raises(SettingsError, match="is locked by another program"):
        store.probe()
    assert store.get_study("ann", study.id).name == "Ward"
    other.execute("ROLLBACK")
    other.close()
    assert store.rename_study("ann", study.id, "Other").name == "Other"


def without_privileges(work: Callable[[], object]) -> None:
    """Do something as a user whom file modes bind, which root is not: capabilities are a thread's own (capset(2))."""

    def bound() -> None:
        libc, head, caps = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert libc.capget(head, caps) == 0
        for place in range(3):
            caps[place] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
        assert libc.capset(head, caps) == 0
        work()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(bound).result()


@pytest.mark.parametrize("what", ["folder", "database"])
def test_a_read_only_place_is_named_and_works_again_when_it_may_be_written_to(
    studies_settings: Settings, study: StudyRecord, what: str
) -> None:
    forget_engines()
    data = studies_settings.data_dir
    paths = [data / "medcore.db"] if what == "database" else [*data.rglob("*"), data]
    for path in paths:
        path.chmod(0o500 if path.is_dir() else 0o400)
    with pytest.raises(SettingsError, match="cannot be written to"):
        without_privileges(lambda: Store(studies_settings).check())
    forget_engines()
    for path in (*paths, *data.glob("medcore.db-*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    without_privileges(lambda: Store(studies_settings).rename_study("ann", study.id, "Other"))
    assert Store(studies_settings).get_study("ann", study.id).name == "Other"


def test_a_full_disk_keeps_nothing_of_a_step_and_the_step_works_when_there_is_room(
    studies_settings: Settings, cohort: Cohort, study: StudyRecord
) -> None:
    store, other = Store(studies_settings), replace(cohort, sha256="1" * 64)
    kept = store.files.names()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))  # a file that grows beyond: no room (EFBIG)
    try:
        with pytest.raises(SettingsError, match="There is no room left on the disk"):
            store.create_study("ann", "Other", other, original=os.urandom(2 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [s.name for s in store.list_studies("ann")] == ["Ward"]
    store.sweep_orphans(older_seconds=0)
    assert store.files.names() == kept
    again = store.create_study("ann", "Other", other, original=os.urandom(2 << 20))
    assert store.load_cohort("ann", again.id).n_rows == cohort.n_rows


def test_a_full_disk_of_the_database_is_named_and_nothing_of_the_step_is_kept(
    studies_settings: Settings, study: StudyRecord
) -> None:
    store = Store(studies_settings)
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SettingsError, match="no room left on the disk of the database"):
        store.save_answers("ann", study.id, {"purpose": "long " * 20_000})
    assert store.get_study("ann", study.id).answers == {}
    forget_engines()
    assert Store(studies_settings).save_answers("ann", study.id, {"purpose": "long"}).answers == {"purpose": "long"}


def test_a_file_that_sqlite_shares_and_that_has_no_room_is_told_as_a_full_disk(
    studies_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system of 2 MB that was filled: SQLite says SQLITE_IOERR_SHMSIZE there, not SQLITE_FULL."""
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    error = OperationalError("BEGIN", None, cause)
    assert "have the disk looked at" in str(fault(error, studies_settings))
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: SimpleNamespace(free=0))
    assert "There is no room left on the disk" in str(fault(error, studies_settings))


def test_an_error_of_the_database_never_quotes_a_value(store: Store, study: StudyRecord) -> None:
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit")
    with pytest.raises(SettingsError) as raised:
        store.rename_study("ann", study.id, "Mrs Zhelyazkova")
    assert "Zhelyazkova" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_database_that_does_not_answer_is_named_without_its_password(studies_settings: Settings) -> None:
    settings = replace(studies_settings, database_url="postgresql://ann:secret@127.0.0.1:1/medcore")
    with pytest.raises(SettingsError, match="MEDCORE_DATABASE_URL names did not do") as raised:
        Store(settings)
    assert "secret" not in str(raised.value)
