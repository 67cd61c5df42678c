"""The part of a report about groups of patients, small counts hidden so that none can be worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medcore.data.describe.small_cells import FEWEST_TOLD, HIDDEN, Counts, Mask, hidden_cells, shown_counts
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.words import with_interval
from medcore.evaluation.groups.subgroups import MEANING, Breakdown, Fairness, Subgroup, breakdown, fairness
from medcore.i18n import Message, _, listed, running
from medcore.reporting.clusters import sites
from medcore.reporting.formats.document import Block, Heading, Paragraph, Table
from medcore.reporting.inputs import ReportInputs, events_and_risks
from medcore.reporting.standards.tripod import part

FEW = "†"
"""Stands beside a group that is too small to be judged well."""


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """What is told of the groups of a column: their sizes and events as text, and which of their shares are not."""

    sizes: list[list[str]]
    sensitivity: Mask
    alerts: Mask

    @classmethod
    def of(cls, found: Breakdown, n: int, n_events: int) -> ShownGroup:
        """Hide what is small; groups that are not shown make up the rest of all ``n`` patients."""
        cells = [
            (g.n, g.n_events, g.n - g.n_events, g.confusion.tp, g.confusion.fn, g.confusion.tp + g.confusion.fp)
            for g in found.groups
        ]
        counts = np.array(cells, dtype=np.int64).reshape(-1, 6)
        rest = n - counts[:, 0].sum(), n_events - counts[:, 1].sum()
        sizes = counts[:, :3] if not rest[0] else np.vstack([counts[:, :3], (*rest, rest[0] - rest[1])])
        called = counts[:, 5]
        return cls(
            shown_counts(sizes)[: len(counts)],
            _any_hidden(counts[:, [1, 3, 4]]),
            _any_hidden(np.column_stack([counts[:, 0], called, counts[:, 0] - called])),
        )


def _any_hidden(counts: Counts) -> Mask:
    """Say of which rows a part of the total is hidden."""
    return np.asarray(hidden_cells(counts)[:, 1:].any(axis=1))


def subgroups(inputs: ReportInputs) -> list[Block]:
    """Break the out-of-fold figures down by every sensitive column; small groups and small counts are not shown."""
    patients = inputs.results.training
    if inputs.target.event is None or patients.sensitive.empty:
        return []
    outcome, risk = events_and_risks(patients)
    blocks: list[Block] = [Heading(part("subgroups"), 1), *sites(inputs.results), Paragraph(_(MEANING))]
    head = (
        _("Group"),
        _("Patients"),
        _("Events"),
        "AUROC",
        _("Calibration in the large"),
        _("Sensitivity"),
        _("Share called positive"),
    )
    for column in patients.sensitive.columns:
        found = breakdown(
            outcome, risk, patients.sensitive, [column], threshold=inputs.threshold, groups=patients.groups
        ).shown(inputs.shown)
        shown = ShownGroup.of(found, len(outcome), int(outcome.sum()))
        rows = [_row(g, shown, place) for place, g in enumerate(found.groups)]
        if rows:
            blocks.append(Table.of(str(inputs.shown(column)), head, rows))
        sizes = {g.key: size[0] for g, size in zip(found.groups, shown.sizes, strict=True)}
        gaps = fairness(found.groups)
        blocks += _gaps(gaps, [f"{key} (n = {sizes[key]})" for key in gaps.groups], found.left_out())
    notes = _(
        "{mark} Fewer than 100 events or non-events: too few to judge this group well. “{hidden}” hides a count under {n} or a share that tells one, and what they could be worked out from.",
        mark=FEW,
        hidden=HIDDEN,
        n=FEWEST_TOLD,
    )
    return [*blocks, Paragraph(notes)]


def _row(group: Subgroup, shown: ShownGroup, place: int) -> tuple[str, ...]:
    size, events, _others = shown.sizes[place]
    shares = (
        (group.confusion.sensitivity, shown.sensitivity[place]),
        (group.confusion.alert_rate, shown.alerts[place]),
    )
    return (
        group.name + ("" if group.judgeable == "yes" else f" {FEW}"),
        size,
        events,
        with_interval(group.auroc, digits=2),
        with_interval(group.calibration_intercept, digits=2),
        *(HIDDEN if hidden else with_interval(share, digits=2) for share, hidden in shares),
    )


def _gaps(gaps: Fairness, compared: Sequence[str], left_out: Message | None) -> list[Block]:
    """Say how far apart the groups are that can be compared, of how many patients that is known, and which cannot."""
    if len(gaps.groups) < 2:
        return [
            Paragraph(_("Fewer than two groups have 20 patients with and 20 without the outcome: gaps are not given."))
        ]
    text = _(
        "Largest gaps between {groups}, in percentage points: share called positive (demographic parity) {parity}, "
        "sensitivity (equal opportunity) {opportunity}, false alarms {alarms}, the larger of these two (equalised odds) "
        "{odds}, observed less predicted risk (calibration within groups) {calibration}.",
        groups=listed(compared),
        parity=points(gaps.demographic_parity),
        opportunity=points(gaps.equal_opportunity),
        alarms=points(gaps.false_alarms),
        odds=points(gaps.equalised_odds),
        calibration=points(gaps.calibration),
    )
    return [Paragraph(running((text, left_out or "")))]


def points(gap: Estimate) -> str:
    """Write a share or a gap in percentage points with its interval."""
    return f"{gap.times(100):.1f}"
