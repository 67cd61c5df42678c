"""The same store on PostgreSQL: a real server in a temporary folder, reached by a socket only."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from medcore.data.cohort import Cohort
from medcore.data.splitting.split import SplitSettings
from medcore.errors import NotFoundError, TargetError
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines, open_database
from medcore.studies.tables import Base
from medcore.upkeep.backup import back_up, restore


def binaries() -> Path | None:
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists()), None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server of our own; PostgreSQL refuses to run as root, so then it runs as ``postgres``."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: sudo apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="medcore-pg-"))
    user: dict[str, str | int] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        user = {"user": account.pw_uid, "group": account.pw_gid}
    data, options = folder / "data", f"-c listen_addresses='' -c fsync=off -k {folder}"

    def pg(*arguments: str) -> None:
        subprocess.run(
            [str(programs / arguments[0]), *arguments[1:]], check=True, stdout=subprocess.DEVNULL, cwd=folder, **user
        )

    try:
        pg("initdb", "-D", str(data), "-A", "trust", "-U", "medcore", "--encoding=UTF8", "--no-locale")
        pg("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start")
        try:
            yield f"postgresql://medcore@/postgres?host={folder}"
        finally:
            forget_engines()
            pg("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pg_store(server: str, studies_settings: Settings) -> Store:
    """A store on a database of its own."""
    return Store(replace(studies_settings, database_url=new_database(server)))


def new_database(server: str) -> str:
    """Make an empty database and return its address."""
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


def test_the_migrations_make_exactly_the_tables_of_the_code(pg_store: Store) -> None:
    with open_database(pg_store.settings).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_study_lives_through_everything_that_happens_to_one(pg_store: Store, cohort: Cohort) -> None:
    study = pg_store.create_study("ann", "心脏 Ward", cohort, original=b"bytes")
    assert pg_store.load_cohort("ann", study.id) == cohort
    with pytest.raises(NotFoundError):
        pg_store.get_study("bob", study.id)
    pg_store.save_split("ann", study.id, SplitSettings(seed=4))
    run = pg_store.create_run("ann", study.id, TrainSettings(seed=2))
    attempt = pg_store.begin_attempt("ann", run.id)
    points = [Progress(stage="folds", model="network", epoch=e, loss=1 / (e + 1)) for e in range(4)]
    pg_store.append_progress("ann", run.id, points)
    pg_store.append_progress("ann", run.id, points)
    assert [p.progress for p in pg_store.progress("ann", run.id)] == points
    assert pg_store.count_look("ann", study.id, run.id) == 1
    pg_store.finish_run("ann", run.id, "failed", attempt=attempt, error=TargetError("The outcome has {n} class.", n=1))
    pg_store.undo("ann", study.id)
    done = pg_store.get_run("ann", run.id)
    assert done.out_of_date
    assert str(done.error) == "The outcome has 1 class."
    assert done.started_at is not None and done.started_at.utcoffset() is not None
    pg_store.delete_study("ann", study.id)
    pg_store.purge_study("ann", study.id)
    assert pg_store.list_studies("ann", deleted=True) == ()
    assert pg_store.audit("ann", study.id)[-1].action == "study.purged"
    assert pg_store.verify_trail().whole


def test_many_may_write_at_once(pg_store: Store, cohort: Cohort) -> None:
    study = pg_store.create_study("ann", "Ward", cohort)
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: pg_store.create_run("ann", study.id, TrainSettings()), range(16)))
    assert sorted(r.number for r in runs) == list(range(1, 17))
    assert pg_store.verify_trail().n_entries == 17 and pg_store.verify_trail().whole


def test_a_backup_of_it_goes_back_into_another_one_or_into_sqlite(
    pg_store: Store, server: str, cohort: Cohort, tmp_path: Path
) -> None:
    study = pg_store.create_study("ann", "心脏 Ward", cohort, original=b"bytes")
    pg_store.save_split("ann", study.id, SplitSettings(seed=4))
    run = pg_store.create_run("ann", study.id, TrainSettings(seed=2))
    pg_store.append_progress("ann", run.id, [Progress(stage="folds", model="network", epoch=1, loss=0.5)])
    back_up(pg_store.settings, tmp_path / "medcore.tar")
    files, sqlite = (tmp_path / "elsewhere" / "files").as_uri(), f"sqlite:///{tmp_path}/elsewhere/medcore.db"
    for number, address in enumerate([new_database(server), sqlite]):
        there = replace(
            pg_store.settings,
            data_dir=tmp_path / f"elsewhere{number}",
            database_url=address,
            storage_url=f"{files}{number}",
        )
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        restore(there, tmp_path / "medcore.tar")
        store = Store(there)
        assert store.load_cohort("ann", study.id) == cohort
        assert store.get_run("ann", run.id) == run
        assert store.progress("ann", run.id) == pg_store.progress("ann", run.id)
        assert store.create_run("ann", study.id, TrainSettings()).number == 2
        assert store.count_look("ann", study.id, run.id) == 1
        assert store.verify_trail().whole


def test_two_web_servers_work_on_one_database(pg_store: Store, cohort: Cohort, tmp_path: Path) -> None:
    study = pg_store.create_study("ann", "Ward", cohort)
    there = tmp_path / "another machine"
    shutil.copytree(pg_store.settings.data_dir / "keys", there / "keys")  # or MEDCORE_KEY for both
    other = Store(replace(pg_store.settings, data_dir=there))
    assert other.load_cohort("ann", study.id) == cohort
    run = other.create_run("ann", study.id, TrainSettings(seed=1))
    assert pg_store.unfinished_runs() == other.unfinished_runs() == (("ann", run.id),)
    with ThreadPoolExecutor(2) as pool:
        attempts = list(pool.map(lambda store: store.begin_attempt("ann", run.id), (pg_store, other)))
    assert sorted(attempts, key=str) == [1, 2]
    stores = {1: pg_store, 2: other}
    assert [store.signal("ann", run.id, attempt) for attempt, store in stores.items()] == ["superseded", "go on"]
    pg_store.request_cancel("ann", run.id)
    assert other.signal("ann", run.id, 2) == "stop"
    other.finish_run("ann", run.id, "cancelled", attempt=2)
    assert pg_store.get_run("ann", run.id).state == "cancelled"
    pg_store.save_split("ann", study.id, SplitSettings(seed=9))
    assert other.get_study("ann", study.id).split.seed == 9
    assert other.verify_trail().whole and pg_store.verify_trail().whole
