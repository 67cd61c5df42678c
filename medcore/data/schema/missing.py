"""Which cells say that nothing was measured: ``?``, ``-9``, ``999``, ``未查``, an impossible 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.schema.ranges import Quantity
from medcore.data.values.numbers import Numbers
from medcore.data.values.typed import Distinct
from medcore.data.values.words import AMBIGUOUS_MISSING, MISSING_WORDS, SEVERITY_WORDS
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
    """Mark the distinct texts that say nothing was recorded.

    ``numeric_share`` is the share of cells that are numbers: among numbers a
    dash or a full stop is no category.
    """
    lowered = pc.utf8_lower(cells.texts)
    known = pa.array(sorted(MISSING_WORDS | AMBIGUOUS_MISSING), type=lowered.type)
    marked = np.asarray(pc.is_in(lowered, value_set=known).to_numpy(zero_copy_only=False), dtype=bool)
    if not marked.any():
        return marked
    certain = marked.copy()
    for at in np.flatnonzero(marked):
        word = lowered[int(at)].as_py()
        if word in AMBIGUOUS_MISSING:
            certain[at] = False
            marked[at] = _means_nothing(word, int(at), lowered, cells.counts, numeric_share)
    return certain if marked.all() else marked


def _means_nothing(word: str, at: int, lowered: pa.Array, counts: NDArray[np.int64], numeric_share: float) -> bool:
    if numeric_share > 0.5:
        return True
    others = [w for i, w in enumerate(lowered.slice(0, 1000).to_pylist()) if i != at]
    if word in {"none", "nil", "未做"}:
        return not any(w in _SCALES - _MEASURED for w in others) and len(others) > 1
    signs = any(w.startswith(("+", "±", "(+", "阳", "弱")) for w in others)
    return not signs and bool(counts[at] < 0.3 * counts.sum())


def missing_numbers(numbers: Numbers, counts: NDArray[np.int64], texts: pa.Array, quantity: Quantity | None) -> Codes:
    """Find numbers that stand for nothing measured: sentinels far from the rest, and zeros no living patient has.

    The arrays are over a column's distinct texts.
    """
    readable = numbers.readable
    values, n = numbers.value[readable], counts[readable]
    if len(values) < 3:
        return Codes()
    if quantity is not None and quantity.zero_is_missing and (values == 0).any():
        return Codes(
            _written(texts, numbers.value == 0),
            0.95,
            Message(N_("A {quantity} of 0 is impossible; it stands for not measured."), {"quantity": quantity.name}),
        )
    found = [v for v in np.unique(values[np.isin(values, _SENTINELS)]) if _stands_apart(v, values, n, quantity)]
    if not found:
        return Codes()
    codes = _written(texts, np.isin(numbers.value, found))
    return Codes(
        codes,
        0.8,
        Message(N_("{codes} lies far from all other values, as a code for missing does."), {"codes": list(codes)}),
    )


def _written(texts: pa.Array, mask: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(str(t) for t in texts.filter(pa.array(mask)).to_pylist())


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
