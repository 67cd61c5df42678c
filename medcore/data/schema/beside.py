"""The words and letters that stand beside a column's numbers: their unit, what they are out of, what they measure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from medcore.data.quantities.ranges import find_quantity
from medcore.data.quantities.units import conversion, fold_unit, same_word
from medcore.data.schema.names import spoken
from medcore.data.values.numbers import is_flag, parse_numbers

DIGIT = re.compile("[0-9]")
NUMBER = re.compile(r"^\s*\+?[0-9]+(?:[.,][0-9]+)?\+?$")
_COUNTED = re.compile(r"^[<>≤≥]?\s*[0-9][0-9.,]*\s*([A-Za-z\u4e00-\u9fff][^0-9]{0,24})$")
"""A number with a word behind it."""
_SCORE = re.compile(r"^([0-9]{1,3}(?:[.,]5)?)\s*/\s*([1-9][0-9]{0,2})$")
"""A score out of the most that can be reached, as 3/10."""
_THING = re.compile("[号床组区室楼科栋]")
"""What makes a number the name of something: the third ward is no three wards."""
_BEFORE = re.compile(
    r"^([^\W\d_][^\d:;=<>≤≥~+]{0,18}?)(\s*[:=]\s*|\s+|(?<=[一-鿿])|(?=[<>≤≥]))([<>≤≥~]?\s*[-+]?[0-9].*)$"
)
"""A number with a word before it."""
_GLUED = re.compile(r"^([A-Za-z]{1,5})()([0-9][0-9.,]*\s*(?:[^\W\d_]|[%°℃]){0,4})$")
"""The same without anything between, as T36.5 is; elsewhere than among numbers of one quantity such are codes."""
_NAMES_OF_THINGS = frozenset(
    [
        "arm",
        "batch",
        "bed",
        "class",
        "clinic",
        "code",
        "cohort",
        "floor",
        "grade",
        "group",
        "id",
        "level",
        "no",
        "nr",
        "number",
        "room",
        "stage",
        "team",
        "type",
        "unit",
        "version",
        "ward",
    ]
)
_OF_THINGS = re.compile(f"{_THING.pattern}|[第级期型例类院编患周月年]")
"""Words before a number, and parts of such, that give something its name."""
_DATE = re.compile(r"[0-9]+\s*[-/.年]\s*[0-9]+\s*[-/.月]\s*[0-9]")
_LITRES = re.compile(r"^([0-9]+(?:\.[0-9]+)?)\s*L$")
_MILLILITRES = re.compile(r"^([0-9]+(?:\.[0-9]+)?)\s*(ml|cc|毫升)?$", re.I)
_ML = frozenset(["ml", "cc", "毫升"])
MOST_APART = 8.0
"""Factor by which litres and millilitres of one measurement may differ in the middle."""
FEWEST_MEASURED = 10
"""Different numbers behind one word from which they are measurements and not the names of a few things."""
FEWEST_COUNTED = 5
"""Different numbers of one word from which the word is taken for their unit."""
MOST_COUNTED = 0.9
"""Share of a column's different numbers that have it."""


def unit_counted(words: Sequence[str]) -> str:
    """Return the one word that stands behind the numbers of a column, such as episodes; empty where there is none.

    A few numbers may stand without it: where many do, it may be said of those that have it, as RA is of a saturation.
    """
    said = [match[1].strip() for match in in_nearly_all(words, _COUNTED)]
    if not said or len(said) < sum(1 for word in words if DIGIT.search(word) and not NUMBER.match(word)):
        return ""
    unit = Counter(said).most_common(1)[0][0]
    names = is_flag(unit) or _THING.search(unit) or (len(unit) == 1 and not unit.isascii())
    return unit if not names and all(same_word(word, unit) for word in said) else ""


def word_before(name: str, words: Sequence[str]) -> str:
    """Return the one word that stands before nearly all numbers of a column, such as EF; empty where there is none.

    It is none where it names things by number: wards, grades, clinicians. Whole numbers without a unit are measurements
    only where the word or the column's name is a quantity's.
    """
    found = in_nearly_all(words, _BEFORE)
    if not found:
        return _word_before_some(name, words)
    word = Counter(match[1].strip() for match in found).most_common(1)[0][0]
    if len({match[3] for match in found}) < FEWEST_MEASURED or not _is_one_measure(word, found):
        return ""
    known = find_quantity(word) is not None or find_quantity(name) is not None
    return word if known or any(not match[3].isdecimal() for match in found) else ""


