"""What happened over time to patients of low and of high risk, and how many were still followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.evaluation.curves.calibration import tenths
from medcore.evaluation.figures.estimates import Estimate, Floats
from medcore.evaluation.figures.resampling import Ints, clustered_variance
from medcore.evaluation.survival.horizon import observed
from medcore.statistics.survival.incidence import Incidence, complementary_bounds
from medcore.statistics.survival.rates import Rate

#: Steps that are drawn of one curve: more cannot be told apart on a screen.
MOST_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class IncidenceCurve:
    """The cumulative incidence of cause 1 in some patients: Kaplan–Meier or Aalen–Johansen.

    ``times`` (M,) are those at which it steps, from 0 on, thinned to 200; ``incidence`` with its pointwise 95 % band
    ``low`` and ``high``, and ``event_free`` (M,), the share without an event of any cause. ``at_risk`` (K,) counts who
    was still followed at each of ``ticks`` (K,). ``lowest`` and ``highest`` are the risks that bound the group.
    """

    lowest: float
    highest: float
    mean_risk: float
    times: Floats
    incidence: Floats
    low: Floats
    high: Floats
    event_free: Floats
    ticks: Floats
    at_risk: NDArray[np.int64]
    n: int
    n_events: int
    n_competing: int
    by_horizon: Estimate
    rate: Rate

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; what does not exist is ``None``."""
        arrays = ("times", "incidence", "low", "high", "event_free", "ticks", "at_risk")
        single = ("lowest", "highest", "mean_risk", "n", "n_events", "n_competing")
        rate = {n: _or_none(getattr(self.rate, n)) for n in ("n_events", "person_time", "rate", "low", "high")}
        return {
            **{n: getattr(self, n) for n in single},
            **{n: [_or_none(v) for v in getattr(self, n).tolist()] for n in arrays},
            "by_horizon": self.by_horizon.to_dict(),
            "rate": rate,
        }


def round_times(longest: float, per: float = 1.0) -> Floats:
    """Return from five to ten round times up to the ``longest`` follow-up, in its unit; ``per`` of it make one that is shown.

    >>> round_times(285.0).tolist()
    [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]
    """
    shown = longest / per
    size = 10.0 ** np.floor(np.log10(shown / 5))
    step = max(s * size for s in (1, 2, 2.5, 5) if 5 * s * size <= shown)
    return np.asarray(np.arange(0, shown, step) * per)


def incidence_by_risk(
    duration: Floats,
    event: Ints,
    risk: Floats,
    horizon: float,
    *,
    groups: Ints | None = None,
    n_groups: int = 4,
    ticks: Floats | None = None,
) -> tuple[IncidenceCurve, ...]:
    """Split patients into equal parts by ``risk`` by the ``horizon`` (n,), lowest first, and follow each over time.

    Equal risks stay together, so there may be fewer parts. ``ticks`` (K,) are times at which those still followed
    are counted, by default six from 0 to the longest follow-up.
    """
    ticks = np.linspace(0, float(duration.max()), 6) if ticks is None else np.asarray(ticks, dtype=float)
    found = []
    for here in tenths(risk, n_groups):
        patients = None if groups is None else groups[here]
        found.append(incidence_curve(duration[here], event[here], risk[here], horizon, ticks, groups=patients))
    return tuple(found)


def incidence_curve(
    duration: Floats, event: Ints, risk: Floats, horizon: float, ticks: Floats, *, groups: Ints | None = None
) -> IncidenceCurve:
    """Follow one group of patients over time; arguments as in :func:`incidence_by_risk`."""
    whole = Incidence.of(duration, event)
    times = _drawn(whole)
    bounds = np.array([complementary_bounds(whole.at(t), _error(whole, t, groups)) for t in times])
    return IncidenceCurve(
        lowest=float(risk.min()),
        highest=float(risk.max()),
        mean_risk=float(risk.mean()),
        times=times,
        incidence=np.array([whole.at(t) for t in times]),
        low=bounds[:, 0],
        high=bounds[:, 1],
        event_free=np.array([whole.event_free_at(t) for t in times]),
        ticks=ticks,
        at_risk=whole.table.remaining(ticks),
        n=len(duration),
        n_events=int(np.sum(event == 1)),
        n_competing=int(np.sum(event > 1)),
        by_horizon=observed(whole, horizon, groups),
        rate=Rate.of(duration, event),
    )


def _error(incidence: Incidence, time: float, groups: Ints | None) -> float:
    if groups is None:
        return float(np.sqrt(incidence.variance_at(time)))
    return float(np.sqrt(clustered_variance(incidence.influence(time), groups)))


def _drawn(incidence: Incidence) -> Floats:
    """Return the times of steps that are drawn: 0, every one with an event (or 200 of them), and the last."""
    table = incidence.table
    steps = table.times[table.any_event > 0]
    if len(steps) > MOST_STEPS:
        steps = steps[np.linspace(0, len(steps) - 1, MOST_STEPS).round().astype(int)]
    return np.unique(np.concatenate([[0.0], steps, table.times[-1:]]))


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
