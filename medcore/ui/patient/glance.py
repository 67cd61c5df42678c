"""One patient at a glance: the risk and how far to trust it, and the patient's own values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from medcore.data.shown import Shown, named
from medcore.explanation.patient import wording
from medcore.explanation.patient.reliability import Reliability
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.features.registry import kind_named
from medcore.i18n import N_, Message, _, listed, running
from medcore.ui.kit.shown import components
from medcore.ui.kit.text import markup
from medcore.ui.kit.words import width_of
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import Explainer

LOOKS = {"usual": "success", "caution": "warning", "abstain": "error"}
SHOWN = 5
"""Values on the strip: marked ones, then those that the model uses most; the others are folded away."""
NAMED = 8
"""Columns named in a sentence about how far to trust a risk."""
CLASS_LINES, CLASS_LETTERS = 8, 24
"""Lines that the risks of several outcomes take, and letters of a name on one, so that a view below fits a screen of 900 pixels."""
CENTRAL = (0.025, 0.975)
"""Values beyond these quantiles of the training patients are marked: the usual 95 % of laboratory reference ranges."""
MARKS = {"high": "▲", "low": "▼", "missing": "∅", "new": "?"}
MEANINGS = {
    "high": N_("above 97.5 % of the training patients"),
    "low": N_("below 97.5 % of the training patients"),
    "missing": N_("not known: filled in as in training"),
    "new": N_("a value that training never had"),
}


def show_risk(
    explainer: Explainer, chosen: Chosen, patient: PatientRisk, trust: Reliability, class_index: int, threshold: float
) -> None:
    """Show the risk as a number, as a natural frequency and beside the threshold; none where it is not to be relied on."""
    if explainer.measure.of_number:
        _show_number(explainer, chosen, patient, trust, threshold)
        return
    risk, name = float(patient.risk[class_index]), explainer.names[class_index]
    base = explainer.reference.base(class_index)
    if trust.level == "abstain":
        said, against = _(wording.NO_RISK), str(wording.unreliable(risk, name))
    else:
        said = _("{frequency}: {name}", frequency=str(wording.frequency(risk)), name=name)
        against = str(wording.against_base(risk, base))
    side = (
        _("At or above the threshold of {percent} %.")
        if risk >= threshold
        else _("Below the threshold of {percent} %.")
    )
    number = "" if trust.level == "abstain" else f"<b>{markup(wording.percent(risk, digits=1))}</b>"
    bar = (
        f'<div class="mc-risk-bar" role="img" aria-label="{markup(wording.percent(risk))}">'
        f'<i style="width:{100 * risk:.1f}%"></i><u style="left:{100 * threshold:.1f}%"></u></div>'
    )
    st.html(
        f'<div class="mc-risk mc-{LOOKS[trust.level]}">{number}<h2>{markup(said)}</h2>{bar}'
        f"<p>{markup(running([side.format(percent=f'{100 * threshold:.1f}'), against]))}</p>"
        f"<p>{markup(_facts(explainer, chosen, patient, class_index))}</p></div>"
    )


def _show_number(
    explainer: Explainer, chosen: Chosen, patient: PatientRisk, trust: Reliability, threshold: float
) -> None:
    """Show what is predicted with its interval, beside the threshold and the training patients."""
    value, measure, ends = float(patient.risk[0]), explainer.measure, explainer.interval(patient)
    assert ends is not None
    assert explainer.reference.measured is not None
    low, high = (measure.write(end) for end in ends)
    known = explainer.reference.measured.value
    reach = (min(float(known.min()), ends[0]), max(float(known.max()), ends[1]))
    left, own, mark, right = (
        100 * (v - reach[0]) / max(reach[1] - reach[0], 1e-300) for v in (ends[0], value, threshold, ends[1])
    )
    said, shown = _(wording.NO_NUMBER), ""
    if trust.level != "abstain":
        shown = f"<b>{markup(measure.write(value))}</b>"
        said = _(
            "{name}: nine of ten patients like this one are between {low} and {high}",
            name=measure.name,
            low=low,
            high=high,
        )
    side = (
        _("At or above the threshold of {threshold}.", threshold=measure.write(threshold))
        if value >= threshold
        else _("Below the threshold of {threshold}.", threshold=measure.write(threshold))
    )
    against = (
        wording.unreliable_number(value, measure)
        if trust.level == "abstain"
        else wording.against_mean(value, explainer.reference.base(0), measure)
    )
    bar = (
        f'<div class="mc-risk-bar" role="img" aria-label="{markup(said)}">'
        f'<i style="margin-left:{left:.1f}%;width:{right - left:.1f}%"></i><u style="left:{min(max(mark, 0), 100):.1f}%"></u>'
        f'<s style="left:{min(max(own, 0), 100):.1f}%"></s></div>'
    )
    st.html(
        f'<div class="mc-risk mc-{LOOKS[trust.level]}">{shown}<h2>{markup(said)}</h2>{bar}'
        f"<p>{markup(running([side, str(against)]))}</p><p>{markup(_facts(explainer, chosen, patient, 0))}</p></div>"
    )


def show_trust(explainer: Explainer, trust: Reliability) -> None:
    """Say how far to trust the risk, with every reason."""
    columns = explainer.reference.columns
    reasons = [named(reason, lambda c: Shown(explainer.shown(c).words), columns) for reason in trust.reasons]
    told = [str(trust.headline), *(str(_few_named(reason)) for reason in reasons)]
    alike = trust.local.told
    if alike is not None and not any({"predicted", "observed"} <= set(reason.values) for reason in trust.reasons):
        told.append(str(alike))
    components.note(running(told), look=LOOKS[trust.level])


def _few_named(message: Message) -> Message:
    """Return a sentence that names a few columns of many: all of them stand with the patient's values, and in files."""

    def few(value: Any) -> Any:
        if not isinstance(value, list) or len(value) <= NAMED + 1:
            return value
        return [*value[:NAMED], _("{n} more", n=len(value) - NAMED)]

    return replace(message, values={name: few(value) for name, value in message.values.items()})


