"""Recalibrate a frozen model to new patients, in three strengths, each judged on patients it was not fitted to.

The strengths rise as in Steyerberg 2004 (Stat Med 23:2567): shift the log-odds;
shift and stretch them; learn the curve from the old risk to the new one afresh.
None of them learns the predictors' weights again: for that, train again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from medcore.data.splitting.allotment import Units, deal
from medcore.errors import InputError, SettingsError
from medcore.evaluation import Evaluation, evaluate
from medcore.evaluation.recalibration.update import update
from medcore.i18n import N_
from medcore.models.contract.settings import STRENGTHS, Strength
from medcore.models.contract.task import Indices, Risk
from medcore.models.deployed.external import ExternalValidation
from medcore.models.deployed.layer import RecalibrationLayer
from medcore.models.selection.calibration import Calibrator, choose_calibrator, fit_calibrator
from medcore.statistics.threads import one_blas_thread
from medcore.targets import Target

TITLES: Mapping[str, str] = {
    "intercept": N_("Shifted"),
    "slope": N_("Shifted and stretched"),
    "refit": N_("New curve"),
}
MEANINGS: Mapping[str, str] = {
    "intercept": N_("every patient's log-odds are shifted by one number, which mends risks that are off on average"),
    "slope": N_("the log-odds are shifted and stretched, which mends risks that are too extreme or too timid as well"),
    "refit": N_(
        "the curve from the old risk to the new one is learnt afresh (Platt, beta or, from 100 events on, isotonic with Platt, "
        "whichever predicts held-out patients best); the predictors and their weights stay as they were"
    ),
}
REFIT_METHODS = ("platt", "beta", "isotonic_and_platt")
FOLDS, INNER_FOLDS = 10, 5
_N_BOOT = 500
WEIGHTED = N_("A recalibration counts every patient alike. Judge without weights to recalibrate.")
_IMPOSSIBLE = N_(
    "These {n} patients do not allow the recalibration “{strength}”: too few have, or lack, the outcome, or the risks "
    "part them perfectly. Bring more patients, or choose a weaker one."
)
_TURNED = N_(
    "Among these patients the outcome is rarer where the model says a higher risk: the recalibration “{strength}” would turn "
    "their order round. Check that the outcome means the same as in training."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration(RecalibrationLayer):
    """A recalibration to new patients, and how good the risks are with it.

    ``layer`` was fitted to all of them and is what is kept. ``evaluation`` is of
    ``risk`` (n, K), in which each patient's layer was fitted to others only, in
    cross-validation that keeps a patient's rows together.
    """

    titles: ClassVar[Mapping[str, str]] = TITLES
    meanings: ClassVar[Mapping[str, str]] = MEANINGS

    evaluation: Evaluation
    risk: Risk = field(repr=False)
    outcome: Indices = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return self.told(self.evaluation.to_dict())


def strengths(n_classes: int) -> tuple[Strength, ...]:
    """Return the strengths there are: a new curve needs one event."""
    return STRENGTHS[:2] if Target(n_classes).event is None else STRENGTHS


def recalibrate(validation: ExternalValidation, strength: Strength) -> Recalibration:
    """Fit a recalibration to the patients of an external validation and judge it by cross-validation.

    Raises:
        SettingsError: no such strength for this number of classes.
        InputError: the patients do not allow it; the message says why.

    """
    classes, outcome, risk = validation.evaluation.classes, validation.outcome, validation.risk
    if validation.weights is not None:
        raise SettingsError(WEIGHTED)
    if strength not in strengths(len(classes)):
        raise SettingsError(
            N_("There is no recalibration “{strength}” for {n} classes. Choose one of: {known}."),
            strength=strength,
            n=len(classes),
            known=list(strengths(len(classes))),
        )
    folds, n_folds = dealt(outcome, len(classes), validation.groups, FOLDS)
    if n_folds < 2:
        raise InputError(_IMPOSSIBLE, n=len(outcome), strength="intercept")
    honest = np.empty_like(risk)
    # Hundreds of fits of two or three numbers: threads would only wait for one another.
    with one_blas_thread():
        layer = _fit(strength, risk, outcome, folds)
        for fold in range(n_folds):
            held = folds == fold
            honest[held] = _fit(strength, risk[~held], outcome[~held], folds[~held]).apply(risk[held])
    return Recalibration(
        strength=strength,
        layer=layer,
        evaluation=evaluate(
            outcome,
            honest,
            classes,
            groups=validation.groups,
            ordered=validation.evaluation.target.ordered,
            n_boot=_N_BOOT,
        ),
        n_folds=n_folds,
        risk=honest,
        outcome=outcome,
    )


def recalibrations(validation: ExternalValidation) -> tuple[Recalibration, ...]:
    """Return every strength that these patients allow, the weakest first."""
    found = []
    for strength in strengths(len(validation.evaluation.classes)):
        try:
            found.append(recalibrate(validation, strength))
        except InputError:
            continue
    return tuple(found)


def dealt(outcome: Indices, n_classes: int, groups: Indices | None, most: int) -> tuple[Indices, int]:
    """Deal patients into folds, at most so many, every class in at least two of them; return the folds (n,) and their number."""
    units = Units.of(outcome, n_classes, groups)
    n_folds = min(most, int((units.counts > 0).sum(axis=0).min()))
    return (deal(units, n_folds, 0)[units.of_row] if n_folds > 1 else np.zeros(len(outcome), np.int64)), n_folds


def _fit(strength: Strength, risk: Risk, outcome: Indices, folds: Indices) -> Calibrator:
    if risk.shape[1] > 2:
        return fit_calibrator("shift" if strength == "intercept" else "vector", risk, outcome)
    if strength == "refit":
        return choose_calibrator(risk, outcome, folds % INNER_FOLDS, methods=REFIT_METHODS).calibrator
    change = update(outcome.astype(np.float64), risk[:, 1], slope=strength == "slope")
    if change is None:
        raise InputError(_IMPOSSIBLE, n=len(outcome), strength=strength)
    if change.slope <= 0:
        raise InputError(_TURNED, strength=strength)
    return Calibrator("platt", {"slope": (change.slope,), "intercept": (change.intercept,)})
