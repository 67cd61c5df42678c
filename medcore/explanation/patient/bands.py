"""What became of training patients whose risk was like a patient's: the interval beside a risk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import Floats
from medcore.models.run.any_results import AnyResults
from medcore.models.run.number.results import NumberResults
from medcore.models.run.timed.results import TimedResults
from medcore.statistics.proportions import wilson_bounds
from medcore.statistics.survival.incidence import Incidence, complementary_bounds

FEWEST, MOST, SHARE = 50, 500, 0.1
"""How many training patients stand for "a risk like this": a tenth of them, within these bounds."""
MOST_WINDOWS = 100
"""Windows of like risks in which an incidence is estimated; a risk is told of the nearest."""


def band_of(
    results: AnyResults, risk: Floats, class_index: int, *, horizon: float | None = None
) -> tuple[Floats, Floats]:
    """Return 95 % bounds (n,) of how often the outcome came among training patients of such risks (n, K).

    Of a predicted number they are those between which nine of ten patients are. ``horizon`` is the time that
    the risks are about, where the outcome has one; without it the model's own.
    """
    if isinstance(results, NumberResults):
        return results.intervals.around(risk[:, 0])
    training, own = results.training, risk[:, class_index]
    if isinstance(results, TimedResults):
        by = results.target.main if horizon is None else horizon
        among = np.where(results.training.event == class_index, 1, 2 * (results.training.event > 0))
        return incidence_band(results.training.duration, among, training.risk[:, class_index], own, by)
    return observed_band(results.training.outcome == class_index, training.risk[:, class_index], own)


def observed_band(event: NDArray[np.bool_], expected: Floats, risk: Floats) -> tuple[Floats, Floats]:
    """Return 95 % bounds (n,) of how often the outcome came at risks like those given.

    ``event`` (m,) says which training patients had the outcome and ``expected`` (m,)
    what models that had not seen them gave; ``risk`` (n,) are the risks in question.
    Each is held against the training patients nearest by risk (Wilson's interval).
    Fast enough for 100,000 patients: two sorted searches.
    """
    order = np.argsort(expected, kind="stable")
    sorted_risk, events = expected[order], np.concatenate([[0.0], np.cumsum(event[order])])
    m, k = len(sorted_risk), _window(len(sorted_risk))
    left = np.clip(np.searchsorted(sorted_risk, risk) - k // 2, 0, m - k)
    return wilson_bounds(events[left + k] - events[left], np.full(len(risk), float(k)))


def incidence_band(
    duration: Floats, event: NDArray[np.int64], expected: Floats, risk: Floats, horizon: float
) -> tuple[Floats, Floats]:
    """Return 95 % bounds (n,) of the incidence by a horizon at risks like those given, where follow-up is unequal.

    ``event`` (m,) is 1 for the event in question and 0 for none seen. Bounds are NaN where nobody of such a risk
    had the event, or was followed so long.
    """
    order = np.argsort(expected, kind="stable")
    m, k = len(order), _window(len(order))
    left = np.clip(np.searchsorted(expected[order], risk) - k // 2, 0, m - k)
    if len(left) > MOST_WINDOWS:  # many patients share the windows
        step = max(1, -(-(m - k) // MOST_WINDOWS))
        left = np.minimum(left // step * step + step // 2, m - k)
    starts, which = np.unique(left, return_inverse=True)
    bounds = np.empty((len(starts), 2))
    for place, start in enumerate(starts):
        inside = order[start : start + k]
        found = Incidence.of(duration[inside], event[inside])
        bounds[place] = complementary_bounds(found.at(horizon), float(np.sqrt(found.variance_at(horizon))))
    return bounds[which, 0], bounds[which, 1]


def _window(m: int) -> int:
    return min(m, int(np.clip(SHARE * m, FEWEST, MOST)))
