"""Lone carriage returns: ends of lines in old Macintosh files, breaks inside a cell in notes that came as HL7 messages.

Who writes such notes to a table with line feeds need not put them into quotes (pandas does not), so that a reader
that takes both for ends of lines tears a patient in pieces.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing

from medcore.data.reading.text import BLOCK, RawFile, Text

DELIMITERS = (b",", b";", b"\t", b"|")
LINES_LOOKED_AT = 200
LIKE_OTHERS = 0.8
_QUOTED = re.compile(rb'"[^"\n]*"')


def settled(text: Text) -> Text:
    """Return the text with its lone carriage returns taken for what they are: ends of lines, or spaces inside cells.

    They stand inside cells where lines that hold one have as many delimiters as the lines without, and are whole rows.
    """
    if not _has_both(text.raw):
        return text
    with_one, without = _lines(text)
    inside = any(_alike(with_one, without, delimiter) for delimiter in DELIMITERS)
    return text.again(lone=" ") if inside else text


def _has_both(raw: RawFile) -> bool:
    """Say whether a file has line feeds, and carriage returns that none follows; in UTF-16, too."""
    lone = feeds = 0
    with closing(raw.open()) as file:
        while block := file.read(BLOCK):
            lone += block.count(b"\r") - block.count(b"\r\n") - block.count(b"\r\x00\n")
            feeds += block.count(b"\n")
    return lone > 0 and feeds > 0


def _lines(text: Text) -> tuple[list[bytes], list[bytes]]:
    with_one: list[bytes] = []
    without: list[bytes] = []
    rest = b""
    for block in text.again(lone="\r").blocks():
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            found = with_one if b"\r" in line else without
            if len(found) < LINES_LOOKED_AT:
                found.append(line)
        if len(with_one) == LINES_LOOKED_AT:
            break
    return with_one, without


def _alike(with_one: list[bytes], without: list[bytes], delimiter: bytes) -> bool:
    if not with_one or not without:
        return False
    here, there = (Counter(_QUOTED.sub(b"", line).count(delimiter) for line in lines) for lines in (with_one, without))
    usual, _often = there.most_common(1)[0]
    return usual > 0 and here[usual] >= LIKE_OTHERS * len(with_one)
