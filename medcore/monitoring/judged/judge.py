"""What is asked of whoever judges predictions by their outcomes: figures of some patients, ready for a control chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from medcore.evaluation.figures.estimates import Estimate
from medcore.statistics.arrays import Floats
from medcore.statistics.proportions import Z95

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FigureScale:
    """The scale on which a figure is about normal: how it is brought there, and back."""

    there: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]


PLAIN = FigureScale(np.asarray, np.asarray)
LOG_ODDS = FigureScale(logit, expit)
LOG = FigureScale(np.log, np.exp)


@dataclass(frozen=True, slots=True)
class FigureKind:
    """The ``scale`` of a figure, and on which side of its limits a month is an alarm."""

    scale: FigureScale = PLAIN
    side: Literal["low", "high", "both"] = "both"


@dataclass(frozen=True, slots=True)
class MonthFigure:
    """A figure of some patients on the scale on which it is normal, with its standard error there."""

    value: float
    error: float

    def estimate(self, scale: FigureScale) -> Estimate:
        """Return it with its 95 % interval, brought back."""
        ends = np.array([self.value, self.value - Z95 * self.error, self.value + Z95 * self.error])
        value, low, high = map(float, scale.back(ends))
        return Estimate(value, low, high, "normal")


@dataclass(frozen=True, slots=True, eq=False)
class CusumEvidence:
    """What each patient adds to the CUSUMs of a place, as its reference months set it.

    ``steps`` are by name, each (n,), NaN where the outcome is unknown. ``limit`` gives that of a name at which so many patients a month, as in
    the reference, give an alarm with so low a probability. ``change`` tells how those between the beginning of a change and its alarm
    differ from what was predicted of them, where ``usual`` is what no change gives.
    """

    steps: Mapping[str, Floats]
    limit: Callable[[str, float, float], float]
    change: Callable[[NDArray[np.int64]], float]
    usual: float


SetRight = Callable[[Floats], Floats]
"""What brings risks (n,) to those that other patients have shown."""


class Judge(Protocol):
    """Predictions beside their outcomes, of which those of some patients may be judged: ``who`` (n,), all of known outcome."""

    @property
    def kinds(self) -> Mapping[str, FigureKind]:
        """The figures that there are, by name."""

    @property
    def risk(self) -> Floats | None:
        """The risk (n,) of the event, where there is one."""

    @property
    def cusums(self) -> Mapping[str, float]:
        """The CUSUMs that there are, by name, each with what it looks for; none where follow-up is cut short."""

    def evidence(self, reference: Mask) -> CusumEvidence | None:
        """Return what patients add to the CUSUMs, set by those of the ``reference``; None where these are too few."""

    def told(self, who: Mask) -> Mapping[str, MonthFigure]:
        """Return the figures of some patients; without those of which too few tell anything."""

    def calibration(self, who: Mask) -> tuple[Estimate, Estimate] | None:
        """Return calibration in the large, where 0 is perfect, and its slope, where 1 is; None with too few."""

    def set_right(self, who: Mask) -> SetRight | None:
        """Return what brings risks to those that some patients have shown; None with too few, or where there is no risk."""


def figure_of(estimate: Estimate, scale: FigureScale = PLAIN) -> MonthFigure | None:
    """Take an estimate of evaluation's to its scale: half its interval there is 1.96 standard errors, or a little more."""
    if not estimate.exists:
        return None
    value, low, high = scale.there(np.array([estimate.value, estimate.low, estimate.high]))
    error = float(high - low) / (2 * Z95)
    return MonthFigure(float(value), error) if np.isfinite(value) and np.isfinite(error) and error > 0 else None


def those(found: Mapping[str, MonthFigure | None]) -> dict[str, MonthFigure]:
    """Leave out the figures that do not exist."""
    return {name: figure for name, figure in found.items() if figure is not None}
