"""One patient: what the model used, and what would have to differ."""

from __future__ import annotations

import streamlit as st

from medcore.charts.patients import explanation as charts
from medcore.explanation.patient import wording
from medcore.explanation.patient.changes.counterfactual import Change
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.explanation.shapley.results import Explanation, Scale, caption_of
from medcore.i18n import N_, _, parted
from medcore.targets import Number
from medcore.ui.kit.shown import components
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.inside import show_notes, show_over_time

SCALE_NAMES: dict[Scale, str] = {"probability": N_("Risk in %"), "log_odds": N_("Log odds")}
FOLDED, FOLDED_OF_MANY = 4, 3
"""Columns drawn at first: with them the waterfall fits a screen of 900 pixels below the patient's values, or the risks of several outcomes."""


def explanation_of(
    explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int
) -> tuple[Explanation | None, str]:
    """Return the explanation in the scale and against the patients chosen last, None as yet, and whom those are."""
    scale, background = _compared(explainer)
    found = explainer.explanation_of(patient, chosen.key, class_index=class_index, scale=scale, background=background)
    return found, background


def begin_explanation(explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int) -> None:
    """Have the patient explained, as the page is about to ask for it."""
    scale, background = _compared(explainer)
    explainer.begin_explanation(patient, chosen.key, class_index=class_index, scale=scale, background=background)


def _compared(explainer: Explainer) -> tuple[Scale, str]:
    background: str = st.session_state.get(f"patient.background.{explainer.run.id}") or explainer.backgrounds[0]
    scale: Scale = "value" if explainer.measure.of_number else st.session_state.get("patient.scale") or "probability"
    return scale, background


def show_explanation(explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int) -> None:
    """Show what the model used: the waterfall, and the sentence on what it does not mean."""
    components.section(_("What the model used for {who}", who=chosen.title))
    left, right = st.columns([3, 1])
    with right:
        with st.popover(_("Compared with, scale, columns"), wrap=True):
            everything = _ask(explainer)
        components.caption(_(caption_of("value" if explainer.measure.of_number else "probability")))
        if isinstance(target := explainer.results.target, Number) and target.log:
            components.caption(
                _("Models learn the logarithm; the contributions are of the number itself, and add up to it.")
            )
    with left:
        found, _background = explanation_of(explainer, chosen, patient, class_index)
        if found is None:
            return
        shown = len(found.contributions) if everything else _folded(explainer)
        components.figure(charts.waterfall(found, n_shown=shown, naming=explainer.shown), key="patient.waterfall")
    show_notes(explainer, found)
    show_over_time(explainer, found)


def _folded(explainer: Explainer) -> int:
    return FOLDED if len(explainer.results.target.told) == 1 else FOLDED_OF_MANY


def _ask(explainer: Explainer) -> bool:
    """Ask against whom and in what scale the risk is explained, and whether to show every column."""
    st.selectbox(
        _("Compared with"),
        explainer.backgrounds,
        format_func=lambda k: (
            _("A sample of the training patients")
            if k == "training"
            else _("Patients with {name}", name=components.one_line(explainer.names[explainer.classes.index(k)]))
        ),
        key=f"patient.background.{explainer.run.id}",
        persist_state="session",
    )
    if not explainer.measure.of_number:
        components.choice(
            _("Scale"), list(SCALE_NAMES), key="patient.scale", show=lambda s: _(SCALE_NAMES[s]), link="scale"
        )
    return len(explainer.columns) > _folded(explainer) + 1 and st.toggle(_("Show all columns"), key="patient.all")


def show_counterfactuals(
    explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int, threshold: float
) -> None:
    """Show the smallest changes under which the model would put the patient on the other side of the threshold."""
    components.section(
        _("What would have to differ for {who}", who=chosen.title),
        _(
            "The smallest plausible changes that carry this patient across the threshold of {threshold}. A statement about the model, not a treatment plan.",
            threshold=explainer.measure.write(threshold),
        ),
    )
    locked = st.multiselect(
        _("Columns that cannot change"),
        explainer.reference.columns,
        default=explainer.unchangeable,
        format_func=lambda c: components.one_line(explainer.shown(c)),
        key=f"patient.locked.{explainer.run.id}",
        persist_state="session",
        placeholder=_("Choose a column"),
    )
    found = explainer.counterfactuals(patient, chosen.key, class_index, threshold=threshold, locked=tuple(locked))
    if found is None:
        return
    if not found:
        components.note(_("None within plausible changes."))
        return
    measure = explainer.measure
    head = _("Predicted") if measure.of_number else _("Risk")
    components.table(
        [
            {
                _("Changes"): parted(_change(explainer, c) for c in one.changes),
                head: components.plain(
                    measure.write(one.risk) if measure.of_number else wording.percent(one.risk, digits=1)
                ),
            }
            for one in found
        ],
        alt=_("Changes that carry this patient across the threshold"),
    )


def _change(explainer: Explainer, change: Change) -> str:
    """Write one change as column, value now → value then, with the unit."""
    absent, column = _("missing"), explainer.shown(change.column)
    then = column.measured(change.then) or absent
    return components.plain(f"{column.words}: {column.value(change.now) or absent} → {then}", limit=160)
