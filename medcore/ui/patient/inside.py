"""What is inside a contribution: in a note each phrase on a ground as strong as what it did to the risk, over time a map."""

from __future__ import annotations

import streamlit as st

from medcore.charts.patients.explanation import signed
from medcore.charts.patients.series import when_it_counted
from medcore.explanation.shapley.results import Contribution, Explanation
from medcore.features.text import NOTE
from medcore.i18n import _
from medcore.ui.kit.shown import components
from medcore.ui.kit.text import markup
from medcore.ui.patient.explainer import Explainer

STRONGEST = 45
"""Per cent of colour behind the phrase that did most: text stays readable on it, in light and in dark."""
TOLD = 0.1
"""Phrases that did so much of what the strongest did have their figure beside them."""


def show_notes(explainer: Explainer, explanation: Explanation) -> None:
    """Show every note of a patient with what each phrase contributed."""
    kinds = explainer.reference.codebook.kinds
    for kind, contribution in zip(kinds, explanation.contributions, strict=True):
        if kind == NOTE.name and contribution.parts:
            column = explainer.shown(contribution.column)
            components.section(
                _("What the model used within {column}", column=column.words),
                _(
                    "Together the phrases contribute {sum}, as the bar of the column above. A phrase is weighed by putting words of comparison patients’ notes in its place.",
                    sum=signed(contribution.contribution, explanation),
                ),
            )
            st.html(_highlighted(contribution, explanation))


def show_over_time(explainer: Explainer, explanation: Explanation) -> None:
    """Show when in time the measurements contributed that a model read in their order."""
    read = explainer.reference.codebook.in_order
    found = [c for c, in_order in zip(explanation.contributions, read, strict=True) if in_order and c.parts]
    if found:
        components.section(
            _("When the measurements contributed"),
            _("What a network read in order; the summaries of the same measurements are columns of their own above."),
        )
        figure = when_it_counted(found, scale=explanation.scale, naming=explainer.shown)
        components.figure(figure, key="patient.when")


def _highlighted(contribution: Contribution, explanation: Explanation) -> str:
    most = max(abs(part.contribution) for part in contribution.parts) or 1.0
    phrases = []
    for part in contribution.parts:
        share = abs(part.contribution) / most
        figure = signed(part.contribution, explanation)
        reach = signed(1.96 * part.standard_error, explanation).removeprefix("+")
        beside = f"<sub>{markup(figure)}</sub>" if share >= TOLD else ""
        side = "mc-up" if part.contribution > 0 else "mc-down"
        broken = "<br>" if part.part.endswith("\n") else " "
        phrases.append(
            f'<mark class="{side}" style="--share:{STRONGEST * share:.0f}%" title="{markup(f"{figure} ± {reach}")}">'
            f"{markup(part.part)}{beside}</mark>{broken}"
        )
    label = markup(_("The note, with what each phrase contributed"))
    return f'<p class="mc-phrases" role="region" tabindex="0" aria-label="{label}">{"".join(phrases)}</p>'
