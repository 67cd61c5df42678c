"""Two models on the same patients: paired differences, reclassification, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from medcore.evaluation.curves.utility import THRESHOLDS, benefit_terms
from medcore.evaluation.figures.auroc import FEWEST_EVENTS, TOO_FEW_EVENTS, patients_of_each
from medcore.evaluation.figures.estimates import CONSTANT_RISK, ONE_CLASS, Estimate, Floats, from_draws, missing, normal
from medcore.evaluation.figures.event import BOOTSTRAPPED, pieces
from medcore.evaluation.figures.folds import tells_nobody_apart
from medcore.evaluation.figures.resampling import Draws, Ints, clustered_variance, default_n_boot, draw, risk_bins
from medcore.i18n import N_, Message
from medcore.statistics.ranking import auroc_of_counts, auroc_with_influence
from medcore.statistics.scores import class_log_loss_terms

#: Differences smaller than these are of no clinical account, whatever their interval. As much log loss as the second costs
#: it that all risks of 30 % are said 2 points too high or too low (d²/2p(1 − p)).
NEGLIGIBLE_AUROC, NEGLIGIBLE_LOG_LOSS = 0.005, 0.001
HIGHER_IS_BETTER: Mapping[str, bool] = {
    "auroc": True,
    "auprc": True,
    "scaled_brier": True,
    "net_benefit": True,
    "brier": False,
    "log_loss": False,
    "ici": False,
}

RECLASSIFICATION_CAVEAT = N_(
    "Reclassification says how many calls change at this threshold, not that they change for the better: net "
    "reclassification can favour a badly calibrated model. Judge by net benefit."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassification:
    """Calls that differ between model A and model B at a threshold.

    ``events_up`` are patients with the outcome whom A calls positive and B does
    not, and so on. ``nri_events`` and ``nri_non_events`` are the net shares moved
    in the right direction by A (Pencina 2008).
    """

    threshold: float
    events_up: int
    events_down: int
    non_events_up: int
    non_events_down: int
    nri_events: Estimate
    nri_non_events: Estimate

    @property
    def caveat(self) -> Message:
        """What these counts do not mean."""
        return Message(RECLASSIFICATION_CAVEAT)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        counts = ("threshold", "events_up", "events_down", "non_events_up", "non_events_down")
        return {name: getattr(self, name) for name in counts} | {
            "nri_events": self.nri_events.to_dict(),
            "nri_non_events": self.nri_non_events.to_dict(),
            "caveat": str(self.caveat),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Model A less model B on the same patients.

    ``differences`` are paired: AUROC by DeLong (and ``auroc_bootstrap``), the
    others by drawing the same patients for both; ``net_benefit`` and
    ``reclassification`` at the threshold, when one was given.
    """

    n: int
    n_events: int
    differences: Mapping[str, Estimate]
    reclassification: Reclassification | None = None

    def verdict(self, name_a: str, name_b: str) -> Message:
        """Say in words which model is better, which may be neither."""
        auroc, loss = self.differences["auroc"], self.differences["log_loss"]
        names = {"a": name_a, "b": name_b, "difference": f"{auroc:+.3f}", "loss": f"{loss:+.3f}"}
        if min(self.n_events, self.n - self.n_events) < FEWEST_EVENTS or not np.isfinite(loss.low):
            return Message(N_("These patients are too few to compare {a} and {b}."), names)
        ranks, fits = _sign(auroc), -_sign(loss)
        if not ranks and not fits:
            return Message(_NEITHER if auroc.exists else _NEITHER_FITS, names)
        better, other = (name_a, name_b) if (ranks or fits) > 0 else (name_b, name_a)
        return Message(self._said(ranks, fits), names | {"better": better, "other": other})

    def _said(self, ranks: int, fits: int) -> str:
        """Return the sentence of what was shown, by the figure that shows it: who ranks better (1, −1, 0), whose risks fit."""
        near = abs(self.differences["auroc"].value) < NEGLIGIBLE_AUROC
        close = not fits or abs(self.differences["log_loss"].value) < NEGLIGIBLE_LOG_LOSS
        if not self.differences["auroc"].exists:
            return _CLOSER_ALONE
        if not ranks:
            return _CLOSER_SMALL if close else _CLOSER
        if fits == -ranks:
            return _MIXED
        return _SMALL if near and close else _BETTER

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "n": self.n,
            "n_events": self.n_events,
            "differences": {name: e.to_dict() for name, e in self.differences.items()},
            "reclassification": self.reclassification.to_dict() if self.reclassification else None,
        }


