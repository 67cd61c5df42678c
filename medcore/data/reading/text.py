"""Bytes become text: compression, encoding, line ends."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from medcore.errors import UnreadableFileError
from medcore.i18n import N_

BLOCK = 4 << 20
HEAD = 256 << 10
MAX_UNPACKED = 1 << 30
"""Bytes to which a compressed file may grow: a guard against archives made to exhaust memory."""
_DAMAGED_ZIP = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file's bytes, wherever they are: ``open()`` gives a fresh stream each time."""

    name: str
    open: Callable[[], BinaryIO]
    n_bytes: int
    sha256: str
    member: str = ""
    """Its name in the archive that holds it."""

    @classmethod
    def of(cls, source: Path | str | tuple[str, bytes]) -> RawFile:
        """Take a path, or a file name and its bytes."""
        if isinstance(source, tuple):
            name, data = source
            return cls(name, lambda: io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest())
        path = Path(source)
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(path.name, lambda: path.open("rb"), path.stat().st_size, digest)
        except FileNotFoundError:
            raise UnreadableFileError(N_("There is no file {name}. Check the path."), name=path.name) from None
        except OSError:
            raise UnreadableFileError(
                N_("The file {name} cannot be opened. Check that it is a file and that you may read it."),
                name=path.name,
            ) from None

    def head(self, n: int = HEAD) -> bytes:
        """Return the first bytes."""
        with closing(self.open()) as file:
            return file.read(n)


def unpack(raw: RawFile, member: str | None = None) -> tuple[RawFile, tuple[str, ...]]:
    """Look inside a gzip or zip file; anything else is returned as it is.

    Returns the file inside, the largest where none is named, and the names of all in the archive (empty
    for gzip and for plain files). Spreadsheets, which are zip files too, are left alone.
    """
    head = raw.head(4)
    if head[:2] == b"\x1f\x8b":
        inner = raw.name[:-3] if raw.name.lower().endswith(".gz") else raw.name

        def open_gzip() -> BinaryIO:
            return _Inside(gzip.GzipFile(fileobj=(outer := raw.open())), outer)

        return RawFile(inner, open_gzip, _measure(raw.name, open_gzip), raw.sha256), ()
    if head == b"PK\x03\x04" and not _is_office(raw):
        return _unzip(raw, member)
    return raw, ()


def member_sizes(raw: RawFile) -> dict[str, int]:
    """Return the names of an archive's files and how many bytes each says it has."""
    with closing(raw.open()) as file, zipfile.ZipFile(file) as archive:
        return {info.filename: info.file_size for info in archive.infolist()}


def _is_office(raw: RawFile) -> bool:
    try:
        with closing(raw.open()) as file, zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except _DAMAGED_ZIP:
        return False
    return bool({"[Content_Types].xml", "mimetype", "content.xml"} & names)


def _unzip(raw: RawFile, member: str | None) -> tuple[RawFile, tuple[str, ...]]:
    try:
        with closing(raw.open()) as file, zipfile.ZipFile(file) as archive:
            infos = [i for i in archive.infolist() if _is_member(i)]
    except _DAMAGED_ZIP:
        raise _damaged(raw.name) from None
    if not infos:
        raise UnreadableFileError(
            N_("The archive {name} holds no file. Put the table into it, or upload the table itself."), name=raw.name
        )
    if any(i.flag_bits & 1 for i in infos):
        raise UnreadableFileError(
            N_("The archive {name} is protected by a password. Unpack it and upload the table itself."), name=raw.name
        )
    names = tuple(i.filename for i in infos)
    chosen = member if member in names else max(infos, key=lambda i: i.file_size).filename

    def open_member() -> BinaryIO:
        return _Inside(zipfile.ZipFile(outer := raw.open()).open(chosen), outer)

    size = _measure(raw.name, open_member)
    return RawFile(Path(chosen).name, open_member, size, raw.sha256, chosen), names


def _is_member(info: zipfile.ZipInfo) -> bool:
    base = info.filename.rsplit("/", 1)[-1]
    return not info.is_dir() and not base.startswith(".") and not info.filename.startswith("__MACOSX")


class _Inside(io.BufferedReader):
    """A file inside another; closing it closes both."""

    def __init__(self, inner: Any, outer: BinaryIO) -> None:
        super().__init__(inner)
        self._outer = outer

    def close(self) -> None:
        super().close()
        self._outer.close()


def _measure(name: str, opener: Callable[[], BinaryIO]) -> int:
    size = 0
    try:
        with closing(opener()) as file:
            while block := file.read(BLOCK):
                size += len(block)
                if size > MAX_UNPACKED:
                    raise UnreadableFileError(
                        N_("The archive {name} grows beyond {n} GB when unpacked. Split the table into smaller files."),
                        name=name,
                        n=MAX_UNPACKED >> 30,
                    )
    except UnreadableFileError:
        raise
    except Exception:
        raise _damaged(name) from None
    return size


def _damaged(name: str) -> UnreadableFileError:
    return UnreadableFileError(
        N_("The archive {name} is damaged or was cut short. Copy or export it again."), name=name
    )


@dataclass(slots=True)
class TextStats:
    """What happened on the way from bytes to text."""

    n_undecodable: int = 0
    n_nul: int = 0
    n_returns: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    r"""A text file: its bytes re-coded as UTF-8 with ``\\n`` line ends, in blocks.

    ``lone`` is what a carriage return without a line feed becomes: the end of a line, or a space where it stands
    inside a cell (:mod:`medcore.data.reading.returns`).
    """

    raw: RawFile
    encoding: str
    progress: Callable[[float], None] | None = None
    stats: TextStats = field(default_factory=TextStats)
    lone: str = "\n"

    def again(self, **changes: Any) -> Text:
        """Return the same text to be read once more, without telling progress or what happened on the way."""
        return replace(self, progress=None, stats=TextStats(), **changes)

    def head(self, n: int = HEAD) -> str:
        """Return about the first ``n`` bytes as text."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        data = self.raw.head(n)
        text = decoder.decode(data, final=len(data) < n)
        return text.removeprefix("\ufeff").replace("\x00", "").replace("\r\n", "\n").replace("\r", self.lone)

    def blocks(self) -> Iterator[bytes]:
        """Yield the whole text in UTF-8 blocks."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        carry, done, first = "", 0, True
        self.stats.n_undecodable = self.stats.n_nul = self.stats.n_returns = (
            0  # a text that is read twice has them once
        )
        with closing(self.raw.open()) as file:
            while True:
                data = file.read(BLOCK)
                text = carry + decoder.decode(data, final=not data)
                if first:
                    text, first = text.removeprefix("\ufeff"), False
                carry = "\r" if text.endswith("\r") and data else ""
                yield self._clean(text.removesuffix(carry) if carry else text)
                if not data:
                    return
                done += len(data)
                if self.progress:
                    self.progress(min(1.0, done / max(1, self.raw.n_bytes)))

    def _clean(self, text: str) -> bytes:
        if "\x00" in text:
            self.stats.n_nul += text.count("\x00")
            text = text.replace("\x00", "")
        if "\ufffd" in text:
            self.stats.n_undecodable += text.count("\ufffd")
        if "\r" in text:
            text = text.replace("\r\n", "\n")
            self.stats.n_returns += text.count("\r")
            text = text.replace("\r", self.lone)
        return text.encode("utf-8", "replace")
