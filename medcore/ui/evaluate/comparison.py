"""The view of the Evaluate page that sets two models side by side."""

from __future__ import annotations

import streamlit as st

from medcore.charts import comparison as charts
from medcore.evaluation.comparison.instability import instability
from medcore.i18n import _
from medcore.models.run.results import Results
from medcore.ui.evaluate import judging, rates
from medcore.ui.evaluate.judging import Judged
from medcore.ui.kit.layout import facts, note, section
from medcore.ui.kit.shown.figures import figure
from medcore.ui.kit.words import model_name


def compared(judged: Judged, results: Results, threshold: float) -> None:
    """Say which model is better, with paired differences, and how far one patient's risk may move."""
    if len(judged.risks) < 2:
        note(_("Choose a second model above to compare it with this one."))
    else:
        _two(judged, threshold)
    if judged.side == "training":
        _instability(judged, results)


def _two(judged: Judged, threshold: float) -> None:
    name_a, name_b = judged.risks
    found = judging.comparison(judged, threshold)
    note(str(found.verdict(name_a, name_b)))
    left, right = st.columns(2)
    with left:
        rates.differences(found, name_a, name_b)
        chart = charts.benefit_difference(judging.benefit_differences(judged), name_a=name_a, name_b=name_b)
        figure(chart, key="evaluate.benefit_difference")
    with right:
        a, b = judged.risks.values()
        figure(charts.agreement(judged.outcome, a, b, name_a=name_a, name_b=name_b), key="evaluate.agreement")
    changed = found.reclassification
    if changed is None:
        return
    section(
        _("Who is called differently at a threshold of {percent} %", percent=f"{100 * threshold:.1f}"),
        str(changed.caveat),
    )
    facts(
        [
            (_("With the outcome, called only by {name}", name=name_a), str(changed.events_up)),
            (_("With the outcome, called only by {name}", name=name_b), str(changed.events_down)),
            (_("Without, called only by {name}", name=name_a), str(changed.non_events_up)),
            (_("Without, called only by {name}", name=name_b), str(changed.non_events_down)),
            (_("Net reclassification, with the outcome"), rates.signed(changed.nri_events, 3)),
            (_("Net reclassification, without"), rates.signed(changed.nri_non_events, 3)),
        ]
    )


def _instability(judged: Judged, results: Results) -> None:
    """Draw the instability of the candidates whose members were fitted again."""
    spreads = {c.name: (c.oof, c.spread) for c in results.candidates if c.spread is not None}
    if not spreads:
        return
    section(
        _("How far would a patient's risk move if the model were fitted again?"),
        _("A risk that depends on chance is no basis for a decision, however good the model is on average."),
    )
    for column, (name, (risk, spread)) in zip(st.columns(2), list(spreads.items())[:2], strict=False):
        with column:
            found = instability(judged.risk_in(risk), spread)
            figure(charts.instability(found, name=model_name(name)), key=f"evaluate.instability.{name}")
