"""Everything of an installation in one file, taken while it works; and put back into an empty one.

The database is copied at one moment, and then the files: every file is there
before the row that names it. A study that is removed for good between the two takes
its files along, and then the copying begins anew. What is not copied can be made again:
checkpoints, caches, the cluster's key and logs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.jobs.cluster.processes import LocalCluster
from medcore.safe_files import SCRATCH_PREFIX, close_folder_tree, not_written, private_folder
from medcore.sealing.keys import forget_keys
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.database import forget_engines
from medcore.studies.kept.files import FileStore
from medcore.studies.upkeep.snapshot import (
    files_named_in,
    files_named_now,
    put_snapshot_back,
    refuse_full_database,
    take_snapshot,
)
from medcore.upkeep.archive import DATABASE, FILES, OWN, Writer, unpack

MADE_AGAIN = frozenset({"jobs", "cache", "scratch", "checkpoints"})
"""Folders of the data folder that a backup leaves out."""
ATTEMPTS = 5
KEYS = "keys"


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What is in a backup, or what was put back."""

    n_files: int
    n_bytes: int
    keys: bool
    lost: tuple[str, ...]
    """Files that the database names and the store had lost before."""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"n_files": self.n_files, "n_bytes": self.n_bytes, "keys": self.keys, "lost": list(self.lost)}


def back_up(settings: Settings, out: Path, *, keys: bool = True) -> BackupSummary:
    """Write everything of an installation to one new file, readable by this user only.

    ``keys=False`` leaves the keys out, to be kept in another place than the data.

    Raises:
        SettingsError: the file is there already, or cannot be written.

    """
    if out.exists():
        raise SettingsError(N_("{file} is there already; a backup is written to a new file."), file=str(out))
    Store(settings).note_of_installation(LOCAL_OWNER, "backup.made")
    scratch = out.with_name(f"{SCRATCH_PREFIX}{out.name[:100]}-{uuid.uuid4().hex}")
    try:
        with _folder_beside(out) as folder:
            for _attempt in range(ATTEMPTS):
                summary = _written(settings, scratch, folder, keys=keys)
                if summary is not None:
                    break
            else:
                raise SettingsError(N_("Studies are being removed for good at this moment. Try again in a minute."))
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(out)
    except OSError as error:
        raise not_written(error, out.parent) from None
    finally:
        scratch.unlink(missing_ok=True)
    return summary


def _written(settings: Settings, archive: Path, folder: Path, *, keys: bool) -> BackupSummary | None:
    """Write the archive; ``None`` where a study was removed for good meanwhile."""
    snapshot = folder / f"{uuid.uuid4().hex}.db"
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    os.close(descriptor)
    writer, store = Writer(archive), FileStore(settings)
    try:
        _add_own(writer, settings, heads=True, keys=keys)  # a trail's head may be older than the trail, never newer
        take_snapshot(settings, snapshot)
        writer.add_file(DATABASE, snapshot)
        there = _add_files(writer, store)
        _add_own(writer, settings, heads=False, keys=keys)  # a key that was made meanwhile seals files that are in here
        missing = {name for name in files_named_in(snapshot) if not _holds(there, name)}
        lost = missing & files_named_now(settings)
        if missing - lost:
            return None
        writer.close({"keys": keys, "lost": sorted(lost)})
    finally:
        writer.abandon()
    return BackupSummary(len(writer.entries), archive.stat().st_size, keys, tuple(sorted(lost)))


def _add_files(writer: Writer, store: FileStore) -> set[str]:
    """Add every file of the store as it lies there, sealed or not; return their names."""
    names = set()
    root = store.root.rstrip("/")
    for path in sorted(store.fs.find(root)) if store.fs.exists(root) else ():
        name = os.path.relpath(path, root)
        if any(part.startswith(".") for part in Path(name).parts):  # its writer has not finished
            continue
        with contextlib.suppress(FileNotFoundError):  # removed for good a moment ago
            if store.local:
                writer.add_file(f"{FILES}/{name}", Path(path))
            else:
                writer.add(f"{FILES}/{name}", store.fs.cat_file(path))
            names.add(name)
    return names


def _add_own(writer: Writer, settings: Settings, *, heads: bool, keys: bool) -> None:
    """Add what else lies in the data folder: keys, marks, the head of the audit trail."""
    for path in own_files(settings):
        name = path.relative_to(settings.data_dir)
        is_key = name.suffix == ".key" or name.parts[0] == KEYS
        if (name.suffix == ".head") == heads and (keys or not is_key):
            writer.add(f"{OWN}/{name.as_posix()}", path.read_bytes())


def own_files(settings: Settings) -> Iterator[Path]:
    """Name the files of the data folder that are neither database nor studies' files nor made again."""
    store, database = FileStore(settings), make_url(settings.database_url)
    files = Path(store.root) if store.local else None
    left_out = (".", Path(database.database or "").name) if database.get_backend_name() == "sqlite" else (".",)
    for top in sorted(settings.data_dir.iterdir()) if settings.data_dir.is_dir() else ():
        if top.name in MADE_AGAIN or top.name.startswith(left_out) or top == files:
            continue
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.suffix != ".lock" and not path.name.startswith("."):
                yield path


def _holds(there: set[str], name: str) -> bool:
    return name in there or any(other.startswith(f"{name}/") for other in there)


def restore(settings: Settings, archive: Path) -> BackupSummary:
    """Put a backup back into an empty installation: checked as a whole first, files and keys next, the database last.

    Killed at any moment it can be begun again.

    Raises:
        BackupError: the archive is damaged or no backup; nothing was changed.
        SettingsError: the installation holds studies, or is at work.

    """
    if not archive.is_file():
        raise SettingsError(N_("There is no file {file}."), file=str(archive))
    _refuse_at_work(settings)
    refuse_full_database(settings)
    store = FileStore(settings)
    try:
        with _folder_beside(private_folder(settings.data_dir) / "restored") as folder:
            told = unpack(archive, folder)
            _put_files(folder / FILES, store)
            for path in _files_in(folder / OWN):
                _put(path, settings.data_dir / path.relative_to(folder / OWN))
            forget_engines()  # the keys are those of the backup from here on
            put_snapshot_back(settings, folder / DATABASE)
    except OSError as error:
        raise not_written(error, settings.data_dir) from None
    close_folder_tree(settings.data_dir)
    forget_keys()  # those of the empty installation
    Store(settings).note_of_installation(LOCAL_OWNER, "backup.restored")
    lost = tuple(sorted(name for name in files_named_now(settings) if not store.exists(name)))
    n_bytes = sum(entry["bytes"] for entry in told["files"])
    return BackupSummary(len(told["files"]), n_bytes, bool(told["keys"]), lost)


def _refuse_at_work(settings: Settings) -> None:
    cluster = LocalCluster.read(settings)
    if cluster is not None and cluster.scheduler.alive():
        raise SettingsError(N_("medcore is at work in this data folder. Stop it, wait two minutes, and restore again."))


def _put_files(folder: Path, store: FileStore) -> None:
    for path in _files_in(folder):
        name = path.relative_to(folder).as_posix()
        if store.local:
            _put(path, Path(store.root) / name)
        else:
            target = f"{store.root.rstrip('/')}/{name}"  # as it lay there, sealed or not
            store.fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            store.fs.pipe_file(target, path.read_bytes())


def _put(path: Path, target: Path) -> None:
    private_folder(target.parent)
    shutil.move(path, target)


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """Make a folder on the same disk, for this user only, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=path.parent) as folder:
        yield Path(folder)
