"""A score of whole points that can be added up by hand, and what it costs against the equation.

Source of the method: Sullivan, Massaro & D'Agostino, Stat Med 2004;23:1631; numbers are cut
into bands, every band and category gets points in proportion to its log-odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from medcore.evaluation import Evaluation, evaluate
from medcore.features import Codes
from medcore.models.contract.task import Risk, Task, clean
from medcore.models.learners.equation import Equation, equation_of
from medcore.models.learners.logistic import LogisticPart, refit
from medcore.statistics.logistic import fit_logistic

Floats = NDArray[np.float64]
MOST_POINTS = 10
"""Points of the predictor that matters most, from its lowest band to its highest."""
BANDS = (0.2, 0.4, 0.6, 0.8)
"""Quantiles of the training patients near which numbers are cut, to two figures that count."""


@dataclass(frozen=True, slots=True)
class Items:
    """The points of one predictor (``place``): of each band or category, and of a missing value.

    ``cuts`` (B−1) part the B bands of a number, each from its lower cut on; ``levels`` are the
    codes of categories. ``points`` goes with the bands or the levels; a category that is not
    among them has ``other``.
    """

    place: int
    points: tuple[int, ...]
    missing: int
    other: int = 0
    cuts: tuple[float, ...] = ()
    levels: tuple[int, ...] = ()

    def of(self, values: Floats) -> NDArray[np.int64]:
        """Return the points of one predictor's codes ``(n,)``."""
        known = np.nan_to_num(values)
        if self.levels:
            found = np.full(len(values), self.other)
            for level, points in zip(self.levels, self.points, strict=True):
                found[known == level] = points
        else:
            found = np.asarray(self.points)[np.searchsorted(self.cuts, known, side="right")]
        return np.where(np.isnan(values), self.missing, found).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointScore:
    """A score of whole points: ``risk = 1 / (1 + exp(−(intercept + slope · total)))`` of the last class.

    ``evaluation`` judges it out of fold: bands, points, intercept and slope of each fold
    are made without the fold's own rows. ``full`` is the equation judged on the same rows.
    """

    items: tuple[Items, ...]
    intercept: float
    slope: float
    evaluation: Evaluation = field(repr=False)
    full: Evaluation = field(repr=False)

    @property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest total."""
        each = [(*item.points, item.missing, *((item.other,) if item.levels else ())) for item in self.items]
        return sum(min(points) for points in each), sum(max(points) for points in each)

    def total(self, codes: Codes) -> NDArray[np.int64]:
        """Add up the points of codes ``(n, P)``."""
        return total_of(self.items, codes)

    def risk(self, total: NDArray[np.int64] | int) -> Floats:
        """Return the risk (0–1) of the last class for totals."""
        return np.asarray(expit(self.intercept + self.slope * total))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        judged = {name: getattr(self, name).to_dict() for name in ("evaluation", "full")}
        return {
            "items": [asdict(item) for item in self.items],
            "intercept": self.intercept,
            "slope": self.slope,
        } | judged

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PointScore:
        """Read what :meth:`to_dict` wrote."""
        items = tuple(
            Items(**dict(item) | {name: tuple(item[name]) for name in ("points", "cuts", "levels")})
            for item in data["items"]
        )
        judged = {name: Evaluation.from_dict(data[name]) for name in ("evaluation", "full")}
        return cls(**dict(data) | {"items": items} | judged)


def point_score(part: LogisticPart, task: Task) -> PointScore | None:
    """Make the score of a model of two classes, judged out of fold; None where no predictor says anything."""
    items = points_of(equation_of(part), task.codes)
    line = _line(items, task, np.arange(task.n))
    if not items or line is None:
        return None
    scored, full = np.empty((task.n, 2)), np.empty((task.n, 2))
    for fold in range(task.n_folds):
        rows, held = task.training(fold), task.held_out(fold)
        own = refit(task, rows, part)
        own_items = points_of(equation_of(own), task.codes[rows])
        a, b = _line(own_items, task, rows) or line
        scored[held] = _risk(own_items, a, b, task.codes[held])
        full[held] = own.risk(task.codes[held])
    judged = [
        evaluate(task.outcome, risk, ("0", "1"), groups=task.groups, folds=task.folds, seed=task.settings.seed)
        for risk in (scored, full)
    ]
    return PointScore(items=items, intercept=line[0], slope=line[1], evaluation=judged[0], full=judged[1])


def points_of(equation: Equation, codes: Codes) -> tuple[Items, ...]:
    """Give points to the bands and categories of every predictor of a model of two classes."""
    effects = [
        (place, *_bands(equation, place, codes))
        for place in sorted({term.place for term in equation.terms if any(term.coefficients)})
    ]
    spans = [
        np.ptp([*values, missing, *([other] if levels else [])]) for _p, values, missing, other, _c, levels in effects
    ]
    unit = max(spans, default=0.0) / MOST_POINTS
    if unit <= 0:
        return ()
    items = []
    for place, values, missing, other, cuts, levels in effects:
        least = min([*values, missing, *([other] if levels else [])])
        items.append(
            Items(
                place,
                tuple(round((v - least) / unit) for v in values),
                missing=round((missing - least) / unit),
                other=round((other - least) / unit) if levels else 0,
                cuts=cuts,
                levels=levels,
            )
        )
    return tuple(item for item in items if any((*item.points, item.missing, item.other)))


def effect(equation: Equation, place: int, values: Floats) -> Floats:
    """Return what one predictor's values ``(n,)`` add to the log-odds of the last class."""
    codes = np.zeros((len(values), place + 1))
    codes[:, place] = values
    total = np.zeros(len(values))
    for term in equation.terms:
        if term.place == place:
            total += term.value(codes) * term.coefficients[-1]
    return total