_NEITHER = N_(
    "On these patients {a} cannot be shown to be better or worse than {b} (difference in AUROC {difference}): prefer "
    "the simpler one."
)
_BETTER = N_("{better} is better than {other} on these patients (difference in AUROC, {a} less {b}: {difference}).")
_SMALL = N_(
    "{better} is better than {other} on these patients, but by so little that it hardly matters (difference in AUROC, "
    "{a} less {b}: {difference})."
)
_CLOSER = N_(
    "The risks of {better} come closer to what happened to these patients than those of {other} (mean log loss, {a} less "
    "{b}: {loss}); that one of them ranks patients better cannot be shown."
)
_CLOSER_SMALL = N_(
    "The risks of {better} come closer to what happened to these patients than those of {other}, but by so little that it "
    "hardly matters (mean log loss, {a} less {b}: {loss}); that one of them ranks patients better cannot be shown."
)
_CLOSER_ALONE = N_(
    "The risks of {better} come closer to what happened to these patients than those of {other} (mean log loss, {a} less "
    "{b}: {loss}); one of the two tells nobody apart."
)
_NEITHER_FITS = N_(
    "On these patients {a} cannot be shown to be better or worse than {b} (mean log loss, {a} less {b}: {loss}): prefer "
    "the simpler one."
)
_MIXED = N_(
    "{better} ranks patients better (difference in AUROC, {a} less {b}: {difference}), but the risks of {other} come "
    "closer to what happened."
)


def compare(
    outcome: Floats,
    risk_a: Floats,
    risk_b: Floats,
    *,
    groups: Ints | None = None,
    folds: Ints | None = None,
    threshold: float | None = None,
    seed: int = 0,
    n_boot: int | None = None,
) -> Comparison:
    """Compare two sets of risks (n,) for the same 0/1 ``outcome`` (n,), every difference A − B with its interval.

    ``folds`` (n,) say of risks out of fold by which model each is: one that gives all patients of a fold the same risk
    has no AUROC, and neither has a difference from it.
    """
    draws = draw(len(outcome), groups, n_boot=n_boot or default_n_boot(len(outcome)), seed=seed)
    parts = [pieces(outcome, risk, draws) for risk in (risk_a, risk_b)]
    found = {"auroc": auroc_difference(outcome, risk_a, risk_b, groups=groups)}
    found["auroc_bootstrap"] = _auroc_bootstrap(outcome, risk_a, risk_b, draws, found["auroc"].value)
    for name in BOOTSTRAPPED:
        a, b = parts
        value = a.values[name] - b.values[name]
        with np.errstate(invalid="ignore"):
            drawn = a.draws[name] - b.draws[name]
        found[name] = from_draws(value, drawn, clustered=groups is not None, about=a.about[name] - b.about[name])
    found["log_loss"] = log_loss_difference(
        outcome.astype(np.int64), *(np.column_stack([1 - risk, risk]) for risk in (risk_a, risk_b)), groups=groups
    )
    parted = np.zeros(len(outcome), dtype=np.int64) if folds is None else folds
    if tells_nobody_apart(risk_a, parted) != tells_nobody_apart(risk_b, parted):
        found |= {name: missing(CONSTANT_RISK) for name in ("auroc", "auroc_bootstrap", "auprc")}
    changed = None
    if threshold is not None:
        found["net_benefit"] = net_benefit_difference(outcome, risk_a, risk_b, threshold, groups=groups)
        changed = reclassification(outcome, risk_a, risk_b, threshold, groups=groups)
    return Comparison(n=len(outcome), n_events=int(outcome.sum()), differences=found, reclassification=changed)


def log_loss_difference(outcome: Ints, risk_a: Floats, risk_b: Floats, *, groups: Ints | None = None) -> Estimate:
    """Return the mean log loss of A less that of B for class indices (n,) and risks (n, K), paired by patient.

    The interval is normal, by patient; every page tells this one.
    """
    gap = class_log_loss_terms(outcome, risk_a) - class_log_loss_terms(outcome, risk_b)
    mean = float(gap.mean())
    codes = np.arange(len(outcome)) if groups is None else np.unique(groups, return_inverse=True)[1]
    per_patient = np.bincount(codes, weights=gap - mean)
    n = len(per_patient)
    error = float(np.sqrt((per_patient**2).sum() * n / max(n - 1, 1)) / len(gap))
    return normal(mean, error**2, "normal" if groups is None else "normal_cluster")


