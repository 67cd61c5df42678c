"""Which cells say that nothing was measured: ``?``, ``-9``, ``999``, ``未查``, an impossible 0."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.quantities.ranges import Quantity
from medcore.data.values.column import means_nothing
from medcore.data.values.folding import Distinct
from medcore.data.values.numbers import Numbers
from medcore.data.values.words import AMBIGUOUS_MISSING, MISSING_WORDS, RATINGS, SEVERITY_WORDS
from medcore.i18n import N_, Message

_SENTINELS = (-9, -99, -999, -9999, -1, -7, -8, -77, -88, -777, -888, 9, 99, 999, 9999, 99999, 77, 88, 777, 888, 8888)
_SCALES = {w for scale in SEVERITY_WORDS for w in scale} - AMBIGUOUS_MISSING
_MEASURED = {"norm", "normal", "high", "low", "positive", "negative", "abnormal"}
_DONE = {"done", "performed", "completed", "已做", "完成"}
_RESULT = re.compile(r"^[<>≤≥=]*\s*[0-9]+(?:[.,][0-9]+)?\s*%?$")
_ELEMENTS = frozenset(["K", "Cl", "Ca", "Mg", "P", "Fe", "Zn", "Cu", "Li", "H", "Mn", "Se", "I"])
# A number that is nothing but nines, eights or sevens, in a share of the rows that no single measurement has.
_ALL_ALIKE = re.compile(r"^-?(?:9+(?:\.9+)?|8+(?:\.8+)?|7+(?:\.7+)?)$")
SPIKE_ROWS, SPIKE_SHARE, SPIKE_HEIGHT, SPIKE_GAP = 5, 0.02, 3.0, 1.2
FAR_BELOW = 5.0


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
    if numeric_share > 0.5 and not _are_ratings([str(w) for w in lowered.slice(0, 50).to_pylist()]):
        return means_nothing(cells.texts)
    known = pa.array(sorted(MISSING_WORDS | AMBIGUOUS_MISSING), type=lowered.type)
    marked = np.asarray(pc.is_in(lowered, value_set=known).to_numpy(zero_copy_only=False), dtype=bool)
    if not marked.any():
        return marked
    certain = marked.copy()
    for at in np.flatnonzero(marked):
        word = lowered[int(at)].as_py()
        if word in AMBIGUOUS_MISSING:
            certain[at] = False
            marked[at] = _means_nothing(word, int(at), cells, lowered)
    return certain if marked.all() else marked


def _means_nothing(word: str, at: int, cells: Distinct, lowered: pa.Array) -> bool:
    """Decide by a column's other words whether one of :data:`AMBIGUOUS_MISSING` is a value of it."""
    others = [w for i, w in enumerate(lowered.slice(0, 1000).to_pylist()) if i != at]
    if word in RATINGS[0] and _are_ratings(others):
        return False
    if word in {"none", "nil"}:
        return len(others) > 1 and any(_is_result(w) for w in others)
    if word in {"not done", "未做"}:
        return len(others) > 1 and not any(w in _DONE or w in _SCALES - _MEASURED for w in others)
    if word in {"na", "nd"}:
        return not _is_symbol(cells.texts[at].as_py(), [str(w) for w in cells.texts.slice(0, 1000).to_pylist()])
    signs = any(w.startswith(("+", "±", "(+", "阳", "弱")) for w in others)
    return not signs and bool(cells.counts[at] < 0.3 * cells.counts.sum())


def _are_ratings(words: list[str]) -> bool:
    """Say whether words are strengths of a reaction, of which 1+ and 2+ could be read as numbers: "-" is the weakest."""
    return (
        len(words) > 1
        and all(any(w in scale for scale in RATINGS) for w in words)
        and any("+" in w or "±" in w for w in words)
    )


def _is_result(word: str) -> bool:
    """Tell a test's result, beside which "none" says that the test was not made: a number, a limit, normal, positive."""
    return word in _MEASURED or bool(_RESULT.match(word))


def _is_symbol(word: str, words: list[str]) -> bool:
    """Tell whether Na is sodium among K and Cl, or NA a code of two letters among others."""
    others = [w for w in words if w != word and w.casefold() not in MISSING_WORDS]
    if word == "Na" and any(w in _ELEMENTS for w in others):
        return True
    return word.isupper() and len(others) > 1 and all(re.fullmatch(r"[A-Z]{2}", w) for w in others)


def missing_numbers(numbers: Numbers, counts: NDArray[np.int64], texts: pa.Array, quantity: Quantity | None) -> Codes:
    """Find numbers that stand for nothing measured: sentinels far from the rest, and zeros no living patient has.

    The arrays are over a column's distinct texts.
    """
    readable = numbers.readable
    values, n = numbers.value[readable], counts[readable]
    if len(values) < 3:
        return Codes()
    apart = [v for v in np.unique(values[np.isin(values, _SENTINELS)]) if _stands_apart(v, values, n, quantity)]
    if quantity is not None and quantity.zero_is_missing and (values == 0).any():
        return Codes(
            _written(texts, np.isin(numbers.value, [0.0, *apart])),
            0.95,
            Message(N_("A {quantity} of 0 is impossible; it stands for not measured."), {"quantity": quantity.name}),
        )
    found = apart
    highest = values.max()
    if highest not in found and _is_spike(highest, values, n):
        found.append(highest)
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
    if code < -1 and len(rest) and n[values == code].sum() >= 2 and code < -FAR_BELOW * np.abs(rest).max():
        return True
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


def _is_spike(code: float, values: NDArray[np.float64], n: NDArray[np.int64]) -> bool:
    """Say whether the highest value is a code inside the plausible range: 999 or 99.9 in many rows, far above all others."""
    if not _ALL_ALIKE.match(f"{code:g}") or code < 60:
        return False
    rows, others = int(n[values == code].sum()), values[values != code]
    if len(others) < 10 or rows < max(SPIKE_ROWS, SPIKE_SHARE * n.sum()):
        return False
    return bool(rows >= SPIKE_HEIGHT * np.median(n[values != code]) and code >= SPIKE_GAP * others.max())
