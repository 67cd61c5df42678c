"""Trees as one list of nodes, and the leaves that a composite row can reach as bit patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Ways = NDArray[np.bool_]
"""Who goes left at which split."""
Clock = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees in one list of N nodes; a leaf has no left child (−1) and ``value`` (C, N).

    A split sends left what is at most ``threshold``; ``missing`` says what counts as
    missing and ``missing_left`` where that goes.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Numbers
    missing: NDArray[np.int8]
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Numbers


@dataclass(frozen=True, slots=True)
class Patterns:
    """For every background row b, the leaves ``begin[b]`` to ``begin[b + 1]``: reached when ``mixed & care == want``.

    ``want`` and ``care`` have shape (E, W), 64 columns a word; ``value`` is (C, E). Where the trees are asked about
    ``n_ticks`` values of a further column, a leaf counts from tick ``ticks[e, 0]`` until before ``ticks[e, 1]``.
    ``alone`` (m, P + 1, C, J + 1) are the sums of the leaves that hang on one column alone, as what having it adds,
    and last of what is there without any of these: each where it begins to count, less where it ends.
    """

    begin: NDArray[np.int64]
    want: NDArray[np.uint64]
    care: NDArray[np.uint64]
    value: Numbers
    ticks: NDArray[np.int16]
    n_ticks: int
    alone: Numbers
