"""Calibration slope and calibration in the large: logistic regression of what happened on the log odds of the risk."""

from __future__ import annotations

import numpy as np

from medcore.statistics.arrays import Floats
from medcore.statistics.logistic import LogisticFit, fit_logistic, logit

#: Log odds that differ by less are one risk for all: no slope can be told.
_CONSTANT = 1e-9


def slope_fit(outcome: Floats, risk: Floats, weights: Floats | None = None) -> LogisticFit | None:
    """Fit logit(y) ~ a + b·logit(p) to 0/1 ``outcome`` and ``risk`` (n,); the slope b is the last coefficient.

    None when the risks do not differ or separate the outcomes perfectly (Cox 1958,
    Biometrika 45:562).
    """
    x = logit(risk)
    if np.ptp(x) <= _CONSTANT or outcome.min() == outcome.max() or _separated(outcome, risk):
        return None
    return fit_logistic(outcome, np.column_stack([np.ones(len(x)), x]), weights=weights)


def in_the_large_fit(outcome: Floats, risk: Floats, weights: Floats | None = None) -> LogisticFit | None:
    """Fit the intercept with logit(p) as offset; None when all have the same outcome."""
    if outcome.min() == outcome.max():
        return None
    return fit_logistic(outcome, np.ones((len(risk), 1)), offset=logit(risk), weights=weights)


def _separated(outcome: Floats, risk: Floats) -> bool:
    """Whether some risk lies between all events and all others."""
    events, others = risk[outcome == 1], risk[outcome != 1]
    return bool(events.min() > others.max() or others.min() > events.max())
