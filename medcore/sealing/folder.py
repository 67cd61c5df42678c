"""A folder whose files are sealed, read and written like any other; and what is done with either."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, Self
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from medcore.safe_files import write_whole
from medcore.sealing.arrays import array_of
from medcore.sealing.cipher import opened, sealed
from medcore.sealing.keys import Keys


class Folder(Protocol):
    """What is asked of a folder and of a file in it: a plain path, or a sealed one."""

    @property
    def name(self) -> str:
        """Its own name."""

    def __truediv__(self, name: str, /) -> Self:
        """Return what lies in it under a name."""

    def read_bytes(self) -> bytes:
        """Return a file's contents."""

    def write_bytes(self, data: bytes, /) -> int:
        """Write a file."""

    def is_file(self) -> bool:
        """Whether it is a file."""

    def __hash__(self) -> int:
        """Return by what is found again what is kept in memory of a folder."""


@dataclass(frozen=True, slots=True)
class SealedFolder:
    """A folder (or a file in one) at a local path whose files are sealed for a ``place``.

    The place is part of the seal: a file that is carried to another one does not open.
    """

    path: Path
    place: str
    keys: Keys = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path.name

    def __truediv__(self, name: str) -> SealedFolder:
        """Return what lies in it under a name."""
        return SealedFolder(self.path / name, f"{self.place}/{name}", self.keys)

    def read_bytes(self) -> bytes:
        """Return a file's contents, opened.

        Raises:
            NotFoundError: it was changed, cut or moved, or its key is not here.

        """
        return opened(self.path.read_bytes(), self.keys, self.place)

    def write_bytes(self, data: bytes) -> int:
        """Seal and write a file, whole or not at all."""
        write_whole(self.path, sealed(data, self.keys, self.place))
        return len(data)

    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.path.is_file()


def as_folder(folder: Folder | str) -> Folder:
    """Take the path of a folder for the folder."""
    return Path(folder) if isinstance(folder, str) else folder


def put(file: Folder, data: bytes) -> None:
    """Write a file; the folders above it are made."""
    if isinstance(file, Path):
        file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def put_array(file: Folder, array: NDArray[Any]) -> None:
    """Write an array as ``.npy``, without pickle."""
    data = BytesIO()
    np.save(data, array, allow_pickle=False)
    put(file, data.getvalue())


def get_array(file: Folder) -> NDArray[Any]:
    """Read what :func:`put_array` wrote."""
    return array_of(file.read_bytes())


def put_arrays(file: Folder, arrays: Mapping[str, NDArray[Any]], *, compressed: bool = False) -> None:
    """Write arrays by name as ``.npz``, without pickle."""
    put(file, packed_arrays(arrays, compressed=compressed))


def get_arrays(file: Folder) -> dict[str, NDArray[Any]]:
    """Read what :func:`put_arrays` wrote."""
    return unpacked_arrays(file.read_bytes())


def packed_arrays(arrays: Mapping[str, NDArray[Any]], *, compressed: bool = False) -> bytes:
    """Return arrays by name as the bytes of an ``.npz``, without pickle."""
    data = BytesIO()
    (np.savez_compressed if compressed else np.savez)(data, allow_pickle=False, **arrays)
    return data.getvalue()


def unpacked_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """Read what :func:`packed_arrays` returned."""
    with ZipFile(BytesIO(data)) as archive:
        return {name.removesuffix(".npy"): array_of(archive.read(name)) for name in archive.namelist()}


def names_in(folder: Folder) -> tuple[str, ...]:
    """Name every file in a folder and below, sorted; links are among them, and are not followed."""
    root = folder.path if isinstance(folder, SealedFolder) else folder
    assert isinstance(root, Path)
    found = []
    for place, folders, files in os.walk(root):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        found += [(Path(place) / name).relative_to(root).as_posix() for name in (*files, *links)]
    return tuple(sorted(found))


def copy_folder(source: Folder, target: Folder) -> None:
    """Copy every file of a folder into another; what is sealed is opened and sealed for its new place."""
    for name in names_in(source):
        put(target / name, (source / name).read_bytes())
