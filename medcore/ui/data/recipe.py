"""Show the preparation step by step, with what each step did, and switch steps on or off."""

from __future__ import annotations

import json

import streamlit as st

from medcore.data.preparation.presets import PRESETS, preset_of
from medcore.data.preparation.recipe import STEP_KINDS, Prepared, Step, StepLog, prepare
from medcore.i18n import _
from medcore.reporting.preparation import methods_text
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import cohort, once, store
from medcore.ui.kit.layout import facts, note
from medcore.ui.kit.shown.tables import download, table
from medcore.ui.kit.state import speak
from medcore.ui.kit.text import markup, plain


def prepared(study: StudyRecord) -> Prepared:
    """Return the study's rows after its recipe; raises TargetError when the outcome cannot be used."""
    return once(lambda: prepare(cohort(study), study.recipe), "prepared", study.identity)


def recipe_form(study: StudyRecord) -> None:
    """List the steps with a switch each, their counts, and the ways to take them along."""
    done = prepared(study)
    facts(
        [
            (_("Rows before"), f"{len(done.source):,}"),
            (_("Rows after"), f"{done.n_rows:,}"),
            (_("Patients"), f"{done.n_patients:,}"),
            (_("Predictors"), str(len(done.kinds))),
        ]
    )
    _preset(study)
    log = {entry.step.kind: entry for entry in done.log}
    for step in study.recipe.steps:
        _step(study, step, log.get(step.kind))
    _more_steps(study)
    note(_("Filling missing values and scaling are learnt later, inside each training fold, never from test rows."))
    if done.set_aside:
        with st.expander(_("{n} columns are set aside", n=len(done.set_aside))):
            table([{_("Column"): plain(n), _("Why"): str(reason)} for n, reason in done.set_aside.items()])
    _take_along(study, done)


def _preset(study: StudyRecord) -> None:
    current = preset_of(study.recipe, study.schema)
    keys = list(PRESETS)
    chosen = st.selectbox(
        _("Recipe"),
        keys,
        index=keys.index(current) if current in keys else None,
        format_func=lambda k: str(PRESETS[k].title),
        key=f"data.preset.{study.identity}",
        placeholder=_("Own choice of steps"),
    )
    if chosen is None:
        return
    preset = PRESETS[chosen]
    if preset.wrong:
        note(" ".join([_("What is wrong with it:"), *(str(m) for m in preset.wrong)]), look="warning")
    if chosen != current and st.button(_("Use this recipe"), key="data.preset.use"):
        store().save_recipe(study.owner, study.id, preset.recipe(study.schema))
        st.rerun()


def _step(study: StudyRecord, step: Step, log: StepLog | None) -> None:
    with st.container(key=f"data-step-{step.kind}", horizontal=True, vertical_alignment="center"):
        st.toggle(
            str(step.title),
            value=step.on,
            disabled=step.fixed or study.access == "read",
            key=f"data.step.{step.kind}.{study.identity}",
            on_change=_switch,
            args=(study, step),
        )
        st.html(f'<span class="mc-muted">{markup(_did(step, log))}</span>')


def _more_steps(study: StudyRecord) -> None:
    """Offer the steps that the recipe does not name; filling with 0 only comes with the article's recipe."""
    further = [kind for kind in STEP_KINDS if kind != "fill_zero" and study.recipe.step(kind) is None]
    if further:
        with st.expander(_("{n} more steps", n=len(further))):
            for kind in further:
                _step(study, Step(kind, on=False), None)


def _switch(study: StudyRecord, step: Step) -> None:
    speak()
    store().save_recipe(study.owner, study.id, study.recipe.switch(step.kind, not step.on))


def _did(step: Step, log: StepLog | None) -> str:
    """Say what a step did to this table."""
    if log is not None and step.on and log.rows_before != log.rows_after:
        n = log.rows_before - log.rows_after
        return " ".join([str(step.sentence), _("Here: {n} rows dropped, {after} left.", n=n, after=log.rows_after)])
    if log is not None and step.on and log.cells_changed:
        return " ".join([str(step.sentence), _("Here: {n} cells.", n=log.cells_changed)])
    return str(step.sentence)


def _take_along(study: StudyRecord, done: Prepared) -> None:
    with st.container(horizontal=True):
        download(
            _("Methods section (text)"),
            methods_text(study.schema, done),
            file_name="preparation.txt",
            mime="text/plain",
            key="data.recipe.text",
        )
        download(
            _("Recipe (JSON)"),
            json.dumps(study.recipe.to_dict(), ensure_ascii=False, indent=2),
            file_name="recipe.json",
            mime="application/json",
            key="data.recipe.json",
        )
