"""The model card by itself, as it is today: what the model is, on what terms it was released, and how it fares in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medcore.i18n import _, current_language, listed, percent, running
from medcore.models.run.any_results import AnyResults
from medcore.models.run.manifest import INTENDED_USE
from medcore.models.run.number.results import NumberResults
from medcore.models.run.timed.results import TimedResults
from medcore.monitoring.chart import FIGURES
from medcore.monitoring.watch import Watch
from medcore.reporting.classes.card import model_card
from medcore.reporting.formats.document import Block, Document, Heading, Paragraph, Table
from medcore.reporting.inputs import NumberReportInputs, ReportInputs, TimedReportInputs
from medcore.reporting.numbers import number_card
from medcore.reporting.timed.report import timed_card
from medcore.reporting.watching import TOLD, figure_of

AnyInputs = ReportInputs | TimedReportInputs | NumberReportInputs
LATEST = tuple(name for name in TOLD if name != "volume")


def inputs_of(results: AnyResults, **known: Any) -> AnyInputs:
    """Gather what a card says of a model, whatever it predicts; ``known`` are fields of :class:`StudyInputs`."""
    if isinstance(results, NumberResults):
        return NumberReportInputs(results=results, **known)
    return (
        TimedReportInputs(results=results, **known)
        if isinstance(results, TimedResults)
        else ReportInputs(results=results, **known)
    )


def card_of(inputs: AnyInputs) -> list[Block]:
    """Write the card itself, as it stands in the model's report too."""
    if isinstance(inputs, NumberReportInputs):
        return number_card(inputs)
    return timed_card(inputs) if isinstance(inputs, TimedReportInputs) else model_card(inputs)


def card_today(
    inputs: AnyInputs, *, terms: Sequence[tuple[str, str]] = (), found: Watch | None = None, made: str = ""
) -> Document:
    """Lay the card out in the current language.

    ``terms`` are those it was released on, in words; ``found`` is how it fares in use, where it is watched; ``made`` the day.
    """
    blocks: list[Block] = [*card_of(inputs)]
    if terms:
        blocks += [Heading(_("Release"), 1), Table.of(_("On these terms"), (_("What"), _("Value")), terms)]
    if found is not None:
        blocks += [Heading(_("In use"), 1), *_in_use(found, inputs)]
    return Document(
        title=_("Model card: {outcome}", outcome=inputs.outcome_name),
        subtitle=_("As of {day}", day=made) if made else "",
        language=current_language(),
        blocks=tuple(blocks),
        footer=_(INTENDED_USE),
        compact=True,
    )


def _in_use(found: Watch, inputs: AnyInputs) -> list[Block]:
    """Say how long and how often it was used, the figures of the last month that could be judged, and what changed."""
    months = found.months
    judged = [m.name for m in months if m.complete and not m.reference]
    last = judged[-1] if judged else months[-1].name
    latest = months[-1].name
    now = found.changes(latest)
    earlier = [c for c in found.changes() if c.strongest.last < latest]
    rows = [
        (_("Watched"), _("from {first} to {last}", first=months[0].name, last=latest)),
        (
            _("Predictions"),
            _("{n}; the outcome of {known} is known", n=f"{found.n:,}", known=percent(found.known_share, 0)),
        ),
        *(
            (f"{_(FIGURES[name])}{'' if of_class is None else f', {of_class}'} ({last})", told)
            for name in LATEST
            for of_class in dict.fromkeys((None, *found.classes))
            if (told := figure_of(found, name, last, of_class=of_class))
        ),
        (
            _("Changes in {month}", month=latest),
            listed(str(c.strongest.sentence(inputs.shown)) for c in now) if now else _("none"),
        ),
        (
            _("Changes before"),
            listed(f"{c.strongest.month}: {_(FIGURES[c.strongest.figure])}" for c in earlier) if earlier else _("none"),
        ),
    ]
    return [Table.of(_("How it fares"), (_("What"), _("Value")), rows), Paragraph(running(found.notes()))]
