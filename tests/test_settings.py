"""What an installation may set: read as it is meant, or refused in one sentence."""

from pathlib import Path

import pytest

from medcore import cli
from medcore.errors import SettingsError
from medcore.settings import Settings
from medcore.studies import Store


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MEDCORE_WORKERS", "0"),
        ("MEDCORE_WORKERS", "-1"),
        ("MEDCORE_WORKERS", "1.5"),
        ("MEDCORE_WORKERS", "two"),
        ("MEDCORE_WORKERS", "²"),
        ("MEDCORE_MAX_UPLOAD_MB", "300 MB"),
        ("MEDCORE_MAX_UPLOAD_MB", "0"),
        ("MEDCORE_WORKER_MEMORY", "8"),
        ("MEDCORE_WORKER_MEMORY", "eight"),
        ("MEDCORE_WORKER_MEMORY", "0GiB"),
        ("MEDCORE_WORKER_MEMORY", "-1GiB"),
        ("MEDCORE_IDLE_SECONDS", "soon"),
        ("MEDCORE_IDLE_SECONDS", "nan"),
        ("MEDCORE_IDLE_SECONDS", "-5"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused_by_its_name(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(SettingsError, match=rf"{name} is “{text}”; it must be .*, for example"):
        Settings.from_env()
    assert cli.main(["app"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"medcore: {name} is") and said.count("\n") == 1


@pytest.mark.parametrize("text", ["8GiB", "512MB", "1.5 TiB", "16G", "8gib"])
def test_sizes_are_read_as_the_cluster_reads_them(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDCORE_WORKER_MEMORY", f" {text} ")
    assert Settings.from_env().worker_memory == text


def test_numbers_have_defaults_and_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEDCORE_WORKERS", "MEDCORE_MAX_UPLOAD_MB", "MEDCORE_IDLE_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    usual = Settings.from_env()
    assert (usual.workers, usual.max_upload_mb, usual.idle_seconds) == (1, 300, 120.0)
    monkeypatch.setenv("MEDCORE_WORKERS", "3")
    monkeypatch.setenv("MEDCORE_IDLE_SECONDS", "2.5")
    assert (Settings.from_env().workers, Settings.from_env().idle_seconds) == (3, 2.5)


def test_a_place_for_files_that_cannot_be_opened_is_refused_without_repeating_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path))
    monkeypatch.setenv("MEDCORE_STORAGE", "nowhere://user:secret@host/x")
    with pytest.raises(SettingsError, match="MEDCORE_STORAGE") as raised:
        Store(Settings.from_env())
    assert "secret" not in str(raised.value)


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "file" / "inside"))
    with pytest.raises(SettingsError, match="MEDCORE_DATA"):
        Store(Settings.from_env())
