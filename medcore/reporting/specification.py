"""The part of a report that is the model itself: its equation, its numbers, its score of points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from medcore.charts.model.nomogram import nomogram_chart
from medcore.data.shown import Naming
from medcore.evaluation.figures.words import METRICS, short, with_interval
from medcore.explanation.patient.wording import percent
from medcore.i18n import _, listed, number, parted, running, significant, span
from medcore.models.learners.equation import Term
from medcore.models.run.advice import CALIBRATIONS
from medcore.models.run.results import Results
from medcore.models.written.inputs import Input
from medcore.models.written.nomogram import nomogram
from medcore.models.written.points import Items, PointScore
from medcore.models.written.specification import Z95, Specification
from medcore.reporting.formats.document import Block, Bullets, Heading, Paragraph, Picture, Table
from medcore.reporting.standards.tripod import part
from medcore.targets import Target

MOST_TERMS = 120
"""Terms beyond which the numbers are in the exported table only."""
_SCORES = 3
"""Scores of classes side by side."""
_ACROSS = 4
"""Pairs of total and risk side by side."""
_LARGEST_LOG = 10.0
"""Log-odds per unit beyond which no ratio is told: the unit is far larger than the values' range."""
_COST = ("auroc", "calibration_slope", "brier", "log_loss")


def the_model(results: Results, naming: Naming | None = None) -> list[Block]:
    """Write the regression down; nothing where none was, as in runs of before it was kept.

    ``naming`` says how the predictors are shown, where that is known better than at training.
    """
    model = results.specification
    if model is None:
        return []
    if naming is not None:
        shown = [naming(i.name) for i in model.inputs]
        inputs = zip(model.inputs, shown, strict=True)
        model = replace(model, inputs=tuple(replace(i, label=s.label, level_labels=s.levels) for i, s in inputs))
    drawn, names = nomogram(model), tuple(map(str, results.class_names))
    picture = [Picture(nomogram_chart(drawn, event=names[-1], naming=model.shown))] if drawn is not None else []
    return [
        Heading(part("specification"), 1),
        *_which(model),
        *_equation(model, names, _maybe_codes(model, results)),
        *picture,
        *(_points(model, model.points, names[-1]) if model.points is not None else []),
    ]


def _which(model: Specification) -> list[Block]:
    if model.delivered:
        text = (
            _("The model is one proportional odds model. It is written here in full: its risks are the bundle's.")
            if model.equation.ordered
            else _("The model is one logistic regression. It is written here in full: its risks are the bundle's.")
        )
        return [Paragraph(text)]
    text = (
        _(
            "The delivered model is not an equation. Written here is the proportional odds model that was trained beside it on the same folds, without recalibration; its risks differ from the delivered model's, and its own figures stand under “{part}”.",
            part=part("candidates"),
        )
        if model.equation.ordered
        else _(
            "The delivered model is not an equation. Written here is the logistic regression that was trained beside it on the same folds, without recalibration; its risks differ from the delivered model's, and its own figures stand under “{part}”.",
            part=part("candidates"),
        )
    )
    return [Paragraph(text, strong=True)]


def _maybe_codes(model: Specification, results: Results) -> list[str]:
    """Say which few whole numbers, told as codes elsewhere in the report, count as amounts here."""
    numbers, table = [i.name for i in model.inputs if i.numeric], results.table_one
    coded = table.coded(numbers) if table is not None else frozenset[str]()
    doubtful = [i.shown.words for i in model.inputs if i.name in coded]
    if not doubtful:
        return []
    return [
        _(
            "Of a few whole numbers, and taken for amounts: {columns}. If they are codes, make them categories and train again: here a step from 1 to 2 counts as much as one from 2 to 3, unless a curve bends it.",
            columns=doubtful,
        )
    ]


def _equation(model: Specification, names: Sequence[str], doubtful: Sequence[str]) -> list[Block]:
    """Write the formula, the numbers and how sure they are."""
    lines = [
        _("Formula: {formula}.", formula=_formula(model, names)),
        _(
            "g is the value; for a category 1 where it holds and 0 elsewhere; for “missing” 1 where the value is missing. A missing number is replaced by the one in the column “If missing”."
        ),
        _(
            "Ridge penalty: λ = {penalty} on every coefficient but the intercept.",
            penalty=f"{1 / model.inverse_penalty:.4g}",
        ),
        _(
            "Recalibration of the risks: {method}.",
            method=_(CALIBRATIONS.get(model.calibrator.method, model.calibrator.method)),
        ),
        *doubtful,
        *_curves(model),
        *_parameters(model),
    ]
    sure = _(
        "Intervals of 95 % are Wald intervals of the penalised coefficients with sandwich errors{clustered}: they say how much these shrunken numbers vary from sample to sample with this penalty and these knots, and do not undo the shrinkage.",
        clustered=_(", by patient") if model.n_patients != model.n_rows else "",
    )
    told = model.equation.told
    one = model.equation.ordered or len(told) == 1
    ratios = _("No odds ratio is told where no two patients are a unit apart, or where a curve bends.") if one else ""
    if len(model.equation.terms) > MOST_TERMS:
        table: list[Block] = [
            Paragraph(_("The {n} terms do not fit on paper: export the model as a table.", n=len(model.equation.terms)))
        ]
    else:
        parts = [told[at : at + _SCORES] for at in range(0, len(told), _SCORES)]
        table = [_table(model, told[0], names)] if one else [_side_by_side(model, part, names) for part in parts]
    return [Bullets(tuple(lines)), *table, *([Paragraph(running((sure, ratios)))] if model.errors is not None else [])]


