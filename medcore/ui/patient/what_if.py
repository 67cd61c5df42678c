"""What if: values are changed and the risk and the contributions follow at once; a column's whole curve below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from medcore import jobs
from medcore.charts.patients import what_if as charts
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.changes.change import changed_explanation
from medcore.explanation.patient.neighbours import decoded
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.explanation.shapley.game import Floats, on_scale
from medcore.explanation.shapley.results import Explanation
from medcore.features import CodedColumn, Rows
from medcore.i18n import _
from medcore.ui.kinds.field import Field
from medcore.ui.kinds.registry import input_of
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.waiting import SessionTask, awaited
from medcore.ui.patient.changes import change_rows, change_table
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import Explainer

OFFERED = 3
"""Columns that can be changed without asking for more."""


@dataclass(frozen=True, slots=True)
class Question:
    """One patient whose values may be changed, with the explanation as they are."""

    explainer: Explainer
    patient: PatientRisk = field(repr=False)
    key: str = field(repr=False)
    class_index: int
    known: Explanation = field(repr=False)
    background: Rows | None = field(repr=False)
    title: str = field(repr=False)
    compared: str

    @property
    def round_key(self) -> str:
        """Where it is kept how often this patient's values were asked for anew."""
        return f"patient.round.{self.explainer.run.id}.{self.key}"

    @property
    def ranked(self) -> list[str]:
        """The columns, those the model uses most first."""
        weights = self.explainer.weights(self.class_index)
        return [self.explainer.reference.columns[i] for i in np.argsort(-weights, kind="stable")]


def show(
    explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int, known: Explanation, background: str
) -> None:
    """Let values be changed, and show the model's risk along one or two columns."""
    question = Question(
        explainer, patient, chosen.key, class_index, known, explainer.background(background), chosen.row, background
    )
    left, right = st.columns(2)
    with left:
        components.fragment(_change)(question)
    with right, components.errors_shown():
        _along(question)


def prepare(explainer: Explainer, patient: PatientRisk, known: Explanation, background: str) -> None:
    """Have the worker get ready, so that the first change is answered as fast as the next; nobody waits for it."""
    model, others = explainer.model, explainer.background(background)
    task = cache.once(
        lambda: SessionTask("patient.prepared"), "patient.prepared", explainer.identity, background, known.scale
    )
    task.begin(lambda task: jobs.call(worker_queries.prepare_changes, model, patient.rows, others, stop=task.stop))


def _change(question: Question) -> None:
    """Ask for other values and show what they do; runs alone at every change."""
    changed = _ask(question)
    if not changed.differs(question.patient.rows).any():
        st.empty().html(
            change_table(question.known, question.known, question.explainer.shown, question.explainer.measure)
        )
        components.caption(
            _(
                "Change a value above: the prediction and its contributions follow. This is what the model would say if values were others, not what treatment would do."
            )
        )
        return
    place, parts, found = None, list[Floats](), question.known
    for task in _rounds(question, changed):
        answer = awaited(task, key="patient.change", doing=_("The model is asked for its prediction."))
        if answer is None:
            return
        risk, part = answer
        parts.append(part)
        prediction = float(on_scale(risk[[question.class_index]], question.known.scale)[0])
        found = changed_explanation(
            question.known, np.concatenate(parts), prediction, decoded(question.explainer.reference, changed)
        )
        # What stands there stays until the first answer is known: nothing flickers.
        place = place or st.empty()
        place.html(change_table(question.known, found, question.explainer.shown, question.explainer.measure))
    components.caption(
        _(
            "± is the 95 % range of each estimate. The changed patient is not a real one, and this does not say what treatment would do."
        )
    )
    with st.container(horizontal=True):
        st.button(
            _("Back to the patient’s own values"), key="patient.own", on_click=_start_over, args=(question.round_key,)
        )
        components.take_along(change_rows(question.known, found, question.explainer.shown, question.explainer.measure))


@dataclass(slots=True)
class _Change:
    """What was asked for last, and the rounds of its answer; what was asked for before is given up."""

    changed: Rows | None = None
    rounds: list[SessionTask] = field(default_factory=list)

    def asked(self, changed: Rows, n_rounds: int) -> list[SessionTask]:
        """Return the rounds for these values."""
        if self.changed is None or changed.differs(self.changed).any():
            for task in self.rounds:
                task.stop.ask()
            self.changed, self.rounds = changed, [SessionTask("patient.change") for _ in range(n_rounds)]
        return self.rounds


