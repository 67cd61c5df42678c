"""How far apart two groups of patients are in a column, in units that do not depend on the column's."""

from __future__ import annotations

import numpy as np

from medcore.statistics.arrays import Floats


def standardised_difference(mean_a: float, sd_a: float, mean_b: float, sd_b: float) -> float | None:
    """Return |a − b| over the root of the mean variance (Austin 2009, Stat Med 28:3083); None without any spread.

    >>> standardised_difference(1.0, 2.0, 2.0, 2.0)
    0.5
    """
    spread = float(np.sqrt((sd_a**2 + sd_b**2) / 2))
    return abs(mean_a - mean_b) / spread if spread > 0 else None


def category_difference(p: Floats, q: Floats) -> float | None:
    """Return the standardised difference of two distributions (L,) over levels (Yang & Dalton 2012, SAS Global Forum 335).

    The first level is the reference; None with fewer than two levels.
    """
    if len(p) < 2:
        return None
    p, q = p[1:], q[1:]
    spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    squared = (p - q) @ np.linalg.pinv(spread) @ (p - q)
    return float(np.sqrt(max(float(squared), 0.0)))


def total_variation(p: Floats, q: Floats) -> float:
    """Return which share (0–1) of a distribution (L,) has to move to make it the other."""
    return float(np.abs(p - q).sum() / 2)
