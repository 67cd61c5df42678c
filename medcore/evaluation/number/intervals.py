"""Prediction intervals with a stated coverage, from what was off outside each training fold.

Cross-conformal prediction (Vovk 2015, Ann Math Artif Intell 74:9; Barber et al. 2021, Ann Stat 49:486): the errors of
patients whom no model had seen say how far the next one will be off. Each side has its own quantile, so that skewed errors
have skewed intervals; where errors grow with the prediction, they are first divided by how large they are to be expected
there (Lei et al. 2018, JASA 113:1094, § 5.2), if that gives the better intervals in the folds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from medcore.evaluation.figures.estimates import Floats
from medcore.evaluation.figures.resampling import Ints

COVERAGE = 0.9
"""Of ten patients nine are to be inside, as for the sets of classes."""
_LEAST_SPREAD = 0.2
"""The expected size of an error is never below this share of the mean size."""


@dataclass(frozen=True, slots=True)
class PredictionIntervals:
    """From ``below`` to ``above`` expected sizes of error around a prediction, a size being ``base`` + ``growth`` · prediction.

    It is never below ``least``, nor do intervals pass the outcome's limits ``low`` and ``high``.
    """

    below: float
    above: float
    base: float = 1.0
    growth: float = 0.0
    least: float = 0.0
    low: float | None = None
    high: float | None = None
    coverage: float = COVERAGE

    @property
    def grows(self) -> bool:
        """Whether intervals are of different width."""
        return self.growth != 0.0

    def around(self, predicted: Floats) -> tuple[Floats, Floats]:
        """Return the lower and upper ends (n,) around predictions (n,)."""
        size = np.maximum(self.base + self.growth * predicted, self.least)
        ends = np.stack([predicted + self.below * size, predicted + self.above * size])
        ends = np.clip(ends, self.low, self.high) if self.low is not None or self.high is not None else ends
        return np.asarray(np.minimum(ends[0], predicted)), np.asarray(np.maximum(ends[1], predicted))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PredictionIntervals:
        """Read what :meth:`to_dict` wrote."""
        return cls(**data)


def fit_intervals(
    value: Floats,
    predicted: Floats,
    *,
    growing: bool,
    log: bool = False,
    limits: tuple[float | None, float | None] = (None, None),
    coverage: float = COVERAGE,
) -> PredictionIntervals:
    """Fit intervals on out-of-fold predictions (n,); ``growing`` lets them widen with the prediction, in proportion to it where its ``log`` was learnt."""
    error = value - predicted
    base, growth, least = (
        (1.0, 0.0, 0.0) if not growing else (0.0, 1.0, 1e-300) if log else _size(np.abs(error), predicted)
    )
    scaled = np.sort(error / np.maximum(base + growth * predicted, least))
    n, tail = len(scaled), (1 - coverage) / 2
    rank = min(int(np.ceil((n + 1) * (1 - tail))), n)
    return PredictionIntervals(
        float(scaled[n - rank]), float(scaled[rank - 1]), base, growth, least, *limits, coverage=coverage
    )


def choose_intervals(
    value: Floats,
    predicted: Floats,
    folds: Ints,
    *,
    log: bool = False,
    limits: tuple[float | None, float | None] = (None, None),
) -> tuple[PredictionIntervals, tuple[Floats, Floats]]:
    """Choose between equal and growing intervals by their score in the folds; return them, and honest ones (n,) of these rows.

    The score is the interval score (Gneiting & Raftery 2007, JASA 102:359, § 6.2): width, and what is left outside at
    2/α. A fold's own errors have no say in its intervals, nor in whether they grow.
    """
    fits = {growing: partial(fit_intervals, growing=growing, log=log, limits=limits) for growing in (False, True)}
    honest = {growing: _by_fold(value, predicted, folds, fit) for growing, fit in fits.items()}
    scores = {growing: _score(value, ends) for growing, ends in honest.items()}
    low, high = np.empty(len(value)), np.empty(len(value))
    for fold in np.unique(folds):
        held = folds == fold
        pays = bool(scores[True][~held].mean() < scores[False][~held].mean())
        low[held], high[held] = (ends[held] for ends in honest[pays])
    grows = bool(scores[True].mean() < scores[False].mean())
    return fits[grows](value, predicted), (low, high)


def _by_fold(
    value: Floats, predicted: Floats, folds: Ints, fit: Callable[[Floats, Floats], PredictionIntervals]
) -> tuple[Floats, Floats]:
    low, high = np.empty(len(value)), np.empty(len(value))
    for fold in np.unique(folds):
        held = folds == fold
        low[held], high[held] = fit(value[~held], predicted[~held]).around(predicted[held])
    return low, high


def _score(value: Floats, ends: tuple[Floats, Floats]) -> Floats:
    low, high = ends
    outside = np.maximum(low - value, 0.0) + np.maximum(value - high, 0.0)
    return np.asarray(high - low + 2 / (1 - COVERAGE) * outside)


def _size(size: Floats, predicted: Floats) -> tuple[float, float, float]:
    """Fit the line of the sizes of errors over what was predicted, and the least size."""
    centred = predicted - predicted.mean()
    total = float(centred @ centred)
    growth = float(centred @ size) / total if total > 0 else 0.0
    mean = float(size.mean())
    return mean - growth * float(predicted.mean()), growth, max(_LEAST_SPREAD * mean, 1e-300)
