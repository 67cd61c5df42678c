"""Small counts in a table with totals: which cells must be hidden so that none can be worked out by subtraction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
FEWEST_TOLD = 5
"""Fewer patients than this in a cell could be recognised in an export (clinical practice: n < 5)."""
HIDDEN = "*"


def hidden_cells(counts: Counts) -> Mask:
    """Say which cells of a table of counts ``(R, 1 + S)`` are hidden: the first column holds the rows' totals.

    Counts of 1 to 4 are hidden (primary suppression) and as few others as needed so
    that no hidden cell follows from what is shown, the columns' totals being known
    (complementary suppression). What is hidden in the first column depends on that column
    alone, so that two tables of the same patients by different strata hide the same there.
    """
    hidden = (counts > 0) & (counts < FEWEST_TOLD)
    if hidden[:, 0].sum() == 1 and len(counts) > 1:
        hidden[_smallest(counts[:, 0], ~hidden[:, 0]), 0] = True
    while (found := np.argwhere(determined(hidden))).size:
        more = _loop(counts, hidden, *found[0])
        if not (more & ~hidden).any():
            hidden |= counts > 0
            hidden[:, 0] = (counts[:, 0] > 0) if determined(hidden).any() else hidden[:, 0]
            break
        hidden |= more
    if _follows(counts, hidden):
        hidden[:, 1:] = True
    return hidden


def shown_counts(counts: Counts) -> list[list[str]]:
    """Write a table of counts ``(R, 1 + S)``, rows' totals first, with a mark for what :func:`hidden_cells` hides.

    >>> shown_counts(np.array([[60, 40, 20], [23, 20, 3], [31, 20, 11]]))
    [['60', '40', '20'], ['23', '*', '*'], ['31', '*', '*']]
    """
    hidden = hidden_cells(counts)
    return [
        [HIDDEN if mark else str(n) for n, mark in zip(*row, strict=True)]
        for row in zip(counts.tolist(), hidden.tolist(), strict=True)
    ]


def _follows(counts: Counts, hidden: Mask) -> bool:
    """Say whether a small hidden count follows after all because no count is below 0: linear programming tells.

    Where all patients are in one row, its cells are the columns' totals, which a table's head says anyway.
    """
    if (counts[:, 0] > 0).sum() < 2:
        return False
    small = np.argwhere(hidden & (counts > 0) & (counts < FEWEST_TOLD))
    return any(
        _highest(counts, hidden, tuple(cell)) + _highest(counts, hidden, tuple(cell), sign=-1.0) < 0.5 for cell in small
    )


def _highest(counts: Counts, hidden: Mask, cell: tuple[int, ...], *, sign: float = 1.0) -> float:
    """Return the highest value (times ``sign``) of a hidden cell that agrees with all that is shown."""
    places = np.argwhere(hidden)
    shown = np.where(hidden, 0, counts)
    equations = _equations(places, hidden.shape)
    right = np.concatenate([shown[:, 1:].sum(axis=1) - shown[:, 0], counts.sum(axis=0) - shown.sum(axis=0)])
    goal = -sign * (places == cell).all(axis=1).astype(float)
    found = linprog(goal, A_eq=equations, b_eq=right, bounds=(0, None), method="highs")
    return float(-found.fun) if found.status == 0 else np.inf


def _equations(places: npt.NDArray[np.intp], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Write down that rows add up to their first cell and columns to a known total: ``(R + 1 + S, hidden cells)``."""
    equations = np.zeros((sum(shape), len(places)))
    for at, (row, column) in enumerate(places):
        equations[row, at] = 1.0 if column == 0 else -1.0
        equations[shape[0] + column, at] = 1.0
    return equations


def determined(hidden: Mask) -> Mask:
    """Say which hidden cells follow from the others: rows add up to their first cell, columns to a known total."""
    places = np.argwhere(hidden)
    result = np.zeros_like(hidden)
    if not len(places):
        return result
    _u, sizes, vectors = np.linalg.svd(_equations(places, hidden.shape), full_matrices=True)
    free = vectors[int((sizes > 1e-9).sum()) :]
    result[tuple(places.T)] = (np.abs(free) < 1e-9).all(axis=0)
    return result


def _loop(counts: Counts, hidden: Mask, row: int, column: int) -> Mask:
    """Return the cheapest cells that close a rectangle with a cell: then it can be moved against them."""
    best, cheapest = np.zeros_like(hidden), np.inf
    for other_row in range(len(counts)):
        for other in range(1, counts.shape[1]):
            if other_row == row or other == column:
                continue
            if column == 0 and not hidden[other_row, 0]:
                continue
            cells = [(row, other), (other_row, column), (other_row, other)]
            price = sum(0.0 if hidden[c] else float(counts[c]) + (1e9 if counts[c] == 0 else 0.0) for c in cells)
            if price < cheapest and not all(hidden[c] for c in cells):
                best, cheapest = np.zeros_like(hidden), price
                for cell in cells:
                    best[cell] = True
    return best


def _smallest(counts: Counts, allowed: Mask) -> int:
    price = np.where(allowed & (counts > 0), counts.astype(np.float64), np.inf)
    return int(np.argmin(np.where(np.isfinite(price).any(), price, np.where(allowed, 0.0, np.inf))))
