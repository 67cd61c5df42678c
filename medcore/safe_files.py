"""Files that are whole or not there, and folders and keys that only this user of the machine can read."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from medcore.errors import SettingsError
from medcore.i18n import N_

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
KEY_BYTES = 32
IN_USE = "in-use.lock"
"""Held in the data folder by every web server, and alone by whoever changes the key."""
SCRATCH_PREFIX = ".writing-"
"""A file of this name is one whose writer has not finished; where the writer died it stays, and is swept."""
STALE_SECONDS = 3600.0
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def keep_new_files_private() -> None:
    """Let what this process makes from now on be readable by this user of the machine only."""
    os.umask(0o077)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever finds half of it: aside, onto the disk, then renamed.

    Raises:
        SettingsError: the disk is full or cannot be written to; nothing is left behind.

    """
    scratch = path.with_name(f"{SCRATCH_PREFIX}{path.name[:100]}-{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(scratch, data)
        scratch.replace(path)
        _to_disk(path.parent)
    except OSError as error:
        raise not_written(error, path.parent) from None
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def secret_key(path: Path, *, n_bytes: int = KEY_BYTES, make: Callable[[], bytes] | None = None) -> bytes:
    """Return the key in a file; the first process that needs it makes it, whole or not at all.

    Raises:
        SettingsError: the key cannot be written, or is too short to be one (a disk
            that was full when another version wrote it).

    """
    private_folder(path.parent)
    if not path.exists():
        scratch = path.with_name(f"{SCRATCH_PREFIX}{path.name}-{uuid.uuid4().hex}")
        try:
            _write(scratch, make() if make else new_key(n_bytes))
            with contextlib.suppress(FileExistsError):  # another process was first: its key holds
                os.link(scratch, path)
            _to_disk(path.parent)
        except OSError as error:
            raise not_written(error, path.parent) from None
        finally:
            with contextlib.suppress(OSError):
                scratch.unlink(missing_ok=True)
    key = path.read_bytes()
    if len(key) < n_bytes:
        raise SettingsError(
            N_(
                "The key {file} is damaged: it has {n} bytes where {expected} are needed. Restore it from your backup; if there is none, delete the file and a new key is made (what was signed or replaced with the old one is not recognised any more)."
            ),
            file=str(path),
            n=len(key),
            expected=n_bytes,
        )
    return key


def check_keys(data_dir: Path) -> None:
    """Look at every key of a data folder before anything is begun that one of them would leave half done.

    Raises:
        SettingsError: one is too short to be a key.

    """
    for path in sorted((*data_dir.glob("*.key"), *data_dir.glob("keys/*.key"))):
        secret_key(path)


def new_key(n_bytes: int = KEY_BYTES) -> bytes:
    """Return random bytes for a key."""
    return secrets.token_bytes(n_bytes)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock for the length of a ``with`` block; wait while another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise not_written(error, path.parent) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def holding(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold an installation for the length of a ``with`` block: together with others, or alone.

    Raises:
        SettingsError: others hold it, or one holds it alone.

    """
    private_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise not_written(error, path.parent) from None
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                N_("medcore is at work in this data folder. Stop it, and give the command again.")
                if alone
                else N_("The key of this data folder is being changed. Start medcore when that is done.")
            ) from None
        yield
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> Path:
    """Return a folder that only this user of the machine may enter; made, or mended where it was open to others.

    Raises:
        SettingsError: it cannot be made or closed to others there.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        _close_to_others(folder)
    except OSError as error:
        raise SettingsError(
            N_("The folder {folder} cannot be used ({reason}). Set MEDCORE_DATA to a folder that you may write to."),
            folder=str(folder),
            reason=error.strerror or type(error).__name__,
        ) from None
    return folder


def close_folder_tree(folder: Path) -> int:
    """Close a folder and everything in it to other users; return how many files and folders were open.

    Symbolic links are not followed.
    """
    mended = int(folder.is_dir() and _close_to_others(folder))
    private_folder(folder)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):  # removed by its owner meanwhile
                mended += _close_to_others(Path(place) / name)
    return mended


def sweep_left_overs(data_dir: Path) -> int:
    """Remove what died in the middle of its work left in a data folder and in the machine's temporary folder."""
    older = sweep_temporary(data_dir / "scratch", "[!.]*")  # versions before named them otherwise
    return sweep(data_dir) + older + sweep_temporary(Path(tempfile.gettempdir()), "medcore-*")


def sweep(folder: Path, *, older_seconds: float = STALE_SECONDS) -> int:
    """Remove what writers that died left half written, files and folders; return how many they were.

    Younger ones are left, and folders that somebody holds, however old: a run of many hours writes at its end.
    """
    swept, moment = 0, time.time()
    for path in list(folder.rglob(f"{SCRATCH_PREFIX}*")):
        with contextlib.suppress(OSError):
            status = path.lstat()
            if abs(moment - status.st_mtime) < older_seconds:
                continue
            if stat.S_ISDIR(status.st_mode):
                swept += _remove_unheld(path)
            elif stat.S_ISREG(status.st_mode):
                path.unlink()
                swept += 1
    return swept


def sweep_temporary(folder: Path, pattern: str, *, older_seconds: float = STALE_SECONDS) -> int:
    """Remove this user's folders of a name that have not been touched for long; return how many they were."""
    swept, moment = 0, time.time()
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            status = path.lstat()
            old = abs(moment - status.st_mtime) >= older_seconds
            if old and stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid():
                shutil.rmtree(path)
                swept += 1
    return swept


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Give a new private folder in another one, and remove it afterwards; one whose owner was killed is swept later.

    Raises:
        SettingsError: the disk is full or cannot be written to; nothing is left behind.

    """
    path = private_folder(parent) / f"{SCRATCH_PREFIX}{uuid.uuid4().hex}"
    try:
        path.mkdir(mode=PRIVATE_FOLDER)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.rmdir()
        raise not_written(error, parent) from None
    try:
        with contextlib.suppress(OSError):  # a place that knows no locks
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield path
    finally:
        os.close(descriptor)
        shutil.rmtree(path, ignore_errors=True)


def _remove_unheld(folder: Path) -> bool:
    """Remove a folder whose owner is gone: the lock on it went with the process that held it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a place that knows no locks: its age decides
        pass
    finally:
        os.close(descriptor)
    shutil.rmtree(folder)
    return True


def not_written(error: OSError, folder: Path) -> SettingsError:
    """Say in one sentence why something could not be written, and what to do."""
    if error.errno in NO_ROOM:
        return SettingsError(
            N_(
                "There is no room left on the disk of {folder}. Nothing was kept of this step; make room and try again."
            ),
            folder=str(folder),
        )
    return SettingsError(
        N_("The folder {folder} cannot be written to ({reason}). Nothing was kept of this step."),
        folder=str(folder),
        reason=error.strerror or type(error).__name__,
    )


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _to_disk(folder: Path) -> None:
    """See to it that a renaming survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _close_to_others(path: Path) -> bool:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) or not stat.S_IMODE(status.st_mode) & 0o077:
        return False
    path.chmod(stat.S_IMODE(status.st_mode) & 0o700)
    return True
