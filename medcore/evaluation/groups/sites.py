"""How good the model is at each site, on average over sites, and what to expect at another one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from medcore.evaluation.figures.auroc import auroc_estimate, logit_error
from medcore.evaluation.figures.estimates import Estimate, Floats, missing, normal
from medcore.evaluation.figures.resampling import Ints, clustered_variance
from medcore.evaluation.groups.grouping import MISSING, GroupKey, grouping
from medcore.i18n import N_, Message
from medcore.statistics.calibration import in_the_large_fit, slope_fit
from medcore.statistics.meta_analysis import random_effects
from medcore.statistics.ranking import auroc_with_influence

MEASURES = ("auroc", "calibration_intercept", "calibration_slope")
NOT_AT_THIS_SITE = N_("The outcomes at this site do not allow it to be computed.")
MEANING = N_(
    "Each site is judged by itself. Mean over sites: random effects (restricted maximum likelihood, Hartung–Knapp). The "
    "prediction interval says between which values the figure is expected at another site like these; with few sites it "
    "is wide. I² is the share of the differences between sites that chance does not explain."
)
POOLING = N_(
    "The AUROC over all sites together also compares patients of different sites, whose risks come from different "
    "models where each site was left out: {pooled}. Do not read it as the AUROC within a hospital."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One site: ``figures`` with their intervals, and their standard ``errors`` before any cut (AUROC: of its log odds)."""

    key: GroupKey
    n: int
    n_events: int
    figures: Mapping[str, Estimate]
    errors: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"name": str(self.key), "n": self.n, "n_events": self.n_events} | {
            name: estimate.to_dict() for name, estimate in self.figures.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanOverSites:
    """One figure over the sites: its random-effects ``mean``, what is ``expected`` at another site, and I² (0–1).

    The AUROC is averaged on the log-odds scale (Snell 2018, Stat Methods Med Res
    27:3505). ``expected`` has the same value and the bounds of the prediction interval
    (none with two sites). ``left_out`` names the sites that have no such figure.
    """

    measure: str
    mean: Estimate
    expected: Estimate
    i2: float
    tau2: float
    n_sites: int
    left_out: tuple[GroupKey, ...] = ()

    def sentence(self, label: str) -> Message:
        """Say what was found for the figure called ``label``."""
        words = {
            "label": label,
            "n": self.n_sites,
            "mean": f"{self.mean:.2f}",
            "i2": f"{100 * self.i2:.0f}",
            "low": f"{self.expected.low:.2f}",
            "high": f"{self.expected.high:.2f}",
        }
        return Message(_TOO_FEW if math.isnan(self.expected.low) else _EXPECTED, words)

    def without(self) -> Message | None:
        """Name the sites that could not be part of it; None when all are."""
        return Message(_LEFT_OUT, {"sites": [key.message for key in self.left_out]}) if self.left_out else None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "mean": self.mean.to_dict(),
            "prediction_interval": {k: v for k, v in self.expected.to_dict().items() if k in ("low", "high")},
            "i2": self.i2,
            "tau2": self.tau2,
            "n_sites": self.n_sites,
            "left_out": [str(key) for key in self.left_out],
        }


_EXPECTED = N_("{label}: {mean} on average over {n} sites; expected at another site: {low} to {high}; I² {i2} %.")
_TOO_FEW = N_("{label}: {mean} on average over {n} sites; too few sites for a prediction interval; I² {i2} %.")
_LEFT_OUT = N_("Sites without this figure (one outcome only, or perfect separation), not part of the mean: {sites}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteComparison:
    """Every site, largest first; the ``means`` over them by measure (empty with one site); and all of them pooled.

    ``left_out`` says that the models had not seen the site at which they are judged.
    ``n_unknown`` patients have no site.
    """

    sites: tuple[Site, ...]
    means: Mapping[str, MeanOverSites]
    pooled: Estimate
    left_out: bool
    n_unknown: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "leave_site_out": self.left_out,
            "means": {name: mean.to_dict() for name, mean in self.means.items()},
            "sites": [site.to_dict() for site in self.sites],
            "pooled_auroc": self.pooled.to_dict(),
            "n_unknown": self.n_unknown,
        }


def compare_sites(
    outcome: Floats,
    risk: Floats,
    site: pd.Series[Any],
    *,
    groups: Ints | None = None,
    left_out: bool = False,
    pooled: Estimate | None = None,
) -> SiteComparison:
    """Judge 0/1 ``outcome`` and ``risk`` (n,) at each ``site`` (n,), and sum the sites up; every site counts, however small.

    ``pooled`` is the AUROC over all of them, where it is known with its interval.
    """
    parted = grouping(pd.DataFrame({"site": site.astype(object)}), ["site"], most=None)
    found, unknown = [], 0
    for key, mask in parted.masks().items():
        if key.levels == (MISSING,):
            unknown = int(mask.sum())
            continue
        found.append(_site(key, outcome[mask], risk[mask], None if groups is None else groups[mask]))
    found.sort(key=lambda s: -s.n)
    means = (_mean(measure, found) for measure in MEASURES)
    if pooled is None:
        area, influence = auroc_with_influence(outcome, risk)
        pooled = missing(NOT_AT_THIS_SITE) if math.isnan(area) else auroc_estimate(area, influence, outcome, groups)
    return SiteComparison(
        sites=tuple(found),
        means={m.measure: m for m in means if m is not None},
        pooled=pooled,
        left_out=left_out,
        n_unknown=unknown,
    )


def _site(key: GroupKey, outcome: Floats, risk: Floats, groups: Ints | None) -> Site:
    figures, errors = {}, {}
    area, influence = auroc_with_influence(outcome, risk)
    if not math.isnan(area):
        figures["auroc"] = auroc_estimate(area, influence, outcome, groups)
        errors["auroc"] = logit_error(area, clustered_variance(influence, groups))
    for name, fit in (
        ("calibration_intercept", in_the_large_fit(outcome, risk)),
        ("calibration_slope", slope_fit(outcome, risk)),
    ):
        if fit is not None:
            plain = groups is None
            variance = float(fit.covariance[-1, -1]) if plain else clustered_variance(fit.influence[:, -1], groups)
            figures[name] = normal(float(fit.coefficients[-1]), variance, "wald" if plain else "wald_cluster")
            errors[name] = math.sqrt(variance)
    return Site(
        key=key,
        n=len(risk),
        n_events=int(outcome.sum()),
        figures={name: figures.get(name, missing(NOT_AT_THIS_SITE)) for name in MEASURES},
        errors=errors,
    )


def _mean(measure: str, sites: Sequence[Site]) -> MeanOverSites | None:
    usable = [s for s in sites if 0 < s.errors.get(measure, math.nan) < math.inf]
    if len(usable) < 2:
        return None
    there: Callable[[float], float] = logit if measure == "auroc" else float
    back: Callable[[float], float] = (lambda x: float(expit(x))) if measure == "auroc" else float
    values = np.array([float(there(s.figures[measure].value)) for s in usable])
    fit = random_effects(values, np.array([s.errors[measure] for s in usable]))
    mean, low, high, expected_low, expected_high = map(
        back, (fit.mean, fit.low, fit.high, fit.expected_low, fit.expected_high)
    )
    return MeanOverSites(
        measure=measure,
        mean=Estimate(mean, low, high, "hartung_knapp"),
        expected=Estimate(mean, expected_low, expected_high, "prediction"),
        i2=fit.i2,
        tau2=fit.tau2,
        n_sites=len(usable),
        left_out=tuple(s.key for s in sites if s not in usable),
    )
