"""A folder whose files cannot be changed unnoticed: SHA-256 sums, checked before anything is read."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from medcore.errors import BundleError, InputError
from medcore.i18n import N_
from medcore.sealing import Folder, names_in, put

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
"""In the format of ``sha256sum --check``."""
NEW = ".new-"
"""A folder of this name in a bundle is one that is being written; where the writer was killed it stays, and is no part."""
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in any folder that was looked at."""


def write_json(path: Folder, data: Any) -> None:
    """Write JSON that people can read."""
    put(path, (json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Folder) -> Any:
    """Read JSON; raise BundleError that names the file when it is not."""
    try:
        return json.loads(path.read_bytes().decode())
    except (ValueError, UnicodeDecodeError) as error:
        raise BundleError(
            N_("The bundle's file {file} cannot be read. Train the model again, or copy the whole folder again."),
            file=path.name,
        ) from error


def check_new(folder: Folder) -> None:
    """Refuse a folder that holds something already.

    Raises:
        InputError: it does; it is named.

    """
    if folder.is_file() or names_in(folder):
        raise InputError(
            N_("{out} is there already. Give --out a new or an empty folder: no version replaces another."),
            out=str(folder),
        )


@contextmanager
def replacing(folder: Folder) -> Iterator[Folder]:
    """Give an empty folder to write to, whose files are put into ``folder`` when all are written.

    When the writing fails, ``folder`` is as it was. What an earlier bundle there had
    and the new one has not goes; files that are no bundle's stay. A sealed folder is a
    new one, and is written to as it is: whoever gave it moves it to its place.
    """
    if not isinstance(folder, Path):
        yield folder
        return
    fresh = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(prefix=NEW, dir=folder) as scratch:
            new = Path(scratch)
            yield new
            for name in _read_sums(folder) if (folder / SUMS).is_file() else ():
                if not (new / name).is_file():
                    (folder / name).unlink(missing_ok=True)
            for path in sorted(new.iterdir(), key=lambda path: path.name == SUMS):  # the seal comes last
                if path.is_dir():
                    shutil.rmtree(folder / path.name, ignore_errors=True)
                path.replace(folder / path.name)
    except BaseException:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def seal(folder: Folder) -> None:
    """Write down the SHA-256 of every file in a folder."""
    lines = [f"{_digest(folder / name)}  {name}\n" for name in names_in(folder) if name.rpartition("/")[2] != SUMS]
    put(folder / SUMS, "".join(lines).encode())


def check_seal(folder: Folder) -> tuple[str, ...]:
    """Check every file of a sealed folder and return their names.

    Raises:
        BundleError: not a bundle, or a file is missing or was changed; it is named.

    """
    if not (folder / MANIFEST).is_file() or not (folder / SUMS).is_file():
        raise BundleError(
            N_("{folder} is not a bundle: it has no {manifest} with {sums}. Give the folder that training wrote."),
            folder=folder.name,
            manifest=MANIFEST,
            sums=SUMS,
        )
    sums = _read_sums(folder)
    if MANIFEST not in sums:
        raise _changed(SUMS)
    found = _names(folder)
    check_nothing_else(folder, found - {SUMS, *sums})
    for name, expected in sums.items():
        path = folder / name
        if name not in found:
            raise BundleError(
                N_("The bundle lacks its file {file}. Copy the whole folder again, or train the model again."),
                file=name,
            )
        if _digest(path) != expected:
            raise _changed(name)
    return tuple(sums)


def check_nothing_else(folder: Folder, others: Collection[str] | None = None) -> None:
    """Refuse a bundle's folder that holds files which were not sealed with it.

    Raises:
        BundleError: it does; one is named.

    """
    for name in sorted(_names(folder) - {SUMS, *_read_sums(folder)} if others is None else others):
        raise BundleError(
            N_(
                "The folder {folder} holds {file}, which is no part of the bundle. Take it out: only files that were sealed with the bundle may lie there."
            ),
            folder=folder.name,
            file=name,
        )


def inside(folder: Folder, name: object) -> Folder:
    """Return a bundle's file by the name that another of its files gives; all of them were checked already.

    Raises:
        BundleError: the name leads out of the bundle.

    """
    if not isinstance(name, str) or not _stays_inside(name):
        raise BundleError(
            N_(
                "The bundle {folder} names a file outside itself and is not opened. Get it again from where it was trained."
            ),
            folder=folder.name,
        )
    return folder / name


def bundle_hash(folder: Folder) -> str:
    """Return the SHA-256 of a bundle's list of hashes: one number that stands for every file of it."""
    return hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()


def _read_sums(folder: Folder) -> dict[str, str]:
    sums: dict[str, str] = {}
    for line in (folder / SUMS).read_bytes().decode(errors="replace").splitlines():
        digest, _gap, name = line.partition("  ")
        if len(digest) != 64 or not _stays_inside(name):
            raise _changed(SUMS)
        sums[name] = digest
    return sums


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _names(folder: Folder) -> set[str]:
    """Name every file that may be a bundle's; a link, which may lead anywhere, is refused by its name.

    Raises:
        BundleError: there is a symbolic link.

    """
    names = {name for name in names_in(folder) if not name.startswith(NEW) and name.rpartition("/")[2] not in LITTER}
    for name in sorted(names):
        if isinstance(folder, Path) and (folder / name).is_symlink():
            raise BundleError(
                N_("The bundle holds the link {file}, and links are not followed. Copy the files themselves."),
                file=name,
            )
    return names


def _changed(name: str) -> BundleError:
    return BundleError(
        N_(
            "The bundle's file {file} was changed after it was saved, so nothing is predicted with it. "
            "Copy the bundle again from where it was trained, or train the model again."
        ),
        file=name,
    )


def _digest(file: Folder) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
