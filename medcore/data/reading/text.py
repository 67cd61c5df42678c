"""Bytes become text: compression, encoding, line ends."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from medcore.errors import UnreadableFileError
from medcore.i18n import N_

BLOCK = 4 << 20
HEAD = 256 << 10
MAX_UNPACKED = 1 << 30
"""Bytes to which a compressed file may grow: a guard against archives made to exhaust memory."""
_DAMAGED_ZIP = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file's bytes, wherever they are: ``open()`` gives a fresh stream each time."""

    name: str
    open: Callable[[], BinaryIO]
    n_bytes: int
    sha256: str

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

    Returns the file inside and the names of all tables in the archive (empty
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
    chosen = member if member in names else names[0]

    def open_member() -> BinaryIO:
        return _Inside(zipfile.ZipFile(outer := raw.open()).open(chosen), outer)

    size = _measure(raw.name, open_member)
    return RawFile(Path(chosen).name, open_member, size, raw.sha256), names


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


@dataclass(frozen=True, slots=True)
class Text:
    r"""A text file: its bytes re-coded as UTF-8 with ``\\n`` line ends, in blocks."""

    raw: RawFile
    encoding: str
    progress: Callable[[float], None] | None = None
    stats: TextStats = field(default_factory=TextStats)

    def head(self, n: int = HEAD) -> str:
        """Return about the first ``n`` bytes as text."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        data = self.raw.head(n)
        text = decoder.decode(data, final=len(data) < n)
        return text.removeprefix("\ufeff").replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")

    def blocks(self) -> Iterator[bytes]:
        """Yield the whole text in UTF-8 blocks."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        carry, done, first = "", 0, True
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
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text.encode("utf-8", "replace")


def detect_encoding(raw: RawFile) -> str:
    """Find a text file's encoding: a byte order mark, UTF-8, UTF-16, GB18030, or a Western one.

    Runs of bytes above 127 come in pairs in Chinese text and mostly alone in
    Western text; that tells GB18030 from Latin-1, both of which accept nearly anything.
    """
    head = raw.head()
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if guess := _utf16_without_bom(head):
        return guess
    valid, foreign = _scan(raw)
    if valid:
        return "utf-8"
    return _legacy_encoding(foreign)


def _utf16_without_bom(head: bytes) -> str | None:
    sample = head[: len(head) // 2 * 2][:4096]
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0) / (len(sample) / 2), sample[1::2].count(0) / (len(sample) / 2)
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.05 else None


def _scan(raw: RawFile) -> tuple[bool, bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    valid, foreign = True, bytearray()
    with closing(raw.open()) as file:
        while block := file.read(BLOCK):
            if valid:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    valid = False
            if len(foreign) < HEAD and not block.isascii():
                foreign += b"\n".join(line for line in block.split(b"\n") if not line.isascii())[:HEAD]
    if valid:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            valid = False
    return valid, bytes(foreign)


def _legacy_encoding(foreign: bytes) -> str:
    repaired = foreign.decode("utf-8", "replace")
    n_bad = repaired.count("\ufffd")
    n_good = sum(1 for c in repaired if ord(c) > 127) - n_bad
    if n_good > 20 * n_bad:
        return "utf-8"
    runs = [len(run) for run in _high_runs(foreign)]
    paired = sum(n for n in runs if n % 2 == 0) / max(1, sum(runs))
    n_broken = foreign.decode("gb18030", "replace").count("\ufffd")
    if paired > 0.8 and n_broken * 50 <= sum(runs) and _common_hanzi(foreign) > 0.6:
        return "gb18030"
    return _charset_normalizer(foreign)


def _common_hanzi(foreign: bytes) -> float:
    """Return the share of byte pairs that are common Chinese characters or marks (GB 2312 rows 1–3 and 16–55)."""
    leads = [run[i] for run in _high_runs(foreign) if len(run) % 2 == 0 for i in range(0, len(run), 2)]
    return sum(1 for b in leads if 0xA1 <= b <= 0xA3 or 0xB0 <= b <= 0xD7) / max(1, len(leads))


def _high_runs(data: bytes) -> list[bytes]:
    return [run for run in data.translate(_HIGH_ONLY).split() if run]


_HIGH_ONLY = bytes(b if b > 127 else 32 for b in range(256))


def _alone(foreign: bytes) -> bool:
    """Say whether bytes above 127 mostly stand alone between letters, as in Western words and nowhere else."""
    runs = [len(run) for run in _high_runs(foreign)]
    return sum(1 for n in runs if n == 1) > 0.8 * len(runs)


def _charset_normalizer(foreign: bytes) -> str:
    from charset_normalizer import from_bytes

    candidates = ["cp1252", "latin_1", "gb18030", "big5", "shift_jis", "cp1251", "euc_kr"]
    best = from_bytes(foreign[: 64 << 10], cp_isolation=candidates).best()
    name = best.encoding if best is not None else "cp1252"
    if name in {"cp1252", "latin_1"} or _alone(foreign):
        return "latin-1" if any(b in foreign for b in b"\x81\x8d\x8f\x90\x9d") else "cp1252"
    return name
