"""How an outcome comes with a time: which columns say how long a patient was followed, and what ended it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from medcore.i18n import N_, Message
from medcore.targets import EventTime
from medcore.targets.event_time import DAYS, TimeUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What ended each patient's follow-up, and when.

    The time is the column ``duration``, in ``unit``, or the days from the date ``start`` to the date ``end``.
    With ``study_end``, a day, ``end`` is the date of the event and empty where none came by then.
    ``causes`` are the values of the outcome's column that are events, the one in question first, ``censored``
    those that mean none was seen. ``horizons`` ascend, in ``unit``; ``main`` is the one that a risk is about.
    """

    causes: tuple[str, ...]
    censored: tuple[str, ...]
    horizons: tuple[float, ...]
    main: float
    unit: TimeUnit = "days"
    duration: str | None = None
    start: str | None = None
    end: str | None = None
    study_end: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that say when, which are known only afterwards and never predict."""
        return tuple(name for name in (self.duration, self.start, self.end) if name is not None)

    @property
    def classes(self) -> tuple[str, ...]:
        """What a risk (n, K) is of: no event, the event in question, each competing event."""
        if len(self.causes) > 1:
            return ("no event", *self.causes)
        (event,) = self.causes
        return (self.censored[0] if len(self.censored) == 1 else f"not {event}", event)

    @property
    def target(self) -> EventTime:
        """What is predicted."""
        return EventTime(1 + len(self.causes), horizons=self.horizons, main=self.main, unit=self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FollowUp:
        """Read what :meth:`to_dict` wrote."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**values)


UNIT_NAMES: Mapping[TimeUnit, str] = {
    "years": N_("years"), "months": N_("months"), "weeks": N_("weeks"), "days": N_("days"), "hours": N_("hours"),
}  # fmt: skip
_ONE: Mapping[TimeUnit, str] = {
    "years": N_("1 year"), "months": N_("1 month"), "weeks": N_("1 week"), "days": N_("1 day"), "hours": N_("1 hour"),
}  # fmt: skip
_MANY: Mapping[TimeUnit, str] = {
    "years": N_("{n} years"), "months": N_("{n} months"), "weeks": N_("{n} weeks"), "days": N_("{n} days"),
    "hours": N_("{n} hours"),
}  # fmt: skip


def about(time: float, unit: TimeUnit) -> Message:
    """Say a measured time to one decimal, in the largest unit of which it is two or more.

    >>> str(about(1645.0, "days")), str(about(7.0, "days"))
    ('4.5 years', '7 days')
    """
    for larger, words in _MANY.items():
        n = time * DAYS[unit] / DAYS[larger]
        if n >= 2:
            return Message(words, {"n": f"{n:.1f}".removesuffix(".0")})
    return span(time, unit)


def shown_unit(longest: float, unit: TimeUnit) -> TimeUnit:
    """Return the largest unit of which the longest follow-up holds three or more, in which times are then drawn.

    >>> shown_unit(300.0, "days"), shown_unit(2000.0, "days"), shown_unit(2.0, "years")
    ('months', 'years', 'years')
    """
    larger = [u for u in UNIT_NAMES if longest * DAYS[unit] >= 3 * DAYS[u]]
    return max([unit, *larger], key=DAYS.__getitem__)


def whole_unit(times: Iterable[float], unit: TimeUnit) -> TimeUnit:
    """Return the largest unit of which all times are whole numbers, or their own.

    >>> whole_unit([365.25, 730.5], "days"), whole_unit([30.0, 90.0, 180.0], "days")
    ('years', 'days')
    """
    numbers = {larger: [t * DAYS[unit] / DAYS[larger] for t in times] for larger in _MANY}
    whole = [u for u, found in numbers.items() if all(n > 0.5 and abs(n - round(n)) < 1e-6 for n in found)]
    return max([unit, *whole], key=DAYS.__getitem__)


def span(time: float, unit: TimeUnit) -> Message:
    """Say a time as clinicians do: in the largest unit of which it is a whole number, else in its own.

    >>> [str(span(t, u)) for t, u in ((365.25, "days"), (90.0, "days"), (60.0, "months"), (7.5, "months"))]
    ['1 year', '90 days', '5 years', '7.5 months']
    """
    for larger in _MANY:
        n = time * DAYS[unit] / DAYS[larger]
        if round(n) >= 1 and abs(n - round(n)) < 1e-6:
            return Message(_ONE[larger]) if round(n) == 1 else Message(_MANY[larger], {"n": round(n)})
    return Message(_MANY[unit], {"n": f"{time:.4g}"})
