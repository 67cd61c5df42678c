"""Random-effects meta-analysis: the mean over sites, how far sites differ, and what to expect at another one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

from medcore.statistics.arrays import Floats

#: A prediction interval needs three sites at least (Higgins 2009, J R Stat Soc A 172:137).
FEWEST_FOR_PREDICTION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomEffectsFit:
    """The mean with its standard error and 95 % interval, the variance between sites, and I² (0–1).

    ``expected_low`` and ``expected_high`` bound what is expected at another site; NaN
    with fewer than three.
    """

    mean: float
    error: float
    low: float
    high: float
    expected_low: float
    expected_high: float
    tau2: float
    i2: float


def random_effects(values: Floats, errors: Floats) -> RandomEffectsFit:
    """Pool figures (k,) with their standard errors (k,), k ≥ 2, by restricted maximum likelihood.

    The interval of the mean is Hartung and Knapp's (2001, Stat Med 20:3875) with
    Student's t of k − 1 degrees of freedom, never narrower than the ordinary one
    (Röver 2015, BMC Med Res Methodol 15:99). The prediction interval is mean ± t of
    k − 2 degrees of freedom times the root of τ² + error² (Higgins 2009).

    >>> fit = random_effects(np.array([0.9, 1.4, 0.2, 1.1]), np.array([0.2, 0.3, 0.15, 0.25]))
    >>> round(fit.mean, 3), round(fit.tau2, 3)
    (0.862, 0.224)
    """
    k = len(values)
    tau2 = _reml(values, errors)
    weights = 1 / (errors**2 + tau2)
    mean = float((weights * values).sum() / weights.sum())
    spread = float((weights * (values - mean) ** 2).sum()) / (k - 1)
    error = math.sqrt(max(spread, 1.0) / float(weights.sum()))
    half = float(stdtrit(k - 1, 0.975)) * error
    reach = float(stdtrit(k - 2, 0.975)) * math.sqrt(tau2 + error**2) if k >= FEWEST_FOR_PREDICTION else math.nan
    return RandomEffectsFit(
        mean=mean,
        error=error,
        low=mean - half,
        high=mean + half,
        expected_low=mean - reach,
        expected_high=mean + reach,
        tau2=tau2,
        i2=_i2(errors, tau2),
    )


def _reml(values: Floats, errors: Floats) -> float:
    """Return the variance between sites that maximises the restricted likelihood; its score is 0 there, or it is 0."""

    def score(tau2: float) -> float:
        w = 1 / (errors**2 + tau2)
        mean = (w * values).sum() / w.sum()
        return float((w**2 * (values - mean) ** 2).sum() - w.sum() + (w**2).sum() / w.sum())

    if score(0.0) <= 0:
        return 0.0
    high = float(np.var(values, ddof=1)) + float((errors**2).max())
    while score(high) > 0:
        high *= 2
    return float(brentq(score, 0.0, high, xtol=1e-14, rtol=1e-14))


def _i2(errors: Floats, tau2: float) -> float:
    """Return which share of the variance is between sites (Higgins & Thompson 2002, Stat Med 21:1539)."""
    weights = 1 / errors**2
    typical = (len(errors) - 1) * weights.sum() / (weights.sum() ** 2 - (weights**2).sum())
    return float(tau2 / (tau2 + typical))
