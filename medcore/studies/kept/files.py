"""Files of studies: a local folder by default, any place that fsspec knows by ``MEDCORE_STORAGE``."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from pathlib import Path

import fsspec

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.safe_files import SCRATCH_PREFIX, not_written, write_whole
from medcore.sealing import Folder, SealedFolder, copy_folder, keys_of, names_in, opened, sealed
from medcore.settings import Settings


class FileStore:
    """Puts, gets and removes files by a relative name such as ``cohorts/ab/1234.parquet``.

    Every file is sealed for its name. It is written under a temporary name and then
    renamed where the place can do that, so that nobody ever reads half a file.
    """

    def __init__(self, settings: Settings) -> None:
        self.fs, self.root = place_of(settings.storage_url)
        self.local = is_local(self.fs)
        self.cache = settings.data_dir / "cache"
        self.keys = keys_of(settings.data_dir)

    def write(self, name: str, data: bytes) -> None:
        """Keep bytes under a name, replacing what was there."""
        self._write(name, sealed(data, self.keys, name))

    def read(self, name: str) -> bytes:
        """Return the bytes kept under a name; ``FileNotFoundError`` if there are none.

        Raises:
            NotFoundError: they were changed, cut or moved after they were kept.

        """
        return opened(self.read_as_kept(name), self.keys, name)

    def read_as_kept(self, name: str) -> bytes:
        """Return a file as it lies there, sealed."""
        data: bytes = self.fs.cat_file(self._path(name))
        return data

    def size(self, name: str) -> int:
        """Return how many bytes a file takes."""
        return int(self.fs.size(self._path(name)) or 0)

    def names(self, under: str = "") -> tuple[str, ...]:
        """Name everything that is kept, or what is kept in a folder."""
        found = self.fs.find(self._path(under)) if under else self.fs.find(self.root)
        return tuple(sorted(os.path.relpath(path, self.root) for path in found))

    def exists(self, name: str) -> bool:
        """Whether something is kept under a name."""
        return bool(self.fs.exists(self._path(name)))

    def remove(self, name: str) -> None:
        """Remove a file or a folder; nothing happens if there is none."""
        if self.exists(name):
            self.fs.rm(self._path(name), recursive=True)
        shutil.rmtree(self._copy(name), ignore_errors=True)

    def put_folder(self, folder: Folder, name: str) -> None:
        """Keep a copy of a local folder under a name, whole or not at all."""
        self.remove(name)
        if not self.local:
            for file in names_in(folder):
                self.write(f"{name}/{file}", (folder / file).read_bytes())
            return
        target = Path(self._path(name))
        scratch = target.with_name(f"{SCRATCH_PREFIX}{target.name}-{uuid.uuid4().hex}")
        try:
            copy_folder(folder, SealedFolder(scratch, name, self.keys))
            scratch.replace(target)
        except OSError as error:
            raise not_written(error, target.parent) from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def folder(self, name: str) -> SealedFolder:
        """Return a local folder with what is kept under a name; ``FileNotFoundError`` if nothing is.

        From an object store it is fetched once and kept, sealed, in the data folder's cache.
        """
        if not self.exists(name):
            raise FileNotFoundError(name)
        if self.local:
            return SealedFolder(Path(self._path(name)), name, self.keys)
        copy = self._copy(name)
        if not copy.is_dir():
            scratch = copy.with_name(f"{SCRATCH_PREFIX}{copy.name}-{uuid.uuid4().hex}")
            scratch.mkdir(parents=True)
            for path in self.fs.find(self._path(name)):
                target = scratch / os.path.relpath(path, self._path(name))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.fs.cat_file(path))
            try:
                scratch.replace(copy)
            except OSError:
                if not copy.is_dir():
                    raise
                shutil.rmtree(scratch)  # somebody else was faster
        return SealedFolder(copy, name, self.keys)

    def _write(self, name: str, data: bytes) -> None:
        if self.local:
            write_whole(Path(self._path(name)), data)
            return
        self.fs.makedirs(self._path(name).rsplit("/", 1)[0], exist_ok=True)
        self.fs.pipe_file(self._path(name), data)

    def _path(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"

    def _copy(self, name: str) -> Path:
        return self.cache / hashlib.sha256(f"{self.root}/{name}".encode()).hexdigest()[:32]


def owner_folder(owner: str) -> str:
    """Name an owner's folder without showing who that is."""
    return hashlib.sha256(owner.encode()).hexdigest()[:16]


def rows_name(owner: str, content_key: str) -> str:
    """Name the file of a table's rows in the file store."""
    return f"{owner_folder(owner)}/cohorts/{content_key}.parquet"


def result_name(owner: str, run_id: str) -> str:
    """Name the folder of a run's results in the file store."""
    return f"{owner_folder(owner)}/runs/{run_id}"


def first_patients_name(owner: str, run_id: str) -> str:
    """Name the file of what a run's model says of the first patients of its list, in the file store."""
    return f"{owner_folder(owner)}/first/{run_id}.npz"


def place_of(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Open where the files are; the address may carry a password and is not repeated."""
    try:
        fs, root = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise SettingsError(
            N_(
                "MEDCORE_STORAGE is not a place that medcore can open ({kind}). Write it as file:///PATH or s3://BUCKET/PATH, and install the driver that fsspec asks for."
            ),
            kind=type(error).__name__,
        ) from None
    return fs, str(root)


def is_local(fs: fsspec.AbstractFileSystem) -> bool:
    """Whether a place is a folder of this machine, or one mounted on it."""
    return "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)
