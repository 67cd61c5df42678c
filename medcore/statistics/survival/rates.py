"""Events by person-time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.statistics.arrays import Floats
from medcore.statistics.survival.life_table import Ints, checked


@dataclass(frozen=True, slots=True)
class Rate:
    """Events of cause 1, the time over which all patients together were followed, and events by unit of it.

    ``low`` and ``high`` are Garwood's exact 95 % bounds (1936, Biometrika 28:437): quantiles of
    gamma distributions, written with ``scipy.special``, since ``scipy.stats`` takes 0.4 s to import.

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
        from scipy.special import gammaincinv

        low = float(gammaincinv(events, 0.025)) if events else 0.0
        high = float(gammaincinv(events + 1, 0.975))
        return cls(events, time, events / time, low / time, high / time)
