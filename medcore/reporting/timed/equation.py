"""A Cox regression written down: coefficients, hazard ratios, and the baseline by each horizon."""

from __future__ import annotations

import math

import numpy as np

from medcore.data.follow_up import span
from medcore.features import CodeBook
from medcore.i18n import _, listed, number, parted, percent, significant
from medcore.models.learners.equation import Term, terms_of
from medcore.models.selection.calibration import Calibrator
from medcore.models.survival.cox import CauseModel
from medcore.reporting.formats.document import Block, Bullets, Heading, Paragraph, Table
from medcore.reporting.inputs import TimedReportInputs
from medcore.reporting.standards.tripod import part

MOST_TERMS = 120
"""Terms beyond which the numbers do not fit on paper."""
_LARGEST_LOG = 10.0


def the_model(inputs: TimedReportInputs) -> list[Block]:
    """Write the Cox regressions in the model down, one for each event; nothing where there is none."""
    if not inputs.causes:
        return []
    whole = inputs.weight >= 1
    text = (
        _("The model is a Cox regression. It is written here in full: its risks are the bundle's.")
        if whole
        else _(
            "The delivered model averages several. Written here is the Cox regression in it, whose share is {share}; the others are not equations.",
            share=percent(inputs.weight, 0),
        )
    )
    blocks: list[Block] = [Heading(part("specification"), 1), Paragraph(text, strong=not whole), _formula(inputs)]
    for cause, name in zip(inputs.causes, inputs.class_names[1:], strict=True):
        blocks += _cause(inputs, cause, name)
    return blocks + _recalibrated(inputs)


def _recalibrated(inputs: TimedReportInputs) -> list[Block]:
    """Write down what a recalibration to other patients, or several, did to the risks."""
    step: Calibrator | None = Calibrator.from_dict(inputs.results.manifest["calibrator"])
    target, lines = inputs.results.target, []
    while step is not None:
        if step.parameters:
            lines += [
                _(
                    "Recalibrated to other patients afterwards: within {horizon} the risk r of {event} becomes 1 − exp(−exp({intercept} + {slope} · log(−log(1 − r)))).",
                    horizon=span(h, target.unit),
                    event=inputs.class_names[1],
                    intercept=number(step.at(h).parameters["intercept"][0], ".4f"),
                    slope=number(step.at(h).parameters["slope"][0], ".4f"),
                )
                for h in target.horizons
            ]
        step = step.then
    return [Bullets(tuple(lines))] if lines else []


def _formula(inputs: TimedReportInputs) -> Bullets:
    risk = (
        _("Risk by a time = 1 − exp(−H₀ · exp(score)), H₀ being the baseline cumulative hazard by then.")
        if len(inputs.causes) == 1
        else _(
            "Each event has its own hazard h = h₀ · exp(score). At each step of the baselines 1 − exp(−Σh) leaves those still free, and goes to the events in proportion to their hazards; the risk by a time is the sum of what went to the event by then."
        )
    )
    lines = (
        _("score = Σ coefficient × (g − centre) / scale."),
        risk,
        _(
            "g is the value; for a category 1 where it holds and 0 elsewhere; for “missing” 1 where the value is missing. A missing number is replaced by the one in the column “If missing”."
        ),
        _(
            "Coefficients are shrunken by a ridge penalty, so no intervals are given. The baseline at every step is in the bundle."
        ),
    )
    return Bullets(lines)


def _cause(inputs: TimedReportInputs, cause: CauseModel, name: str) -> list[Block]:
    terms = terms_of(cause.maker, cause.splines, cause.baseline.coefficients[:, None])
    blocks: list[Block] = [
        Paragraph(
            _(
                "{event}: ridge penalty λ = {penalty} on every coefficient.",
                event=name,
                penalty=f"{1 / cause.inverse_penalty:.4g}",
            )
        )
    ]
    if len(terms) > MOST_TERMS:
        blocks.append(Paragraph(_("The {n} terms do not fit on paper: they are in the bundle.", n=len(terms))))
    else:
        blocks.append(_terms(inputs, terms, name))
    knots = {t.place: t.knots for t in terms if t.knots}
    if knots:
        columns = CodeBook.from_dict(inputs.results.manifest["codebook"]).columns
        told = [
            _("{name}: {knots}", name=str(inputs.shown(columns[p])), knots=listed(significant(k, 6) for k in v))
            for p, v in knots.items()
        ]
        blocks.append(
            Paragraph(
                _(
                    "“Curve j” is g = [(x − kⱼ)₊³ − (x − kₘ₋₁)₊³ (kₘ − kⱼ)/(kₘ − kₘ₋₁) + (x − kₘ)₊³ (kₘ₋₁ − kⱼ)/(kₘ − kₘ₋₁)] / (kₘ − k₁)², a restricted cubic spline with the m knots k. Knots: {knots}.",
                    knots=parted(told),
                )
            )
        )
    horizons, unit = inputs.results.target.horizons, inputs.results.target.unit
    hazards = cause.baseline.cumulative(np.asarray(horizons))
    rows = [
        (str(span(h, unit)), f"{value:.6g}", f"{math.exp(-value):.6f}")
        for h, value in zip(horizons, hazards.tolist(), strict=True)
    ]
    head = (_("Horizon"), _("Baseline cumulative hazard H₀"), _("Baseline share free of it, exp(−H₀)"))
    return [*blocks, Table.of(_("Baseline, at a score of 0: {name}", name=name), head, rows)]


def _terms(inputs: TimedReportInputs, terms: tuple[Term, ...], event: str) -> Table:
    book = CodeBook.from_dict(inputs.results.manifest["codebook"])
    bent = {t.place for t in terms if t.knots}
    rows = []
    for term in terms:
        numeric, value = term.kind in ("linear", "spline"), term.coefficients[0]
        log = value / term.scale
        told = abs(log) <= _LARGEST_LOG and term.kind != "spline" and not (numeric and term.place in bent)
        rows.append(
            (
                _name(inputs, book, term),
                significant(term.fill, 6) if numeric else "",
                significant(term.centre, 6) if numeric else "",
                significant(term.scale, 6) if numeric else "",
                number(value, ".5f"),
                f"{math.exp(log):.3f}" if told else "",
            )
        )
    head = (_("Term"), _("If missing"), _("Centre"), _("Scale"), _("Coefficient"), _("Hazard ratio per unit"))
    return Table.of(_("The equation: {name}", name=event), head, rows)


def _name(inputs: TimedReportInputs, book: CodeBook, term: Term) -> str:
    column = inputs.shown(book.columns[term.place])
    unit = column.beside
    match term.kind:
        case "missing":
            return _("{name}: missing", name=column)
        case "level":
            level = book.encoders[term.place].levels[term.level] if term.level >= 0 else None
            value = column.value(level) if level is not None else _("another value")
            return f"{column} = {value}"
        case "spline":
            return _("{name}: curve {n}", name=column, n=term.curve + 1)
        case _:
            return f"{column} ({unit})" if unit else str(column)
