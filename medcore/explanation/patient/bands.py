"""What became of training patients whose risk was like a patient's: the interval beside a risk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import Floats
from medcore.statistics.proportions import wilson_bounds

FEWEST, MOST, SHARE = 50, 500, 0.1
"""How many training patients stand for "a risk like this": a tenth of them, within these bounds."""


def observed_band(event: NDArray[np.bool_], expected: Floats, risk: Floats) -> tuple[Floats, Floats]:
    """Return 95 % bounds (n,) of how often the outcome came at risks like those given.

    ``event`` (m,) says which training patients had the outcome and ``expected`` (m,)
    what models that had not seen them gave; ``risk`` (n,) are the risks in question.
    Each is held against the training patients nearest by risk (Wilson's interval).
    Fast enough for 100,000 patients: two sorted searches.
    """
    order = np.argsort(expected, kind="stable")
    sorted_risk, events = expected[order], np.concatenate([[0.0], np.cumsum(event[order])])
    m = len(sorted_risk)
    k = min(m, int(np.clip(SHARE * m, FEWEST, MOST)))
    left = np.clip(np.searchsorted(sorted_risk, risk) - k // 2, 0, m - k)
    return wilson_bounds(events[left + k] - events[left], np.full(len(risk), float(k)))