def _formula(model: Specification, names: Sequence[str]) -> str:
    if model.equation.ordered:
        return _(
            "score of a class = its intercept + Σ coefficient × (g − centre) / scale, the coefficients being the same for every class; risk of that class or a higher one = 1 / (1 + exp(−score)); risk of a class = that less the same of the next higher class; order of the classes: {order}",
            order=" < ".join(names),
        )
    if Target.of(model.classes).event is not None:
        return _(
            "score = intercept + Σ coefficient × (g − centre) / scale; risk of {name} = 1 / (1 + exp(−score))",
            name=names[-1],
        )
    return _(
        "score of a class = its intercept + Σ its coefficient × (g − centre) / scale; risk of a class = exp(its score) / Σ exp(scores of all classes)"
    )


def _curves(model: Specification) -> list[str]:
    """Write the knots and the basis of what bends."""
    bent = {t.place: t.knots for t in model.equation.terms if t.knots}
    if not bent:
        return []
    knots = [
        _("{name}: {knots}", name=model.inputs[place].shown, knots=listed(significant(k, 6) for k in values))
        for place, values in bent.items()
    ]
    return [
        _(
            "“Curve j” is g = [(x − kⱼ)₊³ − (x − kₘ₋₁)₊³ (kₘ − kⱼ)/(kₘ − kₘ₋₁) + (x − kₘ)₊³ (kₘ₋₁ − kⱼ)/(kₘ − kₘ₋₁)] / (kₘ − k₁)², a restricted cubic spline with the m knots k. Knots: {knots}.",
            knots=parted(knots),
        )
    ]


def _parameters(model: Specification) -> list[str]:
    """Write the few numbers of a recalibration; curves of many are in the exported files."""
    few = {n: v for n, v in model.calibrator.parameters.items() if len(v) <= len(model.classes) + 1}
    if not few:
        return []
    return [
        _(
            "Numbers of the recalibration: {numbers}.",
            numbers=parted(f"{name} = {listed(f'{v:.6g}' for v in values)}" for name, values in few.items()),
        )
    ]


def _table(model: Specification, k: int, names: Sequence[str]) -> Table:
    """Write one score's numbers; of proportional odds all intercepts, and the coefficients once."""
    ordered = model.equation.ordered
    rows = [
        (
            _("Intercept: {name} or higher", name=names[at + 1]) if ordered else _("Intercept"),
            *("", "", ""),
            _number(model.equation.intercepts[at], *(model.interval(0, at) or (math.nan, math.nan))),
            "",
        )
        for at in (model.equation.told if ordered else (k,))
    ]
    for place, term in enumerate(model.equation.terms, 1):
        low, high = model.interval(place, k) or (math.nan, math.nan)
        value, numeric = term.coefficients[k], term.kind in ("linear", "spline")
        error = (high - low) / (2 * Z95)
        logs = [(value + z * error) / term.scale for z in (0.0, -Z95, Z95)] if term.kind != "spline" else []
        told = bool(logs) and all(not abs(v) > _LARGEST_LOG for v in logs)
        bent = any(t.knots and t.place == term.place for t in model.equation.terms)
        far = numeric and _narrower_than_a_unit(model.inputs[term.place])
        rows.append(
            (
                *_fixed(term, model.inputs[term.place]),
                _number(value, low, high),
                _ratio(*map(math.exp, logs)) if told and not far and not (numeric and bent) else "",
            )
        )
    head = (
        _("Term"),
        _("If missing"),
        _("Centre"),
        _("Scale"),
        _("Coefficient (95 % interval)"),
        _("Odds ratio of a higher class per unit (95 % interval)")
        if ordered
        else _("Odds ratio per unit (95 % interval)"),
    )
    caption = _("The equation: {name}", name=_("every step up") if ordered else names[k])
    return Table.of(caption, head, rows)


def _narrower_than_a_unit(source: Input) -> bool:
    """Whether no two training patients were a whole unit apart: an odds ratio per unit would be of nobody."""
    return source.low is not None and source.high is not None and source.high - source.low < 1


