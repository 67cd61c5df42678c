"""Everything in one archive, and everything back after everything was lost."""

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from medcore.cli import main
from medcore.data.samples import load_sample
from medcore.errors import SettingsError
from medcore.models.contract.settings import TrainSettings
from medcore.safe_files import secret_key
from medcore.sealing.keys import forget_keys
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store, owner_cookie, owner_of
from medcore.studies.database import forget_engines
from medcore.studies.owners import _signer
from medcore.studies.upkeep import snapshot
from medcore.upkeep import backup as backup_module
from medcore.upkeep.archive import LIST, BackupError
from medcore.upkeep.backup import back_up, restore


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "data"))
    before = os.umask(0o077)  # as in a web server
    yield Settings.from_env()
    os.umask(before)
    forget_engines()
    _signer.cache_clear()


@pytest.fixture
def full(settings: Settings, tmp_path: Path) -> Settings:
    """An installation with a study, a finished run with results, a waiting one, and keys."""
    fill(settings, tmp_path)
    return settings


def fill(settings: Settings, tmp_path: Path) -> None:
    store, heart = Store(settings), load_sample("heart")
    study = store.create_study("ann", "Heart", heart)
    run = store.create_run("ann", study.id, TrainSettings())
    result = tmp_path / "result"
    (result / "parts").mkdir(parents=True, exist_ok=True)
    (result / "parts" / "weights.bin").write_bytes(bytes(range(256)))
    (result / "manifest.json").write_text("{}")
    store.begin_attempt("ann", run.id)
    store.keep_result("ann", run.id, result)
    store.finish_run("ann", run.id, "done", attempt=1, summary={"auroc": 0.9})
    store.create_run("ann", study.id, TrainSettings(seed=2))
    owner_cookie(settings)
    secret_key(settings.data_dir / "keys" / "pseudonym.key")


def everything(settings: Settings) -> dict[str, object]:
    """What a person would miss."""
    store = Store(settings)
    (study,) = store.list_studies("ann")
    runs = store.list_runs("ann", study.id)
    done = next(run for run in runs if run.state == "done")
    folder = store.result_folder("ann", done.id)
    return {
        "study": study,
        "rows": store.load_cohort("ann", study.id).frame.to_csv(),
        "runs": runs,
        "weights": (folder / "parts" / "weights.bin").read_bytes(),
        "trail": [entry for entry in store.trail(LOCAL_OWNER) if not entry.action.startswith("backup.")],
        "whole": store.verify_trail().whole,
    }