def auroc_difference(outcome: Floats, risk_a: Floats, risk_b: Floats, *, groups: Ints | None = None) -> Estimate:
    """Return AUROC A − AUROC B with DeLong's interval for two curves of the same patients; none with fewer than 5 of either outcome."""
    (area_a, pull_a), (area_b, pull_b) = (auroc_with_influence(outcome, r) for r in (risk_a, risk_b))
    if np.isnan(area_a):
        return missing(ONE_CLASS)
    if min(patients_of_each(outcome, groups)) < FEWEST_EVENTS:
        return Estimate(area_a - area_b, reason=Message(TOO_FEW_EVENTS, {"n": FEWEST_EVENTS}))
    gap = pull_a - pull_b
    if np.isnan(gap).any():
        return missing(CONSTANT_RISK, area_a - area_b)
    method = "delong" if groups is None else "delong_cluster"
    return normal(area_a - area_b, clustered_variance(gap, groups), method)


def net_benefit_difference(
    outcome: Floats, risk_a: Floats, risk_b: Floats, threshold: float, *, groups: Ints | None = None
) -> Estimate:
    """Return the net benefit of A less that of B at one threshold, with its interval."""
    gap = benefit_terms(outcome, risk_a, threshold) - benefit_terms(outcome, risk_b, threshold)
    value = float(gap.mean())
    return normal(value, clustered_variance((gap - value) / len(gap), groups))


@dataclass(frozen=True, slots=True, eq=False)
class BenefitDifference:
    """Net benefit of A less that of B over thresholds (T,), with pointwise 95 % bounds, a patient."""

    thresholds: Floats
    difference: Floats
    low: Floats
    high: Floats

    def better(self) -> tuple[float, float]:
        """Return the shares of thresholds at which A, and B, is surely better."""
        return float(np.mean(self.low > 0)), float(np.mean(self.high < 0))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name).tolist() for name in self.__slots__}


def benefit_difference(
    outcome: Floats, risk_a: Floats, risk_b: Floats, *, thresholds: Floats = THRESHOLDS, groups: Ints | None = None
) -> BenefitDifference:
    """Return the difference of two decision curves of the same patients, with its interval at each threshold."""
    found = [net_benefit_difference(outcome, risk_a, risk_b, float(t), groups=groups) for t in thresholds]
    value, low, high = (np.array([getattr(e, k) for e in found]) for k in ("value", "low", "high"))
    return BenefitDifference(thresholds, value, low, high)


def reclassification(
    outcome: Floats, risk_a: Floats, risk_b: Floats, threshold: float, *, groups: Ints | None = None
) -> Reclassification:
    """Count the patients whom A and B call differently at a threshold, by outcome."""
    moved = (risk_a >= threshold).astype(int) - (risk_b >= threshold).astype(int)
    event = outcome == 1
    return Reclassification(
        threshold=threshold,
        events_up=int(np.sum(moved[event] == 1)),
        events_down=int(np.sum(moved[event] == -1)),
        non_events_up=int(np.sum(moved[~event] == 1)),
        non_events_down=int(np.sum(moved[~event] == -1)),
        nri_events=_mean(moved[event], None if groups is None else groups[event]),
        nri_non_events=_mean(-moved[~event], None if groups is None else groups[~event]),
    )


def _mean(values: Ints, groups: Ints | None) -> Estimate:
    if not len(values):
        return missing(ONE_CLASS)
    mean = float(values.mean())
    return normal(mean, clustered_variance((values - mean) / len(values), groups))


def _auroc_bootstrap(outcome: Floats, risk_a: Floats, risk_b: Floats, draws: Draws, value: float) -> Estimate:
    areas: list[Floats] = []
    centres: list[Floats] = []
    for risk in (risk_a, risk_b):
        bins, n_bins = risk_bins(risk)
        cell = 2 * bins + (outcome == 1)
        whole = np.bincount(cell, minlength=2 * n_bins).astype(float)[None, :]
        for out, weight in ((areas, draws.by_cell(cell, 2 * n_bins)), (centres, whole)):
            out.append(auroc_of_counts(weight[:, 1::2], weight[:, 0::2]))
    about = float(centres[0][0] - centres[1][0])
    return from_draws(value, areas[0] - areas[1], clustered=draws.clustered, about=about)


def _sign(estimate: Estimate) -> int:
    """Return 1 or −1 where the interval lies above or below 0, else 0."""
    return int(estimate.low > 0) - int(estimate.high < 0)
