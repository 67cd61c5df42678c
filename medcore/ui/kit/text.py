"""Text from a table or a file, made harmless for the place where it is shown."""

from __future__ import annotations

import html
import re
import unicodedata

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


def one_line(text: object, *, limit: int = 2000) -> str:
    """Drop control and direction characters, join lines, and cut what is too long."""
    line = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in str(text))
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
