"""The two loops over leaves that numpy cannot express; imported only where trees are explained, for numba compiles them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes
from medcore.models.coalitions.leaves import Numbers, Patterns, Trees
from medcore.models.contract.concurrency import portions
from medcore.models.contract.task import n_threads


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call, without Python's lock; kept on disk where a folder can be written to."""
    decorate: Any = partial(numba.njit, nogil=True, fastmath={"reassoc", "nsz", "contract"})
    try:
        kept: Callable[..., Any] = decorate(cache=True)(function)
    except RuntimeError:
        kept = decorate()(function)
    return kept


def reachable(
    trees: Trees, theirs: Codes, rows: Codes, players: NDArray[np.int32], n_columns: int, clock: tuple[int, int]
) -> Patterns:
    """Return the leaves that the patient (F,) mixed with each background row (m, F) can reach.

    Leaves that hang on no column or on one are summed: the first P + 1 patterns of
    every row are one for each column and one for what is always added, at each tick. ``clock`` is the
    column of F whose values are all asked about, 0 up to before its second number; −1 and 1 for none.
    """
    ways = _ways(trees.feature, trees.threshold, trees.missing, trees.missing_left, theirs[None])[0]
    tree = (trees.roots, trees.feature, trees.threshold, trees.missing, trees.missing_left, trees.left, trees.right)

    def collected(part: slice) -> tuple[NDArray[Any], ...]:
        found: tuple[NDArray[Any], ...] = _collect(*tree, trees.value, ways, rows[part], players, n_columns, clock)
        return found

    with ThreadPoolExecutor(n_threads()) as threads:
        found = list(threads.map(collected, portions(len(rows))))
    counts, want, care, value, ticks = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    begin = np.concatenate([[0], np.cumsum(counts)])
    return Patterns(begin, want, care, np.ascontiguousarray(value.T), ticks, clock[1])


def totals(patterns: Patterns, owner: NDArray[Any], masks: NDArray[np.uint8], used: NDArray[np.int64]) -> Numbers:
    """Return the sum of the reached leaves for each row of tiles of masks (T, tile, P): (T · tile, C), or C times as many as ticks."""
    words = _words(masks.reshape(-1, masks.shape[2]))
    if patterns.n_ticks > 1:
        timed = np.zeros((len(words), len(patterns.value), patterns.n_ticks + 1))
        p = patterns
        want, care = (np.ascontiguousarray(a.T) for a in (p.want, p.care))
        _add_ticks(p.begin, want, care, p.value, p.ticks, owner, used, words, masks.shape[1], timed)
        return np.asarray(np.cumsum(timed, axis=2)[:, :, :-1].reshape(len(words), -1))
    found = np.zeros((len(words), len(patterns.value)))
    add = _add_words if patterns.want.shape[1] > 1 else _add_word
    want, care = (a if patterns.want.shape[1] > 1 else a[:, 0] for a in (patterns.want, patterns.care))
    add(patterns.begin, want, care, patterns.value, owner, used, words, masks.shape[1], found)
    return found


