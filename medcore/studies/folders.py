"""Folders that only this user may enter, and locks that the system lifts when their holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medcore.errors import SettingsError
from medcore.i18n import N_


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock for the length of a ``with`` block; wait while another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> Path:
    """Make a folder that only this user of the machine may enter; one that is there is left as it is.

    Raises:
        SettingsError: it cannot be made there.

    """
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            N_("The folder {folder} cannot be made ({reason}). Set MEDCORE_DATA to a folder that you may write to."),
            folder=str(folder),
            reason=error.strerror or type(error).__name__,
        ) from None
    return folder
