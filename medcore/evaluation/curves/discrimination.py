"""Curves over all thresholds: ROC, precision–recall, gain; and the distribution of risk by outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.evaluation.figures.auroc import auroc
from medcore.evaluation.figures.confusion import Confusion
from medcore.evaluation.figures.estimates import Estimate, Floats
from medcore.evaluation.figures.event import auprc
from medcore.evaluation.figures.resampling import Ints, effective_number
from medcore.statistics.proportions import wilson_bounds

#: Points kept of a curve: more cannot be seen, and a page must stay light.
MAX_POINTS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Outcomes in order of falling risk, so that any threshold is answered at once.

    ``risk`` (n,) falls; ``tp[i]`` and ``i`` count the events among, and the number
    of, the ``i`` patients of highest risk (``tp`` has n + 1 entries).
    """

    risk: Floats
    tp: Ints

    @classmethod
    def of(cls, outcome: Floats, risk: Floats) -> Ranked:
        """Sort 0/1 outcomes (n,) by their risk (n,)."""
        order = np.argsort(-risk, kind="stable")
        return cls(risk[order], np.concatenate([[0], np.cumsum(outcome[order] == 1)]).astype(np.int64))

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.risk)

    @property
    def n_events(self) -> int:
        """Number of patients with the outcome."""
        return int(self.tp[-1])

    def called(self, threshold: Floats) -> Ints:
        """Count the patients whose risk is at or above each threshold."""
        return np.searchsorted(-self.risk, -np.asarray(threshold), side="right").astype(np.int64)

    def confusion(self, threshold: float, *, prevalence: float | None = None) -> Confusion:
        """Return the confusion matrix at a threshold; see :func:`medcore.evaluation.figures.confusion`."""
        called = int(self.called(np.array([threshold]))[0])
        tp = int(self.tp[called])
        fn = self.n_events - tp
        fp = called - tp
        tn = self.n - called - fn
        return Confusion(threshold=float(threshold), tp=tp, fp=fp, fn=fn, tn=tn, prevalence=prevalence)

    def steps(self) -> tuple[Ints, Ints]:
        """Return counts called positive and true positive at every distinct risk, from none to all."""
        ends = np.append(np.flatnonzero(np.diff(self.risk)), self.n - 1) + 1
        called = np.concatenate([[0], ends])
        return called, self.tp[called]


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Sensitivity (with Wilson bounds, at the effective number of patients where they repeat) against the share of false alarms over all thresholds."""

    fpr: Floats
    tpr: Floats
    tpr_low: Floats
    tpr_high: Floats
    thresholds: Floats
    auroc: Estimate
    n: int
    n_events: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; the threshold of the first point, above every risk, is None."""
        return _plain(self)


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallCurve:
    """Share of alerts that are true (with Wilson bounds, as of :class:`RocCurve`) against sensitivity over all thresholds."""

    recall: Floats
    precision: Floats
    precision_low: Floats
    precision_high: Floats
    thresholds: Floats
    auprc: Estimate
    prevalence: float
    n: int
    n_events: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return _plain(self)


@dataclass(frozen=True, slots=True, eq=False)
class GainCurve:
    """Share of all events found among the patients of highest risk, and how many times chance that is (lift)."""

    share: Floats
    gain: Floats
    lift: Floats
    prevalence: float
    n: int

    def at(self, share: float) -> float:
        """Return the share of events found when this share of patients is looked at."""
        return float(np.interp(share, self.share, self.gain))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return _plain(self)


