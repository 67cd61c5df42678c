"""What performance is to be expected before outcomes are known: an estimate, from the risks alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.i18n import N_
from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import numbers
from medcore.monitoring.judged.of_target import WatchedQuestion
from medcore.monitoring.watched import Mask, Watched, WatchedPlace
from medcore.statistics.arrays import Floats
from medcore.statistics.expected import expected_auroc, expected_brier, expected_net_benefit

ESTIMATED = N_(
    "An estimate from the risks alone, before outcomes are known: it tells what another mix of patients does to the model, and "
    "holds only as long as patients with the same values have the event as often as in the reference months. That this has changed "
    "it cannot see; outcomes alone show it."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """The performance of each month (M,) at a place that its risks promise, and beside it what came true where that is known.

    Risks are first set to what the reference months have shown (their calibration intercept and slope), where
    they have shown enough: ``calibrated``.
    """

    place: WatchedPlace
    of_class: str | None = None
    calibrated: bool
    auroc: Floats = field(repr=False)
    brier: Floats = field(repr=False)
    net_benefit: Floats = field(repr=False)
    events: Floats = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        figures = {name: numbers(getattr(self, name)) for name in ("auroc", "brier", "net_benefit", "events")}
        told = {"class": self.of_class, "calibrated": self.calibrated, "is_an_estimate": True}
        return {"place": self.place.to_dict()} | told | figures


def expected(
    watched: Watched,
    calendar: Calendar,
    places: Mapping[WatchedPlace, Mask],
    questions: Sequence[WatchedQuestion],
    *,
    threshold: float,
) -> tuple[Expected, ...]:
    """Estimate AUROC, Brier score, net benefit and the share of events of every month at every place, where risks are predicted."""
    return tuple(
        _at(place, there, watched, calendar, question, threshold)
        for place, there in places.items()
        for question in questions
        if question.judge.risk is not None
    )


def _at(
    place: WatchedPlace, there: Mask, watched: Watched, calendar: Calendar, question: WatchedQuestion, threshold: float
) -> Expected:
    set_right = question.judge.set_right(there & watched.is_known & (calendar.of < calendar.reference))
    found: dict[str, list[float]] = {"auroc": [], "brier": [], "net_benefit": [], "events": []}
    for month in range(calendar.n):
        raw = question.predicted[there & (calendar.of == month)]
        risk = raw if set_right is None else set_right(raw)
        found["auroc"].append(expected_auroc(risk))
        found["brier"].append(expected_brier(risk))
        one_event = question.of_class is None
        found["net_benefit"].append(expected_net_benefit(risk, raw >= threshold, threshold) if one_event else np.nan)
        found["events"].append(float(risk.mean()) if len(raw) else np.nan)
    return Expected(
        place=place,
        of_class=question.of_class,
        calibrated=set_right is not None,
        **{name: np.array(values) for name, values in found.items()},
    )