_Bands = tuple[list[float], float, float, tuple[float, ...], tuple[int, ...]]


def _bands(equation: Equation, place: int, codes: Codes) -> _Bands:
    """Return the log-odds of bands or levels, of a missing value and of another category, with cuts and levels."""
    known = codes[~np.isnan(codes[:, place]), place]
    missing, other = effect(equation, place, np.array([np.nan, -1.0])).tolist()
    if any(term.kind in ("linear", "spline") for term in equation.terms if term.place == place):
        cuts = _cuts(known)
        bands = np.searchsorted(cuts, known, side="right")
        middles = np.array([np.median(known[bands == b]) for b in range(len(cuts) + 1)])
        return effect(equation, place, middles).tolist(), missing, 0.0, cuts, ()
    levels = tuple(int(v) for v in np.unique(known) if v >= 0)
    return effect(equation, place, np.asarray(levels, dtype=np.float64)).tolist(), missing, other, (), levels


def _cuts(known: Floats) -> tuple[float, ...]:
    """Cut near the quantiles, to two figures that count, so that every band has patients."""
    cuts = sorted({float(f"{q:.2g}") for q in np.quantile(known, BANDS)}) if known.size else []
    kept: list[float] = []
    for cut in cuts:
        inside = (known < cut) & (known >= (kept[-1] if kept else -np.inf))
        if inside.any() and (known >= cut).any():
            kept.append(cut)
    return tuple(kept)


def _line(items: tuple[Items, ...], task: Task, rows: NDArray[np.int64]) -> tuple[float, float] | None:
    """Fit the risk to the total on some rows; None where the total tells nothing."""
    total = total_of(items, task.codes[rows]).astype(np.float64)
    design = np.column_stack([np.ones(len(rows)), total])
    fitted = fit_logistic(task.outcome[rows].astype(np.float64), design) if np.ptp(total) > 0 else None
    return None if fitted is None else (float(fitted.coefficients[0]), float(fitted.coefficients[1]))


def total_of(items: tuple[Items, ...], codes: Codes) -> NDArray[np.int64]:
    """Add up the points of codes ``(n, P)``."""
    total = np.zeros(len(codes), dtype=np.int64)
    for item in items:
        total += item.of(codes[:, item.place])
    return total


def _risk(items: tuple[Items, ...], intercept: float, slope: float, codes: Codes) -> Risk:
    risk = expit(intercept + slope * total_of(items, codes))
    return clean(np.column_stack([1.0 - risk, risk]), 2)
