"""How the months of reference themselves stand to the training: what was there from the first day is no change, and is told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medcore.data.shown import Naming, Shown
from medcore.evaluation.figures.estimates import Estimate
from medcore.i18n import N_, Message
from medcore.monitoring.calendar import Calendar
from medcore.monitoring.judged.of_target import WatchedQuestion
from medcore.monitoring.values import cells_among, edges_of, levels_of
from medcore.monitoring.watched import Watched
from medcore.statistics.control.cells import cell_difference

NOTABLE = 0.2
"""Standardised differences above this are told, if they are no chance: the usual bound of a small one (Cohen 1988)."""
AS_TRAINED = N_("In the months of reference, values were as in the sample of training, as far as this can be told.")
DIFFERS = N_(
    "Already in the months of reference, values differed from the sample of training: {columns} (standard deviations). Whether the "
    "model holds for such patients is judged under Evaluate, New patients, not by the charts here."
)
CALIBRATED = N_(
    "In the months of reference calibration in the large was {large}, where 0 is perfect, and the slope {slope}, where 1 is."
)
MISCALIBRATED = N_(
    "Already in the months of reference the model was not calibrated: in the large {large}, where 0 is perfect, slope {slope}, where 1 "
    "is. The charts take that as usual; recalibrate it to such patients."
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration in the large (0 is perfect) and slope (1 is perfect) of the reference, perhaps of one of several classes."""

    large: Estimate
    slope: Estimate
    of_class: str | None = None

    @property
    def message(self) -> Message:
        """Say it, and whether it is perfect as far as can be told."""
        off = _excludes(self.large, 0.0) or _excludes(self.slope, 1.0)
        values = {"large": f"{self.large:.2f}", "slope": f"{self.slope:.2f}"}
        said = Message(MISCALIBRATED if off else CALIBRATED, values)
        return said if self.of_class is None else Message("{class}: {said}", {"class": self.of_class, "said": said})

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "class": self.of_class,
            "calibration_intercept": self.large.to_dict(),
            "calibration_slope": self.slope.to_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Columns that differ notably from the training's sample (by their standardised difference), and the ``calibration`` of the reference."""

    differences: tuple[tuple[str, float], ...]
    calibration: tuple[Calibration, ...] = ()
    compared: bool = True

    def lines(self, naming: Naming = Shown) -> tuple[Message, ...]:
        """Say how the months of reference stand to the training."""
        said = []
        if self.differences:
            told = [f"{naming(name).words} {value:.2f}" for name, value in self.differences]
            said.append(Message(DIFFERS, {"columns": told}))
        elif self.compared:
            said.append(Message(AS_TRAINED))
        return (*said, *(one.message for one in self.calibration))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "differences": dict(self.differences),
            "calibration": [one.to_dict() for one in self.calibration],
        }


def beginning(watched: Watched, calendar: Calendar, questions: Sequence[WatchedQuestion], *, rate: float) -> Beginning:
    """Compare the months of reference with the sample of training, and judge the calibration there where enough outcomes are known.

    ``rate`` is that of finding a difference in any column by chance.
    """
    first = calendar.of < calendar.reference
    judged = ((q.of_class, q.judge.calibration(first & watched.is_known)) for q in questions)
    calibration = tuple(Calibration(*found, of_class) for of_class, found in judged if found is not None)
    inputs = watched.inputs
    found = []
    for p, column in enumerate(inputs.columns):
        if inputs.training is None or not (inputs.ordered[p] or inputs.categories[p]):
            continue
        then, now = inputs.training[:, p], inputs.codes[first, p]
        edges = edges_of(then)
        cells = [cells_among(v, edges) if inputs.ordered[p] else levels_of(v) for v in (then, now)]
        width = int(max(c.max(initial=0) for c in cells)) + 1
        counts = [np.bincount(c[c >= 0], minlength=width).astype(np.float64) for c in cells]
        apart = cell_difference(counts[0], counts[1], rate / len(inputs.columns))
        if apart is not None and apart.difference > max(apart.limit, NOTABLE):
            found.append((column, apart.difference))
    differences = tuple(sorted(found, key=lambda pair: -pair[1]))
    return Beginning(differences=differences, calibration=calibration, compared=inputs.training is not None)


def _excludes(estimate: Estimate, value: float) -> bool:
    return estimate.exists and not estimate.low <= value <= estimate.high
