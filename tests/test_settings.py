"""What an installation may set: read as it is meant, or refused in one sentence."""

import pwd
import re
import socket
from pathlib import Path

import pytest

from medcore import cli
from medcore.errors import SettingsError
from medcore.jobs.cluster.security import renew_local_key
from medcore.jobs.web.serve import give_a_home
from medcore.settings import ROOT, VARIABLES, Settings
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
        ("MEDCORE_SCHEDULER", "10.0.0.7:8786"),
        ("MEDCORE_SCHEDULER", "tls://10.0.0.7"),
        ("MEDCORE_SCHEDULER", "tls://10.0.0.7:none"),
        ("MEDCORE_SCHEDULER", "tls://[10.0.0.7:8786"),
        ("MEDCORE_SCHEDULER", "http://10.0.0.7:8786"),
        ("MEDCORE_SCHEDULER", "local"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused_by_its_name(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(SettingsError, match=rf"{name} is “{re.escape(text)}”; it must be .*, for example"):
        Settings.from_env()
    assert cli.main(["app"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"medcore: {name} is") and said.count("\n") == 1


def refused_at_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **values: str) -> str:
    for name, text in values.items():
        monkeypatch.setenv(name, text)
    assert cli.main(["app"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_cluster_that_is_not_encrypted_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("MEDCORE_TLS_CA", "MEDCORE_TLS_CERT", "MEDCORE_TLS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for address in ("tcp://10.0.0.7:8786", "tls://10.0.0.7:8786"):
        assert "unencrypted" in refused_at_start(monkeypatch, capsys, MEDCORE_SCHEDULER=address)


def test_a_cluster_s_file_that_is_not_there_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").touch()
    there = dict.fromkeys(("MEDCORE_TLS_CA", "MEDCORE_TLS_CERT", "MEDCORE_TLS_KEY"), str(tmp_path / "there"))
    for name in there:
        values = {"MEDCORE_SCHEDULER": "tls://10.0.0.7:8786", **there, name: str(tmp_path / "gone")}
        said = refused_at_start(monkeypatch, capsys, **values)
        assert said.startswith(f"medcore: {name} is") and "gone" in said


@pytest.mark.parametrize("url", ["mlflow", "user:secret@host", "ftp://user:secret@host", "https://", "http://[secret"])
def test_a_wrong_address_of_an_mlflow_server_is_refused_at_the_start_without_repeating_it(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused_at_start(monkeypatch, capsys, MEDCORE_MLFLOW_URL=url)
    assert said.startswith("medcore: MEDCORE_MLFLOW_URL") and "secret" not in said


def test_a_search_from_a_shell_names_a_cluster_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        monkeypatch.setenv("MEDCORE_SCHEDULER", f"tls://127.0.0.1:{nobody.getsockname()[1]}")
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path))
    pem = str(renew_local_key(Settings(tmp_path, "sqlite://", "memory://")))
    for name in ("MEDCORE_TLS_CA", "MEDCORE_TLS_CERT", "MEDCORE_TLS_KEY"):
        monkeypatch.setenv(name, pem)
    table = tmp_path / "made.csv"
    table.write_text("age,event\n" + "".join(f"{20 + i},{'yes' if i % 3 else 'no'}\n" for i in range(60)))
    command = ["train", str(table), "--target", "event", "--out", str(tmp_path / "out"), "--model", "logistic"]
    assert cli.main([*command, "--search", "1"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("medcore: The cluster at tls://127.0.0.1:")
    assert not (tmp_path / "out").exists()


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


def test_a_user_without_a_home_is_told_what_to_set_and_is_served_once_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a container's user of a number and no name, such as OpenShift's."""

    def nobody(_uid: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_DATA_HOME", "MEDCORE_DATA"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match=r"no home folder\. Set MEDCORE_DATA"):
        Settings.from_env()
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path))
    assert Settings.from_env().data_dir == tmp_path
    monkeypatch.setenv("HOME", "")  # put back at the end
    monkeypatch.delenv("HOME")
    give_a_home(tmp_path)
    assert Path.home() == tmp_path


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "file" / "inside"))
    with pytest.raises(SettingsError, match="MEDCORE_DATA"):
        Store(Settings.from_env())


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("MEDCORE_DATA_DIR", "MEDCORE_DATA"),
        ("MEDCORE_WORKER", "MEDCORE_WORKERS"),
        ("MEDCORE_SHEDULER", "MEDCORE_SCHEDULER"),
        ("MEDCORE_DATABASE", "MEDCORE_DATABASE_URL"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_right_one(monkeypatch, capsys, wrong, near) -> None:
    monkeypatch.setenv(wrong, "x")
    with pytest.raises(SettingsError, match=rf"no setting {wrong}; the nearest is {near}\b"):
        Settings.from_env()
    assert cli.main(["profile", str(ROOT / "assets/samples/heart_rate.csv")]) == 2  # needs no setting at all
    said = capsys.readouterr()
    assert not said.out and near in said.err and said.err.count("\n") == 1


def test_every_variable_that_the_code_reads_is_known() -> None:
    read = {
        name
        for path in [*(ROOT / "medcore").rglob("*.py"), ROOT / "app.py"]
        for name in re.findall(r"\"(MEDCORE_[A-Z_]+[A-Z])\"", path.read_text(encoding="utf-8"))
    }
    assert read <= set(VARIABLES)
    told = (ROOT / "docs" / "it.md").read_text(encoding="utf-8")
    assert all(name in told or name.removeprefix("MEDCORE_TLS") in told for name in VARIABLES[:14])
