"""Resampling patients quickly: how often each is drawn, and that summed over cells of equal risk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medcore.evaluation.figures.estimates import Floats

Ints = NDArray[np.int64]

#: Cells of risk within which patients are taken together when resampling: with
#: fewer distinct risks than this nothing is rounded.
MAX_BINS = 2000
_BUDGET = 20_000_000
_KEPT_COUNTS = 4_000_000
"""Counts of so many draws, 16 MB, are kept for the next who ask for the same; to count more takes longer than to look at them."""


def default_n_boot(n_rows: int) -> int:
    """Return how many tables to draw: 1,000, or as few as 200 for very large tables.

    >>> default_n_boot(300), default_n_boot(100_000)
    (1000, 200)
    """
    return int(np.clip(_BUDGET // max(n_rows, 1), 200, 1000))


@dataclass(frozen=True, slots=True)
class Draws:
    """How often each row was drawn in each of ``n_boot`` resampled tables.

    ``counts`` has shape (n_boot, n_units), a unit being a patient; ``unit`` maps
    each row to its patient, so that all rows of a patient are drawn together.
    """

    counts: NDArray[np.float32]
    unit: Ints
    clustered: bool

    def by_cell(self, cell: Ints, n_cells: int, weights: Floats | None = None) -> Floats:
        """Sum the drawn rows, or their weights, over cells; shape (n_boot, n_cells). ``cell`` is one cell a row."""
        order = np.argsort(cell, kind="stable")
        present, starts = np.unique(cell[order], return_index=True)
        out = np.zeros((len(self.counts), n_cells))
        columns = self.unit[order]
        for i in range(0, len(self.counts), 50):
            block = self.counts[i : i + 50][:, columns]
            rows = block if weights is None else block * weights[order]
            out[i : i + 50, present] = np.add.reduceat(rows, starts, axis=1)
        return out


def draw(n_rows: int, groups: Ints | None, *, n_boot: int, seed: int) -> Draws:
    """Draw patients with replacement ``n_boot`` times (rows, where ``groups`` is None)."""
    if groups is None:
        unit, n_units = np.arange(n_rows), n_rows
    else:
        names, unit = np.unique(groups, return_inverse=True)
        n_units = len(names)
    counts = (_kept_counts if n_boot * n_units <= _KEPT_COUNTS else _counts)(n_units, n_boot, seed)
    return Draws(counts, unit.astype(np.int64), groups is not None)


def _counts(n_units: int, n_boot: int, seed: int) -> NDArray[np.float32]:
    """Count how often each unit is drawn in each table, (n_boot, n_units)."""
    rng = np.random.default_rng(seed)
    counts = np.empty((n_boot, n_units), dtype=np.float32)
    for b in range(n_boot):
        counts[b] = np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)
    counts.flags.writeable = False
    return counts


# Every candidate of a run, and each of its members, is judged on the same rows and resampled in the same way.
_kept_counts = lru_cache(maxsize=4)(_counts)


def sums(cell: Ints, weights: Floats, n_cells: int = 0) -> Floats:
    """Add up the weights of the rows in each cell; shape (n_cells,), or as many as occur."""
    return np.bincount(cell, weights=weights, minlength=n_cells).astype(np.float64)


def clustered_variance(influence: Floats, groups: Ints | None) -> float:
    """Return the variance of a statistic from what each row adds to its error.

    The square of each row's influence is summed; with ``groups`` a patient's rows
    are first added up, and G/(G-1) corrects for few patients.
    """
    pull = by_patient(influence, groups)
    if groups is None:
        return float(pull @ pull)
    return float(pull @ pull) * len(pull) / max(len(pull) - 1, 1)


def effective_number(hit: NDArray[np.bool_], inside: NDArray[np.bool_], groups: Ints) -> float:
    """Return of how many patients of one row a share of the rows ``inside`` (n,) would be as sure; ``hit`` (n,) are those counted."""
    n = int(inside.sum())
    share = hit.sum() / n if n else np.nan
    variance = clustered_variance(np.where(inside, hit - share, 0.0) / n, groups) if n else 0.0
    return (
        float(np.clip(share * (1 - share) / variance, 1, n)) if variance > 0 else float(len(np.unique(groups[inside])))
    )


def by_patient(influence: Floats, groups: Ints | None) -> Floats:
    """Add up what the rows of each patient add to an error; the rows themselves without ``groups``."""
    if groups is None:
        return influence
    _, unit = np.unique(groups, return_inverse=True)
    return sums(unit.astype(np.int64), influence)


def risk_bins(risk: Floats, max_bins: int = MAX_BINS) -> tuple[Ints, int]:
    """Give each row the number of its bin of risk, ascending; equal risks share a bin.

    Every distinct risk is its own bin up to ``max_bins`` of them; beyond that,
    bins hold about equally many rows.
    """
    _, inverse, counts = np.unique(risk, return_inverse=True, return_counts=True)
    if len(counts) <= max_bins:
        return inverse.astype(np.int64), len(counts)
    before = np.cumsum(counts) - counts
    coarse = before * max_bins // len(risk)
    _, coarse = np.unique(coarse, return_inverse=True)
    return coarse[inverse].astype(np.int64), int(coarse[-1]) + 1
