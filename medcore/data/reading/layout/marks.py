"""What one written cell looks like while a table's layout is looked for: a number, a unit, a summary's word."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from medcore.data.quantities.ranges import unit_in_name
from medcore.data.values.words import AMBIGUOUS_MISSING, MISSING_WORDS

_NUMBER = re.compile(r"^\s*[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s*$")
_YEAR = re.compile(r"^\s*(?:19|20)[0-9]{2}\s*$")
_MEASURED = re.compile(
    r"^[<>≤≥=~±+-]*\s*[0-9][0-9., ]*(?:[eE][+-]?[0-9]+)?\s*[^\W\d]{0,3}[^\w\s]{0,2}(?:/[^\W\d]{1,3})?[↑↓]?$"
    r"|^[0-9]{1,4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,4}日?(?:[ T上下].*)?$|^[0-9]{4}[-/.年][0-9]{1,2}月?$|^[0-9]{1,2}:[0-9]{2}"
)
_RATIO = re.compile(
    r"^(?:[×x*]?\s*10\s*[\^*e]?\s*[0-9⁰-⁹]{1,2}\s*)?[a-zµμ%‰°℃ω一-鿿]*[0-9²³]?\s*/\s*(?:[0-9.,]+\s*)?"
    r"[a-zµμ一-鿿°]+[0-9²³]?(?:\s*[/·.*]\s*[0-9.]*[a-zµμ]+[0-9²³^]*)*$"
)
_OPTIONS = re.compile(r"^[\w是否男女有无阴阳]{1,8}(?:\s*[/|,、]\s*[\w是否男女有无阴阳]{1,8})+$|^[0-9]\s*[=:].+")
_SINGLE_UNITS = """
    years year yrs yr y a months month mo weeks week wk days day d hours hour hrs hr h min mins minutes s sec seconds ms
    kg g mg µg ug ng pg lb lbs oz m cm mm µm um in inch inches ft l dl ml µl ul fl mmol µmol umol nmol pmol mol meq iu u
    miu µiu kiu % ‰ percent mmhg kpa pa cmh2o °c °f c f ℃ ℉ celsius fahrenheit bpm beats points point score ratio
    fraction index count n/a cells pack-years 岁 年 月 周 天 日 小时 分钟 秒 公斤 千克 克 毫克 厘米 毫米 米 次 分 个 支 包年 比值 毫升 升
"""
_SINGLE = frozenset(_SINGLE_UNITS.split())
_SUMMARY = re.compile(
    r"^\s*(?:grand\s+|sub[- ]?)?(?:totals?|sums?|summe|gesamt|means?|averages?|avg|mittelwert|medians?|sd|std(?:\.?\s*dev\w*)?|"
    r"standard deviation|variance|min(?:imum)?|max(?:imum)?|range|count|number of \w+|n|iqr|quartiles?|percentiles?|"
    r"合计|总计|小计|总数|共计|总和|平均(?:值|数)?|均值|均数|标准差|中位数|最大值?|最小值?|例数|人数|计数|汇总|极差|四分位数?)"
    r"\s*(?:[:：=(（±].*|[0-9].*|of .*|for .*|for|\([^)]*\))?\s*$",
    re.I,
)
_ABSENT = MISSING_WORDS | AMBIGUOUS_MISSING


def is_number(cell: str) -> bool:
    """Say whether a cell is a plain number."""
    return bool(_NUMBER.match(cell))


def is_year(cell: str) -> bool:
    """Say whether a cell is a year of our time."""
    return bool(_YEAR.match(cell))


@lru_cache(maxsize=20_000)
def is_measured(cell: str) -> bool:
    """Say whether a cell is a number or a date, with a sign, a limit or a short unit.

    >>> [is_measured(c) for c in ("12.5", "<0.01", "120 mg", "2023-01-05", "age", "24h urine", "０.５")]
    [True, True, True, True, False, False, True]
    """
    return bool(_MEASURED.match(unicodedata.normalize("NFKC", cell).strip()))


def is_absent(cell: str) -> bool:
    """Say whether a cell holds a word or a sign by which a missing value is written."""
    return cell.strip().casefold() in _ABSENT


@lru_cache(maxsize=20_000)
def is_unit(cell: str) -> bool:
    """Say whether a cell is a unit of measurement.

    >>> [is_unit(c) for c in ("mg/L", "(mmol/L)", "岁", "10^9/L", "×10⁹/L", "mL/min/1.73m2", "0/1", "male")]
    [True, True, True, True, True, True, False, False]
    """
    text = unit_text(cell).lower()
    if not text:
        return False
    return text in _SINGLE or bool(_RATIO.match(text)) or unit_in_name(f"x ({text})") is not None


def unit_text(cell: str) -> str:
    """Take a unit out of the brackets it is written in."""
    text = unicodedata.normalize("NFKC", cell).strip()
    inside = re.fullmatch(r"[\[(（【]\s*(.*?)\s*[\])）】]", text)
    return inside.group(1) if inside else text


def is_options(cell: str) -> bool:
    """Say whether a cell lists the values that a column may have, as 0/1 or M/F does."""
    return bool(_OPTIONS.match(unicodedata.normalize("NFKC", cell).strip()))


def is_summary(cell: str) -> bool:
    """Say whether a cell names a summary of the rows above it.

    >>> [is_summary(c) for c in ("Mean", "Total 240 patients", "合计", "平均值：", "Totaro", "Maxim")]
    [True, True, True, True, False, False]
    """
    return bool(_SUMMARY.match(unicodedata.normalize("NFKC", cell)))


@lru_cache(maxsize=20_000)
def shape(cell: str) -> str:
    """Return the kinds of a cell's characters, runs shortened: A letter, 9 digit, 字 Chinese, the signs themselves.

    >>> shape("P0001"), shape("Total 240 patients"), shape("王小明")
    ('A9', 'A 9 A', '字')
    """
    text = unicodedata.normalize("NFKC", cell).strip()
    kinds = re.sub(r"[0-9]+", "9", re.sub(r"[^\W\d_一-鿿]+", "A", text))
    return re.sub(r"[一-鿿]+", "字", kinds)
