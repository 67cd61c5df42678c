"""Events by person-time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from medcore.statistics.logistic import Floats
from medcore.statistics.survival.life_table import Ints, checked


@dataclass(frozen=True, slots=True)
class Rate:
    """Events of cause 1, the time over which all patients together were followed, and events by unit of it.

    ``low`` and ``high`` are Garwood's exact 95 % bounds (1936, Biometrika 28:437).

    >>> rate = Rate.of(np.array([2.0, 3.0, 5.0]), np.array([1, 0, 1]))
    >>> rate.person_time, rate.rate, round(rate.low, 4), round(rate.high, 4)
    (10.0, 0.2, 0.0242, 0.7225)
    """

    n_events: int
    person_time: float
    rate: float
    low: float
    high: float

    @classmethod
    def of(cls, duration: Floats, event: Ints) -> Rate:
        """Count over ``duration`` and ``event`` (n,); the rate is NaN where nobody was followed for any time."""
        checked(duration, event)
        events, time = int(np.sum(event == 1)), float(duration.sum())
        if time <= 0:
            return cls(events, time, float("nan"), float("nan"), float("nan"))
        low = float(chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
        high = float(chi2.ppf(0.975, 2 * (events + 1))) / 2
        return cls(events, time, events / time, low / time, high / time)
