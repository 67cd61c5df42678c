"""Parts that say by when: a cumulative incidence for each cause, of which a risk is one point."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows
from medcore.models.contract.task import Indices, Part, Risk, clean

MOST_TIMES = 60
"""Times at which a curve is kept, beside the horizons: more are not seen apart in a drawing."""
Curves = NDArray[np.float64]


class TimedPart(Part):
    """A trained model of an event with a time; its ``risk`` is about the time ``horizon``."""

    horizon: float

    @abstractmethod
    def curve(self, rows: AnyRows, times: NDArray[np.float64], /) -> Curves:
        """Return each row's cumulative incidence of every cause by ``times`` (T,): ``(n, causes, T)``."""

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict by the horizon: no event, the event in question, each competing one; ``(n, K)``."""
        return risk_of_curve(self.curve(rows, np.array([self.horizon]))[:, :, 0])

    def at(self, horizon: float) -> Self:
        """Return the same model, asked about another time."""
        here: Any = self
        there: Self = replace(here, horizon=horizon)
        return there


def risk_of_curve(incidence: NDArray[np.float64]) -> Risk:
    """Return risks ``(n, 1 + causes)`` of incidences ``(n, causes)`` by one time, that of no event first."""
    return clean(np.column_stack([1.0 - incidence.sum(axis=1), incidence]), incidence.shape[1] + 1)


def curve_times(duration: NDArray[np.float64], event: Indices, horizons: Sequence[float]) -> NDArray[np.float64]:
    """Choose the times of curves: the horizons, and quantiles of the times of events (of any cause) up to the last of them.

    >>> curve_times(np.arange(1.0, 9.0), np.ones(8, dtype=np.int64), (2.5, 6.0)).tolist()
    [1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0]
    """
    own = np.unique(duration[(event > 0) & (duration <= max(horizons)) & (duration > 0)])
    places = np.linspace(0, len(own) - 1, min(len(own), MOST_TIMES)).round().astype(np.int64)
    return np.unique(np.concatenate([own[places], np.asarray(horizons, dtype=np.float64)]))
