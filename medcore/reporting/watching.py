"""One month of a model in use on one page: what changed, what to do, and how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from medcore.charts.watching import control_chart, cusum_chart, expected_chart
from medcore.data.shown import Naming, Shown
from medcore.i18n import N_, _, current_language, language, percent, running, span
from medcore.i18n import number as written
from medcore.models.run.manifest import INTENDED_USE
from medcore.monitoring.alarms import WatchedChange
from medcore.monitoring.chart import FIGURES, Chart
from medcore.monitoring.watch import Watch
from medcore.monitoring.watched import WatchedPlace
from medcore.reporting.formats.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table
from medcore.sealing import Folder

ALARMS, PLACES = 6, 10
"""Changes that are told and places that are tabled, at most; all are on the page and in the JSON."""
SIZES = ((ALARMS, 4), (4, 4), (ALARMS, 2), (4, 2), (3, 2), (4, 0), (2, 0), (0, 0))
"""How many changes and charts the page has: the first that fits."""
TOLD = (
    *("volume", "alerts", "auroc", "calibration_intercept", "o_e_ratio", "mae", "mean_error", "calibration_slope"),
    *("coverage", "net_benefit"),
)
OF_PLACES = ("volume", "alerts", "auroc", "calibration_intercept", "o_e_ratio", "mae", "mean_error")
PER_HUNDRED = ("alerts", "net_benefit", "coverage")
NO_ALARM = N_(
    "No alarm: what comes in, how the model is used and, as far as outcomes are known, how good it is are as in the months of reference."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthReport:
    """Everything the page says, already computed: the ``month`` of what was ``found``, and how the model is called and told apart."""

    found: Watch = field(repr=False)
    month: str
    name: str
    bundle_sha256: str = ""
    naming: Naming = field(repr=False, default=Shown)

    @property
    def place(self) -> int:
        """Which of the months it is."""
        return [m.name for m in self.found.months].index(self.month)


def write_month_report(inputs: MonthReport, file_name: str, *, words: str | None = None) -> bytes:
    """Write the page as a file of that name would hold it (.pdf, .html or .docx), in the language ``words`` or the current one.

    A PDF is one page: where many alarms need the room, fewer are told, and how many more there are.
    """
    from medcore.reporting import check_format, render
    from medcore.reporting.formats.pdf import paged

    with language(words or current_language()):
        if check_format(file_name) != "pdf":
            return render(month_report(inputs), file_name)
        for most, charts in SIZES:
            page, n_pages = paged(month_report(inputs, most=most, charts=charts))
            if n_pages == 1:
                break
        return page


def month_report(inputs: MonthReport, *, most: int = ALARMS, charts: int = 4) -> Document:
    """Lay out the page in the current language, with so many changes and charts at most."""
    found, changes = inputs.found, inputs.found.changes(inputs.month)
    said = _("{n} change(s) in {month}", n=len(changes), month=inputs.month) if changes else _(NO_ALARM)
    blocks: list[Block] = [
        Paragraph(said, strong=True),
        *([Bullets(tuple(_told(inputs, changes, most)))] if changes else []),
        Heading(_("All patients"), 2),
        _figures(inputs),
        *_places(inputs, PLACES if most == ALARMS else max(2 * most, 2)),
        *_pictures(inputs)[:charts],
        Paragraph(running((*found.beginning.lines(inputs.naming), *found.notes()))),
        Paragraph(_identity(inputs)),
    ]
    return Document(
        title=_("A model in use: {month}", month=inputs.month),
        subtitle=inputs.name,
        language=current_language(),
        blocks=tuple(blocks),
        footer=_(INTENDED_USE),
        compact=True,
    )


def _told(inputs: MonthReport, changes: Sequence[WatchedChange], most: int) -> list[str]:
    naming = inputs.naming
    lines = [running((*c.lines(naming), *c.strongest.what_to_do(naming))) for c in changes[:most]]
    more = len(changes) - len(lines)
    return [*lines, *([_("… and {n} more.", n=more)] if more else [])]


def _figures(inputs: MonthReport) -> Table:
    """Table the month's figures of all patients beside those of the reference and the limits."""
    found, at = inputs.found, inputs.place
    rows: list[tuple[str, ...]] = []
    everybody = [c for c in found.charts if c.place == WatchedPlace() and c.column is None]
    told = sorted((c for c in everybody if c.figure in TOLD), key=lambda c: TOLD.index(c.figure))
    rows += [(_of_class(_(FIGURES[c.figure]), c.of_class), *_cells(c, at)) for c in told]
    for estimate in found.expected:
        if estimate.place == WatchedPlace():
            name = _of_class(_("Expected AUROC (an estimate)"), estimate.of_class)
            rows.append((name, written(float(estimate.auroc[at]), ".2f"), "–", "–", ""))
    month = found.months[at]
    known = _("{known} of {n}", known=month.n_known, n=month.n_read)
    delay = written(month.median_delay_days, ".0f")
    rows.append((_("Outcomes known (half of them after {days} days)", days=delay), known, "–", "–", ""))
    header = (_("What"), _("This month"), _("Months of reference"), _("Control limits"), _("Beyond"))
    return Table.of(_("Figures of the month"), header, rows)


