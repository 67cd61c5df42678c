"""What a threshold on the risk does: the confusion matrix and the rates that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from medcore.evaluation.figures.estimates import NAN, Estimate, Floats, wilson, wilson_weighted
from medcore.evaluation.figures.weighting import weighed
from medcore.i18n import N_, Message

CELLS = ("tp", "fp", "fn", "tn")
NO_ALERTS = N_("At this threshold nobody is called positive.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Counts of true and false calls when a risk at or above ``threshold`` is called positive.

    ``prevalence`` is None for the study's own, or the one at which the predictive
    values were asked for. Rates are estimates with Wilson intervals; predictive
    values at another prevalence come from Bayes' rule applied to the bounds of
    sensitivity and specificity. Counts are of patients; where these are weighted,
    ``weights`` and ``squares`` hold for each cell (in the order of :data:`CELLS`) the
    sums of their weights and of the squares of those, and the rates follow from them.
    """

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    prevalence: float | None = None
    weights: tuple[float, ...] | None = None
    squares: tuple[float, ...] | None = None

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
        return self._share("tp", of=("tp", "fn"))

    @property
    def specificity(self) -> Estimate:
        """Share of those without the outcome who are called negative."""
        return self._share("tn", of=("tn", "fp"))

    @property
    def ppv(self) -> Estimate:
        """Share of those called positive who have the outcome."""
        if self.prevalence is None:
            return self._share("tp", of=("tp", "fp"))
        return self._at_prevalence(_bayes_ppv)

    @property
    def npv(self) -> Estimate:
        """Share of those called negative who do not have the outcome."""
        if self.prevalence is None:
            return self._share("tn", of=("tn", "fn"))
        return self._at_prevalence(_bayes_npv)

    @property
    def accuracy(self) -> Estimate:
        """Share of all calls that are right; compare :attr:`no_skill_accuracy`."""
        return self._share("tp", "tn", of=CELLS)

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
        return self._share("tp", "fp", of=CELLS)

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
        sums = {k: list(getattr(self, k)) for k in ("weights", "squares") if getattr(self, k) is not None}
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
        return cls(**{k: data[k] for k in ("threshold", *CELLS, "prevalence")}, **sums)

    def _weight(self, *cells: str) -> float:
        """Add up the patients of some cells, or their weights."""
        if self.weights is None:
            return float(sum(getattr(self, c) for c in cells))
        return sum(self.weights[CELLS.index(c)] for c in cells)

    def _share(self, *cells: str, of: tuple[str, ...]) -> Estimate:
        if self.weights is None or self.squares is None:
            return wilson(self._weight(*cells), self._weight(*of))
        hit, missed = ([CELLS.index(c) for c in of if (c in cells) == inside] for inside in (True, False))
        (a, aa), (b, bb) = (
            (sum(self.weights[i] for i in part), sum(self.squares[i] for i in part)) for part in (hit, missed)
        )
        return wilson_weighted((a, aa), (b, bb))

    def _at_prevalence(self, rule: Any) -> Estimate:
        se, sp, prevalence = self.sensitivity, self.specificity, self.prevalence
        value, low, high = (
            rule(a, b, prevalence) for a, b in ((se.value, sp.value), (se.low, sp.low), (se.high, sp.high))
        )
        reason = Message(NO_ALERTS) if np.isnan(value) else None
        return Estimate(value, low, high, se.method, reason)


def confusion(
    outcome: Floats,
    risk: Floats,
    threshold: float,
    *,
    prevalence: float | None = None,
    weights: Floats | None = None,
) -> Confusion:
    """Count the calls at a threshold: positive when ``risk`` ≥ ``threshold``.

    ``outcome`` (n,) of 0 and 1; ``prevalence`` (0–1) asks for predictive values in
    a population where the outcome is rarer or commoner than in the study.
    ``weights`` (n,) say for how many patients each row stands; rows of weight 0 are
    not counted.

    >>> c = confusion(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.6, 0.4, 0.9]), 0.5)
    >>> c.tp, c.fp, c.fn, c.tn
    (1, 1, 1, 1)
    """
    kept, weight = weighed(weights, len(risk))
    called, event = risk[kept] >= threshold, outcome[kept] == 1
    masks = (called & event, called & ~event, ~called & event, ~called & ~event)
    counts: dict[str, Any] = {name: int(mask.sum()) for name, mask in zip(CELLS, masks, strict=True)}
    if weight is None:
        return Confusion(threshold=float(threshold), prevalence=prevalence, **counts)
    return Confusion(
        threshold=float(threshold),
        prevalence=prevalence,
        weights=tuple(float(weight[mask].sum()) for mask in masks),
        squares=tuple(float(weight[mask] @ weight[mask]) for mask in masks),
        **counts,
    )


def _bayes_ppv(sensitivity: float, specificity: float, prevalence: float) -> float:
    true, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    return true / (true + false) if true + false > 0 else NAN


def _bayes_npv(sensitivity: float, specificity: float, prevalence: float) -> float:
    true, false = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    return true / (true + false) if true + false > 0 else NAN
