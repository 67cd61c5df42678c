"""Text from a table or a file, made harmless for the place where it is shown."""

from __future__ import annotations

import html
import re
import unicodedata

from medcore.data.shown import Shown

_SPECIAL = r"([\\`*_{}\[\]()#+\-.!|<>~$:@/&])"
_MARKDOWN, _ESCAPED = re.compile(_SPECIAL), re.compile(r"\\" + _SPECIAL)


def plain(text: object, *, limit: int = 80) -> str:
    r"""Escape a text for a label or a cell that Streamlit reads as markdown.

    >>> plain("![x](http://e.org)", limit=8)
    '\\!\\[x\\]\\(ht…'
    """
    return _MARKDOWN.sub(r"\\\1", one_line(text, limit=limit))


def unmarked(text: str) -> str:
    r"""Return a text that was made for markdown as it is read: without escapes and without marks of bold type.

    >>> unmarked(plain("a_b*")), unmarked("**bold**")
    ('a_b*', 'bold')
    """
    return _ESCAPED.sub(r"\1", re.sub(r"(?<!\\)\*\*", "", text))


def markup(text: object, *, limit: int = 2000) -> str:
    """Escape a text for HTML.

    >>> markup("a < b")
    'a &lt; b'
    """
    return html.escape(one_line(text, limit=limit))


def column(shown: Shown) -> str:
    """Write a column as HTML: in words, with its name small beside it where it has a label.

    >>> column(Shown("cp", "Chest pain type")), column(Shown("age"))
    ('Chest pain type <small>cp</small>', 'age')
    """
    small = f" <small>{markup(shown.aside, limit=24)}</small>" if shown.aside else ""
    return markup(shown.words, limit=60) + small


def one_line(text: object, *, limit: int = 2000) -> str:
    """Drop control and direction characters, join lines, and cut what is too long."""
    line = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in str(text))
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
