"""XML of records: one element a patient, whose attributes and inner elements are the columns."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from medcore.data.reading.limits import MAX_SHEET_CELLS, check_cells

_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>")
_DEFINES = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.I)
"""What may define words that stand for others, and grow without end; no export of a table has it."""
DEEPEST = 4
"""Elements inside a record that are looked into; deeper ones are documents."""


def read_records(name: str, text: str) -> list[list[str]]:
    """Return the names of the columns and the rows of the most frequent records in an XML text; nothing where there are none.

    >>> read_records("t.xml", '<w><p id="1"><age>60</age><lab><crp>3</crp></lab></p><p id="2"><age>70</age></p></w>')
    [['id', 'age', 'lab.crp'], ['1', '60', '3'], ['2', '70', '']]
    """
    if _DEFINES.search(text):
        return []
    try:
        root = ET.fromstring(_DECLARED.sub("", text.lstrip("\ufeff")))  # noqa: S314 - it defines no entities, see above
    except ET.ParseError:
        return []
    groups: dict[tuple[int, str], list[ET.Element]] = defaultdict(list)
    for parent in root.iter():
        for child in parent:
            if len(child) or child.attrib:
                groups[id(parent), child.tag].append(child)
    most = max(groups.values(), key=len, default=[])
    if len(most) < 2:
        return []
    rows = [dict(_fields(record)) for record in most]
    names = list(dict.fromkeys(field for row in rows for field in row))
    check_cells(name, len(rows), len(names), most=MAX_SHEET_CELLS)
    return [names, *([row.get(field, "") for field in names] for row in rows)]


def _fields(element: ET.Element, before: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Give the columns of a record and what they hold; of an element that comes again, the first."""
    seen = set()
    for name, value in element.attrib.items():
        yield f"{before}{_plain(name)}", value.strip()
    for child in element:
        name = f"{before}{_plain(child.tag)}"
        if name in seen:
            continue
        seen.add(name)
        if len(child) == 0:
            yield name, " ".join((child.text or "").split())
        if (len(child) or child.attrib) and depth < DEEPEST:
            yield from _fields(child, f"{name}.", depth + 1)


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]
