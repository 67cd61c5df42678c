"""Loops over the leaves that composite rows reach; imported only where trees are explained, for numba compiles them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.models.coalitions.compiling import compiled
from medcore.models.coalitions.leaves import Numbers, Patterns


def totals(patterns: Patterns, owner: NDArray[Any], masks: NDArray[np.uint8], used: NDArray[np.int64]) -> Numbers:
    """Return the sum of the reached leaves for each row of tiles of masks (T, tile, P): (T · tile, C), or C times as many as ticks."""
    p, size = patterns, masks.shape[1]
    words = _words(masks.reshape(-1, masks.shape[2]))
    found = np.zeros((len(words), len(p.value), p.n_ticks + 1))
    _add_alone(p.alone, owner, used, masks, found)
    if p.n_ticks > 1:
        want, care = (np.ascontiguousarray(a.T) for a in (p.want, p.care))
        _add_ticks(p.begin, want, care, p.value, p.ticks, owner, used, words, size, found)
        return np.asarray(np.cumsum(found, axis=2)[:, :, :-1].reshape(len(words), -1))
    add = _add_words if p.want.shape[1] > 1 else _add_word
    want, care = (a if p.want.shape[1] > 1 else a[:, 0] for a in (p.want, p.care))
    add(p.begin, want, care, p.value, owner, used, words, size, found)
    return np.ascontiguousarray(found[:, :, 0])


def flipped(patterns: Patterns, rows: NDArray[Any], masks: NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
    """Return the sum of the reached leaves of composite rows, (n, C), and what having each column adds to it, (n, P, C).

    ``masks`` (n, P) says which columns of background rows (n,) are the patient's.
    """
    p, adds = patterns, np.ascontiguousarray(patterns.alone[rows, :-1, :, 0])
    found = patterns.alone[rows, -1, :, 0] + np.einsum("np,npc->nc", masks, adds)
    _add_flipped(p.begin, p.want, p.care, p.value, rows, _words(masks), found, adds)
    return found, adds


def shapley_values(patterns: Patterns) -> Numbers:
    """Return the Shapley values (m, P, C) of the sum of the reached leaves, each row of the background by itself, exactly.

    A leaf that is reached with a columns of the patient and without n others is a game whose values are known: each of
    the former has (a − 1)! n! / (a + n)! of it, each of the latter −a! (n − 1)! / (a + n)!.
    """
    found = np.ascontiguousarray(patterns.alone[:, :-1, :, 0])
    _share_out(patterns.begin, patterns.want, patterns.care, patterns.value, _shares(found.shape[1]), found)
    return found


@lru_cache(maxsize=4)
def _shares(n_columns: int) -> Numbers:
    """Return (a − 1)! n! / (a + n)! by a and n, 0 for no a."""
    from scipy.special import beta

    sizes = np.arange(n_columns + 1)
    found = np.zeros((n_columns + 1, n_columns + 1))
    found[1:] = beta(sizes[1:, None], sizes + 1)
    return found


def _words(masks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Write masks (n, P) as bits, (n, W)."""
    n, n_columns = masks.shape
    padded = np.zeros((n, 8 * -(-n_columns // 64)), np.uint8)
    bits = np.packbits(masks, axis=1, bitorder="little")
    padded[:, : bits.shape[1]] = bits
    return padded.view("<u8")


@compiled
def _add_alone(alone, owner, used, masks, found):  # type: ignore[no-untyped-def]
    """Add the leaves that hang on one column or on none, (n, C, J + 1)."""
    n_columns, size = masks.shape[2], masks.shape[1]
    for t in range(owner.shape[0]):
        always, each = alone[owner[t], n_columns], alone[owner[t]]
        for i in range(used[t]):
            own = found[t * size + i]
            own[:] = always
            for p in range(n_columns):
                if masks[t, i, p]:
                    for c in range(own.shape[0]):
                        for j in range(own.shape[1]):
                            own[c, j] += each[p, c, j]


@compiled
def _share_out(begin, want, care, value, shares, found):  # type: ignore[no-untyped-def]
    """Add each leaf's Shapley values, (m, P, C)."""
    for b in range(begin.shape[0] - 1):
        for e in range(begin[b], begin[b + 1]):
            a, n = 0, 0
            for word in range(want.shape[1]):
                a += _count(want[e, word])
                n += _count(care[e, word] ^ want[e, word])
            for word in range(want.shape[1]):
                rest = care[e, word]
                while rest:
                    low = rest & (~rest + np.uint64(1))
                    share = shares[a, n] if want[e, word] & low else -shares[n, a]
                    column = 64 * word + _count(low - np.uint64(1))
                    for c in range(value.shape[0]):
                        found[b, column, c] += share * value[c, e]
                    rest ^= low


@compiled
def _count(bits):  # type: ignore[no-untyped-def]
    """Count the bits that are set."""
    bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
    bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))


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
                found[i, c, 0] += total


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
                        found[i, c, 0] += value[c, e]


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
