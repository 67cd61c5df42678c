"""Which cells say that nothing was measured: ``?``, ``-9``, ``999``, ``未查``, an impossible 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.data.ranges import Quantity
from medcore.data.values import Distinct
from medcore.data.values_numbers import Numbers
from medcore.data.values_words import AMBIGUOUS_MISSING, MISSING_WORDS, SEVERITY_WORDS
from medcore.i18n import N_, Message

_SENTINELS = (-9, -99, -999, -9999, -1, -7, -8, -77, -88, -777, -888, 9, 99, 999, 9999, 99999, 77, 88, 777, 888, 8888)
_SCALES = {w for scale in SEVERITY_WORDS for w in scale} - AMBIGUOUS_MISSING
_MEASURED = {"norm", "normal", "high", "low", "positive", "negative"}


@dataclass(frozen=True, slots=True)
class Codes:
    """A column's missing codes as they are written, with how sure they are and why."""

    codes: tuple[str, ...] = ()
    confidence: float = 1.0
    reason: Message | None = None


def missing_words(cells: Distinct, numeric_share: float) -> NDArray[np.bool_]:
    """Mark the words that say nothing was recorded.

    ``numeric_share`` is the share of cells that are numbers: among numbers a
    dash or a full stop is no category.
    """
    folded = [w.casefold() for w in cells.words()]
    marked = np.array([w in MISSING_WORDS for w in folded], dtype=bool)
    for i, word in enumerate(folded):
        if word in AMBIGUOUS_MISSING:
            marked[i] = _means_nothing(word, i, folded, cells.counts, numeric_share)
    if marked.all() or len(folded) - marked.sum() < 1:
        return np.array([w in MISSING_WORDS and w not in AMBIGUOUS_MISSING for w in folded], dtype=bool)
    return marked


def _means_nothing(word: str, at: int, folded: Sequence[str], counts: NDArray[np.int64], numeric_share: float) -> bool:
    if numeric_share > 0.5:
        return True
    others = [w for i, w in enumerate(folded) if i != at]
    if word in {"none", "nil", "未做"}:
        return not any(w in _SCALES - _MEASURED for w in others) and len(others) > 1
    signs = any(w.startswith(("+", "±", "(+", "阳", "弱")) for w in others)
    return not signs and counts[at] < 0.3 * counts.sum()


def missing_numbers(
    numbers: Numbers, counts: NDArray[np.int64], words: Sequence[str], quantity: Quantity | None
) -> Codes:
    """Find numbers that stand for nothing measured: sentinels far from the rest, and zeros no living patient has."""
    readable = numbers.readable
    values, n = numbers.value[readable], counts[readable]
    texts = [w for w, ok in zip(words, readable, strict=True) if ok]
    if len(values) < 3:
        return Codes()
    if quantity is not None and quantity.zero_is_missing and (values == 0).any():
        found = tuple(t for t, v in zip(texts, values, strict=True) if v == 0)
        return Codes(
            found,
            0.95,
            Message(N_("A {quantity} of 0 is impossible; it stands for not measured."), {"quantity": quantity.name}),
        )
    codes = [t for t, v in zip(texts, values, strict=True) if v in _SENTINELS and _stands_apart(v, values, n, quantity)]
    if not codes:
        return Codes()
    return Codes(
        tuple(codes),
        0.8,
        Message(N_("{codes} lies far from all other values, as a code for missing does."), {"codes": codes}),
    )


def _stands_apart(code: float, values: NDArray[np.float64], n: NDArray[np.int64], quantity: Quantity | None) -> bool:
    rest = values[~np.isin(values, _SENTINELS)]
    others = values[values != code]
    if quantity is not None and quantity.low <= code <= quantity.high:
        return False
    if code < 0:
        lowest = (rest if len(rest) else others).min()
        return bool(lowest >= 0 and (code < -1 or len(others) >= 10))
    top = (rest if len(rest) else others).max()
    repeated = n[values == code].sum() >= 2
    if code == 9:
        return bool(repeated and top <= 4 and np.all(others == np.round(others)))
    if code < 100:
        return bool(repeated and top <= 20 and top * 4 <= code and np.all(others == np.round(others)))
    return bool(repeated and top * 2 <= code)
