"""What a file is, from its first bytes: the name's ending is not to be trusted."""

from __future__ import annotations

import re

from medcore.data.reading.text import RawFile
from medcore.errors import UnreadableFileError
from medcore.i18n import N_

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
)
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"\x7fELF", "ELF"),
    (b"MZ", "EXE"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_TABLES = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "feather"),
    (b"FEA1", "feather"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"<stata_dta>", "stata"),
    (b"$FL2", "spss"),
    (b"$FL3", "spss"),
    (b"HEADER RECORD*******", "xport"),
)
_SAS7BDAT = bytes(12) + b"\xc2\xea\x81\x60"


def file_format(raw: RawFile) -> str:
    """Say which kind of table a file is: ``csv`` for every kind of text.

    Raises UnreadableFileError for an empty file, a picture, a document or
    anything else that is no table.
    """
    head = raw.head(4096)
    if not head.strip(b"\x00\x09\x0a\x0d\x20\xef\xbb\xbf\xff\xfe,;|"):
        raise UnreadableFileError(
            N_("The file {name} is empty. Export the table again and check its size."), name=raw.name
        )
    _refuse_others(raw.name, head)
    for magic, kind in _TABLES:
        if head.startswith(magic):
            return kind
    if head.startswith(_SAS7BDAT):
        return "sas"
    if head.startswith(b"PK\x03\x04"):
        return "ods" if b"oasis.opendocument" in head[:200] else "xlsx"
    if head[:1] in b"\x69\x6c\x6e\x6f\x71\x72\x73" and head[1:3] in (b"\x01\x01", b"\x02\x01"):
        return "stata"
    if _is_markup(head):
        return "html"
    if _is_objects(head):
        return "json"
    if _is_binary(head):
        raise UnreadableFileError(
            N_("The file {name} is not a table: it holds binary data. Save the table as CSV or Excel and upload that."),
            name=raw.name,
        )
    return "csv"


def _refuse_others(name: str, head: bytes) -> None:
    for magic, kind in _PICTURES:
        if head.startswith(magic) and _is_binary(head):
            raise UnreadableFileError(
                N_("The file {name} is a picture ({kind}), not a table. Upload the table itself, as CSV or Excel."),
                name=name,
                kind=kind,
            )
    for magic, kind in _OTHERS:
        if head.startswith(magic) and (kind == "PDF" or _is_binary(head)):
            raise UnreadableFileError(
                N_("The file {name} is a {kind} file, not a table. Save the table as CSV or Excel and upload that."),
                name=name,
                kind=kind,
            )


def _is_markup(head: bytes) -> bool:
    """Say whether a text is a web page, or XML."""
    start = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    known = start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head", b"<!--"))
    return known or (bool(re.match(rb"<[a-z]", start)) and b"<table" in start)


def _is_objects(head: bytes) -> bool:
    """Say whether a text is JSON: an object, or a list of objects; one a line, or all in one."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64]
    return bool(re.match(rb"\[?\s*\{\s*(?:\"|\})|\[\s*\]", start))


def _is_binary(head: bytes) -> bool:
    """Say whether bytes are no text in any encoding: many control characters that are no UTF-16 or UTF-32."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    n = len(head)
    control = sum(1 for b in head if b < 32 and b not in (9, 10, 11, 12, 13, 27))
    nul_even, nul_odd = head[::2].count(0) / (n / 2), head[1::2].count(0) / max(1, n / 2)
    if max(nul_even, nul_odd) > 0.4 and min(nul_even, nul_odd) < 0.05 and control - head.count(0) < 0.02 * n:
        return False
    return control > 0.05 * n
