import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from medcore.data.cohort import Cohort
from medcore.errors import SettingsError
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import alembic_config, migrate, open_database
from medcore.studies.tables import Base


def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_every_migration_can_be_taken_back_and_done_again(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    migrate(engine)
    with engine.begin() as connection:
        configuration = alembic_config()
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(engine)
    assert "studies" in inspect(engine).get_table_names()
    engine.dispose()


def test_sqlite_works_in_wal_mode_with_foreign_keys(studies_settings: Settings) -> None:
    with open_database(studies_settings).connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_the_data_folder_is_closed_to_other_users_of_the_machine(studies_settings: Settings) -> None:
    open_database(studies_settings)
    assert stat.S_IMODE(studies_settings.data_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize("url", ["nonsense", "postgresql+nodriver://h/x", "sqlserver://x"])
def test_an_address_that_cannot_work_is_named_without_its_password(studies_settings: Settings, url: str) -> None:
    settings = Settings(studies_settings.data_dir, url, studies_settings.storage_url)
    with pytest.raises(SettingsError, match="MEDCORE_DATABASE_URL"):
        open_database(settings)


@pytest.fixture
def busy_settings(studies_settings: Settings) -> Settings:
    """An installation in which one person may begin many runs."""
    return replace(studies_settings, max_runs=100)


def test_many_threads_may_write_at_once(busy_settings: Settings, cohort: Cohort) -> None:
    store = Store(busy_settings)
    study = store.create_study("ann", "Ward", cohort)
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: store.create_run("ann", study.id, TrainSettings()), range(24)))
    assert sorted(r.number for r in runs) == list(range(1, 25))


def _write(settings: Settings, study_id: str, n: int) -> None:
    store = Store(settings)
    for _ in range(n):
        run = store.create_run("ann", study_id, TrainSettings())
        store.append_progress("ann", run.id, [Progress(stage="folds", model="network", epoch=e) for e in range(5)])


def test_several_processes_may_migrate_and_write_at_once(busy_settings: Settings, cohort: Cohort) -> None:
    store = Store(busy_settings)
    study = store.create_study("ann", "Ward", cohort)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(busy_settings, study.id, 10)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [w.exitcode for w in workers] == [0, 0, 0]
    assert [r.number for r in store.list_runs("ann", study.id)] == list(range(30, 0, -1))
