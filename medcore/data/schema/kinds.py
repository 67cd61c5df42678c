"""What kind of column: numbers, yes and no, categories, dates or text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.cohort import COUNT_OR_CODE, Kind
from medcore.data.schema.names import says
from medcore.data.values.booleans import boolean_levels, boolean_side, sexes_in_one_spelling
from medcore.data.values.folding import Distinct
from medcore.data.values.grades import grade_levels, two_answers, without_sign
from medcore.data.values.numbers import Numbers
from medcore.data.values.time.dates import Dates, parse_dates
from medcore.data.values.words import RATINGS, SEVERITY_WORDS
from medcore.i18n import N_, Message

MOSTLY, FEWEST_NUMBERS, MOST_OTHERS = 0.5, 6, 12
"""A column is numeric or a date if most cells are: of how many different numbers, beside how many different words."""
READABLE = 0.9
"""Share of a column's cells that must be readable as a kind for the column to be of that kind."""
HEAD = 5000
"""Distinct texts that are looked at one by one; beyond it only whole-column operations are used."""
SOME_DATES = 0.1
"""Share of a column's cells that are dates beyond doubt, from which its numbers of five digits are a spreadsheet's days."""
MANY_WORDS = 4
MOST_SPELLINGS = 12
"""Different texts that may be spellings of a few answers."""
_BAND = re.compile(
    r"^[\[(<>≤≥=~ ]*(?P<low>-?[0-9]+(?:\.[0-9]+)?)(?:\s*(?:-|–|~|to|至|,|_)\s*[0-9]+(?:\.[0-9]+)?)?\s*[\])+]?[^0-9]{0,8}$"
)


_LONG_NUMBER = r"^[0-9]{16,}$"
_ROUNDED = r"^[0-9](?:[.,][0-9]+)?[eE]\+?1[0-9]$"
_EIGHT_DIGITS = (
    r"^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9])?$"
)
FEWEST_DAYS = 10
"""Different numbers that must all be days: of eight digits four in a hundred are."""
_CODE = re.compile(r"^[A-Za-z]{1,2}[0-9]{1,4}(?:\.[0-9]+)?[A-Za-z]?$")


@dataclass(frozen=True, slots=True)
class Guess:
    """A kind with how sure it is and why; ``levels`` for booleans and ordered categories."""

    kind: Kind
    confidence: float
    reason: Message
    levels: tuple[str, ...] = ()
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """A column's distinct texts (k) without its missing codes, and what they read as."""

    name: str
    texts: pa.Array
    counts: NDArray[np.int64]
    numbers: Numbers
    dates: Dates | None

    @property
    def n(self) -> int:
        """Number of cells that hold a value."""
        return int(self.counts.sum())

    @property
    def k(self) -> int:
        """Number of different values."""
        return len(self.texts)

    def words(self, mask: NDArray[np.bool_] | None = None) -> list[str]:
        """Return the first distinct texts, at most :data:`HEAD` of them, or of those that the mask marks."""
        texts = self.texts if mask is None else self.texts.filter(pa.array(mask))
        return [str(w) for w in texts.slice(0, HEAD).to_pylist()]

    def share(self, mask: NDArray[np.bool_]) -> float:
        """Return the share of cells for which the mask over distinct texts holds."""
        return float(self.counts[mask].sum() / max(1, self.n))

    @classmethod
    def of(cls, name: str, cells: Distinct, absent: NDArray[np.bool_], numbers: Numbers) -> Contents:
        """Take a column's distinct texts, which read as these numbers, without those that say that a value is absent."""
        texts, numbers = cells.texts.filter(pa.array(~absent)), numbers.where(~absent)
        named = says(name, "date")
        may_be_dates = len(texts) > 0 and (not numbers.readable.all() or named or _all_days(texts))
        dates = parse_dates(texts, named=named) if may_be_dates else None
        return cls(name, texts, cells.counts[~absent], numbers, dates)


def _all_days(texts: pa.Array) -> bool:
    """Say whether whole numbers are all days of a year, as 20230105; few others are."""
    return len(texts) >= FEWEST_DAYS and bool(pc.all(pc.match_substring_regex(texts, _EIGHT_DIGITS)).as_py())


