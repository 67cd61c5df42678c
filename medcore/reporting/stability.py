"""The part of a report about how stable a model is: what the modelling gives when it is repeated."""

from __future__ import annotations

from medcore.evaluation.figures.words import METRICS, short
from medcore.i18n import _
from medcore.reporting.formats.document import Block, Heading, Paragraph, Table
from medcore.reporting.inputs import ReportInputs


def stability(inputs: ReportInputs) -> list[Block]:
    """Print what bootstrap samples said of the risks and the figures; or that nobody asked them."""
    heading, found = Heading(_("Stability"), 2), inputs.stability
    if inputs.target.event is None:
        return []
    if found is None:
        return [heading, Paragraph(_("The modelling was not repeated on bootstrap samples: not stated."))]
    text = _(
        "The whole modelling was repeated on {n} bootstrap samples of the training patients (Riley and Collins, Biom J 2023;65:2200302). A patient's risk differed from the model's by {error} percentage points on average, by more than {most} for one patient in ten; half of the patients' risks lay in a range of {width} points or more in 95 % of the samples.",
        n=found["n_refits"],
        error=f"{100 * found['mean_absolute_error']:.1f}",
        most=f"{100 * found['absolute_error_90']:.1f}",
        width=f"{100 * found['median_interval_width']:.1f}",
    )
    rows = [
        (
            short(_(METRICS[name])),
            f"{figure['apparent']:.3f}",
            f"{figure['optimism']:.3f} (± {figure['standard_error']:.3f})",
            f"{figure['corrected']:.3f}",
        )
        for name, figure in found["figures"].items()
    ]
    head = (_("Figure"), _("Apparent"), _("Optimism"), _("Corrected"))
    caption = _("Figures corrected for optimism (Harrell); ± is the error left by the number of samples")
    return [heading, Paragraph(text), Table.of(caption, head, rows)]
