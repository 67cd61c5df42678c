"""An event by a horizon, with patients who were followed for less: weighted for censoring, beside Kaplan–Meier or Aalen–Johansen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.groups.subgroups import HARDLY_ANY
from medcore.evaluation.survival.calibration import calibration_coefficients
from medcore.evaluation.survival.discrimination import auroc_at
from medcore.evaluation.survival.horizon import Horizon
from medcore.evaluation.survival.utility import net_benefit_at_horizon
from medcore.monitoring.judged.judge import LOG, LOG_ODDS, FigureKind, Mask, MonthFigure, SetRight, figure_of, those
from medcore.statistics.arrays import Floats
from medcore.statistics.survival.complementary import complementary_log_log, slope_fit

KINDS: Mapping[str, FigureKind] = {
    "auroc": FigureKind(LOG_ODDS, "low"),
    "o_e_ratio": FigureKind(LOG),
    "calibration_slope": FigureKind(),
    "net_benefit": FigureKind(side="low"),
}


@dataclass(frozen=True, slots=True, eq=False)
class ByTimeJudge:
    """``cause`` (n,) that ended the follow-up (0: none, 1: the event, above: what competes with it), NaN where unknown, after ``duration``."""

    cause: Floats = field(repr=False)
    duration: Floats = field(repr=False)
    risk: Floats = field(repr=False)
    horizon: float
    threshold: float

    @property
    def kinds(self) -> Mapping[str, FigureKind]:
        """The figures that there are."""
        return KINDS

    @property
    def cusums(self) -> Mapping[str, float]:
        """None: who was censored before the horizon neither has the event nor lacks it."""
        return {}

    def evidence(self, reference: Mask) -> None:
        """Return nothing: there is no CUSUM."""

    def told(self, who: Mask) -> Mapping[str, MonthFigure]:
        """Return the figures by the horizon; none where fewer than 20 are known to have had, or not to have had the event by then."""
        at = self._at(who)
        if at is None:
            return {}
        risk, found = self.risk[who], calibration_coefficients(at, self.risk[who])
        cause = self.cause[who].astype(np.int64)
        benefit = net_benefit_at_horizon(self.duration[who], cause, risk, self.horizon, self.threshold)
        return those(
            {
                "auroc": figure_of(auroc_at(at, risk), LOG_ODDS),
                "o_e_ratio": figure_of(found["o_e_ratio"], LOG),
                "calibration_slope": figure_of(found["calibration_slope"]),
                "net_benefit": figure_of(benefit),
            }
        )

    def calibration(self, who: Mask) -> tuple[Estimate, Estimate] | None:
        """Return calibration in the large and slope by pseudo-values, on the scale of log(−log(1 − risk))."""
        at = self._at(who)
        if at is None:
            return None
        found = calibration_coefficients(at, self.risk[who])
        return found["calibration_intercept"], found["calibration_slope"]

    def set_right(self, who: Mask) -> SetRight | None:
        """Return the recalibration by intercept and slope that some patients' pseudo-values give."""
        at = self._at(who)
        fit = None if at is None else slope_fit(at.incidence.pseudo_values(self.horizon), self.risk[who])
        if fit is None:
            return None
        intercept, slope = map(float, fit.coefficients)
        return lambda risk: np.asarray(-np.expm1(-np.exp(intercept + slope * complementary_log_log(risk))))

    def _at(self, who: Mask) -> Horizon | None:
        """Look at some patients by the horizon; None where too few tell anything, or nobody was followed so long."""
        if not who.any():
            return None
        at = Horizon.of(self.duration[who], self.cause[who].astype(np.int64), self.horizon)
        events = int(at.event.sum())
        enough = min(events, int(at.known.sum()) - events) >= HARDLY_ANY
        return at if enough and at.within_follow_up else None
