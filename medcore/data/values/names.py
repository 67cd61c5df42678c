"""Names at the door: column and file names are written by strangers and shown to people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from medcore.i18n import N_, Message

MAX_NAME = 120
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_HOSTILE = (
    (re.compile(r"\]\s*(?=[(\[])"), "] "),
    (re.compile(r"<(?=[A-Za-z/!?])"), "‹"),
    (re.compile(r"(?<=[A-Za-z\"'/])>"), "›"),
    (re.compile(r"(?<=[A-Za-z]):(?=//)"), ": "),
    (re.compile(r"(?i)\b(javascript|data|vbscript):(?=\S)"), r"\1 "),
    (re.compile(r"`+"), "'"),
)


def clean_name(name: str) -> str:
    r"""Make a column or file name safe to show: no control characters, links, images or markup.

    Clinical names keep their brackets, signs and units.

    >>> clean_name("Glucose [mg/dL]"), clean_name("![x](http://a.b/c.png)"), clean_name(" a\x00b\n ")
    ('Glucose [mg/dL]', '![x] (http: //a.b/c.png)', 'a b')
    """
    text = " ".join(_HIDDEN.sub(" ", name).split())
    for pattern, plain in _HOSTILE:
        text = pattern.sub(plain, text)
    return text if len(text) <= MAX_NAME else text[: MAX_NAME - 1].rstrip() + "…"


def clean_names(raw: Sequence[str]) -> tuple[list[str], list[Message]]:
    """Clean a table's column names and make each one present and unique; say what was done, but to those without a name."""
    cleaned = [clean_name(name) for name in raw]
    repairs: list[Message] = []
    n_changed = sum(1 for a, b in zip(raw, cleaned, strict=True) if a.strip() != b and b)
    if n_changed:
        repairs.append(
            Message(
                N_("{n} column name(s) held line breaks, control characters or markup and were cleaned."),
                {"n": n_changed},
            )
        )
    named = [name or f"column {i}" for i, name in enumerate(cleaned, start=1)]
    repeated = [name for name, n in Counter(named).items() if n > 1]
    if repeated:
        repairs.append(
            Message(
                N_("The column name(s) {names} occurred more than once; the later ones were numbered."),
                {"names": repeated[:12]},
            )
        )
    return _numbered(named), repairs


def _numbered(names: list[str]) -> list[str]:
    taken = set(names)
    used: dict[str, int] = {}
    unique = []
    for name in names:
        n = used.get(name, 0) + 1
        candidate = name
        while n > 1 and (candidate := f"{name} ({n})") in taken:
            n += 1
        used[name] = n
        taken.add(candidate)
        unique.append(candidate)
    return unique
