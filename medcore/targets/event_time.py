"""The target of a model that says by when: an event at a time, perhaps beside others that compete with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from medcore.targets.target import Target

TimeUnit = Literal["hours", "days", "weeks", "months", "years"]
UNITS: tuple[TimeUnit, ...] = get_args(TimeUnit)
DAYS: Mapping[TimeUnit, float] = {"hours": 1 / 24, "days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
"""Days in each unit; a month is a twelfth of a year of 365.25 days."""


@dataclass(frozen=True, slots=True)
class EventTime(Target):
    """An event by a time, for patients who were followed for unequal time.

    A risk (n, K) is about the ``main`` horizon: no event of any cause by then, the event in question by
    then, then each event that competes with it. ``horizons`` ascend, in ``unit``, and hold ``main``.

    >>> target = EventTime(3, horizons=(1.0, 5.0), main=5.0, unit="years")
    >>> target.event, target.told, target.n_causes, target.many
    (1, (1,), 2, False)
    """

    horizons: tuple[float, ...] = ()
    main: float = 0.0
    unit: TimeUnit = "days"

    @property
    def event(self) -> int:
        """The event in question, whatever competes with it."""
        return 1

    @property
    def many(self) -> bool:
        """Never: one event is in question."""
        return False

    @property
    def n_causes(self) -> int:
        """How many events there are: the one in question and those that compete with it."""
        return self.n_classes - 1
