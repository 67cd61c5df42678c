"""Estimate: a number with its interval and how that was found, and the ways to find it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.i18n import N_, Message, interval
from medcore.statistics.proportions import Z95, wilson_bounds

Floats = NDArray[np.float64]

NAN = math.nan

#: Methods by which an interval is found, as a person reads them.
METHODS: Mapping[str, str] = {
    "delong": N_("DeLong"),
    "delong_cluster": N_("DeLong, clustered by patient"),
    "delong_logit": N_("DeLong, on the log-odds scale"),
    "delong_logit_cluster": N_("DeLong, on the log-odds scale, clustered by patient"),
    "influence_logit": N_("each patient’s influence, on the log-odds scale"),
    "influence_logit_cluster": N_("each patient’s influence, on the log-odds scale, clustered by patient"),
    "newcombe": N_("Newcombe score"),
    "wilson": N_("Wilson score"),
    "wald": N_("Wald, maximum likelihood"),
    "wald_cluster": N_("Wald, robust, clustered by patient"),
    "final": N_("Wald, widened to hold the slope of the model trained on all patients"),
    "final_cluster": N_("Wald, clustered by patient, widened to hold the slope of the model trained on all patients"),
    "bootstrap": N_("bootstrap percentiles"),
    "bootstrap_cluster": N_("bootstrap percentiles, resampling patients"),
    "hartung_knapp": N_("random effects over sites, Hartung–Knapp"),
    "prediction": N_("prediction interval for another site"),
    "normal": N_("normal approximation"),
    "normal_weighted": N_("normal approximation, robust to weights"),
    "wilson_weighted": N_("Wilson score, effective number of patients"),
    "weighted": N_("leave-one-out influences, Student’s t, robust to weights"),
    "weighted_cluster": N_("leave-one-out influences, Student’s t, robust to weights, clustered by patient"),
    "recovered": N_("Wilson’s of both shares, put together by variance estimates recovery"),
    "recovered_weighted": N_(
        "Wilson’s of both shares at the effective number of patients, put together by variance estimates recovery"
    ),
    "hybrid": N_("Newcombe’s hybrid of the two groups’ intervals"),
    "chance": N_("95th centile of tables simulated from the risks themselves"),
    "chance_cluster": N_(
        "95th centile of tables simulated from the risks themselves, all rows of a patient sharing one fate"
    ),
    "wilson_cluster": N_("Wilson score, effective number of patients who repeat"),
    "choice": N_("basic bootstrap, the threshold chosen anew each time"),
    "mercaldo": N_("Mercaldo’s logit interval"),
    "poisson": N_("Garwood, exact Poisson"),
    "influence": N_("each patient’s influence, Student’s t"),
    "influence_cluster": N_("each patient’s influence, Student’s t, clustered by patient"),
    "influence_inverse": N_("each patient’s influence, on the scale of 1 over the squared error"),
    "influence_inverse_cluster": N_(
        "each patient’s influence, on the scale of 1 over the squared error, clustered by patient"
    ),
    "influence_log": N_("each patient’s influence, on the log scale"),
    "influence_log_cluster": N_("each patient’s influence, on the log scale, clustered by patient"),
    "woodruff": N_("Woodruff, by the share of smaller errors"),
    "woodruff_cluster": N_("Woodruff, by the share of smaller errors, clustered by patient"),
    "complementary": N_("Greenwood or Aalen–Johansen variance, on the log(−log) scale"),
    "complementary_cluster": N_("each patient’s influence, on the log(−log) scale, clustered by patient"),
    "none": N_("no interval"),
}

ONE_CLASS = N_("All patients have the same outcome, so this cannot be computed.")
SEPARATED = N_("The risks separate the outcomes perfectly, so this has no finite value or interval.")
CONSTANT_RISK = N_("The risks barely differ between patients, so this cannot be computed.")
TOO_FEW_DRAWS = N_("Too few resampled tables allowed this to be computed, so no interval can be given.")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with its 95 % interval.

    ``value``, ``low`` and ``high`` are NaN where they do not exist, and
    ``reason`` then says why. ``method`` is a key of :data:`METHODS`.

    >>> f"{Estimate(0.8, 0.7, 0.9, 'delong'):.2f}"
    '0.80 (0.70 to 0.90)'
    >>> Estimate(0.8) == Estimate(0.8, float("nan"))
    True
    """

    value: float
    low: float = NAN
    high: float = NAN
    method: str = "none"
    reason: Message | None = None

    def __eq__(self, other: object) -> bool:
        """Whether it is the same estimate: one without an interval is equal to itself, which NaN is not (dataclasses, from 3.13)."""
        return isinstance(other, Estimate) and self._told() == other._told()

    def __hash__(self) -> int:
        return hash(self._told())

    def _told(self) -> tuple[object, ...]:
        numbers = (None if math.isnan(v) else v for v in (self.value, self.low, self.high))
        return (*numbers, self.method, self.reason)

    def __format__(self, spec: str) -> str:
        return interval(self.value, self.low, self.high, spec or ".3f")

    def times(self, factor: float) -> Estimate:
        """Return the same in another unit: per 100 patients, in percentage points."""
        return replace(self, value=factor * self.value, low=factor * self.low, high=factor * self.high)

    @property
    def exists(self) -> bool:
        """Whether the statistic has a value on these patients."""
        return not math.isnan(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; what does not exist is ``None``."""
        return {
            "value": _number(self.value),
            "low": _number(self.low),
            "high": _number(self.high),
            "method": self.method,
            "reason": self.reason.to_dict() if self.reason else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Estimate:
        """Read what :meth:`to_dict` wrote."""
        low, high, value = (NAN if data.get(k) is None else float(data[k]) for k in ("low", "high", "value"))
        reason = data.get("reason")
        return cls(value, low, high, data.get("method", "none"), Message.from_dict(reason) if reason else None)


def missing(reason: str, value: float = NAN) -> Estimate:
    """Return an estimate that does not exist (or has no interval) and says why."""
    return Estimate(value, reason=Message(reason))


def wilson(successes: float, n: float) -> Estimate:
    """Return a proportion with Wilson's score interval (Wilson 1927, JASA 22:209).

    >>> print(f"{wilson(8, 10):.3f}")
    0.800 (0.490 to 0.943)
    """
    if n <= 0:
        return missing(N_("No patient falls in this group."))
    low, high = wilson_bounds(successes, n)
    return Estimate(successes / n, float(low), float(high), "wilson")


def wilson_effective(successes: float, n: float, effective: float) -> Estimate:
    """Return a proportion with Wilson's interval at the effective number of patients where patients repeat."""
    if n <= 0:
        return wilson(0, 0)
    share = successes / n
    return replace(wilson(share * effective, effective), value=share, method="wilson_cluster")


def wilson_weighted(hits: tuple[float, float], misses: tuple[float, float]) -> Estimate:
    """Return a weighted proportion with Wilson's interval at the effective number of patients.

    Each pair is the sum of the weights and of their squares. The effective number
    is that of equally weighted patients who would give the linearised variance
    (Dean & Pagano 2015, J Surv Stat Methodol 3:484).

    >>> print(f"{wilson_weighted((8, 8), (2, 2)):.3f}")
    0.800 (0.490 to 0.943)
    """
    total = hits[0] + misses[0]
    if total <= 0:
        return wilson(0, 0)
    p = hits[0] / total
    spread = hits[1] * (1 - p) ** 2 + misses[1] * p**2
    effective = p * (1 - p) * total**2 / spread if 0 < p < 1 else total**2 / (hits[1] + misses[1])
    return replace(wilson(p * effective, effective), value=p, method="wilson_weighted")


def normal(
    value: float,
    variance: float,
    method: str = "normal",
    *,
    bounds: tuple[float, float] | None = None,
    quantile: float = Z95,
) -> Estimate:
    """Return a value with the interval value ± ``quantile`` (1.96) standard errors, cut at ``bounds``."""
    half = quantile * math.sqrt(max(variance, 0.0))
    low, high = value - half, value + half
    if bounds:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Estimate(value, low, high, method)


def from_draws(value: float, draws: Floats, *, clustered: bool, about: float | None = None) -> Estimate:
    """Return a value with the 2.5th and 97.5th percentiles of its bootstrap draws.

    ``about`` is the value on the (slightly coarser) table from which the draws
    were made; the draws are shifted by the difference. Draws that could not be
    computed are NaN and left out; fewer than 8 in 10 left give no interval. The
    interval is widened to hold the value.
    """
    if math.isnan(value):
        return missing(ONE_CLASS)
    good = draws[np.isfinite(draws)]
    if good.size < max(20, 0.8 * draws.size):
        return missing(TOO_FEW_DRAWS, value)
    shift = 0.0 if about is None or math.isnan(about) else value - about
    low, high = np.percentile(good, [2.5, 97.5]) + shift
    method = "bootstrap_cluster" if clustered else "bootstrap"
    return Estimate(value, min(float(low), value), max(float(high), value), method)


def _number(x: float) -> float | None:
    return float(x) if math.isfinite(x) else None
