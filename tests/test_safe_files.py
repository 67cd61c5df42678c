import errno
import os
import re
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import pytest

from medcore.errors import SettingsError
from medcore.safe_files import (
    check_keys,
    close_folder_tree,
    private_folder,
    scratch_folder,
    secret_key,
    sweep,
    sweep_left_overs,
    write_whole,
)

ROOT = Path(__file__).resolve().parents[1]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def on_a_small_disk(code: str, folder: Path, *, room: int) -> str:
    """Run Python where no file may grow beyond ``room`` bytes, as on a disk that is full; return what it printed."""
    limited = (
        "import resource, signal, sys; from pathlib import Path; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room})); folder = Path({str(folder)!r})\n"
        "from medcore.errors import MedcoreError\n"
        "from medcore.safe_files import write_whole, secret_key\n"
        f"try:\n    {code}\nexcept MedcoreError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", limited], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_what_is_written_is_whole_private_and_leaves_nothing_else(tmp_path: Path) -> None:
    for data in (b"one", b"two" * 1000):
        write_whole(tmp_path / "deep" / "x.bin", data)
        assert (tmp_path / "deep" / "x.bin").read_bytes() == data
    assert mode(tmp_path / "deep" / "x.bin") == 0o600
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["x.bin"]


def test_on_a_full_disk_the_old_file_stays_and_one_sentence_says_so(tmp_path: Path) -> None:
    write_whole(tmp_path / "x.bin", b"old")
    said = on_a_small_disk("write_whole(folder / 'x.bin', b'n' * 100_000)", tmp_path, room=4096)
    assert said.startswith("There is no room left on the disk") and "\n" not in said
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"x.bin": b"old"}


@pytest.mark.parametrize("step", ["mkdir", "open"])
def test_a_scratch_folder_that_cannot_be_had_is_told_and_leaves_nothing(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **_also: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(SettingsError, match="no room left"), scratch_folder(tmp_path):
        pass
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_makes_no_empty_key(tmp_path: Path) -> None:
    said = on_a_small_disk("secret_key(folder / 'secret.key')", tmp_path, room=0)
    assert said.startswith("There is no room left")
    assert list(tmp_path.iterdir()) == []
    assert len(secret_key(tmp_path / "secret.key")) == 32


@pytest.mark.parametrize("left", [b"", b"short"])
def test_a_key_that_is_none_is_refused_and_not_used(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "secret.key").write_bytes(left)
    with pytest.raises(SettingsError, match=rf"has {len(left)} bytes where 32"):
        secret_key(tmp_path / "secret.key")
    assert (tmp_path / "secret.key").read_bytes() == left


@pytest.mark.parametrize("name", ["secret.key", "keys/audit.key"])
def test_a_key_that_is_none_is_found_before_it_is_needed(name: str, tmp_path: Path) -> None:
    check_keys(tmp_path)
    secret_key(tmp_path / name)
    check_keys(tmp_path)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(SettingsError, match="is damaged: it has 0 bytes"):
        check_keys(tmp_path)


def test_processes_that_need_a_key_at_once_get_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # a test of a page before leaves its own
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        keys = set(pool.map(secret_key, [tmp_path / "secret.key"] * 8))
    assert len(keys) == 1
    assert mode(tmp_path / "secret.key") == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["secret.key"]


def test_a_folder_that_was_open_to_everybody_is_closed_with_all_it_holds(tmp_path: Path) -> None:
    folder, outside = tmp_path / "data", tmp_path / "outside"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "rows.parquet").write_bytes(b"rows")
    outside.write_bytes(b"not ours")
    outside.chmod(0o644)
    (folder / "link").symlink_to(outside)
    for path, wide in ((folder, 0o755), (folder / "files", 0o755), (folder / "files" / "rows.parquet", 0o644)):
        path.chmod(wide)
    assert close_folder_tree(folder) == 3
    assert [mode(p) for p in (folder, folder / "files", folder / "files" / "rows.parquet")] == [0o700, 0o700, 0o600]
    assert mode(outside) == 0o644
    assert close_folder_tree(folder) == 0


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SettingsError, match="MEDCORE_DATA") as refused:
        private_folder(tmp_path / "file" / "data")
    assert str(tmp_path / "file" / "data") in str(refused.value)


def test_what_a_dead_writer_left_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("old", "young"):
        (tmp_path / "deep" / f".writing-{name}").write_bytes(b"half")
    (tmp_path / "deep" / "kept").write_bytes(b"whole")
    os.utime(tmp_path / "deep" / ".writing-old", (1e9, 1e9))
    assert sweep(tmp_path) == 1
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == [".writing-young", "kept"]


def test_a_scratch_folder_stays_as_long_as_its_owner_lives_and_is_swept_when_it_was_killed(tmp_path: Path) -> None:
    owner = (
        "import sys; from pathlib import Path; from medcore.safe_files import scratch_folder\n"
        "with scratch_folder(Path(sys.argv[1])) as folder: print(folder, flush=True); input()"
    )
    command = [sys.executable, "-c", owner, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        (folder / "half").write_bytes(b"half")
        os.utime(folder, (1e9, 1e9))
        assert sweep(tmp_path) == 0 and (folder / "half").exists(), "a run of many hours is at it"
        holder.kill()
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_over_is_swept_in_the_folders_of_data_and_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, machine = tmp_path / "data", tmp_path / "machine"
    monkeypatch.setattr(tempfile, "tempdir", str(machine))
    old = [data / "scratch" / ".writing-0", data / "scratch" / "of-before", machine / "medcore-0"]
    for folder in (*old, machine / "of-others"):
        folder.mkdir(parents=True)
        os.utime(folder, (1e9, 1e9))
    assert sweep_left_overs(data) == len(old)
    assert [p.name for p in (*machine.iterdir(), *(data / "scratch").iterdir())] == ["of-others"]


def test_nothing_in_medcore_writes_a_key_by_itself() -> None:
    makers = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "medcore").rglob("*.py")
        if re.search(r"token_bytes\(", path.read_text(encoding="utf-8"))
    ]
    assert makers == ["medcore/safe_files.py"]