def _rounds(question: Question, changed: Rows) -> Iterator[SessionTask]:
    """Yield the questions to the worker about changed values, each once the one before it is answered."""
    explainer, known = question.explainer, question.known
    identity = (explainer.identity, question.key, question.class_index, known.scale, question.compared)
    last = cache.once(_Change, "patient.change", *identity)
    asked = (worker_queries.change_patient, explainer.model, question.patient.rows, changed, question.background)
    options = {"class_index": question.class_index, "scale": known.scale}
    for number, task in enumerate(last.asked(changed, worker_queries.n_rounds(known.n_background))):
        task.begin(partial(_ask_worker, *asked, round_number=number, **options))
        yield task


def _ask_worker(*asked: Any, **options: Any) -> Any:
    """Ask one round of the worker in the thread of a task, which comes last."""
    *call, task = asked
    return jobs.call(*call, **options, stop=task.stop)


def _start_over(key: str) -> None:
    """Ask for all values anew, beginning with the patient's own."""
    st.session_state[key] = st.session_state.get(key, 0) + 1


def _ask(question: Question) -> Rows:
    """Ask for values of some columns; return the patient's row (1, P) with them."""
    explainer, locked = question.explainer, set(question.explainer.unchangeable)
    run = explainer.run.id
    left, right = st.columns([5, 3])
    with left:
        components.section(_("What if: {who}", who=question.title))
    with right, st.popover(_("Columns to change")):
        free = st.toggle(
            _("Also what nobody can change, such as age, sex and history"),
            key=f"patient.unlocked.{run}",
            persist_state="session",
        )
        able = [c for c in question.ranked if (free or c not in locked) and _changeable(question, c)]
        columns = st.multiselect(
            _("Columns to change"),
            able,
            default=able[:OFFERED],
            format_func=lambda c: components.one_line(explainer.shown(c)),
            key=f"patient.changing.{run}.{free}",
            persist_state="session",
            label_visibility="collapsed",
            placeholder=_("Choose a column"),
        )
    changed = question.patient.rows
    for start in range(0, len(columns), 3):
        for place, name in zip(st.columns(3), columns[start : start + 3], strict=False):
            number = explainer.reference.columns.index(name)
            with place:
                changed = changed.with_column(number, _value(question, name, number))
    return changed


def _value(question: Question, name: str, number: int) -> CodedColumn:
    """Ask for one column's value."""
    asked = st.session_state.get(question.round_key, 0)
    field_, own = _field(question, name), question.patient.rows.column(number)
    key = f"patient.to.{question.explainer.run.id}.{question.key}.{asked}.{number}"
    return input_of(field_.encoder.kind).changed(field_, own, question.patient.values[number], key=key)


def _changeable(question: Question, name: str) -> bool:
    """Whether a column has more than one value to choose from."""
    asked, number = _field(question, name), question.explainer.reference.columns.index(name)
    return input_of(asked.encoder.kind).changeable(asked, question.patient.rows.column(number))


def _field(question: Question, name: str) -> Field:
    explainer = question.explainer
    return Field.of(explainer.reference, explainer.schema[name], explainer.shown(name))


def _along(question: Question) -> None:
    """Show the risk along one column, or over two."""
    explainer, run = question.explainer, question.explainer.run.id
    in_order = dict(zip(explainer.reference.columns, explainer.reference.codebook.in_order, strict=True))
    ranked = [name for name in question.ranked if not in_order[name]]  # results over time have no values to go along
    left, right = st.columns(2)
    with left:
        column = st.selectbox(
            _("The prediction along one column") if explainer.measure.of_number else _("The risk along one column"),
            ranked,
            format_func=lambda c: components.one_line(explainer.shown(c)),
            key=f"patient.column.{run}",
            persist_state="session",
        )
    with right:
        other = st.selectbox(
            _("Together with"),
            [c for c in ranked if c != column],
            index=None,
            placeholder=_("no other column"),
            format_func=lambda c: components.one_line(explainer.shown(c)),
            key=f"patient.other.{run}",
            persist_state="session",
        )
    if other is None:
        found = explainer.what_if(question.patient, question.key, column, question.class_index)
        if found is not None:
            components.figure(
                charts.what_if_curve(found, naming=explainer.shown, measure=explainer.measure), key="patient.what_if"
            )
    else:
        drawn = explainer.risk_map(question.patient, question.key, column, other, question.class_index)
        if drawn is not None:
            components.figure(
                charts.what_if_map(drawn, naming=explainer.shown, measure=explainer.measure), key="patient.risk_map"
            )
