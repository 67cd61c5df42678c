"""CUSUMs: evidence gathered patient by patient that more, or fewer, events come than predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from medcore.evaluation.groups.subgroups import HARDLY_ANY
from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import Rates, number
from medcore.monitoring.watched import Mask, Watched, WatchedPlace
from medcore.statistics.arrays import Floats
from medcore.statistics.calibration import in_the_large_fit
from medcore.statistics.control.cusum import cusum, limit_for
from medcore.statistics.logistic import logit

ODDS_RATIOS: Mapping[str, float] = {"cusum_more": 2.0, "cusum_fewer": 0.5}
"""What each looks for: doubled and halved odds, as Steiner et al. 2000 (Biostatistics 1:441) look for them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cusum:
    """A CUSUM at a place against ``odds_ratio``: its ``highest`` value on each of the ``days`` (D,), and its ``limit``.

    ``alarms`` are (first, at): the day from which on the odds had likeliest changed, and that of the alarm; ``strength`` is the
    share of events of the patients between them, observed over expected. Under no change a month has a false alarm with
    probability ``rate``.
    """

    figure: str
    place: WatchedPlace
    odds_ratio: float
    limit: float
    days: NDArray[np.datetime64] = field(repr=False)
    highest: Floats = field(repr=False)
    alarms: tuple[tuple[np.datetime64, np.datetime64], ...]
    observed_over_expected: tuple[float, ...]
    rate: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "figure": self.figure,
            "place": self.place.to_dict(),
            "odds_ratio": self.odds_ratio,
            "limit": number(self.limit),
            "rate": self.rate,
            "alarms": [
                {"since": str(first), "at": str(at), "observed_over_expected": number(ratio)}
                for (first, at), ratio in zip(self.alarms, self.observed_over_expected, strict=True)
            ],
            "days": [str(day) for day in self.days],
            "highest": [round(float(value), 4) for value in self.highest],
        }


def cusums(watched: Watched, calendar: Calendar, places: Mapping[WatchedPlace, Mask], rates: Rates) -> Iterator[Cusum]:
    """Yield both CUSUMs of every place whose reference months have enough outcomes, over months whose outcomes are complete."""
    known = ~np.isnan(watched.outcome)
    complete = calendar.complete & calendar.judged
    for place, there in places.items():
        reference = there & known & (calendar.of < calendar.reference)
        outcome = watched.outcome[reference]
        fit = in_the_large_fit(outcome, watched.risk[reference]) if len(outcome) else None
        if fit is None or min(outcome.sum(), len(outcome) - outcome.sum()) < HARDLY_ANY:
            continue
        shift, error = float(fit.coefficients[0]), float(np.sqrt(fit.covariance[0, 0]))
        who = there & known & complete[calendar.of]
        usual = expit(logit(watched.risk[reference]) + shift)
        for name, odds_ratio in ODDS_RATIOS.items():
            limit = limit_for(
                usual,
                odds_ratio,
                patients=len(outcome) / calendar.reference,
                rate=rates.of(name),
                error=error,
            )
            yield _run(name, place, watched, who, shift, limit, rates.of(name))


def _run(name: str, place: WatchedPlace, watched: Watched, who: Mask, shift: float, limit: float, rate: float) -> Cusum:
    outcome, risk = watched.outcome[who], expit(logit(watched.risk[who]) + shift)
    day = watched.time[who].astype("datetime64[D]")
    path, alarms = cusum(outcome, risk, ODDS_RATIOS[name], limit)
    days, first = np.unique(day, return_index=True)
    return Cusum(
        figure=name,
        place=place,
        odds_ratio=ODDS_RATIOS[name],
        limit=limit,
        days=days,
        highest=np.maximum.reduceat(path, first) if len(path) else np.zeros(0),
        alarms=tuple((day[a], day[b]) for a, b in alarms),
        observed_over_expected=tuple(float(outcome[a : b + 1].sum() / risk[a : b + 1].sum()) for a, b in alarms),
        rate=rate,
    )
