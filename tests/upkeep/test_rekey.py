"""Another key: everything opens under it, nothing under the old one; interrupted anywhere, it can be begun again."""

import base64
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from medcore.cli import main
from medcore.data.samples import load_sample
from medcore.errors import NotFoundError, SettingsError
from medcore.models.contract.settings import TrainSettings
from medcore.safe_files import IN_USE, holding
from medcore.sealing import is_sealed, keys_of, opened_value
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.tables import SEALED, Base, SealedJSON, SealedText
from medcore.upkeep.rekey import rekey


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "data"))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def ids(settings: Settings, tmp_path: Path) -> tuple[str, str]:
    """A study with its file as it was brought, a finished run, and one that left a checkpoint."""
    store = Store(settings)
    study = store.create_study("ann", "Heart", load_sample("heart"), original=b"bytes")
    run = store.create_run("ann", study.id, TrainSettings())
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "manifest.json").write_text("{}")
    attempt = store.begin_attempt("ann", run.id)
    store.keep_result("ann", run.id, tmp_path / "result")
    store.keep_first_patients("ann", run.id, b"first")
    store.finish_run("ann", run.id, "done", attempt=attempt, summary={"auroc": 0.9})
    waiting = store.create_run("ann", study.id, TrainSettings(seed=2))
    (store.checkpoint_dir(waiting.id) / "state.json").write_bytes(b"half")
    return study.id, run.id


def everything(settings: Settings, ids: tuple[str, str]) -> dict[str, object]:
    store = Store(settings)
    runs = store.list_runs("ann", ids[0])
    return {
        "study": store.get_study("ann", ids[0]),
        "rows": store.load_cohort("ann", ids[0]).frame.to_csv(),
        "runs": runs,
        "result": (store.result_folder("ann", ids[1]) / "manifest.json").read_bytes(),
        "first": store.first_patients("ann", ids[1]),
        "checkpoint": (store.checkpoint_dir(runs[0].id) / "state.json").read_bytes(),
        "trail": [e.action for e in store.audit("ann", ids[0])],
    }


