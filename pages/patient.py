"""Patient: who is at what risk, why, and how far to trust it."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import cache, guards
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.kit.state import state
from medcore.ui.patient import choice, one, over_time, whole
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.many import listing, table, worklist
from medcore.ui.patient.open_run import open_explainer

VIEWS = {
    "one": N_("Patients"),
    "many": N_("Explanations as a file"),
    "whole": N_("Whole model"),
}


def page() -> None:
    listed = not (state().opened or state().patients or "row" in st.query_params)
    beside = head() if listed else None
    study = guards.require_outcome()
    run = guards.require_run(study)
    with components.errors_shown():
        explainer = open_explainer(study, run, horizon=over_time.horizon_of(run))
        opened = one.opened(explainer)
        if opened is not None:
            one.show(study, explainer, opened)
            return
        with beside or head():
            over_time.ask_horizon(run)
        left, right = st.columns(2)
        with left:
            view = components.choice(
                _("Look at"), list(VIEWS), key="patient.view", show=lambda v: _(VIEWS[v]), link="view"
            )
        if view == "many":
            table.show(explainer)
        elif view == "whole":
            whole.show(explainer)
        else:
            with right:
                way = ask_source(explainer)
            patients(study, explainer, way)


def head() -> DeltaGenerator:
    """Draw the heading; return the place beside it."""
    left, right = st.columns([7, 3], vertical_alignment="bottom")
    with left:
        components.header(
            _("Patient"), _("What the model predicts for each patient, what it used, and how far to trust it.")
        )
    return right


def ask_source(explainer: Explainer) -> str:
    ways = listing.sources(explainer)
    return components.choice(_("Who"), ways, key="patient.way", show=lambda w: _(listing.SOURCES[w]), link="who")


def patients(study: StudyRecord, explainer: Explainer, way: str) -> None:
    """List the patients of a source, or take one typed in."""
    if way == "type":
        typed = choice.type_in(explainer)
        if typed is not None:
            state().typed[explainer.run.id] = typed
            one.open_typed(explainer)
        return
    found = one.new_table(explainer) if way == "table" else listing.known(explainer, way)
    if found is None:
        return
    if way != "table":  # the lines of a table brought here stand below it
        components.mends(
            cache.model_mends(cache.cohort(study), explainer.run, explainer.schema), naming=explainer.shown
        )
    if found.in_training:
        components.note(_("Predictions for training patients are from models that had not seen the patient."))
    class_index = one.ask_class(explainer)
    threshold = one.ask_threshold(study, explainer, class_index)
    one.remember(explainer, found)
    note_view(study, "patients.listed", found.identity, run=explainer.run, n=len(found))
    worklist.worklist(explainer, found, threshold, class_index)


page()
