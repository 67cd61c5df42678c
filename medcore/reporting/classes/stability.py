"""The part of a report about how stable a model is: what the modelling gives when it is repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medcore.evaluation.figures.words import METRICS, short
from medcore.i18n import _, number, running
from medcore.models.run.stability import USUAL_REFITS
from medcore.reporting.formats.document import Block, Heading, Paragraph, Table
from medcore.reporting.inputs import ReportInputs


def stability(inputs: ReportInputs) -> list[Block]:
    """Print what bootstrap samples said of the risks and the figures; or that nobody asked them."""
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
    if "by_class" not in found:
        return [heading, Paragraph(running((repeated, _risks(found)))), _figures({"": found})]
    called = dict(zip(inputs.results.classes, inputs.class_names, strict=True))
    by_class = {called.get(name, name): own for name, own in found["by_class"].items()}
    head = (
        _("Class, or a higher one") if found["or_higher"] else _("Class"),
        _("Mean difference"),
        _("For one patient in ten more than"),
        _("Range of half of the patients, or more"),
    )
    keys = ("mean_absolute_error", "absolute_error_90", "median_interval_width")
    rows = [(name, *(f"{100 * own[key]:.1f}" for key in keys)) for name, own in by_class.items()]
    caption = _(
        "How far the refits' risks are from the model's, in percentage points; ranges hold those of 95 % of the samples"
    )
    return [heading, Paragraph(repeated), Table.of(caption, head, rows), _figures(by_class, head[0])]


def _risks(found: Mapping[str, Any]) -> str:
    return _(
        "A patient's risk differed from the model's by {error} percentage points on average, by more than {most} for one patient in ten; half of the patients' risks lay in a range of {width} points or more in 95 % of the samples.",
        error=f"{100 * found['mean_absolute_error']:.1f}",
        most=f"{100 * found['absolute_error_90']:.1f}",
        width=f"{100 * found['median_interval_width']:.1f}",
    )


def _figures(by_class: Mapping[str, Mapping[str, Any]], of: str = "") -> Table:
    """Print the figures corrected for optimism, of every class where there are several."""
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
    return Table.of(caption, head, rows)