def test_everything_opens_under_the_new_key_and_nothing_under_the_old_one(
    settings: Settings, ids: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before, old = everything(settings, ids), keys_of(settings.data_dir)
    assert main(["rekey", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    new = keys_of(settings.data_dir)
    assert len(new.keys) == 1 and new != old
    assert everything(settings, ids) == before
    assert told["damaged"] == [] and told["n_files"] >= 4
    left = b"".join(p.read_bytes() for p in settings.data_dir.rglob("*") if p.is_file())
    assert old.newest_id not in left
    assert base64.b64encode(old.newest_id)[:10] not in left  # how a value of the database would begin
    assert Store(settings).verify_trail().whole


class Killed(BaseException):
    """What stops a process in the middle."""


def kill_at(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop at the n-th time a file is put in its place."""
    usual: Callable[[Path, Path], Path] = Path.replace
    done = 0

    def replace(self: Path, target: Path) -> Path:
        nonlocal done
        done += 1
        if done == n:
            raise Killed
        return usual(self, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("n", range(1, 12))
def test_stopped_at_any_write_everything_still_opens_and_it_can_be_begun_again(
    settings: Settings, ids: tuple[str, str], monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    before, old = everything(settings, ids), keys_of(settings.data_dir)
    with monkeypatch.context() as patch:
        kill_at(n, patch)
        try:
            rekey(settings)
        except Killed:
            pass
        else:
            assert n > 8
    forget_engines()
    assert everything(settings, ids) == before
    rekey(settings)
    assert everything(settings, ids) == before
    assert old.newest not in keys_of(settings.data_dir).keys


def test_a_key_of_the_environment_is_changed_by_putting_the_new_one_first(
    settings: Settings, ids: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(settings, ids)
    old = (settings.data_dir / "keys" / "sealing.key").read_text().strip()
    new = base64.b64encode(os.urandom(32)).decode()
    (settings.data_dir / "keys" / "sealing.key").unlink()
    monkeypatch.setenv("MEDCORE_KEY", old)
    forget_engines()
    with pytest.raises(SettingsError, match="Write the new one before it"):
        rekey(settings)
    monkeypatch.setenv("MEDCORE_KEY", f"{new},{old}")
    forget_engines()
    rekey(settings)
    monkeypatch.setenv("MEDCORE_KEY", new)
    forget_engines()
    assert everything(settings, ids) == before


def test_nobody_changes_the_key_while_a_web_server_is_at_work_and_none_starts_meanwhile(settings: Settings) -> None:
    lock = settings.data_dir / IN_USE
    with holding(lock, alone=False), holding(lock, alone=False), pytest.raises(SettingsError, match="at work"):
        rekey(settings)
    with (
        holding(lock, alone=True),
        pytest.raises(SettingsError, match="is being changed"),
        holding(lock, alone=False),
    ):
        pass


def unseal(settings: Settings) -> None:
    """Make of an installation what an earlier version would have left: plain files and values, and bare digests."""
    store, keys = Store(settings), keys_of(settings.data_dir)
    plain = {name: store.files.read(name) for name in store.files.names()}
    forget_engines()
    for name, data in plain.items():
        Path(store.files.root, name).write_bytes(data)
    (rows,) = (data for name, data in plain.items() if name.endswith(".parquet"))
    with closing(sqlite3.connect(settings.data_dir / "medcore.db", isolation_level=None)) as database:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, SealedJSON | SealedText):
                    for number, value in database.execute(f"SELECT rowid, {column.name} FROM {table.name}").fetchall():
                        if value is not None:
                            text = json.loads(value) if isinstance(column.type, SealedJSON) else value
                            opened = opened_value(text.removeprefix(SEALED), keys).decode()
                            database.execute(
                                f"UPDATE {table.name} SET {column.name} = ? WHERE rowid = ?", (opened, number)
                            )
        database.execute("UPDATE cohorts SET seal = ?", (hashlib.sha256(rows).hexdigest(),))
        for later in ("watches", "tokens", "tasks", "predictions", "patients", "releases"):
            database.execute(f"DROP TABLE {later}")
        database.execute("ALTER TABLE runs DROP COLUMN seal")
        database.execute("UPDATE alembic_version SET version_num = '0008'")
    shutil.rmtree(settings.data_dir / "keys")
    (settings.data_dir / "sealed.json").unlink()


def test_an_installation_of_an_earlier_version_is_read_and_sealed_by_the_command(
    settings: Settings, ids: tuple[str, str]
) -> None:
    (Store(settings).checkpoint_dir(Store(settings).list_runs("ann", ids[0])[0].id) / "state.json").path.write_bytes(
        b"half"
    )
    before = everything(settings, ids)
    unseal(settings)
    assert everything(settings, ids) == before
    store = Store(settings)
    kept = [Path(store.files.root, name) for name in store.files.names()]
    assert not any(is_sealed(path.read_bytes()) for path in kept)
    rekey(settings)
    assert everything(settings, ids) == before
    assert all(is_sealed(path.read_bytes()) for path in kept)
    assert b"heart.csv" not in (settings.data_dir / "medcore.db").read_bytes().lower()


def test_a_plain_file_cannot_be_passed_off_for_one_of_an_earlier_version(
    settings: Settings, ids: tuple[str, str]
) -> None:
    """Who can write to files and database, but has not the key, finds no way around the seal."""
    store = Store(settings)
    (name,) = (name for name in store.files.names() if name.endswith(".parquet"))
    forged = store.files.read(name)[:-1] + b"x"
    Path(store.files.root, name).write_bytes(forged)
    for run_file in store.files.names():
        if run_file.endswith("manifest.json"):
            Path(store.files.root, run_file).write_bytes(b"{}")
            Path(store.files.root, run_file).with_name("SHA256SUMS").write_bytes(b"forged")
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE cohorts SET seal = ?", (hashlib.sha256(forged).hexdigest(),))
    with pytest.raises(NotFoundError, match="changed or damaged"):
        store.load_cohort("ann", ids[0])
    with pytest.raises(NotFoundError, match="changed or damaged"):
        store.result_folder("ann", ids[1])
