"""What a command writes: never over what it reads, whole or not at all, and for this user of the machine alone."""

from __future__ import annotations

import os
from pathlib import Path

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.safe_files import write_whole


def check_out(out: Path, *inputs: Path | None) -> None:
    """Refuse a place that a command could not write to, or must not, before its work is begun.

    ``inputs`` are the files and the bundles that it reads.

    Raises:
        SettingsError: ``out`` is one of them, lies in one of them, is a folder, or is where nothing may be written.

    """
    place = _resolved(out)
    for given in (path for path in inputs if path is not None):
        read = _resolved(given)
        if place == read or (read.is_dir() and place.is_relative_to(read)) or _same_file(out, given):
            raise SettingsError(
                N_("{out} is read by this command, and would be lost. Give another file to write to."), out=str(out)
            )
    if out.is_dir():
        raise SettingsError(N_("{out} is a folder. Give the name of a file to write."), out=str(out))
    check_writable(out)


def check_writable(out: Path) -> None:
    """Refuse a file or folder that could not be made where it is asked for, before the work for it is done.

    Raises:
        SettingsError: the nearest folder above it that is there may not be written to, or is none.

    """
    above = next(folder for folder in _resolved(out).parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise SettingsError(
            N_("Nothing can be written to {folder}. Give a place that you may write to."), folder=str(above)
        )


def write_out(out: Path, data: bytes | str) -> None:
    """Write a file so that nobody ever finds half of it, and what was there before stays until then.

    Raises:
        SettingsError: the disk is full or cannot be written to.

    """
    written = data.encode() if isinstance(data, str) else data
    place = _resolved(out)  # what a link leads to, and not the link
    if place.exists() and not place.is_file():  # a pipe, or the terminal
        place.write_bytes(written)
    else:
        write_whole(place, written)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        return path.absolute()


def _same_file(out: Path, given: Path) -> bool:
    """Say whether two names are of one file, by another link or in other letters."""
    try:
        return out.exists() and out.samefile(given)
    except OSError:
        return False
