"""Similar patients: real training patients beside one, where the study and the installation allow it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from medcore.data.shown import Shown
from medcore.explanation.patient import neighbours, wording
from medcore.explanation.patient.neighbours import Neighbour
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.i18n import _, listed
from medcore.studies.records import StudyRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import Explainer

SHOWN = 5


def hidden(study: StudyRecord) -> str | None:
    """Say why real patients of a study are not listed; None where they may be."""
    if not cache.store().settings.similar_patients:
        return _("Not shown: this installation shows no real patients similar to another.")
    if not study.similar_patients:
        return _("Not shown: switched off for this study. The switch is recorded in its audit trail.")
    return None


def show(study: StudyRecord, explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int) -> None:
    """Show the training patients most like this one, or say that they are not to be shown."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        components.section(
            _("Patients similar to {who}", who=chosen.title),
            _(
                "The training patients nearest by the columns the model uses most. What was predicted for them is from models that had not seen them."
            ),
        )
    if cache.store().settings.similar_patients:
        with right:
            _switch(study)
    if reason := hidden(study):
        components.note(reason)
        return
    note_view(study, "similar.viewed", chosen.key, run=explainer.run)
    others, weights = explainer.reference.without(chosen.trained), explainer.weights(class_index)
    found = neighbours.similar(others, patient.rows, class_index=class_index, weights=weights, n=SHOWN)
    if chosen.trained is not None:
        components.caption(_("The patient’s own row is left out."))
    measure = explainer.measure
    outcome, predicted = (_("Measured"), _("Predicted")) if measure.of_number else (_("Outcome"), _("Risk"))
    components.table(
        [
            {
                _("Row"): str(explainer.source.rows_in_file([n.row])[0]),
                outcome: components.plain(explainer.became(n.row)),
                predicted: components.plain(measure.write(n.risk) if measure.of_number else wording.percent(n.risk)),
                _("Differs in"): _differences(explainer, n),
            }
            for n in found
        ],
        alt=_("The five most similar training patients"),
    )


def _differences(explainer: Explainer, other: Neighbour) -> str:
    """Name what differs, with the other's values; at most four columns."""
    values = dict(zip(explainer.reference.columns, other.values, strict=True))
    unknown = _("not known")
    columns = [_as_measured(explainer, c) for c in other.differs[:4]]
    told = [f"{c.words} {c.measured(values[c.name]) or unknown}" for c in columns]
    return listed(map(components.plain, told)) or "–"


def _as_measured(explainer: Explainer, name: str) -> Shown:
    """Say how a column is shown, its numbers with the decimals that they are measured with."""
    column = explainer.shown(name)
    return column if column.decimals is not None else replace(column, decimals=explainer.reference.decimals(name))


def _switch(study: StudyRecord) -> None:
    """Let the study's owner say whether real patients are shown; the study keeps it, not the session."""
    key = f"patient.similar.{study.id}"
    st.session_state[key] = study.similar_patients
    st.toggle(
        _("Show real patients of this study"),
        key=key,
        on_change=_keep,
        args=(study, key),
        disabled=study.access != "own",
    )


def _keep(study: StudyRecord, key: str) -> None:
    cache.store().save_similar_patients(study.owner, study.id, shown=bool(st.session_state[key]))
