"""Who was in which part of a study of an event with its time, and what had become of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from medcore.charts.survival.horizons import participants
from medcore.data.describe.small_cells import HIDDEN, shown_counts
from medcore.data.follow_up import UNIT_NAMES, about, shown_unit
from medcore.errors import SettingsError
from medcore.evaluation import SurvivalPerformance
from medcore.i18n import _, listed, number, running
from medcore.reporting.formats.document import Block, Heading, Paragraph, Picture, Table
from medcore.reporting.frame import rows_of
from medcore.reporting.inputs import TimedReportInputs
from medcore.reporting.sample_size import n_parameters
from medcore.reporting.standards.tripod import part
from medcore.statistics.sample_size.development import survival_sample_size
from medcore.targets.event_time import DAYS


def flow(inputs: TimedReportInputs) -> list[Block]:
    """Say how many rows went where, and of each part what had happened by the horizon; the figure shows the shares."""
    rows = rows_of(inputs)
    parts = list(_parts(inputs))
    counts = np.array([_counts(duration, event, inputs.results.target.main) for _n, _p, duration, event in parts])
    cells = shown_counts(np.column_stack([counts.sum(axis=1), counts]))
    event, when = inputs.class_names[1], inputs.when
    header = (
        _("Part"),
        _("Rows"),
        _("{event} within {horizon}", event=event, horizon=when),
        _("The event later"),
        _("Another event first"),
        _("Followed for {horizon} or longer without", horizon=when),
        _("Censored before"),
    )
    blocks: list[Block] = [Heading(part("flow"), 2)]
    if rows:
        blocks.append(Table.of(_("From the table to the patients"), (_("Part"), _("Rows")), rows))
    named = [(name, *line) for (name, *_rest), line in zip(parts, cells, strict=True)]
    blocks.append(Table.of(_("What had become of the patients by {horizon}", horizon=when), header, named))
    if all(HIDDEN not in line for line in cells):
        shares = {name: counts[place] for place, (name, *_rest) in enumerate(parts)}
        blocks.append(Picture(participants(shares, event=event, when=when)))
    return [*blocks, _person_time(inputs, parts, cells)]


def _parts(
    inputs: TimedReportInputs,
) -> Iterator[tuple[str, SurvivalPerformance, NDArray[np.float64], NDArray[np.int64]]]:
    results, new = inputs.results, inputs.validation
    training = results.training
    yield _("Trained on, and judged out of fold"), results.cross_validated, training.duration, training.event
    if results.test is not None and results.tested is not None:
        yield _("Locked test set"), results.tested, results.test.duration, results.test.event
    if new is not None and inputs.new_patients is not None:
        yield _("New patients"), inputs.new_patients, new.duration, new.event


def _counts(duration: NDArray[np.float64], event: NDArray[np.int64], horizon: float) -> list[int]:
    """Part patients into five: the event by the horizon or later, another event, free at it, censored before."""
    early, none = duration <= horizon, event == 0
    return [
        int(((event == 1) & early).sum()),
        int(((event == 1) & ~early).sum()),
        int((event > 1).sum()),
        int((none & (duration >= horizon)).sum()),
        int((none & (duration < horizon)).sum()),
    ]


def sample_size(inputs: TimedReportInputs) -> list[Block]:
    """Compare the number of patients with what the criteria for an event with its time ask for."""
    judged, parameters = inputs.results.cross_validated, n_parameters(inputs.results)
    n = judged.n_patients or judged.n
    try:
        mean = judged.rate.person_time / judged.n
        needed = survival_sample_size(parameters, judged.rate.rate, mean, inputs.results.target.main)
    except SettingsError:
        return []
    text = _(
        "For {parameters} parameters, this rate of events and this follow-up, the criteria of Riley et al. (Stat Med 2019;38:1276) ask for {needed} patients with {events} events ({criteria} by criterion), assuming that 15 % of the attainable variation is explained; {n} were trained on.",
        parameters=parameters,
        needed=needed.required,
        events=needed.required_events,
        criteria=listed(map(str, needed.criteria)),
        n=n,
    )
    return [Heading(part("sample_size"), 2), Paragraph(running([text]), strong=n < needed.required)]


def _person_time(
    inputs: TimedReportInputs,
    parts: list[tuple[str, SurvivalPerformance, NDArray[np.float64], NDArray[np.int64]]],
    cells: list[list[str]],
) -> Table:
    """Print events, person-time, their rate, and how long patients were followed."""
    unit = inputs.results.target.unit
    shown = shown_unit(inputs.results.cross_validated.longest_follow_up, unit)
    scale = DAYS[shown] / DAYS[unit]
    rows = []
    for (name, judged, _duration, _event), line in zip(parts, cells, strict=True):
        told, rate = HIDDEN not in line[2:4], judged.rate
        per = [100 * scale * value for value in (rate.rate, rate.low, rate.high)]
        median = judged.median_follow_up
        rows.append(
            (
                name,
                str(judged.n_events) if told else HIDDEN,
                number(rate.person_time / scale, ",.0f"),
                _("{value} ({low} to {high})", value=f"{per[0]:.3g}", low=f"{per[1]:.3g}", high=f"{per[2]:.3g}")
                if told
                else HIDDEN,
                str(about(median, unit)) if np.isfinite(median) else "–",
                str(about(judged.longest_follow_up, unit)),
            )
        )
    head = (
        _("Part"),
        _("Events"),
        _("Person-time ({unit})", unit=_(UNIT_NAMES[shown])),
        _("Events per 100 {unit} (95 % interval)", unit=_(UNIT_NAMES[shown])),
        _("Median follow-up (reverse Kaplan–Meier)"),
        _("Longest follow-up"),
    )
    return Table.of(_("Events and person-time"), head, rows)