@dataclass(frozen=True, slots=True, eq=False)
class RiskDistribution:
    """How predicted risks are spread among patients with and without the outcome.

    ``edges`` (bins + 1,); ``with_outcome`` and ``without`` (bins,) count patients;
    the quartiles are of the risk (0–1) in each of the two groups.
    """

    edges: Floats
    with_outcome: Ints
    without: Ints
    quartiles_with: tuple[float, float, float] | None
    quartiles_without: tuple[float, float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return _plain(self)


def roc(
    outcome: Floats,
    risk: Floats,
    *,
    groups: Ints | None = None,
    area: Estimate | None = None,
    max_points: int = MAX_POINTS,
) -> RocCurve:
    """Return the ROC curve of 0/1 ``outcome`` (n,) and ``risk`` (n,), AUROC with DeLong's interval.

    At most ``max_points`` points are kept, evenly along the curve; the AUROC is
    that of the whole curve, computed unless it is given as ``area``.
    """
    ranked = Ranked.of(outcome, risk)
    called, tp = ranked.steps()
    positives, negatives = max(ranked.n_events, 1), max(ranked.n - ranked.n_events, 1)
    tpr, fpr = tp / positives, (called - tp) / negatives
    keep = _evenly(fpr + tpr, max_points)
    inside = np.full(len(keep), positives)
    if groups is not None:
        order = np.argsort(-risk, kind="stable")
        inside = inside * _told(outcome[order] == 1, groups[order], called[keep], of_called=False)
    low, high = wilson_bounds(tpr[keep] * inside, inside)
    thresholds = _thresholds(ranked, called[keep])
    area = area or auroc(outcome, risk, groups=groups)
    return RocCurve(fpr[keep], tpr[keep], low, high, thresholds, area, ranked.n, ranked.n_events)


def precision_recall(
    outcome: Floats,
    risk: Floats,
    *,
    groups: Ints | None = None,
    area: Estimate | None = None,
    seed: int = 0,
    max_points: int = MAX_POINTS,
) -> PrecisionRecallCurve:
    """Return the precision–recall curve; its area (average precision) is bootstrapped unless given as ``area``."""
    ranked = Ranked.of(outcome, risk)
    called, tp = (a[1:] for a in ranked.steps())
    recall, precision = tp / max(ranked.n_events, 1), tp / called
    keep = _evenly(recall + called / ranked.n, max_points)
    inside = called[keep].astype(np.float64)
    if groups is not None:
        order = np.argsort(-risk, kind="stable")
        inside = inside * _told(outcome[order] == 1, groups[order], called[keep], of_called=True)
    low, high = wilson_bounds(precision[keep] * inside, inside)
    return PrecisionRecallCurve(
        recall[keep],
        precision[keep],
        low,
        high,
        _thresholds(ranked, called[keep]),
        area or auprc(outcome, risk, groups=groups, seed=seed),
        ranked.n_events / ranked.n,
        ranked.n,
        ranked.n_events,
    )


def _told(event: NDArray[np.bool_], groups: Ints, called: Ints, *, of_called: bool, points: int = 50) -> Floats:
    """Return for how many patients, as a share of the rows, each point of a curve is as sure where patients repeat.

    ``event`` and ``groups`` (n,) are in order of falling risk, of which the first ``called`` (M,) are called at each
    point; ``of_called`` says that the share is of these, not of the events. Between ``points`` the share is interpolated.
    """
    asked = np.unique(np.linspace(0, len(called) - 1, points).astype(int))
    place = np.arange(len(event))
    found = []
    for k in called[asked]:
        first = place < k
        inside = first if of_called else event
        found.append(effective_number(event & first, inside, groups) / inside.sum() if inside.any() else 1.0)
    out: Floats = np.interp(np.arange(len(called)), asked, found)
    return out


def gain(outcome: Floats, risk: Floats, *, max_points: int = MAX_POINTS) -> GainCurve:
    """Return how many of the events are found by looking at the patients of highest risk first."""
    ranked = Ranked.of(outcome, risk)
    called, tp = ranked.steps()
    share, found = called / ranked.n, tp / max(ranked.n_events, 1)
    keep = _evenly(share + found, max_points)
    with np.errstate(invalid="ignore"):
        lift = np.where(share[keep] > 0, found[keep] / np.maximum(share[keep], 1e-300), np.nan)
    return GainCurve(share[keep], found[keep], lift, ranked.n_events / ranked.n, ranked.n)


def risk_distribution(outcome: Floats, risk: Floats, *, n_bins: int = 40) -> RiskDistribution:
    """Count patients with and without the outcome in equal steps of risk between 0 and 1."""
    edges = np.linspace(0, 1, n_bins + 1)
    event = outcome == 1
    counts = [np.histogram(risk[mask], edges)[0].astype(np.int64) for mask in (event, ~event)]
    quartiles = [_quartiles(risk[mask]) for mask in (event, ~event)]
    return RiskDistribution(edges, counts[0], counts[1], quartiles[0], quartiles[1])


def _quartiles(risk: Floats) -> tuple[float, float, float] | None:
    if not len(risk):
        return None
    low, middle, high = (float(q) for q in np.quantile(risk, [0.25, 0.5, 0.75]))
    return low, middle, high


def _evenly(position: Floats, max_points: int) -> Ints:
    """Choose points spread evenly over a rising position, the first and last among them."""
    if len(position) <= max_points:
        return np.arange(len(position))
    wanted = np.linspace(position[0], position[-1], max_points)
    return np.unique(np.append(np.searchsorted(position, wanted[:-1]), len(position) - 1))


def _thresholds(ranked: Ranked, called: Ints) -> Floats:
    """Return the threshold that calls each number of patients positive; infinite for none."""
    out: Floats = np.where(called > 0, ranked.risk[np.maximum(called, 1) - 1], np.inf)
    return out


def _plain(result: Any) -> dict[str, Any]:
    """Turn a result of arrays and estimates into plain Python, non-finite numbers into None."""
    out: dict[str, Any] = {}
    for name in result.__slots__:
        value = getattr(result, name)
        if isinstance(value, Estimate):
            out[name] = value.to_dict()
        elif isinstance(value, np.ndarray):
            out[name] = [v if np.isfinite(v) else None for v in value.tolist()]
        else:
            out[name] = list(value) if isinstance(value, tuple) else value
    return out
