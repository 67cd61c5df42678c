"""Patient: one patient's risk, what the model used, and how far to trust it."""

from __future__ import annotations

import streamlit as st

from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import components, guards
from medcore.ui.kit.words import model_name
from medcore.ui.patient import choice, record, similar, table, view, what_if, whole
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import Explainer, open_explainer

VIEWS = {
    "one": N_("One patient"),
    "many": N_("Many patients"),
    "whole": N_("Whole model"),
}
WAYS = {
    "pick": N_("From the table"),
    "type": N_("Type one in"),
    "table": N_("New table"),
}
ASK = {"pick": choice.pick, "type": choice.type_in, "table": choice.new_table}


def page() -> None:
    components.header(
        _("Patient"), _("One patient’s risk, what the model used to arrive at it, and how far to trust it.")
    )
    study = guards.require_outcome()
    run = guards.require_run()
    with components.errors_shown():
        explainer = open_explainer(study, run)
        about(explainer)
        view = components.choice(_("Look at"), list(VIEWS), key="patient.view", show=lambda v: _(VIEWS[v]))
        if view == "many":
            table.show(explainer)
        elif view == "whole":
            whole.show(explainer)
        else:
            one_patient(study, explainer)


def one_patient(study: StudyRecord, explainer: Explainer) -> None:
    way = components.choice(_("Who"), list(WAYS), key="patient.way", show=lambda w: _(WAYS[w]))
    chosen = ASK[way](explainer)
    if chosen is not None:
        show(study, explainer, chosen)


def about(explainer: Explainer) -> None:
    components.facts(
        [
            (_("Model"), model_name(explainer.results.model)),
            (_("Run"), str(explainer.run.number)),
            (_("Training patients"), f"{len(explainer.results.training.rows):,}"),
        ]
    )


def ask_class(explainer: Explainer, chosen: Chosen, likeliest: int) -> int:
    """Ask which outcome is meant where there are more than two, beginning with the likeliest."""
    event = explainer.results.target.event
    if event is not None:
        return event
    name = st.selectbox(
        _("Outcome in question"),
        explainer.classes,
        index=likeliest,
        format_func=components.one_line,
        key=f"patient.class.{explainer.run.id}.{chosen.key}",
    )
    return explainer.classes.index(name)


def show(study: StudyRecord, explainer: Explainer, chosen: Chosen) -> None:
    patient = explainer.risk_of(chosen.frame, chosen.key)
    class_index = ask_class(explainer, chosen, patient.likeliest)
    trust = explainer.trust(patient, chosen.key, class_index)
    view.show_trust(trust)
    view.show_risk(explainer, chosen, patient, trust, class_index)
    explanation, background = view.show_explanation(explainer, chosen, patient, class_index)
    with components.errors_shown():
        what_if.show(explainer, chosen, patient, class_index, explanation, background)
    with components.errors_shown():
        view.show_counterfactuals(explainer, chosen, patient, class_index)
    with components.errors_shown():
        similar.show(study, explainer, patient, class_index)
    with components.errors_shown():
        record.offer(study, explainer, chosen, patient, trust, explanation, class_index)
    with components.errors_shown():
        what_if.prepare(explainer, patient, explanation, background)


page()
