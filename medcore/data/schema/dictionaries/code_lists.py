"""Lists of codes with their words, written in one cell: ``0 = no; 1 = yes``, ``1男 2女``, ``男=1，女=0``, ``male (1)``."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_CODES = 60
MOST_LETTERS = 2_000
"""Letters of a cell that are looked at."""
LONGEST_PART = 200
"""Letters of one word and its code."""
_CODE = r"-?[0-9]{1,4}(?:\.[0-9]{1,2})?"
_SIGNED = re.compile(
    rf"(?<![\w.-])[(（]?(?:({_CODE}|[A-Za-z]{{1,2}})\s*(?:[=:：＝]|[–—]|(?<=\s)-(?=\s)|for\s)|({_CODE})\s*(?:[)）、]|[.-](?=\s*[^\W\d])))\s*"
)
"""A code and the sign behind it."""
_TURNED = re.compile(rf"^(.*[^\W\d].*?)\s*[=:：＝]\s*({_CODE})$")
_IN_BRACKETS = re.compile(rf"([^\s()（）,，;；/、|][^()（）,，;；/、|]{{0,99}})[(（]\s*({_CODE})\s*[)）]")
_WORD_IN_BRACKETS = re.compile(rf"(?<![\w.-])({_CODE})\s*[(（]([^()（）]{{1,99}})[)）]")
_INSIDE = re.compile(r"[(（]([^()（）]*)[)）]")
_REDCAP = re.compile(rf"^\s*({_CODE}|[A-Za-z]{{1,2}})\s*[,，]\s*(?=\S)")
_BARE = re.compile(rf"^\s*({_CODE})\s*(?=[^\W\d])")
_PARTS = re.compile(r"[|;；\n\r}]+|[,，、]\s*(?=\S)|\s/\s|/(?=-?[0-9])|/(?=[^\W\d]+\s?[=:：])")
_BETWEEN = re.compile(r"(?<=[一-鿿])\s*(?=-?[0-9])")
EDGES = " \t\r\n,，;；|、/.。([（{[]})）\"'“”"


def code_list(cell: str) -> list[tuple[str, str]]:
    """Read the codes of one cell and their words, as they stand there; empty if there are fewer than two.

    >>> code_list("0 = no; 1 = yes"), code_list("1男 2女"), code_list("男=1，女=0")
    ([('0', 'no'), ('1', 'yes')], [('1', '男'), ('2', '女')], [('男', '1'), ('女', '0')])
    >>> code_list("Sex (1: male, 2: female)"), code_list("1, White | 2, Black"), code_list("at 12:30")
    ([('1', 'male'), ('2', 'female')], [('1', 'White'), ('2', 'Black')], [])
    """
    cell = cell[:MOST_LETTERS].replace("\\n", "\n")
    parts = [part.strip(EDGES) for part in _PARTS.split(cell)]
    turned = [(m[1].strip(EDGES), m[2]) for part in parts if (m := _TURNED.match(part[:LONGEST_PART]))]
    signed = signed_codes(cell)
    ways = (
        *sorted([signed, turned], key=len, reverse=True),
        [(m[2], m[1].strip(EDGES)) for m in _IN_BRACKETS.finditer(cell)],
        [(m[1], m[2].strip(EDGES)) for m in _WORD_IN_BRACKETS.finditer(cell)],
        _each(_REDCAP, [part.strip(" {") for part in re.split(r"[|\n}]+", cell)]),
        _each(_BARE, [piece for part in parts for piece in _BETWEEN.split(part)]),
    )
    inside = (code_list(text) for text in _INSIDE.findall(cell) if len(text) < len(cell) - 2)
    return next((pairs for pairs in (*ways, *inside) if _are_pairs(pairs)), [])


def signed_codes(cell: str) -> list[tuple[str, str]]:
    """Read the codes with a sign behind them, one alone too.

    >>> signed_codes("in kg; 888 = not measured")
    [('888', 'not measured')]
    """
    marks = list(_SIGNED.finditer(cell))
    ends = [*(mark.start() for mark in marks), len(cell)][1:]
    return [(mark[1] or mark[2], _word(cell[mark.end() : end])) for mark, end in zip(marks, ends, strict=True)]


def _word(text: str) -> str:
    """Return a word without the signs about it, brackets within it kept."""
    word = text.strip(EDGES).removesuffix(" and").removesuffix(" or")
    closed = word.count("(") > word.count(")") or word.count("（") > word.count("）")
    return word + next((c for c in text[text.find(word) + len(word) :] if c in ")）"), "") if closed else word


def _each(pattern: re.Pattern[str], parts: Sequence[str]) -> list[tuple[str, str]]:
    filled = [part for part in parts if part.strip()]
    found = [(m[1], part[m.end() :].strip(EDGES)) for part in filled if (m := pattern.match(part))]
    return found if len(found) == len(filled) else []


def _are_pairs(pairs: Sequence[tuple[str, str]]) -> bool:
    codes = {code for code, _word in pairs}
    telling = all(word for _code, word in pairs) and any(
        c.isalpha() or c in "<>≤≥" for pair in pairs for c in "".join(pair)
    )
    return 2 <= len(pairs) == len(codes) <= MOST_CODES and telling


def before_codes(label: str) -> str:
    """Return what a cell says before its codes begin; empty where it begins with them.

    >>> before_codes("Sex (1 = male, 2 = female)"), before_codes("1 = male")
    ('Sex', '')
    """
    mark = next((m for m in (_SIGNED.search(label), re.search(r"[(（\[]", label)) if m), None)
    return label[: mark.start()].strip(EDGES + ":：-–") if mark and mark.start() else ""