def _of_class(name: str, of_class: str | None) -> str:
    return name if of_class is None else f"{name}, {of_class}"


def _cells(chart: Chart, at: int) -> tuple[str, str, str, str]:
    """Write a month's value, the reference's, the limits, and whether it is beyond them."""
    value, low, high = (float(part[at]) for part in (chart.value, chart.low, chart.high))
    limits = "–"
    if np.isfinite(low) and np.isfinite(high):
        limits = span(_scaled(chart, low), _scaled(chart, high), _spec(chart))
    elif np.isfinite(low):
        limits = _("at least {low}", low=written(_scaled(chart, low), _spec(chart)))
    elif np.isfinite(high):
        limits = _("at most {high}", high=written(_scaled(chart, high), _spec(chart)))
    beyond = _("yes") if chart.beyond[at] else _("no") if chart.judged[at] else _("not judged")
    shown = (written(_scaled(chart, v), _spec(chart)) for v in (value, chart.centre))
    return (*shown, limits, beyond)  # type: ignore[return-value]


def _spec(chart: Chart) -> str:
    if chart.figure in ("mae", "mean_error"):
        return ".3g"
    return ",.0f" if chart.figure == "volume" else ".1f" if chart.figure in PER_HUNDRED else ".2f"


def _scaled(chart: Chart, value: float) -> float:
    return 100 * value if chart.figure in PER_HUNDRED else value


def _places(inputs: MonthReport, most: int) -> list[Block]:
    """Table sites and groups: their figures this month, and how many alarms hold there."""
    places = [p for p in inputs.found.places if p.key is not None][:most]
    if not places:
        return []
    alarms = inputs.found.of_month(inputs.month)
    there = {c.figure for c in inputs.found.charts if c.of_class is None}
    told, rows = [name for name in OF_PLACES if name in there], []
    for place in places:
        cells = [str(place.shown(inputs.naming))]
        for figure in told:
            chart = inputs.found.chart(figure, place)
            cells.append("–" if chart is None else _cells(chart, inputs.place)[0])
        rows.append((*cells, str(sum(a.place == place for a in alarms))))
    figures = (_(FIGURES[name]) for name in told)
    return [Table.of(_("Sites and groups this month"), (_("Where"), *figures, _("Alarms")), rows)]


def _pictures(inputs: MonthReport) -> list[Block]:
    """Draw calibration and CUSUM of all patients where outcomes are known, and alerts and the expected AUROC in any case."""
    found, naming, months = inputs.found, inputs.naming, [m.name for m in inputs.found.months]
    first = found.classes[0] if found.classes else None
    everybody = [one for one in found.running if one.place == WatchedPlace() and one.of_class == first]
    charts = (found.chart(name, of_class=first) for name in ("calibration_intercept", "o_e_ratio", "mean_error", "mae"))
    alerts, estimate = found.chart("alerts"), found.expects(of_class=first)
    drawn = [
        *(None if chart is None else control_chart(chart, months, naming=naming) for chart in charts),
        cusum_chart(everybody, months, naming=naming) if everybody else None,
        None if alerts is None else control_chart(alerts, months, naming=naming),
        None
        if estimate is None
        else expected_chart(estimate, found.chart("auroc", of_class=first), months, naming=naming),
    ]
    return [Picture(figure) for figure in drawn if figure is not None]


def _identity(inputs: MonthReport) -> str:
    found = inputs.found
    parts = [
        _("Threshold {threshold}.", threshold=percent(found.plan.threshold)),
        _("Version of {version}.", version=found.version) if found.version else "",
        _("SHA-256 of the bundle's list of hashes: {sha}.", sha=inputs.bundle_sha256) if inputs.bundle_sha256 else "",
    ]
    return running(part for part in parts if part)


def report_of(found: Watch, month: str, bundle: Folder) -> MonthReport:
    """Return what the page says of a bundle's month."""
    from medcore.data.cohort import Schema
    from medcore.models.bundle.bundle import read_manifest
    from medcore.models.bundle.files import bundle_hash

    schema = Schema.from_dict(read_manifest(bundle)["schema"])
    outcome = schema.shown(schema.outcome.name).words if schema.outcome else ""
    name = _("Prediction of {outcome}", outcome=outcome)
    return MonthReport(found=found, month=month, name=name, bundle_sha256=bundle_hash(bundle), naming=schema.shown)


def figure_of(found: Watch, figure: str, month: str, *, of_class: str | None = None) -> str:
    """Return a month's figure of all patients in words, with that of the reference and the limits; empty where there is none."""
    chart = found.chart(figure, of_class=of_class)
    if chart is None:
        return ""
    value, centre, limits, _beyond = _cells(chart, [m.name for m in found.months].index(month))
    return _("{value} (reference {centre}, limits {limits})", value=value, centre=centre, limits=limits)
