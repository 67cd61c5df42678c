"""What a backup is: a tar file of the database, the files, the keys, and a list of all of them with checksums.

Nothing in it is trusted before it was checked: names, kinds of entries, checksums, and that nothing is missing.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from medcore.errors import InputError
from medcore.i18n import N_
from medcore.safe_files import PRIVATE_FILE

LIST = "medcore-backup.json"
DATABASE = "database/medcore.db"
FILES, OWN = "files", "own"
"""Folders of the archive: what lies in the file store, and what else lies in the data folder (keys among it)."""
FORMAT = 1
PIECE_BYTES = 1 << 20


class BackupError(InputError):
    """A file is no backup of medcore, is damaged, or was changed."""

    @classmethod
    def damaged(cls, archive: Path) -> BackupError:
        """Build the error for an archive that is not as it was written."""
        return cls(
            N_(
                "The backup {file} is damaged, incomplete or no backup of medcore. Nothing was restored. Use another backup."
            ),
            file=archive.name,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup."""

    name: str
    n_bytes: int
    sha256: str


class Writer:
    """Writes a backup, file after file, and closes it with the list."""

    def __init__(self, file: Path) -> None:
        self._tar = tarfile.open(file, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by close()
        self.entries: list[Entry] = []

    def add(self, name: str, data: bytes) -> None:
        """Add a file's bytes under a name."""
        self._member(name, data)
        self.entries.append(Entry(name, len(data), hashlib.sha256(data).hexdigest()))

    def add_file(self, name: str, path: Path) -> None:
        """Add a file from the disk, of any length, without holding it in memory."""
        digest = hashlib.sha256()
        with path.open("rb") as file:
            info = tarfile.TarInfo(name)
            info.size, info.mode = path.stat().st_size, PRIVATE_FILE
            self._tar.addfile(info, _Hashing(file, digest))
        self.entries.append(Entry(name, info.size, digest.hexdigest()))

    def abandon(self) -> None:
        """Close the file without a list: it is no backup."""
        self._tar.fileobj.close()

    def close(self, told: Mapping[str, Any]) -> None:
        """Write the list of what is in the archive, with what else is to be told, and close it."""
        files = [{"name": e.name, "bytes": e.n_bytes, "sha256": e.sha256} for e in self.entries]
        made = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(timespec="seconds"), **told, "files": files}
        self._member(LIST, json.dumps(made).encode())
        self._tar.close()

    def _member(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), PRIVATE_FILE
        self._tar.addfile(info, io.BytesIO(data))


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: Any, digest: Any) -> None:
        self._file, self._digest = file, digest

    def read(self, n: int = -1) -> bytes:
        """Read on."""
        data: bytes = self._file.read(n)
        self._digest.update(data)
        return data


def unpack(archive: Path, folder: Path) -> dict[str, Any]:
    """Check a backup as a whole and lay its files in an empty folder; return what its list tells.

    Raises:
        BackupError: anything in it is not as the list says, or does not belong in a backup;
            the folder then holds what came before the fault and must not be used.

    """
    try:
        with tarfile.open(archive, "r:") as tar:
            return _unpacked(archive, tar, folder)
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BackupError.damaged(archive) from None


def _unpacked(archive: Path, tar: tarfile.TarFile, folder: Path) -> dict[str, Any]:
    found: dict[str, tuple[int, str]] = {}
    told: dict[str, Any] | None = None
    for member in tar:
        if told is not None or not member.isreg() or member.name in found:
            raise BackupError.damaged(archive)
        source = tar.extractfile(member)
        if source is None:
            raise BackupError.damaged(archive)
        if member.name == LIST:
            told = json.loads(source.read())
        elif _belongs(member.name):
            found[member.name] = _laid(source, folder / member.name)
        else:
            raise BackupError.damaged(archive)
    listed = {f["name"]: (f["bytes"], f["sha256"]) for f in told["files"]} if told else None
    if told is None or told["format"] != FORMAT or listed != found or DATABASE not in found:
        raise BackupError.damaged(archive)
    return told


def _belongs(name: str) -> bool:
    """Whether a name is one a backup writes: in its folders, and nowhere above them."""
    path = PurePosixPath(name)
    inside = len(path.parts) > 1 and path.parts[0] in {FILES, OWN} and ".." not in path.parts
    return name == DATABASE or (inside and path.as_posix() == name and "\0" not in name)


def _laid(source: Any, target: Path) -> tuple[int, str]:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, n = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE), "wb") as file:
        for piece in _pieces(source):
            file.write(piece)
            digest.update(piece)
            n += len(piece)
    return n, digest.hexdigest()


def _pieces(source: Any) -> Iterator[bytes]:
    while piece := source.read(PIECE_BYTES):
        yield piece
