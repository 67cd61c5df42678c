"""The course as a chart, and what moved the risk between two visits."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from medcore import jobs
from medcore.charts.patients.course import course as course_chart
from medcore.explanation.patient import visits as queries
from medcore.explanation.patient.visits import Moved
from medcore.i18n import _
from medcore.studies.use_records import PredictionRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.patient.changes import moved_rows, moved_table
from medcore.ui.patients.asking import as_table
from medcore.ui.patients.in_use import InUse, moment, opened

SHOWN = 6
"""Values that moved it, on the page; files have all."""


def show(in_use: InUse, visits: Sequence[PredictionRecord]) -> None:
    """Draw the course, and take the difference between two visits apart."""
    measure = in_use.measure
    chart = course_chart(
        [v.at for v in visits],
        [v.risk for v in visits],
        [v.version for v in visits],
        name=in_use.outcome if in_use.of_number else _("Risk of {name}", name=in_use.outcome),
        measure=measure,
        threshold=in_use.threshold,
    )
    left, right = st.columns([5, 4])
    with left, st.container(key="patients-chart"):
        components.figure(chart, key="patients.course")
    with right:
        if len(visits) < 2:
            components.note(_("After a second visit it is said here which values moved it."))
        else:
            _moved(in_use, visits)


def _moved(in_use: InUse, visits: Sequence[PredictionRecord]) -> None:
    components.section(_("What moved it"))
    first, second = _two(visits)
    model = _of_version(in_use, second)
    if model is None:
        components.note(_("The version that made this prediction is gone, so it cannot be asked what moved it."))
        return
    found = _between(model, first, second)
    if found is None:
        return
    st.html(moved_table(found, in_use.shown, in_use.measure, shown=SHOWN))
    components.take_along(moved_rows(found, in_use.shown, in_use.measure))
    components.caption(
        _("These contributions say which values moved the model’s answer, not what changed in the patient’s illness.")
    )
    if first.version != second.version:
        components.note(
            _(
                "The first of these visits was predicted by version {old} as {before}. Version {new} gives {now} for it, and from there the values are told.",
                old=first.version,
                new=second.version,
                before=in_use.measure.write(first.risk),
                now=in_use.measure.write(found.explanation.base_value),
            )
        )


def _two(visits: Sequence[PredictionRecord]) -> tuple[PredictionRecord, PredictionRecord]:
    """Ask which two visits are meant where there are more: the last two at first."""
    places = list(range(len(visits)))
    if len(visits) == 2:
        return visits[0], visits[1]
    left, right = st.columns(2)
    name = f"{visits[-1].patient_id}.{len(visits)}"
    with left:
        first = _ask(_("From the visit"), places[:-1], visits, key=f"patients.first.{name}")
    with right:
        later = [place for place in places if place > first]
        second = _ask(_("to the visit"), later, visits, key=f"patients.second.{name}.{first}")
    return visits[first], visits[second]


def _ask(label: str, places: list[int], visits: Sequence[PredictionRecord], *, key: str) -> int:
    place: int = st.selectbox(label, places, index=len(places) - 1, format_func=lambda i: moment(visits[i].at), key=key)
    return place


def _of_version(in_use: InUse, visit: PredictionRecord) -> InUse | None:
    """Return the version that made a prediction."""
    if visit.version == in_use.release.version:
        return in_use
    releases = cache.store().releases(in_use.person, model=in_use.model)
    found = next((release for release in releases if release.version == visit.version), None)
    return None if found is None else opened(in_use.person, found)


def _between(model: InUse, first: PredictionRecord, second: PredictionRecord) -> Moved | None:
    asked, frame = model.asked, as_table(model.columns, [first, second])
    place = second.risks.index(max(second.risks)) if model.target.many else model.target.in_question(0)
    place = 0 if model.of_number else place
    return components.waited(
        lambda task: jobs.call(queries.between_visits, asked, frame, class_index=place, stop=task.stop),
        *("patients.moved", model.release.id, first.id, second.id),
        key="patients.moved",
        doing=_("The change is taken apart."),
    )
