"""What was measured as a smooth function of what was predicted, and how far the two agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.evaluation.curves.calibration import inhabited, tenths
from medcore.evaluation.figures.estimates import Estimate, Floats
from medcore.evaluation.figures.resampling import Ints, default_n_boot, draw, sums
from medcore.evaluation.figures.smoothing import SPAN, Smoother
from medcore.evaluation.figures.weighting import linearised

_MOST_CELLS = 500
LIMITS = 1.959963984540054
"""Standard deviations on either side of the mean difference within which 95 % of normal differences lie (Bland & Altman 1986)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCalibration:
    """The smooth curve with its 95 % band, at ``predicted`` (M,); and equal parts by what was predicted.

    ``groups`` are, for each part, the mean predicted and the mean measured with its interval.
    """

    predicted: Floats = field(repr=False)
    measured: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    groups: tuple[tuple[float, Estimate], ...]
    n: int
    span: float = SPAN


def number_calibration(
    value: Floats, predicted: Floats, *, groups: Ints | None = None, seed: int = 0, n_boot: int | None = None
) -> NumberCalibration:
    """Smooth what was measured, ``value`` (n,), over what was ``predicted`` (n,): loess, its band by resampling patients."""
    cell, smoother, n_cells = _prepared(predicted)
    draws = draw(len(value), groups, n_boot=n_boot or min(500, default_n_boot(len(value))), seed=seed)
    whole = smoother.at_knots(sums(cell, np.ones(len(value)), n_cells)[None], sums(cell, value, n_cells)[None])[0]
    drawn = smoother.at_knots(draws.by_cell(cell, n_cells), draws.by_cell(cell, n_cells, value))
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    reach = float(np.ptp(predicted)) or 1.0
    there = inhabited(smoother.knots / reach, predicted / reach)
    whole, low, high = (np.where(there, each, np.nan) for each in (whole, low, high))
    return NumberCalibration(
        predicted=smoother.knots,
        measured=whole,
        low=low,
        high=high,
        groups=tuple(_part(value[mask], predicted[mask]) for mask in tenths(predicted)),
        n=len(value),
    )


def smoothed(value: Floats, predicted: Floats) -> Floats:
    """Return the smooth curve at each patient's own prediction (n,)."""
    cell, smoother, n_cells = _prepared(predicted)
    fitted = smoother.at_knots(sums(cell, np.ones(len(value)), n_cells)[None], sums(cell, value, n_cells)[None])
    return np.asarray(smoother.between(fitted, predicted)[0])


def _prepared(predicted: Floats) -> tuple[Ints, Smoother, int]:
    """Gather patients in cells of about equal predictions, each with its own mean."""
    distinct, place = np.unique(predicted, return_inverse=True)
    n_cells = min(len(distinct), _MOST_CELLS)
    if len(distinct) > n_cells:
        rank = np.empty(len(predicted), dtype=np.int64)
        rank[np.argsort(predicted, kind="stable")] = np.arange(len(predicted))
        place = rank * n_cells // len(predicted)
    centres = sums(place, predicted, n_cells) / sums(place, np.ones(len(predicted)), n_cells)
    return place.astype(np.int64), Smoother.over(predicted, centres), n_cells


def _part(value: Floats, predicted: Floats) -> tuple[float, Estimate]:
    mean = float(value.mean())
    pull = (value - mean) / max(len(value) - 1, 1)
    return float(predicted.mean()), linearised(mean, pull, None, "influence", weighted=True)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Bland and Altman's limits: the ``mean`` difference, and those between which 95 % lie, ``lower`` and ``upper``."""

    mean: Estimate
    sd: float
    lower: Estimate
    upper: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {"sd": self.sd} | {name: getattr(self, name).to_dict() for name in ("mean", "lower", "upper")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Agreement:
        """Read what :meth:`to_dict` wrote."""
        estimates = {name: Estimate.from_dict(data[name]) for name in ("mean", "lower", "upper")}
        return cls(sd=float(data["sd"]), **estimates)


def agreement(value: Floats, predicted: Floats, *, groups: Ints | None = None) -> Agreement:
    """Return the limits of agreement of what was measured less what was predicted, with their intervals.

    Limits are mean ± 1.96 standard deviations (Bland & Altman 1986, Lancet 327:307); the intervals are of each patient's
    influence on mean and standard deviation, which hold for errors that are not normal, and where patients repeat.
    """
    n, error = len(value), value - predicted
    mean, sd = float(error.mean()), float(error.std(ddof=1))
    free = n - 1 if groups is None else n
    of_mean = (error - mean) / free
    of_sd = ((error - mean) ** 2 - sd**2) / (2 * sd * free) if sd > 0 else np.zeros(n)
    method = "influence" if groups is None else "influence_cluster"

    def at(side: float) -> Estimate:
        return linearised(mean + side * sd, of_mean + side * of_sd, groups, method, weighted=True)

    return Agreement(at(0.0), sd, at(-LIMITS), at(LIMITS))
