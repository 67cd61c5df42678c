"""From which risk on to act: asked in clinical words, kept with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from medcore.evaluation.curves.thresholds import Rule, ThresholdChoice
from medcore.i18n import N_, Message, _
from medcore.studies.records import Choice, StudyRecord
from medcore.ui.evaluate.judging import Judged
from medcore.ui.kit import cache
from medcore.ui.kit.layout import note
from medcore.ui.kit.shown.inputs import threshold_input
from medcore.ui.kit.state import speak
from medcore.ui.kit.thresholds import remember

RULES: Mapping[Rule, str] = {
    "by_hand": N_("Set by hand"),
    "harm_ratio": N_("From what a missed patient is worth"),
    "sensitivity": N_("To find a share of those with the outcome"),
    "specificity": N_("To leave alone a share of those without"),
    "youden": N_("Largest sensitivity plus specificity (Youden)"),
    "net_benefit": N_("Largest net benefit on these risks"),
}
_QUESTIONS: Mapping[str, str] = {
    "harm_ratio": N_("One missed patient is as bad as how many unnecessary treatments?"),
    "net_benefit": N_("One missed patient is as bad as how many unnecessary treatments?"),
    "sensitivity": N_("Share of those with the outcome to be found (%)"),
    "specificity": N_("Share of those without the outcome to be left alone (%)"),
}


def ask_threshold(study: StudyRecord, judged: Judged, default: float, manifest: Mapping[str, Any]) -> ThresholdChoice:
    """Ask for a rule and its number; every rule is applied to out-of-fold risks, never to the test set.

    It begins with the rule that the threshold in force came from: kept for the study, or the model's own.
    """
    begun = _origin(study, judged, default, manifest)
    kept = begun if begun == study.choice else None  # the model's own begins with the scale, by which it is moved
    left, right = st.columns(2)
    with left:
        rule: Rule = st.selectbox(
            _("How the threshold is chosen"),
            list(RULES),
            index=list(RULES).index(kept.rule if kept else "by_hand"),
            format_func=lambda r: _(RULES[r]),
            key=f"evaluate.rule.{judged.run_id}",
            persist_state="session",
        )
    with right:
        target = _target(rule, judged.run_id, kept.target if kept and kept.rule == rule else None)
    if rule == "by_hand":
        threshold = threshold_input(judged.threshold_key, key="evaluate.threshold", default=default)
        choice, own = judged.choose("by_hand", threshold), _origin(study, judged, threshold, manifest)
        if own is None or own.rule == "by_hand":
            return choice
        choice = replace(choice, rule=own.rule, target=own.target, rationale=Message(own.rationale))
        return _told(judged, choice)
    choice = in_steps(judged.choose(rule, target))
    remember(judged.threshold_key, choice.threshold)
    # The slider is not drawn now: when it comes back, it begins where the rule left it.
    st.session_state.pop(f"evaluate.threshold.{judged.threshold_key}", None)
    return _told(judged, choice)


def _origin(study: StudyRecord, judged: Judged, threshold: float, manifest: Mapping[str, Any]) -> Choice | None:
    """Return where a threshold comes from; of more than two classes none is kept."""
    return None if judged.target.event is None else study.origin(judged.run_id, threshold, manifest)


def _told(judged: Judged, choice: ThresholdChoice) -> ThresholdChoice:
    """Show a threshold's reason, and what it is worth where these patients chose it."""
    sentence = _("Threshold {percent} %. {reason}", percent=f"{100 * choice.threshold:.1f}", reason=choice.rationale)
    note(sentence, look="info" if choice.reached else "warning")
    if judged.side == "training" and (honest := judged.chosen_here(choice)):
        st.caption(honest)
    return choice


def keep_threshold(study: StudyRecord, run_id: str, model: str, choice: ThresholdChoice) -> None:
    """Offer to keep the threshold, with its reason, as the study's; it is in the audit trail and can be undone."""
    if study.access == "read":
        return
    threshold = choice.threshold

    def save() -> None:
        speak()
        kept = Choice(run_id, model, threshold, str(choice.rationale), choice.rule, choice.target)
        cache.store().save_choice(study.owner, study.id, kept)
        st.toast(_("The threshold and its reason are kept."))

    st.button(
        _("Keep {percent} % as this study's threshold", percent=f"{100 * threshold:.1f}"),
        key="evaluate.keep",
        on_click=save,
        icon=":material/bookmark:",
    )


def in_steps(choice: ThresholdChoice) -> ThresholdChoice:
    """Round a threshold to tenths of a per cent, to the side on which its target is still met."""
    towards = math.ceil if choice.rule == "specificity" else math.floor
    rounded = min(
        0.999, max(0.001, towards(choice.threshold * 1000 + (-1e-9 if towards is math.ceil else 1e-9)) / 1000)
    )
    return replace(choice, threshold=rounded)


def _target(rule: Rule, run_id: str, kept: float | None) -> float | None:
    if rule not in _QUESTIONS:
        return None
    question, key = _(_QUESTIONS[rule]), f"evaluate.target.{rule}.{run_id}"
    if rule in ("harm_ratio", "net_benefit"):
        return float(st.number_input(question, 0.1, 999.0, kept or 4.0, 1.0, key=key, persist_state="session"))
    share = 100 * (kept or 0.9)
    return float(st.number_input(question, 1.0, 100.0, share, 1.0, key=key, persist_state="session")) / 100
