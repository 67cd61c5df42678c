"""The part of a report about how stable a model is: what the modelling gives when it is repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medcore.data.follow_up import span
from medcore.evaluation.figures.words import METRICS, short
from medcore.explanation.patient.wording import RISK, Measure
from medcore.i18n import _, number, running
from medcore.models.run.stability import REMEMBERED, USUAL_REFITS
from medcore.reporting.formats.document import Block, Heading, Paragraph, Table
from medcore.reporting.inputs import AnyInputs
from medcore.targets import EventTime

Told = Mapping[str, Any]


def stability(inputs: AnyInputs, *, measure: Measure = RISK) -> list[Block]:
    """Print what bootstrap samples said of the predictions and the figures; or that nobody asked them."""
    heading, found = Heading(_("Stability"), 2), inputs.stability
    if found is None:
        return [heading, Paragraph(_("The modelling was not repeated on bootstrap samples: not stated."))]
    repeated = _(
        "The whole modelling was repeated on {n} bootstrap samples of the training patients (Riley and Collins, Biom J 2023;65:2200302).",
        n=found["n_refits"],
    )
    few = (
        _("{n} are few (200 are usual): ranges come out too narrow, and every figure is rough.", n=found["n_refits"])
        if found["n_refits"] < USUAL_REFITS
        else ""
    )
    repeated = running((repeated, few))
    first, named = _questions(inputs, found)
    if not first:
        return [heading, Paragraph(running((repeated, _moved(found, measure)))), *_figures(named)]
    head = (
        first,
        _("Mean difference"),
        _("For one patient in ten more than"),
        _("Range of half of the patients, or more"),
    )
    rows = [(name, *_distances(own, measure).values()) for name, own in named.items()]
    caption = _(
        "How far the refits' risks are from the model's, in percentage points; ranges hold those of 95 % of the samples"
    )
    return [heading, Paragraph(repeated), Table.of(caption, head, rows), *_figures(named, first)]


def _questions(inputs: AnyInputs, found: Told) -> tuple[str, dict[str, Told]]:
    """Return what tells several questions apart, as a column is headed, and what was said of each by name; of one alone no heading."""
    if "by_horizon" in found:
        assert isinstance(inputs.results.target, EventTime)
        unit = inputs.results.target.unit
        return _("By when"), {str(span(float(by), unit)): own for by, own in found["by_horizon"].items()}
    if "by_class" in found:
        called = dict(zip(inputs.results.classes, inputs.class_names, strict=True))
        head = _("Class, or a higher one") if found["or_higher"] else _("Class")
        return head, {called.get(name, name): own for name, own in found["by_class"].items()}
    return "", {"": found}


def _distances(found: Told, measure: Measure) -> dict[str, str]:
    """Write how far refits are from the model: in percentage points of a risk, or in a number's unit."""
    keys = {"error": "mean_absolute_error", "most": "absolute_error_90", "width": "median_interval_width"}
    write = measure.write if measure.of_number else measure.bare
    return {name: write(found[key], more=int(measure.of_number)) for name, key in keys.items()}


def _moved(found: Told, measure: Measure) -> str:
    distances = _distances(found, measure)
    if measure.of_number:
        return _(
            "A patient's number differed from the model's by {error} on average, by more than {most} for one patient in ten; half of the patients' numbers lay in a range of {width} or more in 95 % of the samples.",
            **distances,
        )
    return _(
        "A patient's risk differed from the model's by {error} percentage points on average, by more than {most} for one patient in ten; half of the patients' risks lay in a range of {width} points or more in 95 % of the samples.",
        **distances,
    )


def _figures(by_class: Mapping[str, Mapping[str, Any]], of: str = "") -> list[Block]:
    """Print the figures corrected for optimism, of every class where there are several, and what to think of them."""
    rows = [
        (
            *([name] if of else []),
            short(_(METRICS[figure])),
            number(value["apparent"], ".3f"),
            f"{number(value['optimism'], '.3f')} (± {value['standard_error']:.3f})",
            number(value["corrected"], ".3f"),
        )
        for name, found in by_class.items()
        for figure, value in found["figures"].items()
    ]
    head = (*([of] if of else []), _("Figure"), _("Apparent"), _("Optimism"), _("Corrected"))
    caption = _("Figures corrected for optimism (Harrell); ± is the error left by the number of samples")
    return [Table.of(caption, head, rows), Paragraph(_(REMEMBERED))]
