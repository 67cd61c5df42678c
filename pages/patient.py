"""Patient: one patient's risk, what the model used, and how far to trust it."""

from __future__ import annotations

import streamlit as st

from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import components, guards
from medcore.ui.kit.words import model_name
from medcore.ui.patient import choice, record, similar, table, view, what_if, whole
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.desk import Desk, open_desk

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
        desk = open_desk(study, run)
        about(desk)
        view = components.choice(_("Look at"), list(VIEWS), key="patient.view", show=lambda v: _(VIEWS[v]))
        if view == "many":
            table.show(desk)
        elif view == "whole":
            whole.show(desk)
        else:
            one_patient(study, desk)


def one_patient(study: StudyRecord, desk: Desk) -> None:
    way = components.choice(_("Who"), list(WAYS), key="patient.way", show=lambda w: _(WAYS[w]))
    chosen = ASK[way](desk)
    if chosen is not None:
        show(study, desk, chosen)


def about(desk: Desk) -> None:
    components.facts(
        [
            (_("Model"), model_name(desk.results.model)),
            (_("Run"), str(desk.run.number)),
            (_("Training patients"), f"{len(desk.results.training.rows):,}"),
        ]
    )


def ask_class(desk: Desk, chosen: Chosen, likeliest: int) -> int:
    """Ask which outcome is meant where there are more than two, beginning with the likeliest."""
    if len(desk.classes) == 2:
        return 1
    name = st.selectbox(
        _("Outcome in question"),
        desk.classes,
        index=likeliest,
        format_func=components.plain,
        key=f"patient.class.{desk.run.id}.{chosen.key}",
    )
    return desk.classes.index(name)


def show(study: StudyRecord, desk: Desk, chosen: Chosen) -> None:
    patient = desk.risk_of(chosen.frame, chosen.key)
    class_index = ask_class(desk, chosen, patient.likeliest)
    trust = desk.trust(patient, chosen.key, class_index)
    view.show_trust(trust)
    view.show_risk(desk, chosen, patient, trust, class_index)
    explanation, background = view.show_explanation(desk, chosen, patient, class_index)
    with components.errors_shown():
        what_if.show(desk, chosen, patient, class_index, explanation, background)
    with components.errors_shown():
        view.show_counterfactuals(desk, chosen, patient, class_index)
    with components.errors_shown():
        similar.show(study, desk, patient, class_index)
    with components.errors_shown():
        record.offer(study, desk, chosen, patient, trust, explanation, class_index)
    with components.errors_shown():
        what_if.prepare(desk, patient, explanation, background)


page()
