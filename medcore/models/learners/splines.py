"""Restricted cubic splines beside a matrix: a numeric predictor's risk may bend, smoothly, and is straight at its ends.

Sources: Durrleman & Simon 1989; Harrell, *Regression Modeling Strategies*, 2015, § 2.4
(the basis, the places of the knots). Which predictors bend is chosen from training rows
alone by Akaike's criterion, on Rao's score test of each predictor's curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes, FeatureMaker, kind_named
from medcore.models.contract.task import Indices, Risk

Floats = NDArray[np.float64]
KNOT_PLACES = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of four knots (Harrell 2015, table 2.3); three degrees of freedom serve most clinical predictors."""
FEW_KNOT_PLACES = (0.1, 0.5, 0.9)
"""Quantiles of three knots (the same table), for fewer than ``FEW_ROWS`` rows or where four coincide."""
FEW_ROWS = 100
_MOST_ROWS_TO_TEST = 10_000


@dataclass(frozen=True, slots=True)
class Splines:
    """The bent columns that follow a maker's matrix, S in all.

    ``places`` is the predictor of each column, ``knots`` its knots in the predictor's own
    unit, ``terms`` which of the knots minus two curves it is (from 0), ``centres`` and
    ``scales`` what it is centred and divided by. A missing value is filled with the
    median that the maker keeps.
    """

    places: tuple[int, ...] = ()
    knots: tuple[tuple[float, ...], ...] = ()
    terms: tuple[int, ...] = ()
    centres: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()

    def columns(self, codes: Codes, fill: Floats) -> Floats:
        """Return the bent columns of codes ``(n, P)``, centred and scaled, ``(n, S)``; ``fill`` (P,) is for gaps."""
        columns = np.empty((len(codes), len(self.places)))
        for at, (place, knots, term) in enumerate(zip(self.places, self.knots, self.terms, strict=True)):
            values = np.where(np.isnan(codes[:, place]), fill[place], codes[:, place])
            columns[:, at] = (spline_term(values, knots, term) - self.centres[at]) / self.scales[at]
        return columns

    def of(self, place: int) -> Indices:
        """Return which columns belong to a predictor."""
        return np.asarray([at for at, of in enumerate(self.places) if of == place], dtype=np.int64)

    def only(self, places: Indices) -> Splines:
        """Keep the columns of some predictors."""
        at = [i for i, place in enumerate(self.places) if place in set(places.tolist())]
        return Splines(**{name: tuple(getattr(self, name)[i] for i in at) for name in self.__slots__})

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {name: [list(v) if isinstance(v, tuple) else v for v in getattr(self, name)] for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Splines:
        """Read what :meth:`to_dict` wrote."""
        tuples = {name: tuple(data[name]) for name in cls.__slots__}
        return cls(**tuples | {"knots": tuple(tuple(float(t) for t in knots) for knots in data["knots"])})


def spline_term(values: Floats, knots: tuple[float, ...], term: int) -> Floats:
    """Return one curve of the restricted cubic spline, in Harrell's scaling: 0 below the first knot, straight beyond the last.

    >>> spline_term(np.array([-1.0, 0.5, 2.0, 3.0]), (0.0, 1.0, 2.0), 0).tolist()
    [0.0, 0.03125, 1.5, 3.0]
    """
    first, before_last, last = knots[0], knots[-2], knots[-1]
    own, width = knots[term], (last - first) ** 2
    towards_last = (last - own) / (last - before_last)
    inside = np.clip(values, first, last)  # beyond the last knot cubes would cancel and lose every digit
    curve = np.maximum(inside - own, 0.0) ** 3 - np.maximum(inside - before_last, 0.0) ** 3 * towards_last
    end = 3.0 * ((last - own) ** 2 - (last - before_last) ** 2 * towards_last)
    return np.asarray((curve + end * np.maximum(values - last, 0.0)) / width)


def possible_splines(codes: Codes, maker: FeatureMaker) -> Splines:
    """Place knots for every numeric predictor with enough different values in the training codes ``(n, P)``."""
    found: dict[str, list[Any]] = {name: [] for name in Splines.__slots__}
    for place, kind in enumerate(maker.kinds):
        values = codes[:, place]
        known = values[~np.isnan(values)]
        knots = _knots(known) if kind_named(kind).ordered and maker.layout_.entries[place] else ()
        filled = np.where(np.isnan(values), maker.medians_[place], values)
        for term in range(len(knots) - 2):
            curve = spline_term(filled, knots, term)
            if curve.std() > 0:
                row = (place, knots, term, float(curve.mean()), float(curve.std()))
                for name, value in zip(Splines.__slots__, row, strict=True):
                    found[name].append(value)
    return Splines(**{name: tuple(values) for name, values in found.items()})


def worth_bending(splines: Splines, bent: Floats, matrix: Floats, outcome: Indices, risk: Risk) -> Splines:
    """Keep the predictors whose curves lower Akaike's criterion of the straight model.

    ``bent`` (n, S) are all curves, ``matrix`` (n, F) the straight columns, ``risk``
    (n, K) what a straight model says of these training rows. Twice the gain in log
    likelihood is estimated by Rao's efficient score statistic, for more than two classes
    by its mean over the classes against the rest; it must exceed twice the number of curves.
    """
    n = len(outcome)
    if n > _MOST_ROWS_TO_TEST:  # only which predictors bend is decided here
        some = np.linspace(0, n - 1, _MOST_ROWS_TO_TEST).astype(np.int64)
        bent, matrix, outcome, risk = bent[some], matrix[some], outcome[some], risk[some]
    classes = (1,) if risk.shape[1] == 2 else tuple(np.unique(outcome))
    each = [(risk[:, k], (outcome == k) - risk[:, k]) for k in classes]
    gains = np.mean([_score_gains(splines, bent, matrix, own * (1.0 - own), left) for own, left in each], axis=0)
    return _gaining(splines, gains)


def worth_bending_of_numbers(splines: Splines, bent: Floats, matrix: Floats, residual: Floats) -> Splines:
    """Do so where a number is predicted, by what a straight model leaves (n,) of these training rows: normal errors."""
    n = len(residual)
    if n > _MOST_ROWS_TO_TEST:
        some = np.linspace(0, n - 1, _MOST_ROWS_TO_TEST).astype(np.int64)
        bent, matrix, residual = bent[some], matrix[some], residual[some]
    certain = np.full(len(residual), 1.0 / max(float((residual**2).mean()), 1e-12))
    return _gaining(splines, _score_gains(splines, bent, matrix, certain, residual * certain))


def _gaining(splines: Splines, gains: Floats) -> Splines:
    """Keep the predictors whose gain exceeds twice their number of curves."""
    places = np.unique(np.asarray(splines.places, dtype=np.int64))
    degrees = np.array([len(splines.of(place)) for place in places])
    return splines.only(places[gains > 2.0 * degrees])


def _score_gains(splines: Splines, bent: Floats, matrix: Floats, weights: Floats, residual: Floats) -> Floats:
    """Return the efficient score statistic of each predictor's curves, in the order of the predictors.

    ``residual`` (n,) is how the log likelihood changes with each row's score, ``weights`` (n,) how that does.
    """
    design = np.column_stack([np.ones(len(residual)), matrix])
    straight = design.T @ (design * weights[:, None])
    straight += 1e-6 * np.trace(straight) / len(straight) * np.eye(len(straight))
    cross = design.T @ (bent * weights[:, None])
    projected = np.linalg.solve(straight, cross)
    score = bent.T @ residual - projected.T @ (design.T @ residual)
    information = bent.T @ (bent * weights[:, None]) - projected.T @ cross
    gains = []
    for place in sorted(set(splines.places)):
        at = splines.of(place)
        gains.append(float(score[at] @ np.linalg.pinv(information[np.ix_(at, at)], rcond=1e-8) @ score[at]))
    return np.asarray(gains)


def _knots(known: Floats) -> tuple[float, ...]:
    for places in (KNOT_PLACES, FEW_KNOT_PLACES):
        knots = np.unique(np.quantile(known, places)) if known.size else np.empty(0)
        if len(knots) == len(places) and (known.size >= FEW_ROWS or places is FEW_KNOT_PLACES):
            return tuple(float(t) for t in knots)
    return ()
