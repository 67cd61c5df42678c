"""Does a predicted 20 % happen to 20 of 100 patients? The calibration curve and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.evaluation.figures.estimates import Estimate, Floats, wilson_effective
from medcore.evaluation.figures.resampling import Ints, default_n_boot, draw, effective_number, risk_bins, sums
from medcore.evaluation.figures.smoothing import SPAN, Smoother
from medcore.evaluation.figures.weighting import proportion, weighed

#: The curve is drawn where this many patients lie within this distance of risk.
FEWEST_NEAR, NEAR = 5, 0.05


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Patients of similar predicted risk: their number, mean risk (0–1) and observed share of events."""

    n: int
    n_events: int
    mean_risk: float
    observed: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "n": self.n,
            "n_events": self.n_events,
            "mean_risk": self.mean_risk,
            "observed": self.observed.to_dict(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCurve:
    """Observed share of events as a smooth function of predicted risk.

    ``risk`` (M,), ``observed`` with its pointwise 95 % band ``low``, ``high`` (M,),
    from a local-linear loess without robustness steps; the band resamples
    patients. Where fewer than 5 patients lie within 5 percentage points the curve is not
    drawn (NaN): it would be the smoother's own. ``groups`` are tenths of the patients by risk; ``edges`` and
    ``counts`` the histogram of predicted risks.
    """

    risk: Floats
    observed: Floats
    low: Floats
    high: Floats
    groups: tuple[RiskGroup, ...]
    edges: Floats
    counts: Ints
    n: int
    n_events: int
    span: float = SPAN

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        arrays = ("risk", "observed", "low", "high", "edges", "counts")
        drawn = {n: [v if np.isfinite(v) else None for v in getattr(self, n).tolist()] for n in arrays}
        return drawn | {
            "groups": [g.to_dict() for g in self.groups],
            "n": self.n,
            "n_events": self.n_events,
            "span": self.span,
        }


def calibration_curve(
    outcome: Floats,
    risk: Floats,
    *,
    groups: Ints | None = None,
    weights: Floats | None = None,
    seed: int = 0,
    n_boot: int | None = None,
    n_groups: int = 10,
) -> CalibrationCurve:
    """Smooth what happened over what was predicted; ``outcome`` (n,) of 0 and 1, ``risk`` (n,).

    The curve spans the risks that occur. ``groups`` are patient codes where
    patients repeat; ``weights`` (n,) say for how many patients each row stands, rows
    of weight 0 not counted. The histogram counts patients.
    """
    kept, weighted = weighed(weights, len(risk))
    outcome, risk, groups = outcome[kept], risk[kept], None if groups is None else groups[kept]
    bins, n_bins = risk_bins(risk, 500)
    weight = np.ones(len(risk)) if weighted is None else weighted
    centres = sums(bins, weight * risk) / sums(bins, weight)
    smoother = Smoother.over(risk, centres, weighted)
    draws = draw(len(risk), groups, n_boot=n_boot or min(500, default_n_boot(len(risk))), seed=seed)
    cell = 2 * bins + (outcome == 1)
    whole = sums(cell, weight, 2 * n_bins)[None, :]
    observed, drawn = (
        np.clip(smoother.at_knots(w[:, 0::2] + w[:, 1::2], w[:, 1::2]), 0, 1)
        for w in (whole, draws.by_cell(cell, 2 * n_bins, weighted))
    )
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    drawn_there = inhabited(smoother.knots, risk, groups)
    edges = np.linspace(0, 1, 41)
    return CalibrationCurve(
        risk=smoother.knots,
        observed=np.where(drawn_there, observed[0], np.nan),
        low=np.where(drawn_there, low, np.nan),
        high=np.where(drawn_there, high, np.nan),
        groups=risk_groups(outcome, risk, groups=groups, weights=weighted, n_groups=n_groups),
        edges=edges,
        counts=np.histogram(risk, edges)[0].astype(np.int64),
        n=len(risk),
        n_events=int(outcome.sum()),
    )


def inhabited(knots: Floats, risk: Floats, groups: Ints | None = None) -> NDArray[np.bool_]:
    """Say at which knots enough patients are near for a curve to be theirs; a patient of several rows (``groups``) counts once."""
    order = np.argsort(risk, kind="stable")
    ordered = risk[order]
    first = np.searchsorted(ordered, knots - NEAR, side="left")
    last = np.searchsorted(ordered, knots + NEAR, side="right")
    if groups is None:
        return np.asarray(last - first >= FEWEST_NEAR)
    patients = groups[order]
    return np.array([_several(patients[a:b]) for a, b in zip(first, last, strict=True)], dtype=bool)


def _several(patients: Ints, head: int = 200) -> bool:
    """Say whether rows are of enough patients; mostly the first rows tell."""
    return any(len(np.unique(rows)) >= FEWEST_NEAR for rows in (patients[:head], patients))


def risk_groups(
    outcome: Floats, risk: Floats, *, groups: Ints | None = None, weights: Floats | None = None, n_groups: int = 10
) -> tuple[RiskGroup, ...]:
    """Split patients into equal parts by risk (equal risks stay together) and count events in each.

    ``weights`` (n,), each above 0, change the shares and means, not the counts. Where patients repeat
    (``groups``), intervals are those of the effective number of patients.
    """
    found = []
    for mask in tenths(risk, n_groups):
        n, events = int(mask.sum()), int(outcome[mask].sum())
        weight = None if weights is None else weights[mask]
        mean = float(np.average(risk[mask], weights=weight))
        share = proportion(outcome[mask] == 1, weight)
        if groups is not None and weights is None:
            share = wilson_effective(events, n, effective_number(mask & (outcome == 1), mask, groups))
        found.append(RiskGroup(n, events, mean, share))
    return tuple(found)


def tenths(risk: Floats, n_groups: int = 10) -> list[NDArray[np.bool_]]:
    """Say who (n,) is in each of ``n_groups`` equal parts by ``risk`` (n,), ascending; equal risks stay together."""
    part, n_parts = risk_bins(risk, n_groups)
    if n_parts > n_groups:
        part, n_parts = part * n_groups // n_parts, n_groups
    masks = [part == k for k in range(n_parts)]
    return [mask for mask in masks if mask.any()]
