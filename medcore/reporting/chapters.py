"""The chapters of a report of times or of numbers, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from medcore.i18n import _
from medcore.reporting import methods
from medcore.reporting.formats.document import Block, Heading
from medcore.reporting.frame import identity
from medcore.reporting.inputs import AnyInputs


def chapters(
    inputs: AnyInputs,
    *,
    opening: Sequence[Block],
    flow: Sequence[Block],
    sample_size: Sequence[Block],
    judged: Sequence[Block],
) -> list[Block]:
    """Put what an outcome has of its own (its summary, who was followed, how many are needed, its figures) between what all have."""
    return [
        *opening,
        Heading(_("Purpose"), 1),
        *methods.asked(inputs, ("intended_use", "background", "inequalities")),
        Heading(_("Patients"), 1),
        *methods.asked(
            inputs, ("source", "setting", "eligibility", "treatments", "outcome_definition", "predictors_chosen")
        ),
        *flow,
        *methods.predictors(inputs),
        *methods.characteristics(inputs),
        *sample_size,
        Heading(_("Methods"), 1),
        *methods.preparation(inputs),
        *methods.models(inputs),
        *judged,
        Heading(_("Interpretation and statements"), 1),
        *methods.asked(
            inputs, ("interpretation", "next_steps", "ethics", "funding", "registration", "sharing", "involvement")
        ),
        *identity(inputs),
    ]