def flipped(patterns: Patterns, rows: NDArray[Any], masks: NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
    """Return the sum of the reached leaves of composite rows, (n, C), and what having each column adds to it, (n, P, C).

    ``masks`` (n, P) says which columns of background rows (n,) are the patient's.
    """
    n, n_columns = masks.shape
    found, adds = np.zeros((n, len(patterns.value))), np.zeros((n, n_columns, len(patterns.value)))
    p = patterns
    _add_flipped(p.begin, p.want, p.care, p.value, rows, _words(masks), found, adds)
    return found, adds


def _words(masks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Write masks (n, P) as bits, (n, W)."""
    n, n_columns = masks.shape
    padded = np.zeros((n, 8 * -(-n_columns // 64)), np.uint8)
    bits = np.packbits(masks, axis=1, bitorder="little")
    padded[:, : bits.shape[1]] = bits
    return padded.view("<u8")


@compiled
def _ways(feature, threshold, missing, missing_left, rows):  # type: ignore[no-untyped-def]
    """Say of each row (n, F) whether it goes left at each split (n, N)."""
    ways = np.zeros((rows.shape[0], feature.shape[0]), np.bool_)
    for i in range(rows.shape[0]):
        for node in range(feature.shape[0]):
            if feature[node] >= 0:
                ways[i, node] = _left(rows[i, feature[node]], threshold[node], missing[node], missing_left[node])
    return ways


@compiled
def _left(value, threshold, missing, missing_left):  # type: ignore[no-untyped-def]
    if value != value:
        if missing == 2:
            return missing_left
        value = 0.0
    if missing == 1 and abs(value) <= 1e-35:
        return missing_left
    return value <= threshold


@compiled
def _collect(  # type: ignore[no-untyped-def]
    roots, feature, threshold, missing, missing_left, left, right, leaf, ways, rows, players, P, clock,
):  # fmt: skip
    """Descend every tree as both the patient and a background row; write down the leaves met, and how many a row."""
    n_words, C = (P + 63) // 64, leaf.shape[0]
    timed, J = clock
    room = 2 * (P + 1) * J * max(1, rows.shape[0])
    want, care = np.zeros((room, n_words), np.uint64), np.zeros((room, n_words), np.uint64)
    value, ticks = np.zeros((room, C)), np.zeros((room, 2), np.int16)
    counts = np.zeros(rows.shape[0], np.int64)
    at = 0
    deep = 512
    spans = np.empty((deep, 2), np.int16)
    nodes = np.empty(deep, np.int32)
    wants = np.zeros((deep, n_words), np.uint64)
    cares = np.zeros((deep, n_words), np.uint64)
    for b in range(rows.shape[0]):
        if at + (P + 1) * J > room:
            want, care, value, ticks = _roomier(want), _roomier(care), _roomier(value), _roomier(ticks)
            room *= 2
        _write_single(want, care, ticks, at, P, J)
        first, always = at, at + P * J
        at += (P + 1) * J
        for root in roots:
            top = 0
            nodes[0] = root
            spans[0, 0], spans[0, 1] = 0, J
            wants[0, :] = 0
            cares[0, :] = 0
            while top >= 0:
                node, top = _to_leaf(
                    feature, threshold, missing, missing_left, left, right, ways, rows[b], players, timed, top, nodes,
                    spans, wants, cares,
                )  # fmt: skip
                bits, last = _single(cares[top])
                if bits > 1:
                    if at == room:
                        want, care, value, ticks = _roomier(want), _roomier(care), _roomier(value), _roomier(ticks)
                        room *= 2
                    want[at, :] = wants[top, :]
                    care[at, :] = cares[top, :]
                    ticks[at, :] = spans[top, :]
                    for c in range(C):
                        value[at, c] = leaf[c, node]
                    at += 1
                else:
                    theirs = bits == 1 and (wants[top, last >> 6] >> np.uint64(last & 63)) & np.uint64(1)
                    of_column = first + last * J if bits == 1 else -1
                    _sum_single(value, leaf, node, spans[top], of_column, always, theirs)
                top -= 1
        counts[b] = at - first
    return counts, want[:at], care[:at], value[:at], ticks[:at]


@compiled
def _to_leaf(  # type: ignore[no-untyped-def]
    feature, threshold, missing, missing_left, left, right, ways, row, players, timed, top, nodes, spans, wants, cares,
):  # fmt: skip
    """Descend from the node on top as both patients; where they part, or time does, the other way is put aside below."""
    node = nodes[top]
    while left[node] >= 0:
        if feature[node] == timed:
            early = max(0, int(np.floor(threshold[node])) + 1)
            if early <= spans[top, 0]:
                node = right[node]
                continue
            if early < spans[top, 1]:  # what comes later is put aside
                if top + 2 >= len(nodes):
                    raise ValueError("a tree is too deep")
                wants[top + 1, :] = wants[top, :]
                cares[top + 1, :] = cares[top, :]
                nodes[top + 1], nodes[top] = left[node], right[node]
                spans[top + 1, 0], spans[top + 1, 1] = spans[top, 0], early
                spans[top, 0] = early
                top += 1
            node = left[node]
            continue
        mine = ways[node]
        other = _left(row[feature[node]], threshold[node], missing[node], missing_left[node])
        go = mine
        if mine != other:
            p = players[feature[node]]
            word, bit = p >> 6, np.uint64(1) << np.uint64(p & 63)
            if cares[top, word] & bit:
                go = mine if wants[top, word] & bit else other
            else:  # the background's way is put aside, the patient's is gone on
                if top + 2 >= len(nodes):
                    raise ValueError("a tree is too deep")
                wants[top + 1, :] = wants[top, :]
                cares[top, word] |= bit
                cares[top + 1, :] = cares[top, :]
                spans[top + 1, :] = spans[top, :]
                nodes[top] = left[node] if other else right[node]
                top += 1
                wants[top, word] |= bit
        node = left[node] if go else right[node]
    return node, top


@compiled
def _write_single(want, care, ticks, at, P, J):  # type: ignore[no-untyped-def]
    """Write down the patterns of leaves that hang on one column, for each column and tick, and on none."""
    for p in range((P + 1) * J):
        ticks[at + p, 0], ticks[at + p, 1] = p % J, p % J + 1
        column = p // J
        if column < P:
            want[at + p, column >> 6] = care[at + p, column >> 6] = np.uint64(1) << np.uint64(column & 63)


@compiled
def _single(cares):  # type: ignore[no-untyped-def]
    """Count the columns that a leaf hangs on (W,), up to two, and name the first."""
    bits, last = 0, 0
    for word in range(cares.shape[0]):
        rest = cares[word]
        while rest:
            low = rest & (~rest + np.uint64(1))
            bits += 1
            if bits > 1:
                break
            last = 64 * word
            while low > np.uint64(1):
                low >>= np.uint64(1)
                last += 1
            rest &= rest - np.uint64(1)
    return bits, last


@compiled
def _sum_single(value, leaf, node, span, of_column, always, theirs):  # type: ignore[no-untyped-def]
    """Add a leaf that hangs on one column, whose patterns begin at ``of_column``, or on none (−1)."""
    for c in range(leaf.shape[0]):
        for j in range(span[0], span[1]):
            if of_column >= 0:
                value[of_column + j, c] += leaf[c, node] if theirs else -leaf[c, node]
            if not theirs:
                value[always + j, c] += leaf[c, node]


@compiled
def _roomier(array):  # type: ignore[no-untyped-def]
    """Return the array with as many rows again."""
    found = np.zeros((2 * array.shape[0], array.shape[1]), array.dtype)
    found[: array.shape[0]] = array
    return found


@compiled
def _add_word(begin, want, care, value, owner, used, words, size, found):  # type: ignore[no-untyped-def]
    for t in range(owner.shape[0]):
        start, stop = begin[owner[t]], begin[owner[t] + 1]
        w, k = want[start:stop], care[start:stop]
        for i in range(t * size, t * size + used[t]):
            mixed = words[i, 0]
            for c in range(value.shape[0]):
                v = value[c, start:stop]
                total = 0.0
                for e in range(stop - start):
                    total += v[e] if mixed & k[e] == w[e] else 0.0
                found[i, c] = total


@compiled
def _add_words(begin, want, care, value, owner, used, words, size, found):  # type: ignore[no-untyped-def]
    for t in range(owner.shape[0]):
        for i in range(t * size, t * size + used[t]):
            for e in range(begin[owner[t]], begin[owner[t] + 1]):
                apart = np.uint64(0)
                for word in range(want.shape[1]):
                    apart |= (words[i, word] & care[e, word]) ^ want[e, word]
                if apart == 0:
                    for c in range(value.shape[0]):
                        found[i, c] += value[c, e]


@compiled
def _add_flipped(begin, want, care, value, rows, words, found, adds):  # type: ignore[no-untyped-def]  # noqa: C901
    """Add each leaf that a composite row reaches, or would reach if one column were the other one's."""
    for i in range(rows.shape[0]):
        for e in range(begin[rows[i]], begin[rows[i] + 1]):
            n_apart, at = 0, 0
            for word in range(want.shape[1]):
                apart = (words[i, word] & care[e, word]) ^ want[e, word]
                if apart:
                    n_apart += 2 if apart & (apart - np.uint64(1)) else 1
                    at = word
                    if n_apart > 1:
                        break
            if n_apart > 1:
                continue
            if n_apart == 0:
                for c in range(value.shape[0]):
                    found[i, c] += value[c, e]
            for word in range(want.shape[1]):
                if n_apart and word != at:
                    continue
                rest = care[e, word]
                if n_apart:
                    rest = (words[i, word] & care[e, word]) ^ want[e, word]
                while rest:
                    low = rest & (~rest + np.uint64(1))
                    column, left = 64 * word, low
                    while left > np.uint64(1):
                        left >>= np.uint64(1)
                        column += 1
                    for c in range(value.shape[0]):
                        adds[i, column, c] += value[c, e] if want[e, word] & low else -value[c, e]
                    rest &= rest - np.uint64(1)


@compiled
def _add_ticks(begin, want, care, value, ticks, owner, used, words, size, found):  # type: ignore[no-untyped-def]
    """Add each reached leaf where it begins to count and take it away where it ends, (n, C, J + 1)."""
    reached = np.zeros((begin[1:] - begin[:-1]).max() if begin.shape[0] > 1 else 0, np.bool_)
    for t in range(owner.shape[0]):
        start, stop = begin[owner[t]], begin[owner[t] + 1]
        for i in range(t * size, t * size + used[t]):
            w, k, mixed = want[0, start:stop], care[0, start:stop], words[i, 0]
            for e in range(stop - start):  # by itself, for then many are compared at a time
                reached[e] = (mixed & k[e]) == w[e]
            for word in range(1, want.shape[0]):
                w, k, mixed = want[word, start:stop], care[word, start:stop], words[i, word]
                for e in range(stop - start):
                    reached[e] &= (mixed & k[e]) == w[e]
            for e in range(stop - start):
                if reached[e]:
                    for c in range(value.shape[0]):
                        found[i, c, ticks[start + e, 0]] += value[c, start + e]
                        found[i, c, ticks[start + e, 1]] -= value[c, start + e]