def names_in(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()


def lose_everything(settings: Settings) -> None:
    forget_engines()
    _signer.cache_clear()
    forget_keys()
    shutil.rmtree(settings.data_dir)


def test_everything_comes_back_after_everything_was_lost(full: Settings, tmp_path: Path) -> None:
    before, cookie = everything(full), owner_cookie(full)
    pseudonyms = secret_key(full.data_dir / "keys" / "pseudonym.key")
    archive = tmp_path / "medcore.tar"
    made = back_up(full, archive)
    assert archive.stat().st_mode & 0o077 == 0
    lose_everything(full)
    put_back = restore(full, archive)
    assert everything(full) == before
    assert before["whole"]
    assert (put_back.n_files, put_back.lost) == (made.n_files, ())
    assert owner_of(full, {"medcore_owner": cookie}) == LOCAL_OWNER
    assert secret_key(full.data_dir / "keys" / "pseudonym.key") == pseudonyms
    opened = [p for p in full.data_dir.rglob("*") if p.stat().st_mode & 0o077]
    assert opened == []
    assert not list(tmp_path.rglob(".writing-*"))
    assert [e.action for e in Store(full).trail(LOCAL_OWNER)][-2:] == ["backup.made", "backup.restored"]


def test_work_goes_on_after_a_restore(full: Settings, tmp_path: Path) -> None:
    back_up(full, tmp_path / "medcore.tar")
    lose_everything(full)
    restore(full, tmp_path / "medcore.tar")
    store = Store(full)
    (study,) = store.list_studies("ann")
    assert store.create_run("ann", study.id, TrainSettings(seed=3)).number == 3
    assert len(store.unfinished_runs()) == 2
    assert store.verify_trail().whole


def test_an_object_store_is_backed_up_and_put_back_as_it_lay_there(settings: Settings, tmp_path: Path) -> None:
    elsewhere = replace(settings, storage_url="memory://medcore-backup")
    fill(elsewhere, tmp_path)
    before = everything(elsewhere)
    back_up(elsewhere, tmp_path / "medcore.tar")
    fsspec.filesystem("memory").rm("/medcore-backup", recursive=True)
    lose_everything(elsewhere)
    restore(elsewhere, tmp_path / "medcore.tar")
    assert everything(elsewhere) == before
    fsspec.filesystem("memory").rm("/medcore-backup", recursive=True)


def test_keys_can_be_left_out(full: Settings, tmp_path: Path) -> None:
    back_up(full, tmp_path / "medcore.tar", keys=False)
    assert not [name for name in names_in(tmp_path / "medcore.tar") if name.endswith(".key")]
    before, key = everything(full), (full.data_dir / "keys" / "sealing.key").read_bytes()
    lose_everything(full)
    with pytest.raises(SettingsError, match=r"is not here\. Put it back"):
        restore(full, tmp_path / "medcore.tar")
    (full.data_dir / "keys" / "sealing.key").write_bytes(key)
    forget_engines()
    assert not restore(full, tmp_path / "medcore.tar").keys
    assert everything(full) == before


def test_nothing_is_put_over_studies_or_over_a_file(full: Settings, tmp_path: Path) -> None:
    archive = tmp_path / "medcore.tar"
    back_up(full, archive)
    with pytest.raises(SettingsError, match="holds studies already"):
        restore(full, archive)
    with pytest.raises(SettingsError, match="there already"):
        back_up(full, archive)
    with pytest.raises(SettingsError, match="no file"):
        restore(full, tmp_path / "none.tar")


def test_a_study_removed_for_good_meanwhile_is_not_in_the_archive(
    full: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, store = backup_module.take_snapshot, Store(full)
    (study,) = store.list_studies("ann")

    def and_then_purge(settings: Settings, file: Path) -> None:
        usual(settings, file)
        if store.list_studies("ann"):
            store.purge_study("ann", study.id)

    monkeypatch.setattr(backup_module, "take_snapshot", and_then_purge)
    back_up(full, tmp_path / "medcore.tar")
    assert not [n for n in names_in(tmp_path / "medcore.tar") if n.endswith(".parquet")]


def test_a_file_that_was_lost_before_is_told(full: Settings, tmp_path: Path) -> None:
    next(full.data_dir.rglob("*.parquet")).unlink()
    (lost,) = back_up(full, tmp_path / "medcore.tar").lost
    assert lost.endswith(".parquet")


def changed(archive: Path, change: str) -> Path:
    """Write a backup anew with one thing that is not as it should be."""
    target = archive.with_name(f"{change}.tar")
    with tarfile.open(archive) as source, tarfile.open(target, "w") as copy:
        for member in source:
            data = source.extractfile(member).read()  # type: ignore[union-attr]
            if change == "a byte" and member.name.endswith(".parquet"):
                data = data[:-1] + bytes([data[-1] ^ 1])
            if change == "a missing file" and member.name.endswith(".parquet"):
                continue
            if change == "no list" and member.name == LIST:
                continue
            if change in {"a name above", "a link"} and member.name == LIST:
                extra = tarfile.TarInfo("files/../../outside" if change == "a name above" else "files/link")
                if change == "a link":
                    extra.type, extra.linkname = tarfile.SYMTYPE, "/etc"
                copy.addfile(extra)
            member.size = len(data)
            copy.addfile(member, io.BytesIO(data))
    return target


@pytest.mark.parametrize("change", ["a byte", "a missing file", "no list", "a name above", "a link"])
def test_an_archive_that_is_not_as_it_was_written_changes_nothing(full: Settings, tmp_path: Path, change: str) -> None:
    back_up(full, tmp_path / "medcore.tar")
    broken = changed(tmp_path / "medcore.tar", change)
    lose_everything(full)
    with pytest.raises(BackupError, match="damaged"):
        restore(full, broken)
    assert Store(full).list_studies("ann") == ()
    assert not list(tmp_path.rglob("outside"))
    assert not (full.data_dir / "files").exists()


@pytest.mark.parametrize("kind", ["cut", "text", "empty"])
def test_a_file_that_is_no_backup_is_refused(full: Settings, tmp_path: Path, kind: str) -> None:
    back_up(full, tmp_path / "medcore.tar")
    whole = (tmp_path / "medcore.tar").read_bytes()
    broken = tmp_path / "broken.tar"
    broken.write_bytes({"cut": whole[: len(whole) // 2], "text": b"name,age\n" * 100, "empty": b""}[kind])
    lose_everything(full)
    with pytest.raises(BackupError):
        restore(full, broken)


def test_a_backup_of_a_newer_version_is_refused_before_anything_is_put_over(
    full: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(full, tmp_path / "medcore.tar")
    lose_everything(full)
    monkeypatch.setattr(snapshot, "newest_revision", lambda: "0000")
    with pytest.raises(SettingsError, match="newer version"):
        restore(full, tmp_path / "medcore.tar")


def test_a_full_disk_leaves_no_half_archive(full: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written"):
        back_up(full, tmp_path / "not there" / "medcore.tar")


def test_the_shell_backs_up_and_restores(full: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "medcore.tar"
    assert main(["backup", "--out", str(archive), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    lose_everything(full)
    assert main(["restore", str(archive)]) == 0
    assert str(made["n_files"]) in capsys.readouterr().out
    assert main(["restore", str(archive)]) == 2
    assert "holds studies already" in capsys.readouterr().err
