"""One patient: the risk and what it means, what the model used, what if, who is alike."""

from __future__ import annotations

import streamlit as st

from medcore.charts import explanation as charts
from medcore.explanation.patient import wording
from medcore.explanation.patient.answers import PatientRisk
from medcore.explanation.patient.counterfactual import Change
from medcore.explanation.patient.reliability import Reliability
from medcore.explanation.shapley.results import CAPTION, SCALES, Explanation, Scale
from medcore.i18n import N_, _
from medcore.ui.kit import components
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import Explainer

LOOKS = {"usual": "success", "caution": "warning", "abstain": "error"}
SCALE_NAMES = {"probability": N_("Risk in %"), "log_odds": N_("Log odds")}
FOLDED = 8


def show_trust(trust: Reliability) -> None:
    """Say in one line at the top how far to trust the risk, with the reasons below."""
    components.note(" ".join([str(trust.headline), *map(str, trust.reasons)]), look=LOOKS[trust.level])
    local = trust.local
    if local.n:
        components.caption(
            _(
                "Of the {n} most similar patients {k} had it; the model expected {m}.",
                n=local.n,
                k=local.n_events,
                m=round(local.n * local.predicted),
            )
        )


def show_risk(explainer: Explainer, chosen: Chosen, patient: PatientRisk, trust: Reliability, class_index: int) -> None:
    """Show the risk as a natural frequency, with what it is held against; none where it is not to be relied on."""
    risk, name = float(patient.risk[class_index]), explainer.classes[class_index]
    outcome = explainer.schema.outcome.name if explainer.schema.outcome else ""
    base = float((explainer.reference.outcome == class_index).mean())
    if trust.level == "abstain":
        components.section(_(wording.NO_RISK), str(wording.unreliable(risk, name)))
    else:
        components.section(
            _("{frequency}: {column} is {name}", frequency=str(wording.frequency(risk)), column=outcome, name=name),
            str(wording.against_base(risk, base)),
        )
    facts = [
        (_("Risk"), wording.percent(risk, digits=1)),
        (
            _("Training patients with a lower risk"),
            _("{n} of 100", n=round(100 * explainer.position(risk, class_index))),
        ),
        (_("Cannot be ruled out ({n} % sure)", n=round(100 * explainer.sets.coverage)), _set(explainer, patient)),
    ]
    if len(patient.members) > 1:
        risks = [100 * float(r[class_index]) for _kind, weight, r in patient.members if weight > 0]
        facts.append((_("Between the models in it"), f"{min(risks):.0f}–{max(risks):.0f} %"))
    if explainer.results.target.many:
        facts.append(
            (
                _("Likeliest outcome"),
                f"{explainer.classes[patient.likeliest]}: {wording.percent(patient.risk[patient.likeliest])}",
            )
        )
    if chosen.outcome is not None:
        facts.append((_("What happened"), chosen.outcome))
    components.facts(facts)


def show_explanation(
    explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int
) -> tuple[Explanation, str]:
    """Show what the model used: the waterfall, and the sentence on what it does not mean.

    Return the explanation, and whom the patient was compared with.
    """
    components.section(_("What the model used"))
    left, right = st.columns(2)
    with left:
        kinds = ["training", *explainer.classes]
        background = st.selectbox(
            _("Compared with"),
            kinds,
            format_func=lambda k: (
                _("A sample of the training patients") if k == "training" else _("Patients with {name}", name=k)
            ),
            key=f"patient.background.{explainer.run.id}",
            persist_state="session",
        )
    with right:
        scale: Scale = components.choice(_("Scale"), SCALES, key="patient.scale", show=lambda s: _(SCALE_NAMES[s]))
    found = explainer.explain(
        patient, chosen.key, class_index=class_index, scale=scale, background=background or "training"
    )
    shown = FOLDED
    if len(found.contributions) > FOLDED + 1 and st.toggle(_("Show all columns"), key="patient.all"):
        shown = len(found.contributions)
    components.figure(charts.waterfall(found, n_shown=shown), key="patient.waterfall", caption=_(CAPTION))
    return found, background or "training"


def show_counterfactuals(explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int) -> None:
    """Show the smallest changes under which the model would put the patient on the other side of the threshold."""
    components.section(
        _("What would have to be different"),
        _(
            "The smallest plausible changes that carry this patient across the threshold. A statement about the model, not a treatment plan."
        ),
    )
    threshold = components.threshold_input(explainer.run.id, key="patient.threshold")
    locked = st.multiselect(
        _("Columns that cannot change"),
        explainer.reference.columns,
        default=explainer.unchangeable,
        format_func=components.one_line,
        key=f"patient.locked.{explainer.run.id}",
        persist_state="session",
    )
    found = explainer.counterfactuals(patient, chosen.key, class_index, threshold=threshold, locked=tuple(locked))
    if not found:
        components.note(_("None within plausible changes."))
        return
    components.table(
        [
            {
                _("Changes"): "; ".join(_change(explainer, c) for c in one.changes),
                _("Risk"): components.plain(wording.percent(one.risk, digits=1)),
            }
            for one in found
        ],
        alt=_("Changes that carry this patient across the threshold"),
    )


def _change(explainer: Explainer, change: Change) -> str:
    """Write one change as column, value now → value then, with the unit."""
    absent, unit = _("missing"), explainer.schema[change.column].unit
    then = f"{change.then or absent} {unit or ''}".strip()
    return components.plain(f"{change.column}: {change.now or absent} → {then}")


def _set(explainer: Explainer, patient: PatientRisk) -> str:
    return ", ".join(explainer.sets.set_of(patient.risk)) or _("none fits")
