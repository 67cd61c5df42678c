import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from medcore.data.cohort import Cohort
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.kept.files import FileStore


@pytest.fixture(params=["local", "object store"])
def files(request: pytest.FixtureRequest, studies_settings: Settings) -> FileStore:
    if request.param == "local":
        return FileStore(studies_settings)
    return FileStore(replace(studies_settings, storage_url=f"memory://{uuid.uuid4().hex}"))


def test_what_is_put_is_got_and_gone_when_removed(files: FileStore) -> None:
    assert not files.exists("a/b.bin")
    files.write("a/b.bin", b"one")
    files.write("a/b.bin", b"two")
    assert files.read("a/b.bin") == b"two"
    files.remove("a/b.bin")
    files.remove("a/b.bin")
    assert not files.exists("a/b.bin")
    with pytest.raises(FileNotFoundError):
        files.read("a/b.bin")


def test_a_folder_is_got_back_as_a_local_folder(files: FileStore, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    (folder / "deep").mkdir(parents=True)
    (folder / "x.json").write_text("{}")
    (folder / "deep" / "y.bin").write_bytes(b"y")
    files.put_folder(folder, "runs/1")
    back = files.folder("runs/1")
    assert (back / "deep" / "y.bin").read_bytes() == b"y"
    assert files.folder("runs/1") == back
    (folder / "x.json").write_text("[]")
    files.put_folder(folder, "runs/1")
    assert (files.folder("runs/1") / "x.json").read_bytes() == b"[]"
    files.remove("runs/1")
    with pytest.raises(FileNotFoundError):
        files.folder("runs/1")


def test_a_folder_that_is_fetched_twice_at_once_is_there_once(studies_settings: Settings, tmp_path: Path) -> None:
    files = FileStore(replace(studies_settings, storage_url=f"memory://{uuid.uuid4().hex}"))
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "x.json").write_text("{}")
    files.put_folder(tmp_path / "made", "runs/1")
    together = Barrier(2)

    class Slow:
        """The same place, where both are still reading when the other begins."""

        def __getattr__(self, name: str) -> Any:
            return getattr(fs, name)

        def cat_file(self, path: str) -> bytes:
            together.wait(10)
            data: bytes = fs.cat_file(path)
            return data

    fs, files.fs = files.fs, Slow()  # type: ignore[assignment]
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(files.folder, ["runs/1", "runs/1"])
    assert one == other and (one / "x.json").read_bytes() == b"{}"
    assert [path.name for path in one.path.parent.iterdir()] == [one.name]


def test_nothing_half_written_stays_behind(files: FileStore) -> None:
    files.write("a/b.bin", b"one")
    assert [p for p in files.fs.find(files.root) if "/." in p] == []


def test_a_whole_study_lives_in_an_object_store(studies_settings: Settings, cohort: Cohort, tmp_path: Path) -> None:
    store = Store(replace(studies_settings, storage_url=f"memory://{uuid.uuid4().hex}"))
    study = store.create_study("ann", "Ward", cohort, original=b"bytes")
    run = store.create_run("ann", study.id, TrainSettings())
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "manifest.json").write_text("{}")
    store.keep_result("ann", run.id, tmp_path / "result")
    assert store.load_cohort("ann", study.id) == cohort
    assert (store.result_folder("ann", run.id) / "manifest.json").read_bytes() == b"{}"
    store.purge_study("ann", study.id)
    assert store.files.fs.find(store.files.root) == []
