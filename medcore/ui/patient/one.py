"""One patient as a record: who, risk and trust at a glance, then one question at a time."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from medcore.data.reading.long.measured import keeps_measured
from medcore.data.schema.targets import diseases_first
from medcore.errors import MedcoreError
from medcore.explanation.model.first_patients import listed_class
from medcore.explanation.patient.reliability import Reliability
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.i18n import N_, _
from medcore.models.run.number.results import NumberResults
from medcore.models.run.results import Results
from medcore.studies.records import StudyRecord
from medcore.ui.kit import links
from medcore.ui.kit.cache import cohort
from medcore.ui.kit.frame.turns import turn_passed_on
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.measured import measured_lines
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.kit.state import speak, state
from medcore.ui.kit.text import markup
from medcore.ui.kit.thresholds import keep_threshold, threshold_of
from medcore.ui.patient import glance, over_time, record, similar, view, what_if
from medcore.ui.patient.choice import Chosen, trained_on
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.many import ahead, listing, worklist
from medcore.ui.patient.many.listing import Listing
from medcore.ui.patient.many.opening import open_patient

PARTS = {
    "over_time": N_("Over time"),
    "why": N_("Why"),
    "what_if": N_("What if"),
    "different": N_("What would have to differ"),
    "measured": N_("Measurements"),
    "similar": N_("Similar patients"),
    "record": N_("For the record"),
}
EXPLAINED = ("why", "what_if", "record")
"""Those that need the explanation."""
TYPED = "typed"
FLUSH_SECONDS = 0.05
"""Five times as long as Streamlit gathers messages before it sends them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The patient that is looked at, and the list it was opened from, if any."""

    chosen: Chosen
    listing: Listing | None = field(default=None, repr=False)
    place: int = 0


def opened(explainer: Explainer) -> Opened | None:
    """Return the patient that is open, opening the one that another page asked for; None when the list is to be shown."""
    run_id = explainer.run.id
    _open_linked(explainer)
    asked = state().patients.pop(run_id, None)
    if asked is not None:
        _open_row(explainer, "rows", asked)
    identity, place = state().opened.get(run_id, ("", 0))
    if identity == TYPED and run_id in state().typed:
        return Opened(state().typed[run_id])
    found: Listing | None = st.session_state.get(_kept_key(explainer))
    if found is None and identity in listing.sources(explainer) and identity in listing.OWN:  # by another horizon
        found = listing.known(explainer, identity)
        remember(explainer, found)
    if found is None or found.identity != identity or not 0 <= place < len(found):
        return None
    return Opened(found.patient(place, explainer), found, place)


def _open_row(explainer: Explainer, numbering: str, number: int) -> bool:
    """Open the patient of a row of the study's table, by ``rows`` from 0 or ``lines`` as the file numbers them."""
    for source in listing.sources(explainer):
        known = listing.known(explainer, source) if source in listing.OWN else None
        at = np.flatnonzero(getattr(known, numbering) == number) if known is not None else np.array([])
        if known is not None and len(at):
            remember(explainer, known)
            open_patient(explainer.run.id, known.identity, int(at[0]))
            return True
    return False


def _open_linked(explainer: Explainer) -> None:
    """Open the patient whose row the address newly asks for, or go back to the list if it asks for none."""
    opened_now = state().opened
    said = links.asked("row", opened_now.get(explainer.run.id))
    if said == "":
        opened_now.pop(explainer.run.id, None)
    elif said is not None and not (said.isdecimal() and _open_row(explainer, "lines", int(said))):
        components.note(_("The row in the link is not among this model’s patients."), look="warning")


def remember(explainer: Explainer, found: Listing) -> None:
    """Keep the list for the session, so that a patient of it can be opened and the next one reached."""
    st.session_state[_kept_key(explainer)] = found


def new_table(explainer: Explainer) -> Listing | None:
    """Ask for a table of new patients; the one brought last stays while a patient of it is looked at."""
    found = listing.new_table(explainer)
    kept: Listing | None = st.session_state.get(_kept_key(explainer, "table"))
    if found is not None:
        st.session_state[_kept_key(explainer, "table")] = found
    elif kept is not None:
        components.note(_("The table brought last in this session; bring another one to replace it."))
    return found or kept


def open_typed(explainer: Explainer) -> None:
    """Open the patient typed in last."""
    state().opened[explainer.run.id] = (TYPED, 0)
    st.rerun()


def ask_class(explainer: Explainer) -> int:
    """Ask which outcome the list is about where there are more than two, beginning with the most frequent disease."""
    first = listed_class(explainer.results)
    if len(explainer.results.target.told) == 1:
        return first
    return _pick_class(explainer, first, key=f"patient.class.{explainer.run.id}")


