import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from medcore.cli import main
from medcore.data.samples import load_sample
from medcore.i18n import use_language
from medcore.safe_files import secret_key
from medcore.settings import ROOT, Settings
from medcore.studies import Store, owner_cookie
from medcore.studies.database import forget_engines
from medcore.upkeep.doctor import program
from medcore.upkeep.doctor.catalogue import CHECKS, _looked


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "data"))
    before = os.umask(0o077)  # as in a web server
    yield Settings.from_env()
    os.umask(before)
    forget_engines()


def one(settings: Settings, code: str) -> tuple[str, str]:
    """Look at one thing only, and return its state and everything that is said."""
    found = _looked(next(check for check in CHECKS if check.code == code), settings)
    return found.state, f"{found.seen} {found.remedy or ''}"


def test_this_installation_is_well_and_the_shell_says_so(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Store(settings).create_study("ann", "Mrs Miller", load_sample("heart"))
    owner_cookie(settings)
    code = main(["doctor", "--json"])
    out = capsys.readouterr().out
    told = json.loads(out)
    states = {check["check"]: check["state"] for check in told["checks"]}
    assert set(states) == {check.code for check in CHECKS}
    wrong = [check for check in told["checks"] if check["state"] == "error"]
    assert (wrong, code) == ([], 0)
    assert "Miller" not in out
    assert "1 studies" in next(c["seen"] for c in told["checks"] if c["check"] == "database")


def test_it_speaks_chinese_too(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    main(["doctor"])
    use_language("en")
    out = capsys.readouterr().out
    assert "数据文件夹" in out and "Data folder" not in out


def test_an_open_folder_is_found_and_not_changed(settings: Settings) -> None:
    Store(settings)
    settings.data_dir.chmod(0o755)
    state, said = one(settings, "folder")
    assert state == "error" and "chmod -R go-rwx" in said
    assert settings.data_dir.stat().st_mode & 0o077
    settings.data_dir.chmod(0o700)
    assert one(settings, "folder")[0] == "ok"


def test_a_damaged_key_is_found(settings: Settings) -> None:
    secret_key(settings.data_dir / "secret.key")
    state, said = one(settings, "keys")
    there = [path.name for path in settings.data_dir.rglob("*.key")]
    assert "secret.key" in there
    assert (state, said) == ("ok", f"{len(there)} keys, none of them damaged. ")
    (settings.data_dir / "secret.key").write_bytes(b"")
    state, said = one(settings, "keys")
    assert state == "error" and "secret.key" in said


def test_lost_files_of_studies_are_counted(settings: Settings) -> None:
    Store(settings).create_study("ann", "Heart", load_sample("heart"))
    assert one(settings, "files")[0] == "ok"
    next(settings.data_dir.rglob("*.parquet")).unlink()
    state, said = one(settings, "files")
    assert state == "error" and "1 of 1 files" in said


def test_a_damaged_database_is_told_in_one_sentence(settings: Settings) -> None:
    Store(settings)
    forget_engines()
    (settings.data_dir / "medcore.db").write_bytes(b"no database" * 500)
    state, said = one(settings, "database")
    assert state == "error" and "damaged" in said


def test_little_memory_and_little_room_are_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(replace(settings, worker_memory="900GiB"), "memory")[0] == "warning"
    monkeypatch.setattr("medcore.upkeep.doctor.data.NO_ROOM", 1 << 60)
    assert one(settings, "room")[0] == "error"


def test_packages_that_are_not_as_pinned_are_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list.txt").write_text("numpy==0.1\npandas==3.1.1\nno-such-package==1.0 ; python_version < '3'\n")
    monkeypatch.setattr(program, "lock_file", lambda: tmp_path / "list.txt")
    state, said = one(settings, "packages")
    assert state == "error" and "numpy" in said and "(0.1)" in said and "pandas" not in said
    assert "make setup" in said


def test_another_python_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(settings, "python")[0] == "ok"
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    assert one(settings, "python")[0] == "error"


@pytest.mark.parametrize(("days", "state"), [(300, "ok"), (10, "warning"), (-1, "error")])
def test_a_certificate_that_ends_is_told_in_time(settings: Settings, tmp_path: Path, days: int, state: str) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    ends = datetime.now(UTC) + timedelta(days=days, hours=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(ends - timedelta(days=400)).not_valid_after(ends)
    (tmp_path / "cluster.crt").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    named = replace(settings, scheduler="tls://127.0.0.1:1", tls_cert=str(tmp_path / "cluster.crt"))
    found, said = one(named, "certificates")
    assert found == state and ends.date().isoformat() in said


def test_a_cluster_that_does_not_answer_is_told_with_its_remedy(settings: Settings, tmp_path: Path) -> None:
    pem = tmp_path / "none.pem"
    pem.write_text("")
    named = replace(settings, scheduler="tls://127.0.0.1:1", tls_ca=str(pem), tls_cert=str(pem), tls_key=str(pem))
    assert one(named, "scheduler")[0] == "error"


def test_no_check_starts_anything(settings: Settings) -> None:
    assert one(settings, "scheduler")[0] == "ok"
    assert not (settings.data_dir / "jobs" / "cluster.json").exists()


def test_a_font_that_is_no_font_is_told(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "FONT_FILE", tmp_path / "none.ttf")
    assert one(settings, "fonts")[0] == "error"
    monkeypatch.setattr(program, "FONT_FILE", ROOT / "README.md")
    assert one(settings, "fonts")[0] == "error"


def test_the_sealing_key_opens_what_is_there_or_the_doctor_says_what_to_do(settings: Settings) -> None:
    Store(settings).create_study("ann", "Mrs Miller", load_sample("heart"))
    state, said = one(settings, "sealing")
    assert state == "ok" and "opened 1 files and 2 names" in said and "Miller" not in said
    key = settings.data_dir / "keys" / "sealing.key"
    key.chmod(0o640)
    state, said = one(settings, "sealing")
    assert state == "error" and "mode 640" in said and f"chmod 600 {key}" in said
    key.chmod(0o600)
    rows = next(settings.data_dir.rglob("*.parquet"))
    sealed = rows.read_bytes()
    rows.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert one(settings, "sealing")[0] == "error"
    rows.write_bytes(b"PAR1")
    state, said = one(settings, "sealing")
    assert state == "warning" and "rekey" in said


def test_another_sealing_key_is_told_by_its_number(settings: Settings) -> None:
    Store(settings).create_study("ann", "Heart", load_sample("heart"))
    key = settings.data_dir / "keys" / "sealing.key"
    number = json.loads((settings.data_dir / "sealed.json").read_text())["key"]
    key.unlink()
    forget_engines()
    state, said = one(settings, "sealing")
    assert state == "error" and number in said and not key.exists()