def guess_kind(c: Contents) -> Guess:
    """Decide what kind of column the contents are."""
    if c.n == 0:
        return Guess("category", 0.3, Message(N_("No cell holds a value."), {}))
    return _boolean(c) or _sexes(c) or _rating(c) or _grades(c) or _two(c) or _date(c) or _numeric(c) or _words(c)


def guess_native(values: pd.Series) -> Guess | None:
    """Take the kind that a typed file states; None for text and for whole-number codes."""
    stated = Message(N_("The file states this kind."), {})
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return Guess("date", 1.0, stated)
    return None


def _boolean(c: Contents) -> Guess | None:
    if c.k > MOST_SPELLINGS:
        return None
    words = c.words()
    if not boolean_levels([without_sign(w) for w in words]):
        return None
    sides = {w: boolean_side(without_sign(w)) for w in words}
    spelled = []
    for side in (False, True):
        mine = [(int(n), w) for w, n in zip(words, c.counts, strict=True) if sides[w] is side]
        spelled.append(without_sign(max(mine)[1]))
    return Guess(
        "boolean",
        1.0,
        Message(N_("Its cells say {no} or {yes}."), {"no": spelled[0], "yes": spelled[1]}),
        tuple(spelled),
    )


def _sexes(c: Contents) -> Guess | None:
    """Recognise the two sexes where one of them is written in several ways: Male and M, 女 and F."""
    levels = sexes_in_one_spelling(c.words(), c.counts.tolist()) if c.k <= MOST_SPELLINGS else ()
    return Guess("category", 0.9, Message(N_("The two sexes, in several spellings."), {}), levels) if levels else None


def _rating(c: Contents) -> Guess | None:
    """Recognise what a strip or a stain shows: -, ±, 1+, 2+, or 阴性, 弱阳性, 阳性."""
    levels = rating_levels(list(dict.fromkeys(map(without_sign, c.words())))) if c.k <= MOST_SPELLINGS else ()
    return Guess("category", 0.9, Message(N_("Ratings with an order."), {}), levels) if levels else None


def _grades(c: Contents) -> Guess | None:
    """Recognise the grades of one scale in several spellings: NYHA II, II and II级."""
    if c.k > MOST_SPELLINGS or c.numbers.plain.all():
        return None
    levels = grade_levels(c.words(), c.counts.tolist())
    return (
        Guess("category", 0.9, Message(N_("Grades with an order, in several spellings."), {}), levels)
        if levels
        else None
    )


def _two(c: Contents) -> Guess | None:
    """Recognise two answers of which one differs from itself in capital letters: Died, died, survived."""
    levels = two_answers(c.words(), c.counts.tolist()) if c.k <= MOST_SPELLINGS and not c.numbers.readable.any() else ()
    return Guess("category", 0.9, Message(N_("Two answers, in several spellings."), {}), levels) if levels else None


def _date(c: Contents) -> Guess | None:
    if c.dates is None:
        return None
    named = says(c.name, "date")
    clear = c.dates.written & ~c.dates.serial & (~c.dates.compact if not named else True)
    if c.share(clear) >= MOSTLY and c.share(c.dates.readable) >= MOSTLY and not _is_duration(c):
        if c.dates.ambiguous:
            return Guess(
                "date", 0.6, Message(N_("Dates in which day and month cannot be told apart; read day first."), {})
            )
        return Guess("date", 1.0, Message(N_("Its cells are dates."), {}))
    days = c.share(c.dates.serial) + c.share(clear & c.dates.readable)
    if c.share(clear) >= SOME_DATES and days >= READABLE:
        return Guess("date", 0.9, Message(N_("Its cells are dates, some of them a spreadsheet's day numbers."), {}))
    if named and c.k > 3 and c.share(c.dates.readable) >= READABLE:
        return Guess("date", 0.7, Message(N_("Its name says date, and its cells are a spreadsheet's day numbers."), {}))
    if c.k > 3 and c.share(c.dates.readable & c.dates.compact) >= 0.99:
        return Guess("date", 0.8, Message(N_("Its cells are dates written as eight digits."), {}))
    return None