def ask_threshold(study: StudyRecord, explainer: Explainer, class_index: int) -> float:
    """Return the threshold in force; where a number is predicted it is asked for beside the list."""
    threshold = threshold_of(study, explainer.run, explainer.results, class_index)
    measure = explainer.measure
    if not isinstance(explainer.results, NumberResults):
        return threshold
    label = _("Threshold ({unit})", unit=measure.unit) if measure.unit else _("Threshold")
    asked = st.number_input(
        label,
        value=threshold,
        step=10.0**-measure.decimals,
        format=f"%.{measure.decimals}f",
        key=f"patient.threshold.{explainer.run.id}",
        help=_("The list is parted there, and the smallest changes that carry a patient across it are looked for."),
        width=200,
    )
    keep_threshold(explainer.run, explainer.results, float(asked))
    return float(asked)


def show(study: StudyRecord, explainer: Explainer, at: Opened) -> None:
    """Show the record; nothing of the last patient stays on screen."""
    order = _order(study, explainer, at)
    _begin(explainer, at, order)
    _note(study, explainer, at)
    left, right = st.columns([5, 4], vertical_alignment="center")
    with left:
        components.header(at.chosen.title)
    with right:
        _steps(explainer, at, order)
    name = hashlib.sha256(at.chosen.key.encode()).hexdigest()[:10]
    place, since = _cleared(name)
    try:
        patient = _risk(explainer, at, order)
    except MedcoreError:
        place.empty()
        raise
    if patient is None:
        place.empty()
        return
    told = explainer.results.target.told
    if len(told) == 1 and _part_asked(explainer) in EXPLAINED:
        view.begin_explanation(explainer, at.chosen, patient, told[0])
    with turn_passed_on():
        time.sleep(max(0.0, since + FLUSH_SECONDS - time.monotonic()))
    with place.container(key=f"patient-{name}", gap="xsmall"):
        glanced = _glance(study, explainer, at, patient, name)
        if glanced is None:
            return
        class_index, threshold, trust = glanced
        row = _own_row(at) if keeps_measured(cohort(study)) else None
        lacking = {"over_time": explainer.horizon is None, "measured": row is None}
        parts = [p for p in PARTS if not lacking.get(p)]
        with st.container(horizontal=True, key="patient-parts"):
            part = components.choice(
                _("Look at"), parts, key="patient.part", show=lambda p: _(PARTS[p]), labelled=False, link="part"
            )
            over_time.ask_horizon(explainer.run, labelled=False)
        with st.container(key=f"patient-{name}-{part}"), components.errors_shown():
            if part != "measured":
                _part(part, study, explainer, at.chosen, patient, trust, class_index, threshold)
            elif row is None or not measured_lines(study, row, who=at.chosen.title, key="patient.measured"):
                components.caption(_("Nothing was measured of this patient by then."))


def _glance(
    study: StudyRecord, explainer: Explainer, at: Opened, patient: PatientRisk, name: str
) -> tuple[int, float, Reliability] | None:
    """Show risk and trust beside the patient's values; return what they are about, the threshold and the trust.

    ``None`` while it is not known how much the model uses each column, which trust rests on.
    """
    _warn(explainer, at)
    told = explainer.results.target.told
    event = told[0] if len(told) == 1 else None
    first, *others = st.columns([5, 4] if event is not None else [4, 4, 4])
    class_index = event
    if class_index is None:
        assert isinstance(explainer.results, Results)
        ranked = diseases_first(patient.risk.tolist(), explainer.results.absence)
        with first:
            key = f"patient.class.{explainer.run.id}.{name}"
            class_index = _pick_class(explainer, ranked[0], key=key, labelled=False)
            glance.show_classes(explainer, patient, ranked)
    threshold = threshold_of(study, explainer.run, explainer.results, class_index)
    if not explainer.weighed(class_index):
        return None
    trust = explainer.trust(patient, at.chosen.key, class_index, trained=at.chosen.trained)
    with others[0] if event is None else first:
        glance.show_risk(explainer, at.chosen, patient, trust, class_index, threshold)
        if event is not None:
            glance.show_trust(explainer, trust)
    with others[-1], st.container(gap="xsmall"):
        glance.show_values(explainer, patient, class_index)
    if event is None:
        glance.show_trust(explainer, trust)
    return class_index, threshold, trust


def _own_row(at: Opened) -> int | None:
    """Return the patient's row in the study's table, from 0; None for one of another table, or typed in."""
    return None if at.listing is None else at.listing.row(at.place)


def _note(study: StudyRecord, explainer: Explainer, at: Opened) -> None:
    """Put into address and audit trail which patient is looked at: by row where they are of the study's table."""
    chosen = at.chosen
    if at.listing is not None and at.listing.identity in listing.OWN and chosen.line is not None:
        links.keep("row", str(chosen.line), (at.listing.identity, at.place))
        note_view(study, "patient.viewed", chosen.key, run=explainer.run, row=chosen.line)
    else:
        note_view(study, "newcomer.viewed", chosen.key, run=explainer.run)


