"""What a threshold on the risk does: the confusion matrix and the rates that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from medcore.evaluation.figures.estimates import (
    NAN,
    ONE_CLASS,
    Estimate,
    Floats,
    missing,
    wilson,
    wilson_effective,
    wilson_weighted,
)
from medcore.evaluation.figures.resampling import Ints, effective_number
from medcore.evaluation.figures.weighting import weighed
from medcore.i18n import N_
from medcore.statistics.proportions import Z95

Bools = NDArray[np.bool_]

CELLS = ("tp", "fp", "fn", "tn")
#: Each rate: the cells counted, and those they are a share of.
RATES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sensitivity": (("tp",), ("tp", "fn")),
    "specificity": (("tn",), ("tn", "fp")),
    "ppv": (("tp",), ("tp", "fp")),
    "npv": (("tn",), ("tn", "fn")),
    "accuracy": (("tp", "tn"), CELLS),
    "alert_rate": (("tp", "fp"), CELLS),
}
NO_ALERTS = N_("At this threshold nobody is called positive.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Counts of true and false calls when a risk at or above ``threshold`` is called positive.

    ``prevalence`` is None for the study's own, or the one at which the predictive
    values were asked for. Rates are estimates with Wilson intervals; predictive
    values at another prevalence come from Bayes' rule with Mercaldo's interval (2007,
    Stat Med 26:2170). Where patients repeat, ``effective`` holds for each rate how many
    independent patients would tell as much. Counts are of patients; where these are weighted,
    ``weights`` and ``squares`` hold for each cell (in the order of :data:`CELLS`) the
    sums of their weights and of the squares of those, and the rates follow from them. ``bounds``
    are the rates' intervals where the threshold was chosen on these very patients
    (:func:`~medcore.evaluation.curves.thresholds.knowing_the_choice`).
    """

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    prevalence: float | None = None
    weights: tuple[float, ...] | None = None
    squares: tuple[float, ...] | None = None
    effective: Mapping[str, float] | None = None
    bounds: Mapping[str, tuple[float, float]] | None = None

    @property
    def n(self) -> int:
        """Number of patients."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def study_prevalence(self) -> float:
        """Share of the patients who had the outcome."""
        return self._weight("tp", "fn") / self._weight(*CELLS)

    @property
    def sensitivity(self) -> Estimate:
        """Share of those with the outcome who are called positive."""
        return self._share("sensitivity")

    @property
    def specificity(self) -> Estimate:
        """Share of those without the outcome who are called negative."""
        return self._share("specificity")

    @property
    def ppv(self) -> Estimate:
        """Share of those called positive who have the outcome."""
        if self.prevalence is None:
            return self._share("ppv")
        return self._at_prevalence(positive=True)

    @property
    def npv(self) -> Estimate:
        """Share of those called negative who do not have the outcome."""
        if self.prevalence is None:
            return self._share("npv")
        return self._at_prevalence(positive=False)

    @property
    def accuracy(self) -> Estimate:
        """Share of all calls that are right; compare :attr:`no_skill_accuracy`."""
        return self._share("accuracy")

    @property
    def no_skill_accuracy(self) -> float:
        """Accuracy of always calling the commoner class."""
        return max(self.study_prevalence, 1 - self.study_prevalence)

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and positive predictive value; NaN without events or alerts."""
        total = self._weight("tp", "fp") + self._weight("tp", "fn")
        return 2 * self._weight("tp") / total if total else NAN

    @property
    def alert_rate(self) -> Estimate:
        """Share of patients called positive: alerts per 100 patients are 100 times this."""
        return self._share("alert_rate")

    @property
    def number_needed_to_evaluate(self) -> float:
        """Alerts looked into for each true one: 1/PPV; NaN when there is no alert or no true one."""
        ppv = self.ppv.value
        return 1 / ppv if ppv > 0 else NAN

    @property
    def net_benefit(self) -> float:
        """True positives a patient, less false ones weighed by the odds of the threshold."""
        odds = self.threshold / (1 - self.threshold) if self.threshold < 1 else np.inf
        n = self._weight(*CELLS)
        return self._weight("tp") / n - (self._weight("fp") / n * odds if self.fp else 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with counts and rates."""
        counts = {k: getattr(self, k) for k in ("threshold", *CELLS, "prevalence")}
        sums: dict[str, Any] = {
            k: list(getattr(self, k)) for k in ("weights", "squares") if getattr(self, k) is not None
        }
        if self.effective is not None:
            sums["effective"] = dict(self.effective)
        rates = {
            k: getattr(self, k).to_dict()
            for k in ("sensitivity", "specificity", "ppv", "npv", "accuracy", "alert_rate")
        }
        nne = self.number_needed_to_evaluate
        return (
            counts
            | sums
            | rates
            | {
                "no_skill_accuracy": self.no_skill_accuracy,
                "f1": None if np.isnan(self.f1) else self.f1,
                "net_benefit": self.net_benefit,
                "number_needed_to_evaluate": None if np.isnan(nne) else nne,
            }
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Confusion:
        """Read what :meth:`to_dict` wrote."""
        sums: dict[str, Any] = {k: tuple(data[k]) for k in ("weights", "squares") if data.get(k) is not None}
        if data.get("effective") is not None:
            sums["effective"] = dict(data["effective"])
        return cls(**{k: data[k] for k in ("threshold", *CELLS, "prevalence")}, **sums)

    def _weight(self, *cells: str) -> float:
        """Add up the patients of some cells, or their weights."""
        if self.weights is None:
            return float(sum(getattr(self, c) for c in cells))
        return sum(self.weights[CELLS.index(c)] for c in cells)

    def _share(self, rate: str) -> Estimate:
        cells, of = RATES[rate]
        if self.bounds is not None and (total := self._weight(*of)):
            value, (low, high) = self._weight(*cells) / total, self.bounds[rate]
            return Estimate(value, min(low, value), max(high, value), "choice")
        if self.effective is not None:
            return wilson_effective(self._weight(*cells), self._weight(*of), self.effective[rate])
        if self.weights is None or self.squares is None:
            return wilson(self._weight(*cells), self._weight(*of))
        hit, missed = ([CELLS.index(c) for c in of if (c in cells) == inside] for inside in (True, False))
        (a, aa), (b, bb) = (
            (sum(self.weights[i] for i in part), sum(self.squares[i] for i in part)) for part in (hit, missed)
        )
        return wilson_weighted((a, aa), (b, bb))

    def _at_prevalence(self, *, positive: bool) -> Estimate:
        """Return a predictive value at the prevalence asked for, with Mercaldo's interval on the log-odds scale."""
        sensitivity, specificity, share = self.sensitivity, self.specificity, self.prevalence or NAN
        if not (sensitivity.exists and specificity.exists):
            return missing(ONE_CLASS)
        hit, false = (
            (sensitivity, specificity) if positive else (specificity, sensitivity)
        )  # who is rightly, and who wrongly, among those called so
        odds = share / (1 - share) if positive else (1 - share) / share
        value = _odds_to_share(odds * hit.value, 1 - false.value)
        if np.isnan(value):
            return missing(NO_ALERTS)
        here = ("sensitivity", "specificity") if positive else ("specificity", "sensitivity")
        (p, n), (q, m) = (_with_variance(getattr(self, rate).value, self._number_behind(rate)) for rate in here)
        middle = float(logit(_odds_to_share(odds * p, 1 - q)))
        half = Z95 * float(np.sqrt((1 - p) / (p * n) + q / ((1 - q) * m)))
        low, high = float(expit(middle - half)), float(expit(middle + half))
        return Estimate(value, min(low, value), max(high, value), "mercaldo")

    def _number_behind(self, rate: str) -> float:
        """Return on how many (effective) patients a rate rests."""
        if self.effective is not None:
            return self.effective[rate]
        if self.squares is None:
            return self._weight(*RATES[rate][1])
        squares = sum(self.squares[CELLS.index(c)] for c in RATES[rate][1])
        return self._weight(*RATES[rate][1]) ** 2 / squares if squares else 0.0


def confusion(
    outcome: Floats,
    risk: Floats,
    threshold: float,
    *,
    prevalence: float | None = None,
    groups: Ints | None = None,
    weights: Floats | None = None,
) -> Confusion:
    """Count the calls at a threshold: positive when ``risk`` ≥ ``threshold``.

    ``outcome`` (n,) of 0 and 1; ``prevalence`` (0–1) asks for predictive values in
    a population where the outcome is rarer or commoner than in the study.
    ``groups`` are patient codes where patients repeat; ``weights`` (n,) say for how many
    patients each row stands, rows of weight 0 not counted (where both are given, the
    intervals follow the weights).

    >>> c = confusion(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.6, 0.4, 0.9]), 0.5)
    >>> c.tp, c.fp, c.fn, c.tn
    (1, 1, 1, 1)
    """
    kept, weight = weighed(weights, len(risk))
    called, event = risk[kept] >= threshold, outcome[kept] == 1
    masks = (called & event, called & ~event, ~called & event, ~called & ~event)
    counts: dict[str, Any] = {name: int(mask.sum()) for name, mask in zip(CELLS, masks, strict=True)}
    if weight is None:
        effective = None if groups is None else _effective(dict(zip(CELLS, masks, strict=True)), groups[kept])
        return Confusion(threshold=float(threshold), prevalence=prevalence, effective=effective, **counts)
    return Confusion(
        threshold=float(threshold),
        prevalence=prevalence,
        weights=tuple(float(weight[mask].sum()) for mask in masks),
        squares=tuple(float(weight[mask] @ weight[mask]) for mask in masks),
        **counts,
    )


def _odds_to_share(true: float, false: float) -> float:
    return true / (true + false) if true + false > 0 else NAN


def _with_variance(share: float, n: float) -> tuple[float, float]:
    """Return a share and its number; of 0 or 1 z²/2 patients are added to either side, as Mercaldo does, for a variance."""
    return (share, n) if 0 < share < 1 else ((share * n + Z95**2 / 2) / (n + Z95**2), n + Z95**2)


def _effective(masks: Mapping[str, Bools], groups: Ints) -> dict[str, float]:
    """Return how many independent patients would tell each rate as surely as these rows, whose patients repeat."""
    found = {}
    for rate, (cells, of) in RATES.items():
        inside = np.any([masks[c] for c in of], axis=0)
        hit = np.any([masks[c] for c in cells], axis=0)
        found[rate] = effective_number(hit, inside, groups)
    return found
