"""From which risk on to act: asked in clinical words, kept with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping

import streamlit as st

from medcore.evaluation.curves.thresholds import SAME_ROWS, Rule, ThresholdChoice
from medcore.i18n import N_, _
from medcore.ui.evaluate.judging import Judged
from medcore.ui.evaluate.rates import per_hundred
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


def ask_threshold(judged: Judged, default: float) -> ThresholdChoice:
    """Ask for a rule and its number; every rule is applied to out-of-fold risks, never to the test set."""
    left, right = st.columns(2)
    with left:
        rule: Rule = st.selectbox(
            _("How the threshold is chosen"),
            list(RULES),
            format_func=lambda r: _(RULES[r]),
            key=f"evaluate.rule.{judged.run_id}",
            persist_state="session",
        )
    with right:
        target = _target(rule, judged.run_id)
    if rule == "by_hand":
        threshold = threshold_input(judged.threshold_key, key="evaluate.threshold", default=default)
        return judged.choose("by_hand", threshold)
    choice = in_steps(judged.choose(rule, target))
    remember(judged.threshold_key, choice.threshold)
    # The slider is not drawn now: when it comes back, it begins where the rule left it.
    st.session_state.pop(f"evaluate.threshold.{judged.threshold_key}", None)
    sentence = _("Threshold {percent} %. {reason}", percent=f"{100 * choice.threshold:.1f}", reason=choice.rationale)
    note(sentence, look="info" if choice.reached else "warning")
    honest = judged.across_folds(choice)
    if honest is not None:
        shares = {name: per_hundred(getattr(honest, name)) for name in ("sensitivity", "specificity")}
        st.caption(_(SAME_ROWS, **shares))
    return choice


def keep_threshold(judged: Judged, owner: str, study_id: str, model: str, choice: ThresholdChoice) -> None:
    """Offer to keep the threshold, with its reason, as the study's; it is in the audit trail and can be undone."""

    def save() -> None:
        speak()
        cache.store().save_choice(
            owner,
            study_id,
            run_id=judged.run_id,
            model=model,
            threshold=choice.threshold,
            rationale=str(choice.rationale),
        )
        st.toast(_("The threshold and its reason are kept."))

    st.button(
        _("Keep {percent} % as this study's threshold", percent=f"{100 * choice.threshold:.1f}"),
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
    return ThresholdChoice(
        threshold=rounded, rule=choice.rule, target=choice.target, rationale=choice.rationale, reached=choice.reached
    )


def _target(rule: Rule, run_id: str) -> float | None:
    if rule not in _QUESTIONS:
        return None
    question, key = _(_QUESTIONS[rule]), f"evaluate.target.{rule}.{run_id}"
    if rule in ("harm_ratio", "net_benefit"):
        return float(st.number_input(question, 0.1, 999.0, 4.0, 1.0, key=key, persist_state="session"))
    return float(st.number_input(question, 1.0, 100.0, 90.0, 1.0, key=key, persist_state="session")) / 100
