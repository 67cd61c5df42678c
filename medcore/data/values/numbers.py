"""Numbers as people write them: ``265,000``, ``<0.1``, ``12 mg``, ``3,7``, ``90+``, ``65y 3m``."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.notation import Reading
from medcore.data.quantities.units import conversion, fold_unit, same_word
from medcore.data.values.compounds import one_measure
from medcore.data.values.inexact import as_decimal, middle_of, without_spread
from medcore.data.values.time.dates import seconds_of
from medcore.data.values.time.spans import read_span
from medcore.data.values.time.spoken import numeral
from medcore.data.values.words import UNIT_SUFFIX

LONGEST = 60
_PLAIN = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_PLAIN_COMMA = r"^[+-]?[0-9]+(?:,[0-9]+)?$"
_HEAD = re.compile(
    r"^(?P<flag>[↑↓▲▼*†‡§]+\s*)?"
    r"(?P<bound><=|>=|=<|=>|=|<|>|≤|≥|≦|≧|[~∼≈]|大?约|大于|小于|少于|超过|高于|低于|(?:less|more|greater) than|below|above|over|under"
    r"|(?:approximately|approx|circa|ca|around|about)(?![a-z])\.?)?"
    r"\s*(?P<number>(?:[-+−–‐]\s?)?[0-9.,][0-9.,'’_]*(?: [0-9]{3}(?![0-9]))*(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?)\s*(?P<rest>.*)$",
    re.I,
)
_MORE = re.compile(
    r"^\+|\s*(?:(?:or|and) (?:over|older|above|more|less|under|younger|below)|及?以[上下内]|左右|上下|[多余]|\(?(?:est(?:imated)?|approx(?:imately)?)\.?\)?|\+)$",
    re.I,
)
"""What says after a number that it is a limit or about so: 90+, 90 and over, 90岁以上, 80左右, 41 (est)."""
_JUDGED = "normal|abnormal|critical|negative|positive|升高|降低|偏[高低]|正常|异常|弱?阳性|阴性"
_FLAG = f"hh?|ll?|high|low|hi|lo|neg|pos|[高低]|{_JUDGED}"
_RANGE = r"(?:ref(?:erence)?\.?(?: range)?|normal|参考(?:值|范围)?)?\s*:?\s*(?:[<>≤≥]\s*[0-9.,]+|[0-9.,]+\s*(?:[-–−~]|to|至)\s*[0-9.,]+)"
_MARKS = re.compile(
    rf"(?:\s*(?:\[[0-9a-z]{{1,2}}\]|\([a-z]\)|\(\+{{1,3}}\)|[*†‡§¶#↑↓▲▼?]+|[(\[]\s*(?:{_FLAG}|{_RANGE}[^()\[\]]{{0,12}}|E[0-9T]\s*V[0-9T]\s*M[0-9T])\s*[)\]]|(?<![A-Za-z/])(?:{_FLAG})))+$",
    re.I,
)
"""A footnote, a laboratory's flag, a question mark or a range of reference at the end of a cell."""
_AFTER_WORD = re.compile(rf"^(?:{_JUDGED})\s*(?:[:(\s]\s*)?(?P<number>[<>≤≥]?\s*[0-9][^()+]*)\)?$", re.I)
"""A number behind the word for how it is judged: negative (<0.05)."""
_CLOCK = re.compile(r"^([0-9]{1,4}):([0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]+)?)?$")
_MILITARY = re.compile(r"^([01]?[0-9]|2[0-4]):?([0-5][0-9])\s*(?:hrs?|hours?|h|uhr|时)?$", re.I)
"""1545, 0730h: hours and minutes without a mark between them."""
_TIME_OF_DAY = re.compile(
    r"^(?P<half>上午|下午|凌晨|早上|早晨|中午|晚上|傍晚)?\s*(?P<time>[0-9]{1,2}(?:[:时点][0-9]{1,2}(?:[:分][0-9]{1,2}秒?|分)?|[时点][整半钟]?)?)"
    r"\s*(?P<ap>[ap]\.?\s?m\.?)?$",
    re.I,
)
_POWER = re.compile(
    r"^(?:x|×|\*)\s*10\s*(?:(?:\^|\*\*)\s*(?P<power>[-+−]?[0-9]{1,2})|(?P<raised>[1-9][0-9]?))(?P<unit>\s+[^/].*)?$",
    re.I,
)
"""A power of ten after a number, its little raised figure perhaps folded into the line; 10^9/L is a unit instead."""
_MYRIADS = {"千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8}
_MANY = re.compile(
    rf"^(?P<times>{'|'.join(sorted(_MYRIADS, key=len, reverse=True))})(?![克卡米瓦帕焦])\s*(?P<rest>.*)$"
)
"""Chinese thousands and ten thousands behind a number: 1.2万 is 12 000, and 千克 a kilogram."""
_GOES_ON = re.compile(r"[-:][0-9]")
"""What follows the first number of a date, a span of values or a time, which are no one number."""
_CURRENCY = re.compile(r"^([€$£¥])\s*(.*[0-9])$")
_TITRE = re.compile(r"^(?:<|>|≤|≥)?\s*1\s*:\s*([0-9]{1,6})$")
_MINUS_AFTER = re.compile(r"^[0-9][0-9.,]*-$")
_MINUS_WORD = re.compile(r"^(?:minus|负|零下)\s*(?=[0-9])", re.I)
_PERCENT_BEFORE = re.compile(r"^百分之\s*([0-9.]+)$")
_LAKHS = r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
"""Numbers as India groups them: 1,50,000 is 150 000."""
_GROUPED = {mark: re.compile(rf"^[+-]?(?:[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+|{_LAKHS})$") for mark in ".,"}
_PLAIN_CERTAIN = r"^[+\-]?(?:[0-9]+(?:\.(?:[0-9]{1,2}|[0-9]{4,}))?|0+\.[0-9]+)$"
"""A number that needs no mark, or whose point can only be the decimal one."""
_AMBIGUOUS = {mark: re.compile(rf"^[+-]?[1-9][0-9]{{0,2}}{re.escape(mark)}[0-9]{{3}}$") for mark in ".,"}
_START = r"^[<>=≤≥~≈约 +\-−]*"
_END = r"(?:$|[^0-9.,])"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers in an array of texts: ``value`` (NaN where none), and how each was written.

    ``plain`` marks numbers that needed no interpretation, ``bounded`` those
    given as a limit (``<0.1`` counts as 0.1), ``between`` ranges (which count as their middle), ``marked`` those with a footnote or a flag,
    ``suffix`` holds the unit that followed the number (``mg``), empty where none did, and
    ``clock`` marks hours and minutes. Of a span the value is in the reading's unit already.
    """

    value: NDArray[np.float64]
    plain: NDArray[np.bool_]
    bounded: NDArray[np.bool_]
    between: NDArray[np.bool_]
    marked: NDArray[np.bool_]
    clock: NDArray[np.bool_]
    suffix: NDArray[np.object_]

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which texts are numbers."""
        return ~np.isnan(self.value)

    def where(self, mask: NDArray[np.bool_]) -> Numbers:
        """Return those of the texts that a mask (k) marks."""
        return Numbers(*(getattr(self, f.name)[mask] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Marks:
    """The decimal mark and the mark of thousands of some texts; ``certain`` when a text proves it."""

    decimal: str
    thousands: str
    certain: bool


def parse_numbers(
    texts: pa.Array, *, decimal: str | None = None, reading: Reading | None = None, measured: bool = False
) -> Numbers:
    """Read trimmed, width-folded texts as numbers; what is none becomes NaN.

    They are read by ``reading`` where there is one; else by what the texts show, ``decimal``
    being the file's decimal mark. Hours and minutes become hours. Infinities are no numbers.
    Where the column is known to be ``measured``, ranges are read too (elsewhere they may be bands), and numerals of one letter.
    """
    n = len(texts)
    plain, bounded, between, marked, clock = (np.zeros(n, bool) for _ in range(5))
    numbers = Numbers(np.full(n, np.nan), plain, bounded, between, marked, clock, np.full(n, "", dtype=object))
    if n == 0:
        return numbers
    guessed = reading is None
    if reading is not None and reading.before:
        texts = without_word(texts, reading.before)
    if reading is None:
        marks = learn_marks(texts, decimal=decimal)
        reading = Reading(decimal=marks.decimal, thousands=marks.thousands, trailing_minus=True)
    if reading.notation in ("number", "span"):
        _read_plain(numbers, texts, reading.decimal)
    rest = np.flatnonzero(~numbers.plain)
    for at, word in zip(rest, texts.take(pa.array(rest)).to_pylist(), strict=True):
        if word and len(word) <= LONGEST:
            _read_one(numbers, int(at), word, reading, clock=guessed, measured=measured)
    numbers.value[~np.isfinite(numbers.value)] = np.nan
    return numbers


def without_word(texts: pa.Array, before: str) -> pa.Array:
    """Take a word off the front of the numbers that it stands before; what else begins with it stays.

    >>> without_word(pa.array(["EF 45%", "ef: <20", "45", "EF unknown"]), "EF").to_pylist()
    ['45%', '<20', '45', 'EF unknown']
    """
    return pc.replace_substring_regex(texts, rf"(?i)^{re.escape(before)}\s*[:=]?\s*([<>≤≥~]?\s*[-+]?[0-9].*)$", r"\1")


def learn_marks(texts: pa.Array, *, decimal: str | None = None) -> Marks:
    """Find the decimal mark and the mark of thousands from what some texts prove.

    ``decimal`` is the file's decimal mark, which counts where the texts prove nothing.

    >>> learn_marks(pa.array(["3,7", "1,234"])), learn_marks(pa.array(["265,000", "1,234"]))
    (Marks(decimal=',', thousands='', certain=True), Marks(decimal='.', thousands=',', certain=False))
    """
    if pc.all(pc.match_substring_regex(texts, _PLAIN_CERTAIN)).as_py():
        pointed = bool(pc.any(pc.match_substring(texts, ".")).as_py())
        return Marks(decimal if decimal == "," and not pointed else ".", "", pointed)
    used = [mark for mark in ".," if pc.any(pc.match_substring(texts, mark)).as_py()]
    decimals, groups, unclear = ({".": 0, ",": 0} for _ in range(3))
    for mark in used:
        decimals[mark] = _n(texts, _certain_decimal(mark))
        groups[mark] = _n(texts, _certain_group(mark))
        unclear[mark] = _n(texts, rf"{_START}[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}{_END}")
    proof = {mark: decimals[mark] + groups["," if mark == "." else "."] for mark in ".,"}
    if proof["."] != proof[","]:
        found = max(proof, key=lambda mark: proof[mark])
    elif decimal in (".", ","):
        found = str(decimal)
    else:
        found = "."
    other = "," if found == "." else "."
    grouped = groups[other] > 0 or (unclear[other] > 0 and not decimals[other])
    return Marks(found, other if grouped else "", proof["."] != proof[","])


def to_number(word: str, *, decimal: str = ".", thousands: str | None = None) -> float | None:
    """Read one number that may be grouped: the digits only, no unit.

    A number that could be ``1.234`` or ``1234`` is read by ``decimal`` and ``thousands``;
    ``thousands`` of None takes whatever is no decimal mark for groups.

    >>> to_number("265,000"), to_number("1.234,5"), to_number("10-20"), to_number("21,5"), to_number("1,50,000")
    (265000.0, 1234.5, None, 21.5, 150000.0)
    >>> to_number("2.125", decimal=",", thousands="") is None
    True
    """
    word = re.sub(r"^([-+])\s", r"\1", re.sub("[−–‐]", "-", word))
    word = re.sub(r"(?<=[0-9])[ '’_](?=[0-9]{3}(?![0-9]))", "", word).strip()
    mantissa, e, power = word.partition("e") if "e" in word else word.partition("E")
    at = {mark: mantissa.count(mark) for mark in ".,"}
    if at["."] and at[","]:
        last = max(".,", key=mantissa.rfind)
        whole, _mark, part = mantissa.rpartition(last)
        group = "," if last == "." else "."
        if at[last] > 1 or not _GROUPED[group].match(whole):
            return None
        mantissa = f"{whole.replace(group, '')}.{part}"
    elif at["."] or at[","]:
        mark = "." if at["."] else ","
        read = _one_mark(mantissa, mark, at[mark], decimal, thousands)
        if read is None:
            return None
        mantissa = read
    word = mantissa + (f"e{power}" if e else "")
    return float(word) if re.match(_PLAIN, word) else None


def _one_mark(digits: str, mark: str, n: int, decimal: str, thousands: str | None) -> str | None:
    if n > 1:
        return digits.replace(mark, "") if _GROUPED[mark].match(digits) else None
    if not _AMBIGUOUS[mark].match(digits) or mark == decimal:
        return digits.replace(mark, ".")
    return digits.replace(mark, "") if thousands in (None, mark) else None


def _certain_decimal(mark: str) -> str:
    m, other = re.escape(mark), "," if mark == "." else "."
    return (
        rf"{_START}(?:0?{m}[0-9]+|0+{m}[0-9]+|[0-9]+{m}(?:[0-9]{{1,2}}|[0-9]{{4,}})|[0-9]{{4,}}{m}[0-9]{{3}}"
        rf"|[0-9]{{1,3}}(?:{re.escape(other)}[0-9]{{3}})+{m}[0-9]+){_END}"
    )


def _certain_group(mark: str) -> str:
    m, other = re.escape(mark), "," if mark == "." else "."
    lakhs = f"{_LAKHS}|" if mark == "," else ""
    return (
        rf"{_START}(?:{lakhs}[0-9]{{1,3}}(?:(?:{m}[0-9]{{3}}){{2,}}|(?:{m}[0-9]{{3}})+{re.escape(other)}[0-9]+)){_END}"
    )


def _n(texts: pa.Array, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0)


def _read_plain(numbers: Numbers, texts: pa.Array, decimal: str) -> None:
    """Read what needs no interpretation, all at once."""
    pattern = _PLAIN if decimal == "." else _PLAIN_COMMA
    plain = pc.fill_null(pc.match_substring_regex(texts, pattern), False).to_numpy(zero_copy_only=False)
    if plain.any():
        digits = texts.filter(pa.array(plain))
        if decimal == ",":
            digits = pc.replace_substring(digits, ",", ".")
        numbers.value[plain] = digits.cast(pa.float64()).to_numpy(zero_copy_only=False)
        numbers.plain[:] = plain


def _read_one(numbers: Numbers, at: int, word: str, reading: Reading, *, clock: bool, measured: bool) -> None:
    if reading.notation == "titre":
        titre = _TITRE.match(word)
        if titre:
            numbers.value[at] = float(titre[1])
        return
    hours = clock_hours(word, bare=reading.notation == "clock") if clock or reading.notation == "clock" else None
    if hours is not None:
        numbers.value[at], numbers.clock[at] = hours, True
        return
    word, numbers.between[at] = _one_figure(word, reading, measured=measured)
    if reading.notation == "span":
        span = read_span(word, reading.unit)
        if span is not None:
            numbers.value[at], numbers.bounded[at] = span
            return
    if reading.trailing_minus and _MINUS_AFTER.match(word):
        word, numbers.marked[at] = f"-{word[:-1]}", True
    _read_measure(numbers, at, word, reading)
    if reading.notation == "span" and numbers.suffix[at]:
        into = conversion(str(numbers.suffix[at]), reading.unit)
        numbers.value[at] = np.nan if into is None else into(numbers.value[at])


def _one_figure(word: str, reading: Reading, *, measured: bool) -> tuple[str, bool]:
    """Write what stands for one number as its figures; say whether it is a range, which only a measurement has."""
    middle = middle_of(word) if measured and reading.notation in ("number", "span") else None
    if middle is not None:
        return middle.replace(".", reading.decimal, 1), True
    if not word[0].isdigit():
        word = _MINUS_WORD.sub("-", _PERCENT_BEFORE.sub(r"\1%", word))
        said = numeral(word) if measured or len(word) > 1 else None
        return (word if said is None else str(said)), False
    return (as_decimal(word, bare=reading.fractions) if "/" in word else word), False


def clock_hours(word: str, *, bare: bool = False) -> float | None:
    """Read hours and minutes, or a time of day, as hours; None for what is neither. 1545 is a time only if ``bare``.

    >>> clock_hours("130:30"), clock_hours("3:15 pm"), clock_hours("下午3点"), clock_hours("12:05am"), clock_hours("3")
    (130.5, 15.25, 15.0, 0.08333333333333333, None)
    >>> clock_hours("7点41分"), clock_hours("8点半"), clock_hours("0730"), clock_hours("0730h", bare=True), clock_hours("7", bare=True)
    (7.683333333333334, 8.5, None, 7.5, None)
    """
    military = _MILITARY.match(word) if bare else None
    if military and ":" not in word:
        return int(military[1]) + int(military[2]) / 60
    if word.isascii() and ":" not in word and not word.endswith(("m", "M", ".")):
        return None
    hours = _CLOCK.match(word)
    if hours:
        hour, minute, second = (int(g or 0) for g in hours.groups())
        return hour + minute / 60 + second / 3600
    said = _TIME_OF_DAY.match(word)
    if not said or not (said["half"] or said["ap"] or "点" in said["time"]):
        return None
    seconds = seconds_of(said["time"].replace("半", "30").replace("钟", ""), said["half"], said["ap"], None)
    return None if seconds is None else seconds / 3600


def _read_measure(numbers: Numbers, at: int, word: str, reading: Reading) -> None:
    """Read a number with what may stand about it: a limit, a unit, a footnote, a flag; or leave it unread."""
    together = one_measure(word)
    if together is not None:
        numbers.value[at], numbers.suffix[at] = together
        return
    judged = _AFTER_WORD.match(word)
    parts = _HEAD.match(_CURRENCY.sub(r"\2\1", judged["number"].strip() if judged else word))
    if not parts:
        return
    if _GOES_ON.match(parts["rest"]):
        return
    power = _POWER.match(parts["rest"])
    behind = (power["unit"] or "" if power else parts["rest"]).strip()
    many = None if reading.unit and same_word(behind, reading.unit) else _MANY.match(behind)
    behind, spread = without_spread(many["rest"] if many else behind)
    rest, more, marked = _peel(behind, reading)
    if rest and not UNIT_SUFFIX.match(rest):
        if not reading.unit or not (same_word(rest, reading.unit) or fold_unit(rest) == fold_unit(reading.unit)):
            return
        rest = reading.unit
    value = to_number(parts["number"].rstrip(" "), decimal=reading.decimal, thousands=reading.thousands)
    if value is not None:
        times = 10.0 ** int((power["power"] or power["raised"]).replace("−", "-")) if power else 1.0
        numbers.value[at] = value * times * (_MYRIADS[many["times"]] if many else 1.0)
        numbers.bounded[at] = more or spread or bool(parts["bound"])
        numbers.marked[at] |= marked or bool(parts["flag"] or judged)
        numbers.suffix[at] = rest


def is_flag(word: str) -> bool:
    """Say whether a word behind a number is a laboratory's flag and no unit.

    >>> is_flag("H"), is_flag("低"), is_flag("J")
    (True, True, False)
    """
    return re.fullmatch(_FLAG, word, re.I) is not None


def _peel(rest: str, reading: Reading) -> tuple[str, bool, bool]:
    """Take what is no unit off what follows a number: a plus for "and over", footnotes and flags."""
    if not rest or (reading.unit and fold_unit(rest) == fold_unit(reading.unit)):
        return rest, False, False
    bare = _MORE.sub("", rest).strip()
    more = bare != rest
    unit = bare in ("h", "l") or (reading.litres and bare == "L")
    plain = bare if unit else _MARKS.sub("", bare).strip()
    return plain, more, plain != bare