def _numeric(c: Contents) -> Guess | None:
    readable = c.share(c.numbers.readable)
    if _is_band_column(c) or _is_labelled(c) or readable < MOSTLY:
        return None
    if readable < READABLE and not _mostly_numbers(c):
        return None
    if c.share(c.numbers.clock) > 0.5:
        if c.numbers.value[c.numbers.clock].max() > 24:
            return Guess("numeric", 0.8, Message(N_("Durations in hours and minutes, read as hours."), {}), unit="h")
        return Guess("numeric", 0.7, Message(N_("Times of day, read as hours after midnight."), {}), unit="h")
    coded = _codes(c) or _letter_codes(c)
    if coded:
        return coded
    if readable < READABLE:
        return Guess(
            "numeric",
            0.6,
            Message(
                N_("{share} % of its cells are numbers; the others are counted by what they say."),
                {"share": round(100 * readable)},
            ),
        )
    plain = c.share(c.numbers.plain)
    if plain == 1.0:
        few = c.k <= 5 and c.n >= 30 and c.k > 2
        if few:
            return Guess("numeric", 0.6, Message(COUNT_OR_CODE, {}))
        return Guess("numeric", 0.95, Message(N_("Its cells are numbers."), {}))
    return Guess(
        "numeric",
        round(0.9 * readable, 2),
        Message(
            N_("{share} % of its cells are numbers once units, limits and separators are read."),
            {"share": round(100 * readable)},
        ),
    )


def _mostly_numbers(c: Contents) -> bool:
    """Tell a measurement among whose numbers words stand from categories of which some are numbers."""
    others = ~c.numbers.readable
    n, k = int(c.counts[others].sum()), int(others.sum())
    return (
        c.k - k >= FEWEST_NUMBERS
        and (k <= MOST_OTHERS or n >= 2 * k)
        and not _letter_codes(c)
        and not ordered_levels(c.words())
    )


def _is_labelled(c: Contents) -> bool:
    """Tell codes with their word (1 low, 2 normal, 3 high) from measurements with a laboratory's flag."""
    whole = c.numbers.marked & ~c.numbers.bounded & (c.numbers.value == np.floor(c.numbers.value))
    return bool(c.k <= 12 and whole.all() and all(re.search("[^\\W\\d_]{3}|[高低常阴阳]", word) for word in c.words()))


def _is_duration(c: Contents) -> bool:
    return bool(c.share(c.numbers.clock) > MOSTLY)


def _codes(c: Contents) -> Guess | None:
    """Recognise whole numbers that name categories: by the column's name, or by gaps between few values."""
    if says(c.name, "coded") and (c.numbers.suffix == "").all():
        return Guess("category", 0.8, Message(N_("Its name says that the numbers are codes."), {}))
    long = c.share(_matches(c, _LONG_NUMBER))
    if long > 0.5:
        return Guess(
            "category", 0.9, Message(N_("Whole numbers of more than 15 digits name things; they are kept exactly."), {})
        )
    if c.share(_matches(c, _ROUNDED)) > 0.5:
        return Guess("category", 0.5, Message(N_("Long numbers that a spreadsheet has rounded, such as 2.02E+16."), {}))
    values = np.unique(c.numbers.value[c.numbers.readable])
    if not c.numbers.readable.all() or not np.all(values == np.round(values)):
        return None
    padded = pc.sum(pc.match_substring_regex(c.texts, r"^0[0-9]+$")).as_py() or 0
    if padded > 1 and pc.count_distinct(pc.utf8_length(c.texts)).as_py() == 1:
        return Guess("category", 0.8, Message(N_("Codes with leading zeros."), {}))
    if says(c.name, "sex") and len(values) <= 4:
        return Guess("category", 0.9, Message(N_("Its name says sex; the numbers are codes."), {}))
    if says(c.name, "nominal") and not says(c.name, "counted") and len(values) <= 60:
        return Guess("category", 0.8, Message(N_("Its name says that the numbers are codes."), {}))
    few = 3 <= len(values) <= 6 and c.n >= 20 * len(values)
    if few and says(c.name, "coded_when_few"):
        return Guess("category", 0.7, Message(N_("Its name says that the numbers are codes."), {}))
    if few and len(values) <= 4 and np.any(np.diff(values) > 2) and values.max() < 100 and values.min() > 0:
        return Guess("category", 0.6, Message(N_("Few whole numbers with gaps between them: probably codes."), {}))
    return None


