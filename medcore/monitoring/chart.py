"""A control chart: one figure of every month at one place, between the limits that chance alone hardly passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.i18n import N_
from medcore.monitoring.watched import WatchedPlace
from medcore.statistics.arrays import Floats

FIGURES: Mapping[str, str] = {
    "volume": N_("Predictions"),
    "missing": N_("Missing values"),
    "unused": N_("Values given and not used"),
    "unseen": N_("Values training never saw"),
    "outside": N_("Values outside the range of training"),
    "difference": N_("Difference of values from the reference months"),
    "risk": N_("Difference of predictions from the reference months"),
    "alerts": N_("Alerts per 100 patients"),
    "auroc": N_("AUROC"),
    "calibration_intercept": N_("Calibration in the large"),
    "o_e_ratio": N_("Events observed over expected"),
    "mae": N_("Mean absolute error"),
    "mean_error": N_("Measured less predicted, on average"),
    "calibration_slope": N_("Calibration slope"),
    "coverage": N_("Inside the prediction interval"),
    "net_benefit": N_("Net benefit at the threshold"),
    "cusum_more": N_("CUSUM of more events than predicted"),
    "cusum_fewer": N_("CUSUM of fewer events than predicted"),
    "cusum_higher": N_("CUSUM of higher values than predicted"),
    "cusum_lower": N_("CUSUM of lower values than predicted"),
}
"""Every figure that has a chart, in the order they are told."""
VALUES = ("missing", "unused", "unseen", "outside", "difference")
USE = ("volume", "risk", "alerts")
SHARES = ("missing", "unused", "unseen", "outside", "alerts", "coverage")
"""Figures that are shares, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """One ``figure`` of every month (M,) at a ``place``, perhaps of one ``column``, or of one of several classes, ``of_class``.

    ``centre`` is the figure of the reference months. Between ``low`` and ``high`` (M,) a month lies by chance but for
    ``rate`` of the months; NaN where there is no limit. A month without ``judged`` is one of reference, or cannot be told.
    """

    figure: str
    place: WatchedPlace
    column: str | None = None
    of_class: str | None = None
    value: Floats = field(repr=False)
    centre: float
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    judged: NDArray[np.bool_] = field(repr=False)
    rate: float

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """Which months (M,) lie beyond a limit."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.judged & ((self.value < self.low) | (self.value > self.high)))

    @property
    def excess(self) -> Floats:
        """How far each month lies from the centre, in distances of the limit on its side from it: beyond 1 it is out."""
        limit = np.where(self.value >= self.centre, self.high, self.low)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.abs(self.value - self.centre) / np.abs(limit - self.centre)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "figure": self.figure,
            "place": self.place.to_dict(),
            "column": self.column,
            "class": self.of_class,
            "centre": number(self.centre),
            "rate": self.rate,
            "value": numbers(self.value),
            "low": numbers(self.low),
            "high": numbers(self.high),
            "judged": self.judged.tolist(),
            "beyond": self.beyond.tolist(),
        }


@dataclass(frozen=True, slots=True)
class Rates:
    """Which false-alarm rate each chart has, so that all charts of a month together give an alarm with at most ``month``.

    A third each goes to the values, to how the model is used, and to outcomes, and is dealt out within them
    (Šidák 1967, JASA 62:626).
    """

    month: float
    n_values: int
    n_use: int
    n_outcomes: int

    def of(self, figure: str) -> float:
        """Return the rate of each chart of a figure."""
        n = self.n_values if figure in VALUES else self.n_use if figure in USE else self.n_outcomes
        return float(-np.expm1(np.log1p(-self.month / 3) / max(n, 1)))


def number(value: float) -> float | None:
    """Return a number as JSON has it."""
    return float(value) if np.isfinite(value) else None


def numbers(values: Floats) -> list[float | None]:
    """Return numbers as JSON has them."""
    return [number(v) for v in values]
