"""What performance is to be expected before outcomes are known: an estimate, from the risks alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import expit

from medcore.evaluation.groups.subgroups import HARDLY_ANY
from medcore.i18n import N_
from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import numbers
from medcore.monitoring.watched import Mask, Watched, WatchedPlace
from medcore.statistics.arrays import Floats
from medcore.statistics.calibration import slope_fit
from medcore.statistics.expected import expected_auroc, expected_brier, expected_net_benefit
from medcore.statistics.logistic import logit

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
    calibrated: bool
    auroc: Floats = field(repr=False)
    brier: Floats = field(repr=False)
    net_benefit: Floats = field(repr=False)
    events: Floats = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        figures = {name: numbers(getattr(self, name)) for name in ("auroc", "brier", "net_benefit", "events")}
        return {"place": self.place.to_dict(), "calibrated": self.calibrated, "is_an_estimate": True} | figures


def expected(
    watched: Watched, calendar: Calendar, places: Mapping[WatchedPlace, Mask], *, threshold: float
) -> tuple[Expected, ...]:
    """Estimate AUROC, Brier score, net benefit and the share of events of every month at every place."""
    return tuple(_at(place, there, watched, calendar, threshold) for place, there in places.items())


def _at(place: WatchedPlace, there: Mask, watched: Watched, calendar: Calendar, threshold: float) -> Expected:
    reference = there & ~np.isnan(watched.outcome) & (calendar.of < calendar.reference)
    outcome, risk = watched.outcome[reference], watched.risk[reference]
    enough = len(outcome) and min(outcome.sum(), len(outcome) - outcome.sum()) >= HARDLY_ANY
    fit = slope_fit(outcome, risk) if enough else None
    found: dict[str, list[float]] = {"auroc": [], "brier": [], "net_benefit": [], "events": []}
    for month in range(calendar.n):
        who = there & (calendar.of == month)
        raw = watched.risk[who]
        set_right = raw if fit is None else expit(fit.coefficients[0] + fit.coefficients[1] * logit(raw))
        found["auroc"].append(expected_auroc(set_right))
        found["brier"].append(expected_brier(set_right))
        found["net_benefit"].append(expected_net_benefit(set_right, raw >= threshold, threshold))
        found["events"].append(float(set_right.mean()) if len(raw) else np.nan)
    return Expected(place=place, calibrated=fit is not None, **{k: np.array(v) for k, v in found.items()})
