"""Recalibrate a frozen model of a number to new patients, in two strengths, each judged on patients it was not fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from medcore.errors import InputError, SettingsError
from medcore.evaluation.number.calibration import Agreement, agreement
from medcore.evaluation.number.intervals import PredictionIntervals, choose_intervals
from medcore.evaluation.number.performance import NumberPerformance, evaluate_numbers
from medcore.i18n import N_
from medcore.models.contract.settings import STRENGTHS, Strength
from medcore.models.contract.task import Indices
from medcore.models.deployed.layer import RecalibrationLayer
from medcore.models.deployed.number import NumberValidation
from medcore.models.deployed.recalibration import FOLDS, dealt
from medcore.models.run.number.results import NumberPatients, NumberResults
from medcore.models.selection.calibration import LINE, Calibrator
from medcore.statistics.arrays import Floats
from medcore.targets import Number

TITLES: Mapping[str, str] = {"intercept": N_("Shifted"), "slope": N_("Shifted and stretched")}
MEANINGS: Mapping[str, str] = {
    "intercept": N_("one number is added to every prediction, which mends predictions that are off on average"),
    "slope": N_(
        "predictions are multiplied and shifted, which mends differences between patients that are too large or too small as well"
    ),
}
RECALIBRATED: Mapping[str, str] = {
    "intercept": N_(
        "This version was recalibrated to {n} other patients after training: its predictions were shifted."
    ),
    "slope": N_(
        "This version was recalibrated to {n} other patients after training: its predictions were shifted and stretched."
    ),
}
FEWEST = 20
"""Patients, at least: prediction intervals of nine in ten are learnt from their errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRecalibration(RecalibrationLayer):
    """A recalibration to new patients, and how good the numbers are with it.

    ``layer`` was fitted to all of them and is what is kept, with ``intervals`` from the errors of cross-validation, of
    which ``performance`` and ``agreement`` are too: each patient's layer was fitted to others only.
    """

    titles: ClassVar[Mapping[str, str]] = TITLES
    meanings: ClassVar[Mapping[str, str]] = MEANINGS

    intervals: PredictionIntervals
    performance: NumberPerformance
    agreement: Agreement
    predicted: Floats = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return self.told(self.performance.to_dict()) | {"intervals": self.intervals.to_dict()}


def recalibrate_number(validation: NumberValidation, strength: Strength) -> NumberRecalibration:
    """Fit a recalibration to the patients of a validation by least squares, and judge it by cross-validation.

    Raises:
        SettingsError: no such strength where a number is predicted.
        InputError: the patients do not allow it; the message says why.

    """
    if strength not in TITLES:
        raise SettingsError(
            N_("There is no recalibration “{strength}” where a number is predicted. Choose one of: {known}."),
            strength=strength,
            known=[s for s in STRENGTHS if s in TITLES],
        )
    value, predicted, target = validation.value, validation.predicted, validation.target
    folds, n_folds = dealt(np.zeros(len(value), np.int64), 1, validation.groups, FOLDS)
    if len(value) < FEWEST or n_folds < 2:
        raise _impossible(validation)
    layer, honest = _line(validation, np.ones(len(value), dtype=bool), strength), np.empty(len(value))
    for fold in range(n_folds):
        held = folds == fold
        honest[held] = told(_line(validation, ~held, strength), predicted[held], target)
    intervals, ends = choose_intervals(value, honest, folds, log=target.log, limits=target.limits)
    return NumberRecalibration(
        strength=strength,
        layer=layer,
        intervals=intervals,
        performance=evaluate_numbers(value, honest, groups=validation.groups, intervals=ends),
        agreement=agreement(value, honest, groups=validation.groups),
        n_folds=n_folds,
        predicted=honest,
    )


def number_recalibrations(validation: NumberValidation) -> tuple[NumberRecalibration, ...]:
    """Return every strength that these patients allow, the weakest first."""
    found = []
    for strength in (s for s in STRENGTHS if s in TITLES):
        try:
            found.append(recalibrate_number(validation, strength))
        except InputError:
            continue
    return tuple(found)


def told(layer: Calibrator, predicted: Floats, target: Number) -> Floats:
    """Return predictions (n,) under a layer, within the outcome's limits."""
    return target.within(layer.apply(predicted[:, None])[:, 0])


def judged_again(results: NumberResults, change: NumberRecalibration) -> NumberResults:
    """Give the original patients the new numbers and intervals, and judge them again."""

    def judged(side: NumberPatients, folds: Indices | None) -> tuple[NumberPatients, NumberPerformance, Agreement]:
        predicted = told(change.layer, side.predicted, results.target)
        ends = change.intervals.around(predicted)
        new = replace(side, risk=predicted[:, None], low=ends[0], high=ends[1])
        performance = evaluate_numbers(side.value, predicted, groups=side.groups, folds=folds, intervals=ends)
        return new, performance, agreement(side.value, predicted, groups=side.groups)

    training, cross_validated, limits = judged(results.training, results.folds)
    test, tested, tested_limits = (None, None, None) if results.test is None else judged(results.test, None)
    return replace(
        results,
        training=training,
        cross_validated=cross_validated,
        agreement=limits,
        test=test,
        tested=tested,
        tested_agreement=tested_limits,
        intervals=change.intervals,
    )


def _line(validation: NumberValidation, rows: np.ndarray[Any, Any], strength: Strength) -> Calibrator:
    value, predicted = validation.value[rows], validation.predicted[rows]
    slope = 1.0
    if strength == "slope":
        centred = predicted - predicted.mean()
        total = float(centred @ centred)
        slope = float(centred @ value) / total if total > 0 else 0.0
        if slope <= 0:
            raise _impossible(validation)
    return Calibrator(LINE, {"intercept": (float(value.mean() - slope * predicted.mean()),), "slope": (slope,)})


def _impossible(validation: NumberValidation) -> InputError:
    return InputError(
        N_(
            "These {n} patients do not allow this recalibration: at least {least} are needed, and predictions that rise with what was measured."
        ),
        n=len(validation.value),
        least=FEWEST,
    )
