"""The model card by itself, as it is today: what the model is, on what terms it was released, and how it fares in use."""

from __future__ import annotations

from collections.abc import Sequence

from medcore.i18n import _, current_language, listed, percent, running
from medcore.models.run.manifest import INTENDED_USE
from medcore.monitoring.chart import FIGURES
from medcore.monitoring.watch import Watch
from medcore.reporting.classes.card import model_card
from medcore.reporting.formats.document import Block, Document, Heading, Paragraph, Table
from medcore.reporting.inputs import ReportInputs
from medcore.reporting.watching import figure_of

LATEST = ("alerts", "auroc", "calibration_intercept", "calibration_slope", "net_benefit")


def card_today(
    inputs: ReportInputs, *, terms: Sequence[tuple[str, str]] = (), found: Watch | None = None, made: str = ""
) -> Document:
    """Lay the card out in the current language.

    ``terms`` are those it was released on, in words; ``found`` is how it fares in use, where it is watched; ``made`` the day.
    """
    blocks: list[Block] = [*model_card(inputs)]
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


def _in_use(found: Watch, inputs: ReportInputs) -> list[Block]:
    """Say how long and how often it was used, the figures of the last month that could be judged, and what changed."""
    months = found.months
    n, known = sum(m.n for m in months), sum(m.n_known for m in months)
    judged = [m.name for m in months if m.complete and not m.reference]
    last = judged[-1] if judged else months[-1].name
    latest = months[-1].name
    now = found.changes(latest)
    earlier = [c for c in found.changes() if c.strongest.last < latest]
    rows = [
        (_("Watched"), _("from {first} to {last}", first=months[0].name, last=latest)),
        (_("Predictions"), _("{n}; the outcome of {known} is known", n=f"{n:,}", known=percent(known / n, 0))),
        *((f"{_(FIGURES[name])} ({last})", told) for name in LATEST if (told := figure_of(found, name, last))),
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
