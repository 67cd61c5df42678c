"""What a run's results say in words: which parts count, and whether the simple model would do."""

from __future__ import annotations

from collections.abc import Mapping

from medcore.data.findings import Finding
from medcore.evaluation.comparison.paired import log_loss_difference
from medcore.i18n import N_, Message, number, percent
from medcore.models.contract.candidate import AUTO, LOGISTIC, PREVALENCE, candidates
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.titles import title
from medcore.models.run.results import CandidateResult, Results

NO_CLOSER = N_(
    "These patients do not show that its risks come closer to what happens than one number for every patient."
)
DO_NOT_DECIDE = N_(
    "Do not decide by these risks. Train another kind of model, or look for other predictors and more patients."
)
CALIBRATIONS: Mapping[str, str] = {
    "none": N_("none"),
    "temperature": N_("temperature scaling"),
    "platt": N_("Platt scaling"),
    "beta": N_("beta calibration"),
    "isotonic": N_("isotonic regression"),
    "venn_abers": N_("Venn–Abers"),
    "isotonic_and_platt": N_("isotonic regression and Platt scaling, averaged"),
    "venn_abers_and_platt": N_("Venn–Abers and Platt scaling, averaged"),
    "vector": N_("vector scaling"),
}


def advise(
    results: Results, settings: TrainSettings, weights: Mapping[str, float], calibration: str
) -> tuple[Finding, ...]:
    """Return what a person should know before choosing this model."""
    found = []
    if settings.model == AUTO:
        said = N_("The model averages these parts: {parts}. Recalibration: {calibration}.")
        best = N_("The shares are those that predicted patients outside each training fold best.")
        found.append(parts_of(weights, said, best, calibration=_calibration(calibration)))
    nothing, simple = results.candidate(PREVALENCE), results.candidate(LOGISTIC)
    if nothing:
        found += _no_better_than_prevalence(results, nothing)
    if simple and settings.model != LOGISTIC:
        found += _beside_the_simple(results, simple)
    if settings.class_weight is not None:
        found.append(_weighted(settings.class_weight, calibration))
    return tuple(found)


def parts_of(weights: Mapping[str, float], said: str, why: str, **more: Message) -> Finding:
    """Say which models an automatic choice averages, by how much each; ``said`` names ``{parts}`` and ``more``."""
    shares = sorted(weights.items(), key=lambda item: -item[1])
    parts = [Message(N_("{model} {share}"), {"model": title(n), "share": percent(w, 0)}) for n, w in shares]
    return Finding(
        code="model.parts",
        severity="info",
        message=Message(said, {"parts": parts, **more}),
        why=Message(why),
        remedy=Message(N_("Nothing needs to be done.")),
    )


def _calibration(method: str) -> Message:
    return Message(CALIBRATIONS.get(method, method))


def _no_better_than_prevalence(results: Results, nothing: CandidateResult) -> list[Finding]:
    patients = results.training
    gap = log_loss_difference(patients.outcome, nothing.oof, patients.risk, groups=patients.groups)
    mean, low, high = gap.value, gap.low, gap.high
    if low > 0:
        return []
    no_lower = N_(
        "This model cannot be shown to predict better than the prevalence alone, which gives everybody the same risk: its out-of-fold log loss is higher by {difference} ({low} to {high}; below 0 this model is the better one)."
    )
    worse = N_(
        "This model predicts worse than the prevalence alone, which gives everybody the same risk: its out-of-fold log loss is higher by {difference} ({low} to {high})."
    )
    no_better = N_(
        "This model cannot be shown to predict better than the prevalence alone, which gives everybody the same risk: its out-of-fold log loss is lower by only {difference} ({low} to {high})."
    )
    return [
        Finding(
            code="model.no_better_than_prevalence",
            severity="warning",
            message=Message(no_better, _figures(mean, low, high))
            if mean >= 0
            else Message(worse if high < 0 else no_lower, _figures(-mean, -high, -low)),
            why=Message(NO_CLOSER),
            remedy=Message(DO_NOT_DECIDE),
        )
    ]


def _beside_the_simple(results: Results, simple: CandidateResult) -> list[Finding]:
    """Say when logistic regression is better, and when this model cannot be shown to be better than it."""
    patients = results.training
    gap = log_loss_difference(patients.outcome, simple.oof, patients.risk, groups=patients.groups)
    mean, low, high = gap.value, gap.low, gap.high
    if low > 0:
        return []
    if high < 0:
        return [
            Finding(
                code="model.worse_than_simple",
                severity="warning",
                message=Message(
                    N_(
                        "This model predicts worse than logistic regression: its out-of-fold log loss is higher by {difference} ({low} to {high})."
                    ),
                    _figures(-mean, -high, -low),
                ),
                why=Message(
                    N_(
                        "On patients it has not seen, the log loss counts how wrong the risks are, false certainty most of all."
                    )
                ),
                remedy=Message(N_("Use logistic regression instead.")),
            )
        ]
    known = candidates().get(results.model)
    if known is not None and known.ordered:
        return []  # one odds ratio a predictor: it is the simpler of the two
    higher = N_(
        "This model cannot be shown to predict better than logistic regression, whose out-of-fold log loss is higher by {difference} ({low} to {high}; below 0 logistic regression is the better one)."
    )
    lower = N_(
        "This model cannot be shown to predict better than logistic regression, whose out-of-fold log loss is even lower by {difference} ({low} to {high}; below 0 this model is the better one)."
    )
    return [
        Finding(
            code="model.simple_is_as_good",
            severity="info",
            message=Message(higher, _figures(mean, low, high))
            if mean >= 0
            else Message(lower, _figures(-mean, -high, -low)),
            why=Message(N_("A model that can be written down is easier to check, to explain and to move elsewhere.")),
            remedy=Message(N_("Prefer logistic regression unless the difference matters for your patients.")),
        )
    ]


def _figures(difference: float, low: float, high: float) -> dict[str, str]:
    return {"difference": signed(difference), "low": signed(low), "high": signed(high)}


def signed(value: float) -> str:
    """Write a number with a minus that is none of a range's dashes.

    >>> signed(-0.0125), signed(0.5)
    ('−0.0125', '0.5000')
    """
    return number(value, ".4f")


def _weighted(class_weight: str, calibration: str) -> Finding:
    return Finding(
        code="model.class_weight",
        severity="warning",
        message=Message(
            N_("The classes were weighted ({weighting}); the risks were recalibrated by {calibration}."),
            {"weighting": class_weight, "calibration": _calibration(calibration)},
        ),
        why=Message(
            N_("Weighting raises the predicted risks far above the true ones and does not rank patients better.")
        ),
        remedy=Message(N_("Leave the classes as they are and move the threshold instead.")),
    )
