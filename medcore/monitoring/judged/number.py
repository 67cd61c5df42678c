"""A predicted number: how far it is off, to which side, and how many patients are within their prediction interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.groups.subgroups import HARDLY_ANY
from medcore.evaluation.number.performance import interval_figures, plain_figures
from medcore.monitoring.judged.judge import LOG, CusumEvidence, FigureKind, Mask, MonthFigure, figure_of, those
from medcore.statistics.arrays import Floats
from medcore.statistics.control.cusum import limit_for_shift, shift_scores

KINDS: Mapping[str, FigureKind] = {
    "mae": FigureKind(LOG, "high"),
    "mean_error": FigureKind(),
    "calibration_slope": FigureKind(),
    "coverage": FigureKind(side="low"),
}

SHIFTS: Mapping[str, float] = {"cusum_higher": 0.5, "cusum_lower": -0.5}
"""What each CUSUM looks for, in standard deviations: a shift that 30 patients show and that nobody sees in one."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberJudge:
    """What was measured, ``value`` (n,), NaN where unknown, beside what was ``predicted`` and the ends of its ``interval``, all (n,)."""

    value: Floats = field(repr=False)
    predicted: Floats = field(repr=False)
    interval: tuple[Floats, Floats] | None = field(repr=False)

    @property
    def kinds(self) -> Mapping[str, FigureKind]:
        """The figures that there are."""
        return {name: kind for name, kind in KINDS.items() if name != "coverage" or self.interval is not None}

    @property
    def risk(self) -> None:
        """A number has no risk, so that nothing is to be expected of it before it is measured."""

    @property
    def cusums(self) -> Mapping[str, float]:
        """The shift that each CUSUM looks for."""
        return SHIFTS

    def evidence(self, reference: Mask) -> CusumEvidence | None:
        """Return what patients add, by residuals in the standard deviations of the reference; None where fewer than 20 were measured."""
        residual = self.value - self.predicted
        there = residual[reference]
        if len(there) < HARDLY_ANY or not there.std() > 0:
            return None
        mean, deviation = float(there.mean()), float(there.std(ddof=1))
        z = (residual - mean) / deviation

        def limit(name: str, patients: float, rate: float) -> float:
            return limit_for_shift(z[reference], SHIFTS[name], patients=patients, rate=rate, error=len(there) ** -0.5)

        steps = {name: shift_scores(z, shift) for name, shift in SHIFTS.items()}
        return CusumEvidence(steps, limit, lambda these: float(residual[these].mean()), mean)

    def told(self, who: Mask) -> Mapping[str, MonthFigure]:
        """Return the figures of some patients; none where fewer than 20 were measured."""
        if who.sum() < HARDLY_ANY:
            return {}
        found = plain_figures(self.value[who], self.predicted[who])
        inside = None
        if self.interval is not None:
            ends = (self.interval[0][who], self.interval[1][who])
            # Plain, for all patients may be inside, and log odds have no place for that.
            inside = figure_of(interval_figures(self.value[who], ends, None)["coverage"])
        return those(
            {
                "mae": figure_of(found["mae"], LOG),
                "mean_error": figure_of(found["calibration_intercept"]),
                "calibration_slope": figure_of(found["calibration_slope"]),
                "coverage": inside,
            }
        )

    def calibration(self, who: Mask) -> tuple[Estimate, Estimate] | None:
        """Return by how much more was measured than predicted, on average, and the slope of the line of one over the other."""
        if who.sum() < HARDLY_ANY:
            return None
        found = plain_figures(self.value[who], self.predicted[who])
        return found["calibration_intercept"], found["calibration_slope"]

    def set_right(self, who: Mask) -> None:
        """Return nothing: there is no risk."""
