"""How much a model's performance differs between sites beyond chance, and what to expect at another site."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import t

from medcore.evaluation.figures.estimates import NAN, Estimate, Floats
from medcore.evaluation.groups.subgroups import Subgroup
from medcore.i18n import N_, Message
from medcore.statistics.proportions import Z95

#: A prediction interval needs three sites at least (Higgins 2009, J R Stat Soc A 172:137).
FEWEST_SITES = 3
MEASURES = ("auroc", "calibration_intercept", "calibration_slope")
MEANING = N_(
    "I² is the share of the differences between sites that chance does not explain. The prediction interval says "
    "between which values the figure is expected at another site like these; with few sites it is wide."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heterogeneity:
    """One figure over several sites, in a random-effects meta-analysis (DerSimonian and Laird 1986).

    ``mean`` has the interval of the average over sites, ``low`` and ``high`` bound
    what is expected at a new site (NaN with fewer than three). ``i2`` is 0–1. The
    AUROC is averaged on the log-odds scale (Snell 2018, Stat Methods Med Res 27:3505).
    """

    measure: str
    mean: Estimate
    low: float
    high: float
    i2: float
    n_sites: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        bounds = {"low": self.low, "high": self.high, "i2": self.i2}
        return {
            "measure": self.measure,
            "mean": self.mean.to_dict(),
            "n_sites": self.n_sites,
        } | {k: v if math.isfinite(v) else None for k, v in bounds.items()}


def heterogeneity(sites: Sequence[Subgroup]) -> tuple[Heterogeneity, ...]:
    """Sum up each measure over the sites in which it has an interval; two such sites are needed."""
    found = (_over(measure, [getattr(s, measure) for s in sites]) for measure in MEASURES)
    return tuple(h for h in found if h is not None)


def _over(measure: str, estimates: Sequence[Estimate]) -> Heterogeneity | None:
    share = measure == "auroc"
    usable = [e for e in estimates if e.low < e.high and (not share or 0 < e.value < 1)]
    if len(usable) < 2:
        return None
    values = np.array([e.value for e in usable])
    errors = np.array([(e.high - e.low) / (2 * Z95) for e in usable])
    back: Callable[[float], float] = float
    if share:
        errors = errors / (values * (1 - values))
        values = np.log(values / (1 - values))
        back = lambda x: float(expit(x))  # noqa: E731
    mean, error, tau2, i2 = pooled(values, errors)
    low = high = NAN
    if len(usable) >= FEWEST_SITES:
        half = float(t.ppf(0.975, len(usable) - 2)) * math.sqrt(tau2 + error**2)
        low, high = back(mean - half), back(mean + half)
    average = Estimate(back(mean), back(mean - Z95 * error), back(mean + Z95 * error), "normal")
    return Heterogeneity(measure=measure, mean=average, low=low, high=high, i2=i2, n_sites=len(usable))


def pooled(values: Floats, errors: Floats) -> tuple[float, float, float, float]:
    """Return the random-effects mean, its standard error, the variance between sites and I²."""
    weights = 1 / errors**2
    fixed = (weights * values).sum() / weights.sum()
    q, freedom = float((weights * (values - fixed) ** 2).sum()), len(values) - 1
    spread = weights.sum() - (weights**2).sum() / weights.sum()
    tau2 = max(0.0, (q - freedom) / spread)
    weights = 1 / (errors**2 + tau2)
    mean = float((weights * values).sum() / weights.sum())
    return mean, float(1 / math.sqrt(weights.sum())), float(tau2), max(0.0, 1 - freedom / q) if q > 0 else 0.0


def sentence(found: Heterogeneity, label: str) -> Message:
    """Say what was found for one figure, called ``label``."""
    words = {
        "label": label,
        "n": found.n_sites,
        "mean": f"{found.mean:.2f}",
        "i2": f"{100 * found.i2:.0f}",
        "low": f"{found.low:.2f}",
        "high": f"{found.high:.2f}",
    }
    if math.isnan(found.low):
        return Message(
            N_("{label}: {mean} on average over {n} sites; I² {i2} %; too few sites for a prediction interval."), words
        )
    return Message(
        N_("{label}: {mean} on average over {n} sites; I² {i2} %; expected at another site between {low} and {high}."),
        words,
    )
