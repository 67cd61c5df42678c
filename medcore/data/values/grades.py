"""Grades of one scale in several spellings: ``NYHA II``, ``II级``, ``2``, ``Class II`` are one; so are ``阳性(+)`` and ``阳性``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from medcore.data.scripts import in_both

_ROMAN: Mapping[str, int] = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
_CHINESE: Mapping[str, int] = {letter: n for n, letter in enumerate("一二三四五六", 1)}
_SCALE = r"(?:nyha|asa|ckd|kdigo|killip|ecog|gold|figo|ajcc|uicc|who|child(?:-pugh)?|clavien(?:-dindo)?|fontaine|rutherford|braden|kellgren|class|stage|grade|level|心功能|分级|分期|第)"
_BEHIND = r"(?:级|期|度|級|class|stage|grade)"
_GRADE = re.compile(
    rf"^(?:{_SCALE}[\s:.\-]*)*(?:g(?=[1-5]))?(?:(?P<roman>i{{1,3}}|iv|vi?)|(?P<number>[0-6])|(?P<chinese>[一二三四五六]))\s*(?P<part>[a-e][12]?)?\s*{_BEHIND}?$",
    re.I,
)
FEWEST_GRADES, MOST_GRADES = 2, 12
LONGEST = 40
"""Characters of a grade or a result; what is longer is prose, and would be looked through again from each of its letters."""

_SAYS: Mapping[str, frozenset[str]] = {
    "+": frozenset(in_both(["阳性", "positive", "pos", "pos.", "detected"])),
    "-": frozenset(in_both(["阴性", "negative", "neg", "neg.", "not detected", "未检出"])),
    "±": frozenset(
        in_both(["弱阳性", "可疑", "trace", "weak", "weakly positive", "weak positive", "borderline", "临界"])
    ),
}
_SIGN = r"(?P<sign>\+{1,4}|[1-4]\+|[-−–]|±|\+/?-|-/\+)"
_SIGNED = (
    re.compile(rf"^(?P<word>[^\W\d_][^()+±\-−–]*?)\s*[(\[]\s*{_SIGN}\s*[)\]]$"),
    re.compile(rf"^(?P<word>[^\W\d_][^()+±\-−–]*?)\s*{_SIGN}$"),
    re.compile(rf"^[(\[]?\s*{_SIGN}\s*[)\]]?\s*[(\[]?\s*(?P<word>[^\W\d_][^()+±\-−–]*?)\s*[)\]]?$"),
)


def grade_of(word: str) -> tuple[int, str] | None:
    """Return the number of a grade and its part; None for what is no grade.

    >>> grade_of("NYHA II"), grade_of("Ⅲ级"), grade_of("心功能二级"), grade_of("G3a"), grade_of("stage 3"), grade_of("ASA 3E")
    ((2, ''), None, (2, ''), (3, 'a'), (3, ''), (3, 'e'))
    >>> grade_of("IIIb期"), grade_of("type 2"), grade_of("T2"), grade_of("12")
    ((3, 'b'), None, None, None)
    """
    found = _GRADE.match(word.strip()) if len(word) <= LONGEST else None
    if not found:
        return None
    if found["roman"]:
        number = _ROMAN[found["roman"].lower()]
    else:
        number = int(found["number"]) if found["number"] else _CHINESE[found["chinese"]]
    return number, (found["part"] or "").lower()


def grade_levels(words: Sequence[str], counts: Sequence[int]) -> tuple[str, ...]:
    """Return the commonest spelling of each grade, lowest first, where one is written in several ways; else nothing.

    >>> grade_levels(["II", "NYHA II", "III级", "2", "III"], [9, 2, 3, 1, 4])
    ('II', 'III')
    >>> grade_levels(["I", "II", "III"], [1, 1, 1]), grade_levels(["1", "2", "other"], [1, 1, 1])
    ((), ())
    """
    spelled: dict[tuple[int, str], list[tuple[int, str]]] = defaultdict(list)
    for word, n in zip(words, counts, strict=True):
        grade = grade_of(word)
        if grade is None:
            return ()
        spelled[grade].append((int(n), word))
    several = any(len({word.casefold() for _n, word in each}) > 1 for each in spelled.values())
    if not several or not FEWEST_GRADES <= len(spelled) <= MOST_GRADES:
        return ()
    return tuple(max(spelled[grade])[1] for grade in sorted(spelled))


def without_sign(word: str) -> str:
    """Take the sign off a result that is said in a word too; several pluses stay alone, for they say more.

    >>> without_sign("阳性(+)"), without_sign("NEG (-)"), without_sign("弱阳性(±)"), without_sign("(+)阳性"), without_sign("阳性(++)")
    ('阳性', 'NEG', '弱阳性', '阳性', '++')
    >>> without_sign("Rh+"), without_sign("阴性(+)"), without_sign("A(-)")
    ('Rh+', '阴性(+)', 'A(-)')
    """
    for pattern in _SIGNED if len(word) <= LONGEST else ():
        found = pattern.match(word)
        if not found:
            continue
        sign = found["sign"].replace("−", "-").replace("–", "-").replace("/", "").replace("+-", "±").replace("-+", "±")
        plain = found["word"].strip()
        if sign == "1+":
            sign = "+"
        if plain.casefold() in _SAYS.get(sign, ()):
            return plain
        if sign not in _SAYS and plain.casefold() in _SAYS["+"]:
            return found["sign"]
    return word


def spelled_as(word: str, levels: Sequence[str]) -> str:
    """Return the level of a category that a word is another spelling of; the word itself where it is none.

    >>> spelled_as("NYHA II", ("I", "II", "III")), spelled_as("阳性(+)", ("阴性", "弱阳性", "阳性")), spelled_as("IV", ("I", "II"))
    ('II', '阳性', 'IV')
    """
    if word in levels:
        return word
    plain = without_sign(word)
    if plain in levels:
        return plain
    grade = grade_of(word)
    if grade is not None:
        grades = [grade_of(level) for level in levels]
        if None not in grades and grades.count(grade) == 1:
            return levels[grades.index(grade)]
    same = [level for level in levels if level.casefold() == plain.casefold()]
    return same[0] if len(same) == 1 else word


def two_answers(words: Sequence[str], counts: Sequence[int]) -> tuple[str, ...]:
    """Return the commonest spelling of each of two answers that differ from their others in capital letters or a sign; else nothing.

    >>> two_answers(["Died", "died", "Survived", "SURVIVED"], [9, 2, 30, 1]), two_answers(["a", "b"], [1, 1])
    (('Died', 'Survived'), ())
    """
    spelled: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for word, n in zip(words, counts, strict=True):
        spelled[without_sign(word).casefold()].append((int(n), without_sign(word)))
    return tuple(max(each)[1] for _name, each in sorted(spelled.items())) if len(spelled) == 2 < len(words) else ()
