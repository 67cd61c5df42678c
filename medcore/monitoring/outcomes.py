"""Charts of how good the model is, once outcomes are known: every figure of whoever judges it, each month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from medcore.evaluation.figures.estimates import Estimate
from medcore.i18n import N_
from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import Chart, Rates
from medcore.monitoring.judged.judge import FigureKind, MonthFigure
from medcore.monitoring.judged.of_target import WatchedQuestion
from medcore.monitoring.watched import Mask, Watched, WatchedPlace

TREATED = N_(
    "Whoever acts on an alert may prevent the very event that was predicted: then fewer events come than predicted, and "
    "AUROC and net benefit look worse, though the model is right. Before it is recalibrated to such patients, ask what was done for "
    "those with an alert."
)
"""What has to be said wherever figures of outcomes of a model in use are shown."""


def n_charts(questions: Sequence[WatchedQuestion]) -> int:
    """Return among how many charts of outcomes each place's false alarms are dealt out, the CUSUMs among them."""
    return sum(len(q.judge.kinds) + len(q.judge.cusums) for q in questions)


def outcome_charts(
    watched: Watched,
    calendar: Calendar,
    places: Mapping[WatchedPlace, Mask],
    rates: Rates,
    questions: Sequence[WatchedQuestion],
) -> Iterator[Chart]:
    """Yield the charts of each figure at every place whose reference months have enough outcomes.

    A month is judged when nearly all of its outcomes are known, and enough patients there have and lack what is predicted.
    """
    known = watched.is_known
    for place, there in places.items():
        reference = there & known & (calendar.of < calendar.reference)
        months = [there & known & (calendar.of == m) if calendar.complete[m] else None for m in range(calendar.n)]
        for question in questions:
            base = question.judge.told(reference)
            found = [{} if who is None or not base else question.judge.told(who) for who in months]
            for name, kind in question.judge.kinds.items():
                if name in base:
                    values = [one.get(name) for one in found]
                    yield _chart(name, question.of_class, place, calendar, base[name], values, rates.of(name), kind)


@dataclass(frozen=True, slots=True)
class Together:
    """How good the model is at a ``place`` over all judged months together, each figure with its interval."""

    place: WatchedPlace
    of_class: str | None
    n: int
    figures: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        figures = {name: estimate.to_dict() for name, estimate in self.figures.items()}
        return {"place": self.place.to_dict(), "class": self.of_class, "n": self.n, "figures": figures}


def together(
    watched: Watched, calendar: Calendar, places: Mapping[WatchedPlace, Mask], questions: Sequence[WatchedQuestion]
) -> tuple[Together, ...]:
    """Judge each place over the judged months together: a month alone is too short to see gaps."""
    judged = watched.is_known & (calendar.complete & calendar.judged)[calendar.of]
    return tuple(
        Together(
            place,
            question.of_class,
            int((there & judged).sum()),
            {
                name: figure.estimate(question.judge.kinds[name].scale)
                for name, figure in question.judge.told(there & judged).items()
            },
        )
        for place, there in places.items()
        for question in questions
    )


def _chart(
    name: str,
    of_class: str | None,
    place: WatchedPlace,
    calendar: Calendar,
    base: MonthFigure,
    found: Sequence[MonthFigure | None],
    rate: float,
    kind: FigureKind,
) -> Chart:
    """Put limits around the reference's figure: as many standard errors of the difference of both as the rate asks."""
    value = np.array([np.nan if one is None else one.value for one in found])
    error = np.array([np.nan if one is None else np.hypot(one.error, base.error) for one in found])
    half = -float(ndtri(rate / 2 if kind.side == "both" else rate)) * error
    none, back = np.full(len(value), np.nan), kind.scale.back
    return Chart(
        figure=name,
        place=place,
        of_class=of_class,
        value=back(value),
        centre=float(back(np.array(base.value))),
        low=none if kind.side == "high" else back(base.value - half),
        high=none if kind.side == "low" else back(base.value + half),
        judged=calendar.judged & np.isfinite(value) & np.isfinite(error),
        rate=rate,
    )