def show_classes(explainer: Explainer, patient: PatientRisk, ranked: list[int]) -> None:
    """Draw the risks of all outcomes as bars, the likeliest disease first and its absence last; what is beyond a screen is folded."""
    rows = [
        f"<tr><th scope=row>{markup(explainer.names[k])}</th><td><i style='width:{100 * patient.risk[k]:.1f}%'></i></td>"
        f"<td>{markup(wording.percent(float(patient.risk[k]), digits=1))}</td></tr>"
        for k in ranked
    ]
    shown = _fitting([explainer.names[k] for k in ranked])
    st.html(f'<table class="mc-classes"><tbody>{"".join(rows[:shown])}</tbody></table>')
    if shown < len(rows):
        more = markup(_("Other outcomes: {n}", n=len(rows) - shown))
        st.html(
            f'<details class="mc-caption"><summary>{more}</summary>'
            f'<table class="mc-classes"><tbody>{"".join(rows[shown:])}</tbody></table></details>'
        )


def _fitting(names: Sequence[str]) -> int:
    """Return how many outcomes stand above a fold, if all do not: long names take several lines."""
    lines = np.cumsum([-(-width_of(name) // CLASS_LETTERS) for name in names])
    return len(names) if lines[-1] <= CLASS_LINES else max(2, int((lines < CLASS_LINES).sum()))


def class_rows(explainer: Explainer, patient: PatientRisk) -> list[dict[str, str]]:
    """Return the risks of all outcomes for their files, the likeliest first; none where one is in question."""
    if len(explainer.results.target.told) == 1:
        return []
    outcome, risk = _("Outcome"), _("Risk")
    return [
        {outcome: explainer.names[k], risk: wording.percent(float(patient.risk[k]), digits=1)}
        for k in np.argsort(-patient.risk, kind="stable")
    ]


def show_values(explainer: Explainer, patient: PatientRisk, class_index: int) -> None:
    """Show the patient's own values as a strip; unusual, unknown and filled-in ones are marked and come first."""
    used = [int(i) for i in np.argsort(-explainer.weights(class_index), kind="stable")]
    marks = {i: mark_of(explainer, patient, i) for i in used}
    chips = [_chip(explainer, patient, i, marks[i]) for i in sorted(used, key=lambda i: not marks[i])]
    label = markup(_("The patient’s own values"))
    st.html(f'<ul class="mc-values" aria-label="{label}">{"".join(chips[:SHOWN])}</ul>')
    if len(chips) > SHOWN:
        more = markup(_("More values: {n}", n=len(chips) - SHOWN))
        st.html(
            f'<details class="mc-caption"><summary>{more}</summary><ul class="mc-values">{"".join(chips[SHOWN:])}</ul></details>'
        )
    if legend := " · ".join(f"{MARKS[k]} {_(MEANINGS[k])}" for k in MARKS if k in marks.values()):
        components.caption(legend)


def mark_of(explainer: Explainer, patient: PatientRisk, place: int) -> str:
    """Say what is unusual about one value: ``high``, ``low``, ``missing``, ``new``, or nothing."""
    code = float(patient.rows.codes[0, place])
    if np.isnan(code):
        return "missing"
    encoder = explainer.reference.codebook.encoders[place]
    if not kind_named(encoder.kind).ordered:
        return "" if encoder.known(np.array([code]))[0] else "new"
    low, high = explainer.central[:, place]
    return "high" if code > high else "low" if code < low else ""


def _chip(explainer: Explainer, patient: PatientRisk, place: int, mark: str) -> str:
    column = explainer.shown(explainer.reference.columns[place])
    shown = column.measured(patient.values[place]) or _("not known")
    sign = f'<em title="{markup(_(MEANINGS[mark]))}">{MARKS[mark]}</em> ' if mark else ""
    return f'<li class="mc-{mark or "plain"}">{sign}<span>{components.column(column)}</span> <b>{markup(shown, limit=40)}</b></li>'


def _facts(explainer: Explainer, chosen: Chosen, patient: PatientRisk, class_index: int) -> str:
    """Say in one line what the risk is held against."""
    risk = float(patient.risk[class_index])
    measure, rank = explainer.measure, round(100 * explainer.position(risk, class_index))
    told = [_("Higher than that of {n} of 100 training patients.", n=rank)]
    if explainer.sets is not None:
        told.append(
            _(
                "Cannot be ruled out ({n} % sure): {names}.",
                n=round(100 * explainer.sets.coverage),
                names=listed(explainer.sets.named(explainer.names).set_of(patient.risk)) or _("none fits"),
            )
        )
    if len(patient.members) > 1:
        risks = [float(r[class_index]) for _kind, weight, r in patient.members if weight > 0]
        low, high = min(risks), max(risks)
        told.append(
            _("The models in it say {low} to {high}.", low=measure.bare(low), high=measure.write(high))
            if measure.of_number
            else _("The models in it say {low} to {high} %.", low=f"{100 * low:.0f}", high=f"{100 * high:.0f}")
        )
    if chosen.outcome is not None and measure.of_number:
        told.append(_("Measured: {value}.", value=chosen.outcome))
    elif chosen.outcome is not None:
        told.append(_("What happened: {outcome}.", outcome=chosen.outcome))
    return running(told)
