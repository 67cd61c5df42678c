"""The files inside a zip archive, when nothing about it is dangerous."""

from __future__ import annotations

import stat
import zipfile
from contextlib import closing
from pathlib import PurePosixPath

from medcore.data.reading.text import RawFile
from medcore.data.values.names import clean_name
from medcore.errors import UnreadableFileError
from medcore.i18n import N_

MAX_FILES = 20_000
"""Files of one archive: a picture a patient for the largest cohorts."""
MAX_FILE = 256 << 20
MAX_TOTAL = 2 << 30
MAX_RATIO = 200
"""Text shrinks to a tenth, a table of zeros to a hundredth; what grows more is made to exhaust memory."""
RATIO_COUNTS_FROM = 1 << 20
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz", ".zst", ".jar")
_ARCHIVE_HEADS = (b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_DAMAGED = (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError)


def is_archive(raw: RawFile) -> bool:
    """Say whether a file is a zip archive that is no spreadsheet or document."""
    return raw.head(4) == b"PK\x03\x04" and not _is_office(raw)


def read_archive(raw: RawFile, *, nested: bool = False) -> list[tuple[str, bytes]]:
    """Return the files of a zip archive by their names within it.

    Folders, hidden files and what a Mac adds are passed over. Raises
    UnreadableFileError, which names the limit, for an archive that is damaged,
    encrypted or too large, that grows too much, that holds another archive (unless they may be
    ``nested``: they are returned as they are), a link, or a name that leads out of it.
    """
    try:
        with closing(raw.open()) as file, zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if not _passed_over(info)]
            _check(raw, infos)
            return [(_name(raw, info), _bytes(raw, archive, info, nested=nested)) for info in infos]
    except _DAMAGED:
        raise UnreadableFileError(
            N_("The archive {name} is damaged. Make it again and upload that."), name=raw.name
        ) from None


def _passed_over(info: zipfile.ZipInfo) -> bool:
    base = info.filename.replace("\\", "/").rsplit("/", 1)[-1]
    return info.is_dir() or base.startswith(".") or info.filename.startswith("__MACOSX")


def _check(raw: RawFile, infos: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive by what it says of itself; that what it says is true is seen while reading."""
    if len(infos) > MAX_FILES:
        raise UnreadableFileError(
            N_("The archive {name} holds {got} files; at most {most} are read. Split it into several cohorts."),
            name=raw.name,
            got=len(infos),
            most=MAX_FILES,
        )
    total, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
    if total > MAX_TOTAL:
        raise UnreadableFileError(
            N_("The archive {name} grows beyond {n} GB when unpacked. Split it into smaller ones."),
            name=raw.name,
            n=MAX_TOTAL >> 30,
        )
    if total > RATIO_COUNTS_FROM and total > MAX_RATIO * max(packed, 1):
        raise UnreadableFileError(
            N_(
                "The archive {name} grows to more than {n} times its size when unpacked, as one that is made to fill the memory does. Upload the files without packing them."
            ),
            name=raw.name,
            n=MAX_RATIO,
        )
    if any(i.file_size > MAX_FILE for i in infos):
        raise UnreadableFileError(
            N_("The archive {name} holds a file of more than {n} MB. Leave it out, or make it smaller."),
            name=raw.name,
            n=MAX_FILE >> 20,
        )
    if any(i.flag_bits & 1 for i in infos):
        raise UnreadableFileError(
            N_("The archive {name} is protected by a password. Unpack it and pack it again without one."),
            name=raw.name,
        )
    if any(stat.S_ISLNK(i.external_attr >> 16) for i in infos):
        raise UnreadableFileError(
            N_("The archive {name} holds a link in place of a file. Pack the file itself."), name=raw.name
        )
    names = [i.filename for i in infos]
    if len(set(names)) < len(names):
        raise UnreadableFileError(
            N_("The archive {name} holds two files of the same name. Give each its own name."), name=raw.name
        )


def _name(raw: RawFile, info: zipfile.ZipInfo) -> str:
    """Return a member's name; refuse one that is absolute or leads upwards, in the way of any system."""
    name = info.orig_filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        raise UnreadableFileError(
            N_(
                "The archive {name} holds a file whose name leads out of it (an absolute path or “..”). Pack the files by names within one folder."
            ),
            name=raw.name,
        )
    return "/".join(clean_name(part) for part in path.parts)


def _bytes(raw: RawFile, archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, nested: bool) -> bytes:
    with archive.open(info) as member:
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise zipfile.BadZipFile
    if nested:
        return data
    if info.filename.lower().endswith(ARCHIVES) or data.startswith(_ARCHIVE_HEADS) or _is_zip(info.filename, data):
        raise UnreadableFileError(
            N_(
                "The archive {name} holds another archive; only one level is unpacked. Put the files themselves into it."
            ),
            name=raw.name,
        )
    return data


def _is_zip(name: str, data: bytes) -> bool:
    return is_archive(RawFile.of((name, data)))


def _is_office(raw: RawFile) -> bool:
    try:
        with closing(raw.open()) as file, zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except _DAMAGED:
        return False
    return bool({"[Content_Types].xml", "mimetype", "content.xml"} & names)
