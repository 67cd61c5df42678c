"""Descending trees as a patient and as a background row at once: the leaves that a composite row of both can reach.

numba compiles the loops at their first call; imported only where trees are explained.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes
from medcore.models.coalitions.compiling import compiled
from medcore.models.coalitions.leaves import Clock, Patterns, Trees, Ways
from medcore.models.contract.concurrency import portions
from medcore.models.contract.task import n_threads

_DEEPEST = 512
"""Ways put aside at a time at most: a tree that needs more is refused."""


def ways(trees: Trees, rows: Codes) -> Ways:
    """Say of each row (m, F) whether it goes left at each split, (m, N)."""
    found: Ways = _ways(trees.feature, trees.threshold, trees.missing, trees.missing_left, rows)
    return found


def reachable(
    trees: Trees, mine: Ways, others: Ways, players: NDArray[np.int32], n_columns: int, clock: Clock
) -> Patterns:
    """Return the leaves that the patient mixed with each background row can reach.

    ``mine`` (N,) and ``others`` (m, N) say who goes left where, ``players`` of which column each code is. Leaves that
    hang on no column or on one are summed. ``clock`` is the code whose values are all asked about, 0 up to before
    its second number; −1 and 1 for none.
    """
    timed, n_ticks = clock
    early = np.full(len(trees.feature), -1, np.int16)
    at_time = (trees.feature == timed) & (trees.left >= 0) & (n_ticks > 1)
    early[at_time] = np.clip(np.floor(trees.threshold[at_time]) + 1, 0, n_ticks)
    owners = np.append(players, 0).astype(np.int16)[np.where(early >= 0, -1, np.maximum(trees.feature, 0))]
    tree = (trees.roots, trees.left, trees.right, owners, early, mine)

    def collected(part: slice) -> tuple[NDArray[Any], ...]:
        found: tuple[NDArray[Any], ...] = _collect(*tree, others[part], trees.value, n_columns, n_ticks)
        return found

    with ThreadPoolExecutor(n_threads()) as threads:
        found = list(threads.map(collected, portions(len(others))))
    counts, want, care, leaf, ticks, alone = (
        arrays[0] if len(arrays) == 1 else np.concatenate(arrays) for arrays in zip(*found, strict=True)
    )
    begin = np.concatenate([[0], np.cumsum(counts)])
    return Patterns(begin, want, care, trees.value[:, leaf], ticks, n_ticks, alone)


@compiled
def _ways(feature, threshold, missing, missing_left, rows):  # type: ignore[no-untyped-def]
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
def _collect(roots, left, right, owner, early, mine, others, value, P, J):  # type: ignore[no-untyped-def]  # noqa: C901
    """Descend every tree as both the patient and a background row; write down the leaves met, and how many a row.

    Where the two part, or time does, one way is put aside and gone later.
    """
    m, C, W = others.shape[0], value.shape[0], (P + 63) // 64
    room = max(1024, 8 * roots.shape[0] * m)
    want, care = np.empty((room, W), np.uint64), np.empty((room, W), np.uint64)
    leaf, ticks = np.empty(room, np.int32), np.empty((room, 2), np.int16)
    alone = np.zeros((m, P + 1, C, J + 1))
    counts = np.zeros(m, np.int64)
    nodes, span, hangs = np.empty(_DEEPEST, np.int32), np.empty((_DEEPEST, 2), np.int16), np.empty(_DEEPEST, np.int16)
    wants, cares = np.zeros((_DEEPEST, W), np.uint64), np.zeros((_DEEPEST, W), np.uint64)
    one, at = np.uint64(1), 0
    for b in range(m):
        first = at
        for root in roots:
            top = 0
            nodes[0], span[0, 0], span[0, 1], hangs[0] = root, 0, J, P
            wants[0, :] = 0
            cares[0, :] = 0
            while top >= 0:
                node, low, high, hang = nodes[top], span[top, 0], span[top, 1], hangs[top]
                while left[node] >= 0:
                    if top + 2 > _DEEPEST:
                        raise ValueError("a tree is too deep")
                    if early[node] >= 0:
                        if early[node] <= low:
                            node = right[node]
                            continue
                        if early[node] < high:  # what comes later is put aside
                            nodes[top], span[top, 0], span[top, 1], hangs[top] = right[node], early[node], high, hang
                            top = _again(wants, cares, top)
                            high = early[node]
                        node = left[node]
                        continue
                    go = mine[node]
                    if go != others[b, node]:
                        word, bit = owner[node] >> 6, one << np.uint64(owner[node] & 63)
                        if cares[top, word] & bit:
                            go = go == ((wants[top, word] & bit) > 0)
                        else:  # the background's way is put aside, the patient's is gone on
                            hang = owner[node] if hang == P else -1
                            nodes[top], span[top, 0], span[top, 1] = right[node] if go else left[node], low, high
                            hangs[top] = hang
                            cares[top, word] |= bit
                            top = _again(wants, cares, top)
                            wants[top, word] |= bit
                    node = left[node] if go else right[node]
                if hang < 0:
                    if at == room:
                        room *= 2
                        want, care, ticks, leaf = _roomier(want), _roomier(care), _roomier(ticks), _longer(leaf)
                    for word in range(W):
                        want[at, word], care[at, word] = wants[top, word], cares[top, word]
                    leaf[at], ticks[at, 0], ticks[at, 1] = node, low, high
                    at += 1
                else:
                    theirs = hang < P and (wants[top, hang >> 6] >> np.uint64(hang & 63)) & one
                    _sum(alone[b], value[:, node], hang, theirs, low, high)
                top -= 1
        counts[b] = at - first
    return counts, want[:at], care[:at], leaf[:at], ticks[:at], alone


@compiled
def _again(wants, cares, top):  # type: ignore[no-untyped-def]
    """Go on above what was put aside, from the same leaves; return where."""
    for word in range(wants.shape[1]):
        wants[top + 1, word], cares[top + 1, word] = wants[top, word], cares[top, word]
    return top + 1


@compiled
def _sum(alone, value, hang, theirs, low, high):  # type: ignore[no-untyped-def]
    """Add a leaf that hangs on no column, or on one, to the sums of a background row (P + 1, C, J + 1)."""
    P = alone.shape[0] - 1
    for c in range(value.shape[0]):
        v = value[c]
        if hang < P:
            gained = v if theirs else -v
            alone[hang, c, low] += gained
            alone[hang, c, high] -= gained
        if not theirs:
            alone[P, c, low] += v
            alone[P, c, high] -= v


@compiled
def _longer(array):  # type: ignore[no-untyped-def]
    """Return the array (n,) with as many places again."""
    found = np.empty(2 * array.shape[0], array.dtype)
    found[: array.shape[0]] = array
    return found


@compiled
def _roomier(array):  # type: ignore[no-untyped-def]
    """Return the array with as many rows again."""
    found = np.empty((2 * array.shape[0], array.shape[1]), array.dtype)
    found[: array.shape[0]] = array
    return found
