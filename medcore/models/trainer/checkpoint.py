"""What a training needs to go on after an interruption, as a plain ``.npz`` without pickle."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from medcore.errors import NotFoundError
from medcore.models.network.parts import Floats
from medcore.models.network.settings import NetworkSettings
from medcore.models.trainer.plan import Member
from medcore.sealing import Folder, get_arrays, put_arrays

Arrays = dict[str, NDArray[np.generic]]
_VERSION = 2
_EVERY_SECONDS = 5.0


def fingerprint(
    features: Floats | None, outcome: NDArray[Any], members: Sequence[Member], settings: NetworkSettings
) -> str:
    """Return a name for exactly this training: rows, members, seeds and settings."""
    digest = hashlib.sha256(json.dumps([_VERSION, settings.to_dict(), len(members)], sort_keys=True).encode())
    hashed: set[int] = set()
    arrays = [features, outcome, *(a for m in members for a in (m.rows, m.validation, m.features, np.int64(m.seed)))]
    for array in arrays:
        if array is not None and id(array) not in hashed:
            hashed.add(id(array))
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24]


class Checkpoint:
    """A file of one training's state; with no folder it keeps nothing."""

    def __init__(self, folder: Folder | None, name: str) -> None:
        self._path = None if folder is None else folder / f"networks-{name}.npz"
        self._written = time.monotonic()

    def load(self) -> Arrays | None:
        """Return what was kept last, or ``None``; a damaged file counts as none."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            return get_arrays(self._path)
        except (OSError, ValueError, EOFError, BadZipFile, NotFoundError):
            return None

    def keep(self, arrays: Callable[[], Mapping[str, NDArray[np.generic]]], *, now: bool = False) -> None:
        """Write the state that ``arrays`` returns, at most every few seconds unless ``now``; never half a file."""
        if self._path is None or not (now or time.monotonic() - self._written > _EVERY_SECONDS):
            return
        put_arrays(self._path, arrays())
        self._written = time.monotonic()
