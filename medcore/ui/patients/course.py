"""One patient's course: what was predicted at each visit, what moved it, what is to be done and what came of it."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from medcore.data.values.given import cell_text
from medcore.errors import NotFoundError
from medcore.features.series import told
from medcore.i18n import N_, _
from medcore.studies.use_records import PredictionRecord
from medcore.ui.kit import cache, links
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.kit.state import state
from medcore.ui.patient.choice import in_words
from medcore.ui.patients import bring, moved, outcomes, plan
from medcore.ui.patients.in_use import InUse, answers, moment, newest
from medcore.ui.patients.in_use import opened as open_model

PARTS = {
    "course": N_("Course"),
    "plan": N_("Plan"),
    "visit": N_("A new visit"),
    "outcome": N_("What came of it"),
    "values": N_("All visits"),
}


def opened(person: str) -> bool:
    """Show the patient that is open, if one is; say whether."""
    said = links.asked("patient", state().course)
    if said is not None:
        state().course = said or None
    patient = state().course
    if patient is None:
        return False
    try:
        visits = cache.store().course(person, patient)
        identifier = cache.store().identifier_of(person, patient)
    except NotFoundError as problem:
        state().course, state().problem = None, None
        links.keep("patient", "", None)  # the list is shown, and the address says so
        components.error(problem)
        return False
    links.keep("patient", patient, patient)
    releases = cache.store().releases(person, model=visits[-1].model)
    in_use = open_model(person, newest(releases)[visits[-1].model])
    state().model = in_use.model
    note_view(in_use.study, "course.viewed", patient, model=in_use.model)
    _show(in_use, patient, identifier, visits)
    return True


def _show(in_use: InUse, patient: str, identifier: str, visits: tuple[PredictionRecord, ...]) -> None:
    left, right = st.columns([5, 2], vertical_alignment="center")
    with left:
        components.header(identifier)
    with right, st.container(horizontal=True, horizontal_alignment="right", key="patients-steps"):
        st.button(_("List"), key="patients.back", icon=":material/list:", on_click=_close)
    _now(in_use, visits)
    tasks = cache.store().tasks(in_use.person, patient)
    plan.reminders(in_use, visits, tasks)
    name = hashlib.sha256(patient.encode()).hexdigest()[:10]
    part = components.choice(
        _("Look at"), list(PARTS), key="patients.part", show=lambda p: _(PARTS[p]), labelled=False, link="part"
    )
    with st.container(key=f"patients-{name}-{part}"), components.errors_shown():
        if part == "visit":
            if answers(in_use):
                bring.type_in(in_use, patient=identifier, last=visits[-1])
        elif part == "plan":
            plan.show(in_use, patient, tasks)
        elif part == "outcome":
            outcomes.show_one(in_use, identifier, visits)
        elif part == "values":
            _table(in_use, visits)
            if in_use.study.access != "read":
                outcomes.show_forget(in_use, patient, identifier, len(visits))
        else:
            moved.show(in_use, visits)


def _now(in_use: InUse, visits: tuple[PredictionRecord, ...]) -> None:
    """Say where the patient stands: the last prediction, how it changed, when that was."""
    last, measure = visits[-1], in_use.measure
    pairs = [
        (_("Model"), f"{in_use.model} {last.version}"),
        (in_use.outcome if in_use.of_number else _("Risk of {name}", name=in_use.outcome), measure.write(last.risk)),
        (_("Last seen"), moment(last.at)),
        (_("Visits"), str(len(visits))),
    ]
    if len(visits) > 1:
        change = f"{measure.bare(last.risk - visits[-2].risk, signed=True)}"
        pairs.insert(2, (_("Since the visit before"), change))
    if in_use.threshold is not None:
        side = _("▲ at or above") if last.called else _("below")
        pairs.insert(2, (_("Threshold {value}", value=measure.write(in_use.threshold)), side))
    components.facts(pairs)


def _table(in_use: InUse, visits: tuple[PredictionRecord, ...]) -> None:
    """Lay every visit out: what was predicted, by which version, with what caution, and the values as given."""
    rows = []
    for visit in reversed(visits):
        row = {
            _("Seen at"): moment(visit.at),
            _("Predicted") if in_use.of_number else _("Risk"): in_use.measure.write(visit.risk),
            _("Version"): str(visit.version),
            _("Be careful about"): in_words("; ".join(visit.flags), in_use.shown),
        }
        for name in in_use.columns:
            column = in_use.shown(name)
            text = cell_text(name, visit.values.get(name))
            row[str(column)] = column.value(told(text) if in_use.schema[name].over_time else text) or ""
        rows.append(row)
    frame = pd.DataFrame(rows)
    st.dataframe(frame, hide_index=True, alt=_("{n} visits with their values", n=len(rows)))
    components.downloads(frame, name="visits", key="patients.visits")


def _close() -> None:
    state().course = None
