"""Proportions: Wilson's score interval, and the test that several are equal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medcore.statistics.arrays import Floats

#: Two-sided 95 % point of the normal distribution.
Z95 = 1.959963984540054


def wilson_bounds(successes: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the 95 % bounds of the proportions successes/n (Wilson 1927, JASA 22:209), numbers or arrays, n > 0.

    >>> [round(float(bound), 3) for bound in wilson_bounds(8, 10)]
    [0.49, 0.943]
    """
    successes, n = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    p, z2 = successes / n, Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = np.where(successes <= 0, 0.0, np.maximum(0.0, centre - half))
    high = np.where(successes >= n, 1.0, np.minimum(1.0, centre + half))
    return low, high


def equal_proportions_p(successes: Floats, totals: Floats) -> float:
    """Return Pearson's chi-squared p-value that K groups (K,) share one proportion, for two with Yates' correction.

    As ``scipy.stats.chi2_contingency`` has it, without the 0.4 s of importing ``scipy.stats``. At least one success
    and one failure are needed.

    >>> round(equal_proportions_p(np.array([8.0, 2.0]), np.array([10.0, 10.0])), 5)
    0.02535
    """
    from scipy.special import chdtrc

    observed = np.stack([successes, totals - successes])
    expected = observed.sum(1, keepdims=True) * totals / totals.sum()
    away = np.abs(observed - expected)
    if len(totals) == 2:
        away -= np.minimum(0.5, away)
    return float(chdtrc(len(totals) - 1, (away**2 / expected).sum()))