def _side_by_side(model: Specification, scores: Sequence[int], names: Sequence[str]) -> Table:
    """Write the numbers of several classes' scores; a coefficient of one class alone is no log odds ratio."""

    def cell(place: int, k: int, value: float) -> str:
        return _number(value, *(model.interval(place, k) or (math.nan, math.nan)))

    rows = [(_("Intercept"), *("", "", ""), *(cell(0, k, model.equation.intercepts[k]) for k in scores))]
    for place, term in enumerate(model.equation.terms, 1):
        fixed = _fixed(term, model.inputs[term.place])
        rows.append((*fixed, *(cell(place, k, term.coefficients[k]) for k in scores)))
    head = (_("Term"), _("If missing"), _("Centre"), _("Scale"), *(names[k] for k in scores))
    caption = _(
        "The equation: coefficients (95 % intervals) of the score of {names}", names=listed(names[k] for k in scores)
    )
    return Table.of(caption, head, rows)


def _fixed(term: Term, source: Input) -> tuple[str, str, str, str]:
    """Name a term, and write what it does to a value before its coefficient is applied."""
    numbers = (term.fill, term.centre, term.scale) if term.kind in ("linear", "spline") else ()
    fill, centre, scale = (significant(v, 6) for v in numbers) if numbers else ("", "", "")
    return _name(term, source), fill, centre, scale


def _name(term: Term, source: Input) -> str:
    shown, unit = source.shown, source.shown.beside
    match term.kind:
        case "missing":
            return _("{name}: missing", name=shown)
        case "level":
            level = shown.value(source.categories[term.level]) if term.level >= 0 else _("another value")
            return f"{shown} = {level}"
        case "spline":
            return _("{name}: curve {n}", name=shown, n=term.curve + 1)
        case _:
            return f"{shown} ({unit})" if unit else str(shown)


def _number(value: float, low: float, high: float) -> str:
    return (
        _("{value} ({span})", value=number(value, ".5f"), span=span(low, high))
        if math.isfinite(low)
        else number(value, ".5f")
    )


def _ratio(value: float, low: float, high: float) -> str:
    shown = [f"{v:.3f}" if 0.1 <= v < 10 else f"{v:.3g}" if v < 1000 else f"{v:,.0f}" for v in (value, low, high)]
    if not math.isfinite(low):
        return shown[0]
    return _("{value} ({span})", value=shown[0], span=_("{low} to {high}", low=shown[1], high=shown[2]))


def _points(model: Specification, points: PointScore, event: str) -> list[Block]:
    """Write the score of points, the risk of its totals, and what it costs."""
    rows = [
        (str(model.inputs[i.place].shown), " · ".join(f"{band}: {p}" for band, p in _bands(i, model.inputs[i.place])))
        for i in points.items
    ]
    lowest, highest = points.range
    totals = list(range(lowest, highest + 1, max(1, (highest - lowest) // 20)))
    cells = [text for t in totals for text in (str(t), percent(float(points.risk(t)), digits=1))]
    cells += [""] * (-len(cells) % (2 * _ACROSS))
    risks = [cells[i : i + 2 * _ACROSS] for i in range(0, len(cells), 2 * _ACROSS)]
    full, scored = points.full.metrics, points.evaluation.metrics
    cost = [(short(_(METRICS[m])), with_interval(scored[m]), with_interval(full[m])) for m in _COST]
    text = _(
        "Points are rounded log-odds, {most} for the predictor that matters most. Out of fold the score's log loss was {scored}, the equation's {full} with the penalty and curves held as they are; the difference is what rounding costs.",
        most=max(max(item.points) for item in points.items),
        scored=f"{scored['log_loss'].value:.4f}",
        full=f"{full['log_loss'].value:.4f}",
    )
    return [
        Heading(_("A score of points"), 2),
        Paragraph(running([text])),
        Table.of(_("Points of each value"), (_("Column"), _("Points of its values")), rows),
        Table.of(_("Risk of {name} by total", name=event), (_("Total"), _("Risk")) * _ACROSS, risks),
        Table.of(
            _("The score against the equation, out of fold, with 95 % intervals"),
            (_("Measure"), _("Score of points"), _("Equation, penalty and curves held")),
            cost,
        ),
    ]


def _bands(item: Items, source: Input) -> list[tuple[str, int]]:
    """Name the bands or categories of one predictor with their points."""
    if item.levels:
        words = [source.shown.value(source.categories[level]) or "" for level in item.levels]
        named = list(zip(words, item.points, strict=True))
        return [*named, (_("another value"), item.other), (_("missing"), item.missing)]
    cuts = item.cuts
    if not cuts:
        named = [(_("any"), item.points[0])]
    else:
        ends = [significant(cut, 6) for cut in cuts]
        inner = [f"{a} – < {b}" for a, b in itertools.pairwise(ends)]
        named = list(zip([f"< {ends[0]}", *inner, f"≥ {ends[-1]}"], item.points, strict=True))
    return [*named, (_("missing"), item.missing)]