def _matches(c: Contents, pattern: str) -> NDArray[np.bool_]:
    return np.asarray(pc.match_substring_regex(c.texts, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def _letter_codes(c: Contents) -> Guess | None:
    """Recognise codes of which some begin with a letter, as diagnoses do (250.01, V45)."""
    rest = c.words(~c.numbers.readable)
    coded = sum(1 for w in rest if _CODE.match(w))
    if coded < 3 or coded < 0.5 * len(rest):
        return None
    return Guess("category", 0.8, Message(N_("Codes, some of which begin with a letter."), {}))


def _is_band_column(c: Contents) -> bool:
    """Say whether limits such as >7 and >8 are the column's few categories and not measurements."""
    bounded = c.share(c.numbers.bounded)
    return bounded > 0.5 and c.k <= 6


def _words(c: Contents) -> Guess:
    head = c.words()
    levels = ordered_levels(head)
    if levels:
        return Guess("category", 0.8, Message(N_("Categories with an order."), {}), levels)
    weights = c.counts[: len(head)] / c.counts[: len(head)].sum()
    words = float(np.dot(weights, [len(w.split()) for w in head]))
    length = float(np.dot(weights, [len(w) for w in head]))
    unique = c.k / c.n
    if c.n >= 20 and unique > 0.5 and (words > MANY_WORDS or length > 40):
        return Guess("text", 0.9, Message(N_("Long texts, nearly all different."), {}))
    if c.n >= 20 and unique > 0.9:
        return Guess("text", 0.7, Message(N_("Texts that are nearly all different."), {}))
    if c.k > 1000 and unique > 0.2:
        return Guess("text", 0.6, Message(N_("Very many different texts."), {}))
    return Guess("category", 0.9, Message(N_("{n} different words."), {"n": c.k}))


def ordered_levels(words: Sequence[str]) -> tuple[str, ...]:
    """Put the words of an ordered category in order, lowest first; empty if they have none.

    >>> ordered_levels(["[10-20)", "[0-10)", "[20-30)"])
    ('[0-10)', '[10-20)', '[20-30)')
    >>> ordered_levels(["severe", "Mild", "moderate"])
    ('Mild', 'moderate', 'severe')
    >>> ordered_levels(["red", "green", "blue"])
    ()
    """
    if not 3 <= len(words) <= 30:
        return ()
    folded = {w: w.casefold() for w in words}
    for scale in SEVERITY_WORDS:
        if set(folded.values()) <= set(scale):
            return tuple(sorted(words, key=lambda w: scale.index(folded[w])))
    bands = {w: _BAND.match(w) for w in words}
    if (
        all(bands.values())
        and sum(1 for w in words if re.search(r"[0-9]\s*(-|–|~|to|至|,|_)\s*[0-9]|[<>≤≥+]", w)) >= len(words) - 1
    ):
        return tuple(sorted(words, key=lambda w: _band_start(w, float(bands[w]["low"]))))  # type: ignore[index]
    return ()


def rating_levels(words: Sequence[str]) -> tuple[str, ...]:
    """Put what a strip or a stain shows in order, weakest first; empty if the words are no ratings.

    >>> rating_levels(["2+", "neg", "1+", "±"]), rating_levels(["阳性", "弱阳性", "阴性"]), rating_levels(["1", "2", "0"])
    (('neg', '±', '1+', '2+'), ('阴性', '弱阳性', '阳性'), ())
    """
    ranks = {w: next((i for i, scale in enumerate(RATINGS) if w.casefold() in scale), -1) for w in words}
    telling = [
        w
        for w, rank in ranks.items()
        if rank >= 0 and re.search(r"[+±]|trace|^tr\.?$|阳性|微量|可疑|临界", w.casefold())
    ]
    if -1 in ranks.values() or len(set(ranks.values())) < 3 or len(telling) < 2:
        return ()
    return tuple(sorted(words, key=lambda w: ranks[w]))


def _band_start(word: str, low: float) -> tuple[float, int]:
    if word.lstrip("[(").startswith(("<", "≤")):
        return (low, -1)
    return (low, 1) if word.lstrip("[(").startswith((">", "≥")) or word.endswith("+") else (low, 0)
