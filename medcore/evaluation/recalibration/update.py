"""The logistic recalibration logit(new) = a + b·logit(old)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from medcore.evaluation.figures.estimates import Floats
from medcore.statistics.logistic import fit_logistic, logit


@dataclass(frozen=True, slots=True)
class Update:
    """New risks from old: logit(new) = intercept + slope·logit(old).

    The two weaker ways to fit a model to new patients (Steyerberg 2004): the
    intercept alone, which mends risks too high or too low on average, or the
    slope as well, which mends risks too extreme or too timid. The ranking of
    patients stays as it was. The third way is to train again.
    """

    intercept: float
    slope: float = 1.0

    def apply(self, risk: Floats) -> Floats:
        """Return the updated risks (n,)."""
        out: Floats = expit(self.intercept + self.slope * logit(risk))
        return out

    def to_dict(self) -> dict[str, float]:
        """Return a JSON-ready form."""
        return {"intercept": self.intercept, "slope": self.slope}


def update(outcome: Floats, risk: Floats, *, slope: bool = False) -> Update | None:
    """Fit the intercept, or intercept and slope, to 0/1 ``outcome`` (n,); None when there is no finite fit."""
    x, ones = logit(risk), np.ones((len(risk), 1))
    if not slope:
        fit = fit_logistic(outcome, ones, offset=x)
        return None if fit is None else Update(float(fit.coefficients[0]))
    if np.ptp(x) < 1e-9:
        return None
    fit = fit_logistic(outcome, np.column_stack([ones, x]))
    return None if fit is None else Update(float(fit.coefficients[0]), float(fit.coefficients[1]))
