"""Years that are not counted from the birth of Christ: 民國112年, 令和5年, พ.ศ. 2566, and 112/01/05 where a column counts so."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from medcore.data.notation import Calendar

_ERAS = {
    **dict.fromkeys(["中華民國", "中华民国", "民國", "民国", "roc"], 1911),
    "明治": 1867,
    "大正": 1911,
    "昭和": 1925,
    "平成": 1988,
    "令和": 2018,
    "m": 1867,
    "t": 1911,
    "s": 1925,
    "h": 1988,
    "r": 2018,
    **dict.fromkeys(["佛历", "佛曆", "พ.ศ.", "พศ", "b.e.", "be"], -543),
}
"""The year before the first of each era: the Republic of China's, Japan's emperors', the Buddha's."""
_SAID = re.compile(
    rf"^(?P<era>{'|'.join(sorted(map(re.escape, _ERAS), key=len, reverse=True))})\s*(?P<year>元|[0-9]{{1,4}})(?=\s*[年./-]\s*[0-9])\s*",
    re.I,
)
_ANY_ERA = f"^(?i:{'|'.join(re.escape(era) for era in _ERAS)})"
_ROC = r"^(?P<y>[0-9]{2,3})(?P<rest>[-/.年](?:0?[1-9]|1[0-2])[-/.月](?:0?[1-9]|[12][0-9]|3[01])(?:[^0-9].*)?)$"
_ROC_HUNDRED = r"^1[0-4][0-9][-/.年](?:0?[1-9]|1[0-2])[-/.月](?:0?[1-9]|[12][0-9]|3[01])(?:[^0-9].*)?$"
_ROC_DIGITS = r"^(?P<y>1[0-4][0-9]|0?[4-9][0-9])(?P<rest>(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))$"
_BUDDHIST = r"(?:^|[-/. ])2[45][0-9]{2}(?:[-/.年 ]|$)"
_BUDDHIST_YEAR = re.compile(r"(?<![0-9])(2[45][0-9]{2})(?![0-9])")
MOSTLY = 0.9
"""Share of a column's different texts that must be written so."""


def calendar_of(texts: pa.Array, *, named: bool = False) -> Calendar | None:
    """Say how the years of a column's dates are counted, if nearly all texts show that it is not from Christ's birth.

    1120105 is a date only where the column is ``named`` one.

    >>> calendar_of(pa.array(["112/01/05", "98/12/30", "111.3.4"])), calendar_of(pa.array(["12/01/05", "98/12/30"]))
    ('roc', None)
    >>> calendar_of(pa.array(["05/01/2566", "2565-03-04"])), calendar_of(pa.array(["1120105"]), named=True)
    ('buddhist', 'roc')
    """
    least = max(1, MOSTLY * len(texts))
    if _count(texts, _ROC) >= least and _count(texts, _ROC_HUNDRED):
        return "roc"
    if named and _count(texts, _ROC_DIGITS) >= least and _count(texts, "^1[0-4][0-9]"):
        return "roc"
    return "buddhist" if _count(texts, _BUDDHIST) >= least else None


def from_christ(texts: pa.Array, calendar: str | None) -> pa.Array:
    """Write dates with their years from the birth of Christ: by the era that they name, and by the column's calendar.

    >>> from_christ(pa.array(["民國112年3月4日", "R5.3.4", "昭和元年1月2日", "2020-01-02"]), None).to_pylist()
    ['2023年3月4日', '2023.3.4', '1926年1月2日', '2020-01-02']
    >>> from_christ(pa.array(["112/01/05", "0980230"]), "roc").to_pylist(), from_christ(pa.array(["5/1/2566"]), "buddhist").to_pylist()
    (['2023/01/05', '20090230'], ['5/1/2023'])
    """
    named = _count(texts, _ANY_ERA) > 0
    if not named and not calendar:
        return texts
    return pa.array([None if w is None else _year(w, calendar) for w in texts.to_pylist()], type=texts.type)


def _year(word: str, calendar: str | None) -> str:
    said = _SAID.match(word)
    if said:
        year = 1 if said["year"] == "元" else int(said["year"])
        return f"{_ERAS[said['era'].lower()] + year}{word[said.end() :]}"
    if calendar == "buddhist":
        return _BUDDHIST_YEAR.sub(lambda m: str(int(m[1]) - 543), word)
    for pattern in (_ROC, _ROC_DIGITS) if calendar == "roc" else ():
        found = re.match(pattern, word)
        if found:
            return f"{int(found['y']) + 1911}{found['rest']}"
    return word


def _count(texts: pa.Array, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0)
