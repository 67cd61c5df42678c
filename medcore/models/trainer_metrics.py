"""The numbers that are watched while networks train."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats64 = NDArray[np.float64]


def batch_auroc(outcome: NDArray[np.integer], risk: NDArray[np.floating]) -> Floats64:
    """Return the AUROC (M,) of each member, macro-averaged one against the rest for more than two classes.

    ``outcome`` (M, n) holds class indices, −1 where there is no patient; ``risk`` is
    (M, n, C), with C = 1 the risk of the second class. Ties count half. NaN where a
    member has a single class.
    """
    if risk.shape[2] == 1:
        return _auroc(outcome == 1, outcome == 0, risk[:, :, 0])
    each = np.stack(
        [_auroc(outcome == c, (outcome != c) & (outcome >= 0), risk[:, :, c]) for c in range(risk.shape[2])]
    )
    known = np.isfinite(each)
    total = np.where(known, each, 0.0).sum(0)
    with np.errstate(invalid="ignore"):
        mean: Floats64 = total / known.sum(0)
    return mean


def _auroc(positive: NDArray[np.bool_], negative: NDArray[np.bool_], risk: NDArray[np.floating]) -> Floats64:
    """Count the pairs in order; sorting forwards and backwards gives a tied pair half in the mean."""
    pairs = np.zeros(len(risk))
    for way in (1, -1):
        order = np.argsort(risk[:, ::way], axis=1, kind="stable")
        below = np.cumsum(np.take_along_axis(negative[:, ::way], order, 1), axis=1)
        pairs += (below * np.take_along_axis(positive[:, ::way], order, 1)).sum(1)
    with np.errstate(invalid="ignore"):
        share: Floats64 = pairs / 2.0 / (positive.sum(1) * negative.sum(1))
    return share
