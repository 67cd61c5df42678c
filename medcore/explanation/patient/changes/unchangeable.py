"""Which columns nobody can change, as far as their names tell: age, sex, history."""

from __future__ import annotations

import re
from collections.abc import Iterable

from medcore.data.scripts import simplified

# fmt: off
_WORDS = frozenset({
    "age", "sex", "gender", "race", "ethnicity", "ethnic", "birth", "born", "dob", "birthday", "birthdate",
    "birthyear", "history", "hx", "pmh", "fh", "family", "familial", "famhist", "heredity", "hereditary",
    "pedigree", "gene", "genotype", "mutation", "prior", "previous", "past", "ever", "site", "hospital", "height",
    "menopause", "menopausal", "pregnancies", "parity", "gravida",
})
# fmt: on
_CHINESE = re.compile("年龄|性别|民族|种族|出生|既往|病史|家族|遗传|基因|身高|绝经|孕次|产次")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def unchangeable(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the columns whose name says that nobody can change their value; what to lock unless told otherwise.

    A guess from names, in English and Chinese, so that a person must be able to correct it.

    >>> unchangeable(["Age (years)", "sex", "percentage", "PriorStroke", "家族史", "cholesterol"])
    ('Age (years)', 'sex', 'PriorStroke', '家族史')
    """
    return tuple(name for name in columns if _CHINESE.search(simplified(name)) or not _WORDS.isdisjoint(_words(name)))


def _words(name: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(name)}
