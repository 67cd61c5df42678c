"""An event that a patient has or lacks: discrimination, calibration, and net benefit at the threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit

from medcore.evaluation.curves.utility import benefit_terms
from medcore.evaluation.figures.auroc import logit_error
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.groups.subgroups import HARDLY_ANY, calibration_in
from medcore.monitoring.judged.judge import LOG_ODDS, CusumEvidence, FigureKind, Mask, MonthFigure, SetRight, those
from medcore.statistics.arrays import Floats
from medcore.statistics.calibration import in_the_large_fit, slope_fit
from medcore.statistics.control.cusum import limit_for, scores
from medcore.statistics.logistic import logit as clipped_logit
from medcore.statistics.ranking import auroc_with_influence

KINDS: Mapping[str, FigureKind] = {
    "auroc": FigureKind(LOG_ODDS, "low"),
    "calibration_intercept": FigureKind(),
    "calibration_slope": FigureKind(),
    "net_benefit": FigureKind(side="low"),
}

ODDS_RATIOS: Mapping[str, float] = {"cusum_more": 2.0, "cusum_fewer": 0.5}
"""What each CUSUM looks for: doubled and halved odds, as Steiner et al. 2000 (Biostatistics 1:441) look for them."""


@dataclass(frozen=True, slots=True, eq=False)
class EventJudge:
    """``event`` (n,) is 1, 0, or NaN where unknown; without a ``threshold`` there is no net benefit."""

    event: Floats = field(repr=False)
    risk: Floats = field(repr=False)
    threshold: float | None

    @property
    def kinds(self) -> Mapping[str, FigureKind]:
        """The figures that there are."""
        return {name: kind for name, kind in KINDS.items() if name != "net_benefit" or self.threshold is not None}

    def told(self, who: Mask) -> Mapping[str, MonthFigure]:
        """Return the figures of some patients; none where fewer than 20 have or lack the event."""
        outcome, risk = self.event[who], self.risk[who]
        if not self._enough(outcome):
            return {}
        return those(
            {
                "auroc": _auroc(outcome, risk),
                "calibration_intercept": _in_the_large(outcome, risk),
                "calibration_slope": _slope(outcome, risk),
                "net_benefit": None if self.threshold is None else _benefit(outcome, risk, self.threshold),
            }
        )

    @property
    def cusums(self) -> Mapping[str, float]:
        """The odds ratio that each CUSUM looks for."""
        return ODDS_RATIOS

    def evidence(self, reference: Mask) -> CusumEvidence | None:
        """Return what patients add, by risks set to the calibration of the reference; None with too few events there."""
        outcome, predicted = self.event[reference], self.risk[reference]
        fit = in_the_large_fit(outcome, predicted) if len(outcome) and self._enough(outcome) else None
        if fit is None:
            return None
        shift, error = float(fit.coefficients[0]), float(np.sqrt(fit.covariance[0, 0]))
        usual, event = expit(clipped_logit(self.risk) + shift), self.event

        def steps(odds_ratio: float) -> Floats:
            with_event, without = scores(usual, odds_ratio)
            return np.where(np.isnan(event), np.nan, np.where(event == 1, with_event, without))

        return CusumEvidence(
            {name: steps(odds_ratio) for name, odds_ratio in ODDS_RATIOS.items()},
            lambda name, patients, rate: limit_for(
                usual[reference], ODDS_RATIOS[name], patients=patients, rate=rate, error=error
            ),
            lambda these: float(event[these].sum() / usual[these].sum()),
            1.0,
        )

    def calibration(self, who: Mask) -> tuple[Estimate, Estimate] | None:
        """Return calibration in the large and slope on the scale of log odds."""
        if not self._enough(self.event[who]):
            return None
        slope, large = calibration_in(self.event[who], self.risk[who])
        return large, slope

    def set_right(self, who: Mask) -> SetRight | None:
        """Return the recalibration by intercept and slope of some patients."""
        fit = slope_fit(self.event[who], self.risk[who]) if self._enough(self.event[who]) else None
        if fit is None:
            return None
        intercept, slope = map(float, fit.coefficients)
        return lambda risk: np.asarray(expit(intercept + slope * clipped_logit(risk)))

    @staticmethod
    def _enough(outcome: Floats) -> bool:
        return bool(min(outcome.sum(), len(outcome) - outcome.sum()) >= HARDLY_ANY)


def _auroc(outcome: Floats, risk: Floats) -> MonthFigure | None:
    area, influence = auroc_with_influence(outcome, risk)
    if not 0 < area < 1:
        return None
    return MonthFigure(float(logit(area)), logit_error(area, float(influence @ influence)))


def _in_the_large(outcome: Floats, risk: Floats) -> MonthFigure | None:
    fit = in_the_large_fit(outcome, risk)
    return None if fit is None else MonthFigure(float(fit.coefficients[0]), float(np.sqrt(fit.covariance[0, 0])))


def _slope(outcome: Floats, risk: Floats) -> MonthFigure | None:
    fit = slope_fit(outcome, risk)
    return None if fit is None else MonthFigure(float(fit.coefficients[1]), float(np.sqrt(fit.covariance[1, 1])))


def _benefit(outcome: Floats, risk: Floats, threshold: float) -> MonthFigure:
    terms = benefit_terms(outcome, risk, threshold)
    return MonthFigure(float(terms.mean()), float(terms.std(ddof=1) / np.sqrt(len(terms))))
