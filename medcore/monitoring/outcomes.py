"""Charts of how good the model is, once outcomes are known: discrimination, calibration and net benefit each month."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from medcore.evaluation.curves.utility import benefit_terms
from medcore.evaluation.figures.auroc import logit_error
from medcore.evaluation.groups.subgroups import HARDLY_ANY
from medcore.i18n import N_
from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import Chart, Rates
from medcore.monitoring.watched import Mask, Watched, WatchedPlace
from medcore.statistics.arrays import Floats
from medcore.statistics.calibration import in_the_large_fit, slope_fit
from medcore.statistics.ranking import auroc_with_influence

N_CHARTS = 6
"""Charts of outcomes that every place has, the two CUSUMs among them."""
TREATED = N_(
    "Whoever acts on an alert may prevent the very event that was predicted: then fewer events come than predicted, and "
    "AUROC and net benefit look worse, though the model is right. Before it is recalibrated to such patients, ask what was done for "
    "those with an alert."
)
"""What has to be said wherever figures of outcomes of a model in use are shown."""


@dataclass(frozen=True, slots=True)
class MonthFigure:
    """A figure of some patients on the scale on which it is normal, with its standard error there."""

    value: float
    error: float


Figure = Callable[[Floats, Floats], MonthFigure | None]


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


def figures(threshold: float) -> Mapping[str, tuple[Figure, bool, bool]]:
    """Return how each figure is told, whether that is on the scale of log odds, and whether more of it is also an alarm."""

    def benefit(outcome: Floats, risk: Floats) -> MonthFigure | None:
        terms = benefit_terms(outcome, risk, threshold)
        return MonthFigure(float(terms.mean()), float(terms.std(ddof=1) / np.sqrt(len(terms))))

    return {
        "auroc": (_auroc, True, False),
        "calibration_intercept": (_in_the_large, False, True),
        "calibration_slope": (_slope, False, True),
        "net_benefit": (benefit, False, False),
    }


def outcome_charts(
    watched: Watched, calendar: Calendar, places: Mapping[WatchedPlace, Mask], rates: Rates, *, threshold: float
) -> Iterator[Chart]:
    """Yield the charts of each figure at every place whose reference months have enough outcomes.

    A month is judged when nearly all of its outcomes are known, and at least 20 patients there have and 20 lack the event.
    """
    known = ~np.isnan(watched.outcome)
    for place, there in places.items():
        months = [there & known & (calendar.of == month) for month in range(calendar.n)]
        reference = there & known & (calendar.of < calendar.reference)
        for name, (figure, on_log_odds, both) in figures(threshold).items():
            base = told(figure, watched, reference)
            if base is None:
                continue
            found = [told(figure, watched, who) if calendar.complete[m] else None for m, who in enumerate(months)]
            yield _chart(name, place, calendar, base, found, rates.of(name), on_log_odds=on_log_odds, both=both)


def told(figure: Figure, watched: Watched, who: Mask) -> MonthFigure | None:
    """Return a figure of some patients; None where too few have or lack the event."""
    outcome = watched.outcome[who]
    events = int(outcome.sum())
    return figure(outcome, watched.risk[who]) if min(events, len(outcome) - events) >= HARDLY_ANY else None


def _chart(
    name: str,
    place: WatchedPlace,
    calendar: Calendar,
    base: MonthFigure,
    found: list[MonthFigure | None],
    rate: float,
    *,
    on_log_odds: bool,
    both: bool,
) -> Chart:
    """Put limits around the reference's figure: as many standard errors of the difference of both as the rate asks."""
    from scipy.special import ndtri

    value = np.array([np.nan if one is None else one.value for one in found])
    error = np.array([np.nan if one is None else np.hypot(one.error, base.error) for one in found])
    half = -float(ndtri(rate / 2 if both else rate)) * error
    low, high = base.value - half, base.value + half if both else np.full(len(value), np.nan)
    back: Callable[[Floats], Floats] = expit if on_log_odds else np.asarray
    return Chart(
        figure=name,
        place=place,
        value=back(value),
        centre=float(back(np.array(base.value))),
        low=back(low),
        high=back(high),
        judged=calendar.judged & np.isfinite(value) & np.isfinite(error),
        rate=rate,
    )
