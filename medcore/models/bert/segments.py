"""Notes as what a BERT reads of them: their distinct segments, and what the frozen layers make of each, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from scipy import sparse

from medcore.errors import SettingsError
from medcore.features import CodedColumn, Rows
from medcore.features.text.encoder import rows_of
from medcore.features.text.pieces import Segment, segments_of
from medcore.i18n import N_
from medcore.models.bert.layers import PackedSegments, embedded, layer, packed
from medcore.models.bert.weights import Frozen

Floats = NDArray[np.float32]
AT_ONCE = 4_096
"""Tokens that are read together, about: their inner units are some 25 MB."""
_MEMORY = 0.5
"""The share of the free memory that what is kept of the frozen layers may take."""


@dataclass(frozen=True, slots=True, eq=False)
class Notes:
    """The notes of some rows: their distinct ``segments`` (S), and a sparse matrix a column of notes, (n, S).

    A row of such a matrix times the totals of the segments' tokens is the mean over the note's tokens; 0 without a note.
    """

    segments: tuple[Segment, ...]
    shares: tuple[Any, ...]

    @classmethod
    def of(cls, rows: Rows, places: Sequence[int]) -> Notes:
        """Read the columns at ``places`` of rows."""
        known: dict[Segment, int] = {}
        shares = [_shares(rows.column(int(place)), known) for place in places]
        resized = []
        for found in shares:
            found.resize((len(rows), len(known)))
            resized.append(found)
        return cls(tuple(known), tuple(resized))

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which notes say anything, (n, C)."""
        return np.stack([np.diff(found.indptr) > 0 for found in self.shares], axis=1)

    def take(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[Floats]]:
        """Return the segments that some rows have, (U,), and each column's matrix of these alone, (n, U)."""
        own = [found[rows] for found in self.shares]
        used = np.unique(np.concatenate([found.indices for found in own])).astype(np.int64)
        return used, [np.asarray(found[:, used].toarray(), np.float32) for found in own]


def _shares(column: CodedColumn, known: dict[Segment, int]) -> Any:
    """Return the matrix of one column, and note its segments among those that are ``known``."""
    there = np.flatnonzero(~np.isnan(column.codes))
    codes, which = np.unique(column.codes[there], return_inverse=True)
    places, values, ends = [], [], [0]
    for row in rows_of(CodedColumn(codes, column.payload)):
        said = segments_of(row)
        places += [known.setdefault(segment, len(known)) for segment in said]
        values += [1.0 / max(1, sum(len(segment) + 2 for segment in said))] * len(said)
        ends.append(len(places))
    # One row more, without a note, for those that have none; coalitions repeat the notes of a few patients many times.
    every = sparse.csr_matrix((np.array(values, np.float32), places, [*ends, ends[-1]]), (len(codes) + 1, len(known)))
    every.sum_duplicates()
    own = np.full(len(column), len(codes))
    own[there] = which
    return every[own]


@dataclass(frozen=True, slots=True, eq=False)
class Activations:
    """What the frozen layers make of segments: tokens (T, H) in half precision, and where each segment begins, (S + 1,)."""

    tokens: NDArray[np.float16]
    starts: NDArray[np.int64]

    def batch(self, segments: NDArray[np.int64]) -> tuple[Floats, PackedSegments]:
        """Lay some segments one after the other."""
        lengths = np.diff(self.starts)[segments]
        at = packed(lengths)
        rows = self.starts[segments][at.owner] + at.within
        return self.tokens[rows].astype(np.float32), at


def read_frozen(
    frozen: Frozen, segments: Sequence[Segment], tell: Callable[[float], None] = lambda _share: None
) -> Activations:
    """Let the frozen layers read segments; ``tell`` hears the share that is done, and may stop it.

    Raises:
        SettingsError: what they make of the notes does not fit in memory.

    """
    told = [frozen.tokens(segment) for segment in segments]
    lengths = np.array([len(tokens) for tokens in told], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    _check_fits(int(starts[-1]) * frozen.shape.width * 2)
    found = np.empty((int(starts[-1]), frozen.shape.width), np.float16)
    run = _program(frozen)
    for some in in_batches(lengths):
        at = packed(lengths[some])
        found[starts[some.start] : starts[some.stop]] = run(np.concatenate(told[some]), *at).numpy().astype(np.float16)
        tell(some.stop / len(told))
    return Activations(found, starts)


@lru_cache(maxsize=2)
def _program(frozen: Frozen) -> Callable[..., Any]:
    """Return the program of these frozen layers, compiled once: tokens (T,) and how they lie → (T, H)."""
    import tensorflow as tf

    placing = {name: tf.constant(a) for name, a in frozen.placing.items()}
    layers = [{name: tf.constant(a) for name, a in weights.items()} for weights in frozen.layers]

    def program(tokens: Any, *at: Any) -> Any:
        x = embedded(frozen.shape, placing, tokens, PackedSegments(*at))
        for weights in layers:
            x = layer(frozen.shape, weights, x, PackedSegments(*at))
        return x

    run: Callable[..., Any] = tf.function(program, autograph=False, input_signature=[_numbers(1), *signature()])
    return run


def in_batches(lengths: NDArray[np.int64]) -> Iterator[slice]:
    """Part segments in their order into batches of at most :data:`AT_ONCE` tokens.

    >>> list(in_batches(np.array([3000, 1000, 500])))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    start, held = 0, 0
    for place, length in enumerate(lengths.tolist()):
        if held and held + length > AT_ONCE:
            yield slice(start, place)
            start, held = place, 0
        held += length
    if held:
        yield slice(start, len(lengths))


def _numbers(rank: int) -> Any:
    import tensorflow as tf

    return tf.TensorSpec((None,) * rank, tf.int32)


def signature() -> tuple[Any, ...]:
    """Return what :class:`PackedSegments` is to a program that takes segments of any number and length."""
    return _numbers(2), _numbers(1), _numbers(1), _numbers(1)


def _check_fits(needed: int) -> None:
    free = int(psutil.virtual_memory().available * _MEMORY)
    if needed > free:
        raise SettingsError(
            N_(
                "What BERT reads of these notes takes about {needed} GB of memory, and {free} GB may be used. "
                "Train on fewer patients, or choose another model."
            ),
            needed=f"{needed / 1e9:.1f}",
            free=f"{free / 1e9:.1f}",
        )