def _cleared(name: str) -> tuple[Any, float]:
    """Return the place of the record, cleared when it belonged to another patient, and since when (s, monotonic).

    Streamlit keeps a container's old content until it is replaced piece by piece, and joins
    what is sent at the same place within ``FLUSH_SECONDS``: the record must not be there sooner.
    """
    place = st.empty()
    if st.session_state.get("patient.shown") == name:
        return place, 0.0
    waiting = markup(_("One moment …"))
    place.html(f'<div class="mc-caption" role="status">{waiting}</div>')
    st.session_state["patient.shown"] = name
    return place, time.monotonic()


def _part(
    part: str,
    study: StudyRecord,
    explainer: Explainer,
    chosen: Chosen,
    patient: PatientRisk,
    trust: Reliability,
    class_index: int,
    threshold: float,
) -> None:
    if part == "over_time":
        over_time.show(study, explainer, chosen, patient)
    elif part == "why":
        view.show_explanation(explainer, chosen, patient, class_index)
    elif part == "what_if":
        known, background = view.explanation_of(explainer, chosen, patient, class_index)
        if known is not None:
            what_if.show(explainer, chosen, patient, class_index, known, background)
            what_if.prepare(explainer, patient, known, background)
    elif part == "different":
        view.show_counterfactuals(explainer, chosen, patient, class_index, threshold)
    elif part == "similar":
        similar.show(study, explainer, chosen, patient, class_index)
    else:
        known, _background = view.explanation_of(explainer, chosen, patient, class_index)
        if known is not None:
            record.offer(study, explainer, chosen, patient, trust, known, class_index, threshold)


def _order(study: StudyRecord, explainer: Explainer, at: Opened) -> np.ndarray:
    """Return the places of the list that the patient was opened from, as it is arranged; none without a list."""
    if at.listing is None:
        return np.zeros(0, np.int64)
    class_index = st.session_state.get(f"patient.class.{explainer.run.id}", len(explainer.classes) - 1)
    worklist.linked()
    return worklist.arranged(
        at.listing, threshold_of(study, explainer.run, explainer.results, class_index), class_index
    )


def _part_asked(explainer: Explainer) -> str:
    return st.session_state.get("patient.part") or ("why" if explainer.horizon is None else "over_time")


def _begin(explainer: Explainer, at: Opened, order: np.ndarray) -> None:
    """Have the patient read while the page begins."""
    if at.listing is not None:
        ahead.begin(explainer, at.listing, order, at.place)


def _risk(explainer: Explainer, at: Opened, order: np.ndarray) -> PatientRisk | None:
    if at.listing is None:
        return explainer.risk_of(at.chosen.frame, at.chosen.key)
    return ahead.risk_of(explainer, at.listing, order, at.place)


def _steps(explainer: Explainer, at: Opened, order: np.ndarray) -> None:
    """Offer the way back to the list and to the next patient of it; the arrow keys do the same."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right", key="patient-steps"):
        st.button(_("List"), key="patient.back", icon=":material/list:", on_click=_close, args=(explainer.run.id,))
        if at.listing is None:
            return
        number = next(iter(np.flatnonzero(order == at.place).tolist()), -1)
        for label, step, key in ((_("Previous"), -1, "Left"), (_("Next"), 1, "Right")):
            there = number + step
            can = number >= 0 and 0 <= there < len(order)
            st.button(
                label,
                key=f"patient.step.{key}",
                shortcut=key,
                disabled=not can,
                on_click=open_patient,
                args=(explainer.run.id, at.listing.identity, int(order[there]) if can else 0),
            )
        if number >= 0:
            components.caption(_("{n} of {total} in the list", n=number + 1, total=len(order)))


def _warn(explainer: Explainer, at: Opened) -> None:
    """Say what is implausible about typed values, and what the model gave a training patient it had not seen."""
    for doubt in at.chosen.doubts:
        components.note(doubt, look="warning")
    if at.listing is not None and at.listing.in_training:
        components.note(trained_on(explainer, at.place), look="warning")


def _close(run_id: str) -> None:
    speak()
    state().opened.pop(run_id, None)


def _pick_class(explainer: Explainer, first: int, *, key: str, labelled: bool = True) -> int:
    links.take_up("class", key, range(len(explainer.classes)), usual=first)
    picked = st.selectbox(
        _("Outcome in question"),
        range(len(explainer.classes)),
        index=first,
        format_func=lambda k: components.one_line(explainer.names[k]),
        key=key,
        persist_state="session",
        label_visibility="visible" if labelled else "collapsed",
    )
    links.keep("class", "" if picked == first else str(picked), picked)
    return int(picked)


def _kept_key(explainer: Explainer, what: str = "list") -> str:
    return f"patient.kept.{what}.{explainer.run.id}.{explainer.horizon}"
