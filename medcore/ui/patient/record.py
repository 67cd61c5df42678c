"""One patient's page for the record: written on the worker, downloaded, kept nowhere."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import streamlit as st

from medcore import jobs
from medcore.explanation.patient.reliability import Reliability
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.explanation.shapley.results import Explanation
from medcore.i18n import _, current_language
from medcore.models.bundle.files import bundle_hash
from medcore.reporting.patient_report import PatientReportInputs, write_patient_report
from medcore.studies.records import StudyRecord
from medcore.ui.kit.formats import FORMATS
from medcore.ui.kit.shown import components
from medcore.ui.kit.words import model_name
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.glance import MEANINGS, class_rows, mark_of


def offer(
    study: StudyRecord,
    explainer: Explainer,
    chosen: Chosen,
    patient: PatientRisk,
    trust: Reliability,
    explanation: Explanation,
    class_index: int,
    threshold: float,
) -> None:
    """Offer the page in three formats; neither the file's name nor the address tells of the patient."""
    components.section(
        _("For the record: {who}", who=chosen.title),
        _(
            "One page: what is predicted, what the model used, how far to trust it, and which model it was. Not stored here."
        ),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        components.caption(_("The patient’s own values"))
        components.take_along(_values(explainer, patient, explanation))
    if risks := class_rows(explainer, patient):
        with st.container(horizontal=True, vertical_alignment="center"):
            components.caption(_("The risks of all outcomes"))
            components.take_along(risks)
    kind = components.choice(_("Format"), list(FORMATS), key="patient.record.format", show=lambda k: _(FORMATS[k][0]))
    identity = (explainer.identity, chosen.key, class_index, explanation.scale, explanation.base_value, threshold, kind)
    wanted = hashlib.sha256(repr((*identity, current_language())).encode()).hexdigest()
    if st.session_state.get("patient.record.wanted") != wanted:
        if not st.button(_("Write the page"), icon=":material/description:", key="patient.record.write"):
            return
        st.session_state["patient.record.wanted"] = wanted
    subject = _subject(study, explainer, chosen, patient, trust, explanation, class_index, threshold)
    words = current_language()
    written = components.waited(
        lambda task: jobs.call(write_patient_report, subject, kind=kind, words=words, stop=task.stop),
        *("patient.record", wanted),
        key="patient.record",
        doing=_("The page is being written."),
    )
    if written is None:
        return
    components.download(
        _("Download the page"),
        written,
        file_name=f"medcore-patient-{explainer.run.number}.{kind}",
        mime=FORMATS[kind][1],
        key="patient.record.download",
    )


def _values(explainer: Explainer, patient: PatientRisk, explanation: Explanation) -> list[dict[str, str]]:
    """Return the patient's own values, a line a column, with what is unusual about each."""
    places = {name: place for place, name in enumerate(explainer.reference.columns)}
    marks = [mark_of(explainer, patient, places[c.column]) for c in explanation.contributions]
    return [
        {
            _("Column"): str(explainer.shown(c.column)),
            _("Value"): explainer.shown(c.column).measured(c.value, unit=c.unit or "") or _("not known"),
            _("Note"): _(MEANINGS[mark]) if mark else "",
        }
        for c, mark in zip(explanation.contributions, marks, strict=True)
    ]


def _subject(
    study: StudyRecord,
    explainer: Explainer,
    chosen: Chosen,
    patient: PatientRisk,
    trust: Reliability,
    explanation: Explanation,
    class_index: int,
    threshold: float,
) -> PatientReportInputs:
    return PatientReportInputs(
        study=study.name,
        labels=explainer.labels,
        # Never an identifier: the page may be printed and passed on.
        who=chosen.row,
        patient=patient,
        explanation=explanation,
        reliability=trust,
        sets=None if explainer.sets is None else explainer.sets.named(explainer.names),
        class_name=explainer.names[class_index],
        class_index=class_index,
        threshold=threshold,
        base=explainer.reference.base(class_index),
        measure=explainer.measure,
        interval=explainer.interval(patient),
        model=model_name(explainer.results.model),
        model_sha256=bundle_hash(explainer.folder),
        run_number=explainer.run.number,
        trained=str(explainer.results.manifest["created"])[:10],
        n_training=len(explainer.results.training.rows),
        made=datetime.now(UTC).date(),
    )