def _word_before_some(name: str, words: Sequence[str]) -> str:
    """Return the word before some numbers of a column whose others are plain: T36.5 beside 36.8, VAS 3 beside 4.

    Its name must be a quantity's, or say the word: R 3 beside 4 may be the right side of something.
    """
    found = [match for word in words if word[0].isalpha() and (match := _BEFORE.match(word) or _GLUED.match(word))]
    if len(found) < FEWEST_COUNTED:
        return ""
    read = {match.string for match in found}
    others = [word for word in words if DIGIT.search(word) and word not in read]
    if min(len(found), len(others)) < FEWEST_COUNTED or not all(word[0].isdecimal() for word in others):
        return ""
    word = Counter(match[1].strip() for match in found).most_common(1)[0][0]
    known = word.casefold() in spoken(name).split() or find_quantity(name) is not None
    return word if known and _is_one_measure(word, found) else ""


def _is_one_measure(word: str, found: Sequence[re.Match[str]]) -> bool:
    if not all(same_word(match[1].strip(), word) for match in found) or is_flag(word):
        return False
    names = _OF_THINGS.search(word) or word.casefold().rstrip(".") in _NAMES_OF_THINGS
    return not names and not any(_DATE.match(match[3]) for match in found) and not _is_read_already(word)


def _is_read_already(word: str) -> bool:
    """Say whether a word before a number is a limit or a judgement, which is read with it: below 5, negative 0.03."""
    return bool(parse_numbers(pa.array([f"{word} 5"])).readable[0])


def most_of_score(words: Sequence[str]) -> str:
    """Return the most that can be reached, as "/10", where the numbers of a column are scores out of it; else empty.

    Some may stand without it, if they are none that it cannot hold.
    """
    bare = [word for word in words if word.isdecimal()]
    found = in_nearly_all([word for word in words if not word.isdecimal()], _SCORE)
    scores = [(float(match[1].replace(",", ".")), int(match[2])) for match in found]
    tops = {top for _score, top in scores}
    if len(tops) != 1 or any(score > top for score, top in scores):
        return ""
    top = tops.pop()
    return f"/{top}" if all(int(word) <= top for word in bare) and len(scores) >= FEWEST_COUNTED else ""


def are_litres(name: str, words: Sequence[str], unit: str) -> bool:
    """Say whether an L behind some numbers is a litre, among millilitres or by itself, and no laboratory's flag for low.

    ``unit`` is that of the column's name, if it says one.

    >>> are_litres("urine", ["1200ml", "1.5L", "900ml"], ""), are_litres("semen", ["3.2 mL", "1.2 L"], ""), are_litres("hb", ["80 L"], "")
    (True, False, False)
    """
    litres = [float(found[1]) for word in words if word.endswith("L") and (found := _LITRES.match(word))]
    if not litres:
        return False
    numbered = [word for word in words if DIGIT.search(word)]
    if len(litres) > MOST_COUNTED * len(numbered):
        quantity = find_quantity(name)
        known = quantity is None or conversion("L", quantity.unit) is not None
        return known and not any(word.endswith("H") for word in numbered)
    others = [found for word in numbered if (found := _MILLILITRES.match(word))]
    millilitres = float(np.median([float(found[1]) for found in others])) if others else 0.0
    said = fold_unit(unit) in _ML or any(fold_unit(found[2] or "") in _ML for found in others)
    ratio = 1000 * float(np.median(litres)) / millilitres if millilitres else 0.0
    return (said or len(litres) > FEWEST_COUNTED) and 1 / MOST_APART < ratio < MOST_APART


def in_nearly_all(words: Sequence[str], pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """Return where a pattern is found, if nearly all cells with a number are of it; else nothing."""
    numbered = [word for word in words if word[0].isdecimal() or DIGIT.search(word)]
    found = [match for word in numbered if (match := pattern.match(word))]
    return found if len(found) >= max(FEWEST_COUNTED, MOST_COUNTED * len(numbered)) else []
