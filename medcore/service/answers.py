"""What is said of a model and of a patient: the same words and numbers for every way of asking."""

from __future__ import annotations

import math
from typing import Any

from medcore.explanation.patient.released import Answer
from medcore.explanation.shapley.results import Explanation, caption_of
from medcore.i18n import _, current_language
from medcore.models.bundle.bundle import flag_message
from medcore.service.bodies import Caution, ContributionReply, ExplainReply, ModelReply, PredictionReply
from medcore.service.opened import OpenModel
from medcore.studies.stores.register_store import Answered


def told_of(used: OpenModel) -> dict[str, Any]:
    """Return the fields of :class:`ModelReply` in the reader's language."""
    language = current_language()
    if language not in used.told:
        used.told[language] = _told(used)
    return used.told[language]


def _told(used: OpenModel) -> dict[str, Any]:
    bundle, terms = used.model.bundle, used.release.terms
    number = bundle.schema.number is not None
    outcome = bundle.schema.outcome
    until = terms.valid_until
    return {
        "model": used.release.model,
        "version": used.release.version,
        "event": event_of(used),
        "scale": "value" if number else "risk",
        "unit": (outcome.unit if outcome and number else None),
        "threshold": None if number or used.model.event < 0 else used.model.threshold,
        "intended_use": terms.intended_use,
        "for_whom": terms.for_whom,
        "valid_until": until.isoformat() if until else None,
        "caveats": [_(limit) for limit in bundle.manifest.get("limits", [])],
    }


def event_of(used: OpenModel) -> str:
    """Say what is predicted."""
    place = used.model.event
    if used.model.bundle.schema.number is not None:
        outcome = used.model.bundle.schema.outcome
        return used.model.bundle.schema.shown(outcome.name).words if outcome else ""
    return ", ".join(map(str, used.model.class_names)) if place < 0 else str(used.model.class_names[place])


def class_shown(used: OpenModel, name: str) -> str:
    """Say what a class is called."""
    return str(used.model.class_names[used.model.bundle.classes.index(name)])


def prediction_of(used: OpenModel, answer: Answer, patient: str | None, kept: Answered | None) -> PredictionReply:
    """Return what is said of one patient."""
    return PredictionReply(
        number=kept.id if kept else None,
        id=patient,
        patient=kept.patient_id if kept else None,
        risk=answer.risk,
        low=_known(answer.low),
        high=_known(answer.high),
        called=answer.called,
        risks=dict(zip(used.model.bundle.classes, answer.risks, strict=True)),
        flags=[_caution(flag) for flag in answer.flags],
        again=bool(kept and kept.again),
    )


def model_reply(used: OpenModel) -> ModelReply:
    """Return what must be known of a model."""
    return ModelReply(**told_of(used))


def explained(used: OpenModel, prediction: PredictionReply, found: Explanation, top: int) -> ExplainReply:
    """Return why a patient has this risk, the largest contributions first, at most ``top`` of them."""
    shown = used.model.bundle.schema.shown
    contributions = [
        ContributionReply(
            column=c.column,
            label=shown(c.column).words,
            value=None if c.value is None else shown(c.column).value(c.value),
            contribution=c.contribution,
            standard_error=c.standard_error,
        )
        for c in sorted(found.contributions, key=lambda c: -abs(c.contribution))[:top]
    ]
    return ExplainReply(
        **told_of(used),
        prediction=prediction,
        class_name=found.class_name,
        base_value=found.base_value,
        contributions=contributions,
        additivity_residual=found.additivity_residual,
        method=found.method,
        n_background=found.n_background,
        n_evaluations=found.n_evaluations,
        caption=_(caption_of(found.scale)),
    )


def _caution(flag: str) -> Caution:
    code, _colon, column = flag.partition(":")
    return Caution(code=code, column=column, message=str(flag_message(flag)))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
