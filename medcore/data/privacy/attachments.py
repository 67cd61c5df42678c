"""Look for identifiers in attached files: in their names, in their text, and in the tables among them."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterable, Iterator

from medcore.data.attachments import Attachments
from medcore.data.findings import Finding
from medcore.data.privacy.kinds import IDENTIFIERS, Identifier
from medcore.data.privacy.screen import screen
from medcore.data.reading.table import read_table
from medcore.errors import InputError
from medcore.i18n import N_, Message

MOST_TEXT = 1 << 20
"""Bytes of each file that are looked at: what identifies a patient stands at the head of a note."""
TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".parquet")
_ENCODINGS = ("utf-8", "gb18030", "latin-1")
_NAMES = {
    "name": N_("names of people"),
    "national_id": N_("national identity numbers"),
    "social_security_number": N_("social security numbers"),
    "phone": N_("telephone numbers"),
    "email": N_("e-mail addresses"),
    "address": N_("addresses"),
    "url": N_("web addresses"),
}
_ANY = Message(N_("identifiers of people"))
_WHY = Message(
    N_("Notes and pictures tell who a patient is more often than a table does, and are kept with the study.")
)
_REMEDY = Message(N_("Take out what identifies people, name the files by a code, and upload them again."))


def screen_attachments(attachments: Attachments) -> tuple[Finding, ...]:
    """Find what in attached files may tell who the patients are; passing is no proof that nothing does.

    No finding shows a name or a value. Pictures are looked at by their names only.
    """
    in_names = _kinds(_told(file.name.replace("_", " ").replace("-", " - ")) for file in attachments.files)
    in_texts: Counter[str] = Counter()
    tables: list[Finding] = []
    for file in attachments.files:
        data = attachments.contents(file.sha256)
        if file.name.lower().endswith(TABLES):
            tables += _of_table(file.name, data)
        elif text := _text(data):
            in_texts.update(_told(text))
    names = [
        _finding(code, n, N_("The names of {n} attached file(s) seem to hold {what}.")) for code, n in in_names.items()
    ]
    texts = [
        _finding(code, n, N_("The text of {n} attached file(s) seems to hold {what}.")) for code, n in in_texts.items()
    ]
    unread = (
        [_pictures(n)] if (n := sum(_text(attachments.contents(f.sha256)) is None for f in attachments.files)) else []
    )
    return (*names, *texts, *tables, *unread)


def check_attachments(attachments: Attachments) -> None:
    """Refuse to keep files in which an identifier was found.

    Raises:
        InputError: something was found; it is named, and nobody's value.

    """
    found = [finding for finding in screen_attachments(attachments) if finding.severity == "error"]
    if found:
        what = {m.template: m for m in (finding.message.values.get("what", _ANY) for finding in found)}
        raise InputError(
            N_(
                "The attached files are not kept, for they seem to hold {what}. Take that out and upload them again, or give a reason to keep it."
            ),
            what=list(what.values()),
        )


def _told(text: str) -> set[str]:
    return {identifier.code for identifier in IDENTIFIERS if identifier.inside is not None and _holds(identifier, text)}


def _holds(identifier: Identifier, text: str) -> bool:
    assert identifier.inside is not None
    hits = identifier.inside.finditer(text)
    return any(identifier.proves is None or identifier.proves(hit.group(0)) for hit in hits)


def _kinds(found: Iterable[set[str]]) -> Counter[str]:
    return Counter(code for codes in found for code in codes)


def _of_table(name: str, data: bytes) -> Iterator[Finding]:
    try:
        cohort = read_table((name, data))
    except InputError:
        return
    yield from (finding for finding in screen(cohort.frame, cohort.schema) if finding.severity == "error")


def _text(data: bytes) -> str | None:
    """Return the head of a file as text, None for what is none."""
    head = data[:MOST_TEXT]
    if not head or (b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))):
        return None
    for encoding in ("utf-16",) if b"\0" in head else _ENCODINGS:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        control = sum(ord(c) < 32 and c not in "\t\n\r\f" for c in text)
        return text if control <= 0.01 * len(text) else None
    return None


def _finding(code: str, n: int, sentence: str) -> Finding:
    severity = next(identifier.severity for identifier in IDENTIFIERS if identifier.code == code)
    what = Message(_NAMES[code]) if code in _NAMES else _ANY
    return Finding(
        code=f"privacy.attached_{code}",
        severity=severity,
        message=Message(sentence, {"n": n, "what": what}),
        why=_WHY,
        remedy=_REMEDY,
        n_rows=n,
    )


def _pictures(n: int) -> Finding:
    return Finding(
        code="privacy.attached_unread",
        severity="warning",
        message=Message(N_("{n} attached file(s) are no text, and were looked at by their names only."), {"n": n}),
        why=Message(N_("A picture may show a name, a face or a date, and its file may hold more than it shows.")),
        remedy=Message(N_("Look at them before they are kept, and take out what identifies people.")),
        n_rows=n,
    )
