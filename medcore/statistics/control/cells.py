"""How far apart patients and those of a reference are in a column, counted in cells, and how far by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.statistics.arrays import Floats

FEWEST_EXPECTED = 5.0
"""Cells in which fewer patients of either side are expected are put together (Cochran 1954, Biometrics 10:417)."""


@dataclass(frozen=True, slots=True)
class CellDifference:
    """The standardised ``difference`` of two distributions over cells, and the ``limit`` that chance alone passes at the rate."""

    difference: float
    limit: float


def cell_difference(reference: Floats, counts: Floats, rate: float) -> CellDifference | None:
    """Compare ``counts`` (C,) in cells with those of a ``reference`` (C,); None where fewer than two cells can be told.

    The difference is √(χ² · (1/n + 1/m)), χ² Pearson's: in standard deviations, for two cells the standardised
    difference of a share with its pooled variance (Yang & Dalton 2012 with the pooled in the place of the mean
    covariance). By chance n + m patients alike have a χ² with one degree of freedom less than there are cells.

    >>> found = cell_difference(np.array([500.0, 500]), np.array([60.0, 40]), 0.05)
    >>> round(found.difference, 3), round(found.limit, 3)
    (0.2, 0.206)
    """
    from scipy.special import chdtri

    n, m = float(counts.sum()), float(reference.sum())
    if not n or not m:
        return None
    share = (counts + reference) / (n + m)
    large = share * min(n, m) >= FEWEST_EXPECTED
    rest = share[~large].sum()
    kept = share[large]
    now, before = counts[large], reference[large]
    if rest * min(n, m) >= FEWEST_EXPECTED:
        kept, now, before = (
            np.append(part, more)
            for part, more in ((kept, rest), (now, counts[~large].sum()), (before, reference[~large].sum()))
        )
    elif len(kept) and rest:
        place = int(np.argmin(kept))
        kept, now, before = kept.copy(), now.copy(), before.copy()
        kept[place] += rest
        now[place] += counts[~large].sum()
        before[place] += reference[~large].sum()
    if len(kept) < 2:
        return None
    squared = float((((now - n * kept) ** 2) / (n * kept) + ((before - m * kept) ** 2) / (m * kept)).sum())
    spread = 1 / n + 1 / m
    return CellDifference(float(np.sqrt(squared * spread)), float(np.sqrt(chdtri(len(kept) - 1, rate) * spread)))
