"""Recalibrate a frozen model that says by when to new patients, in three strengths, each judged on patients it was not fitted to.

All are lines on the scale of log(−log(1 − risk)), on which the logarithm of a baseline hazard is added (van
Houwelingen 2000, Stat Med 19:3401), fitted to pseudo-values of the incidence (van Geloven 2022, BMJ
377:e069249), so that competing events and censoring are what they are in the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from medcore.errors import InputError, SettingsError
from medcore.evaluation.survival.performance import SurvivalPerformance, evaluate_at_horizons
from medcore.i18n import N_
from medcore.models.contract.settings import STRENGTHS, Strength
from medcore.models.contract.task import Indices
from medcore.models.contract.timed import Curves
from medcore.models.deployed.layer import RecalibrationLayer
from medcore.models.deployed.recalibration import FOLDS, dealt
from medcore.models.deployed.timed import TimedValidation
from medcore.models.run.timed.results import TimedPatients, TimedResults
from medcore.models.selection.calibration import COMPLEMENTARY, Calibrator
from medcore.statistics.survival.complementary import complementary_log_log, fit_complementary
from medcore.statistics.survival.incidence import Incidence

Floats = NDArray[np.float64]
TITLES: Mapping[str, str] = {
    "intercept": N_("Baseline hazard"),
    "slope": N_("Baseline hazard and slope"),
    "refit": N_("Baseline hazard at each horizon, and slope"),
}
MEANINGS: Mapping[str, str] = {
    "intercept": N_("the baseline hazard is multiplied by one number, which mends risks that are off on average"),
    "slope": N_(
        "the baseline hazard is multiplied and the log hazards are stretched, which mends risks that are too extreme or too timid as well"
    ),
    "refit": N_(
        "the baseline hazard is multiplied by a number of its own at each horizon, which never falls, and the log hazards are stretched alike at all of them"
    ),
}
RECALIBRATED: Mapping[str, str] = {
    "intercept": N_(
        "This version was recalibrated to {n} other patients after training: its baseline hazard was multiplied."
    ),
    "slope": N_(
        "This version was recalibrated to {n} other patients after training: its baseline hazard was multiplied and its log hazards were stretched."
    ),
    "refit": N_(
        "This version was recalibrated to {n} other patients after training: its baseline hazard was multiplied by a number of its own at each horizon and its log hazards were stretched."
    ),
}
_IMPOSSIBLE = N_(
    "These {n} patients do not allow the recalibration “{strength}”: too few have, or lack, the event by a horizon. "
    "Bring more patients, or choose a weaker one."
)
_FEWEST = 5
"""Patients with the event by each horizon, at least: with fewer even one number is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedRecalibration(RecalibrationLayer):
    """A recalibration to new patients, and how good the risks are with it.

    ``layer`` was fitted to all of them and is what is kept. ``performance`` is of ``curve`` (n, causes, T), in which
    each patient's layer was fitted to others only, in cross-validation that keeps a patient's rows together.
    """

    titles: ClassVar[Mapping[str, str]] = TITLES
    meanings: ClassVar[Mapping[str, str]] = MEANINGS

    performance: SurvivalPerformance
    curve: Curves = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return self.told(self.performance.to_dict())


def timed_strengths(n_horizons: int) -> tuple[Strength, ...]:
    """Return the strengths there are: with one horizon the last is the one before."""
    return STRENGTHS if n_horizons > 1 else STRENGTHS[:2]


def recalibrate_timed(validation: TimedValidation, strength: Strength) -> TimedRecalibration:
    """Fit a recalibration to the patients of a validation and judge it by cross-validation.

    Raises:
        SettingsError: no such strength with one horizon.
        InputError: the patients do not allow it; the message says why.

    """
    if strength not in timed_strengths(len(validation.judged)):
        raise SettingsError(
            N_("With one horizon “refit” is what “slope” is. Choose one of: {known}."),
            known=list(timed_strengths(len(validation.judged))),
        )
    n, last = len(validation.event), validation.judged[-1]
    by_then = np.where((validation.event == 1) & (validation.duration <= last), 1, 0)
    folds, n_folds = dealt(by_then, 2, validation.groups, FOLDS)
    if n_folds < 2:
        raise InputError(_IMPOSSIBLE, n=n, strength=strength)
    layer = _fit(validation, strength, np.ones(n, dtype=bool))
    curve = np.empty_like(validation.curve)
    for fold in range(n_folds):
        held = folds == fold
        curve[held] = _fit(validation, strength, ~held).curves(validation.curve[held], validation.times)
    places = np.searchsorted(validation.times, validation.judged)
    performance = evaluate_at_horizons(
        validation.duration,
        validation.event,
        curve[:, 0, places],
        validation.judged,
        groups=validation.groups,
        over_time=(validation.times, curve[:, 0]),
    )
    return TimedRecalibration(strength=strength, layer=layer, performance=performance, n_folds=n_folds, curve=curve)


def timed_recalibrations(validation: TimedValidation) -> tuple[TimedRecalibration, ...]:
    """Return every strength that these patients allow, the weakest first."""
    found = []
    for strength in timed_strengths(len(validation.judged)):
        try:
            found.append(recalibrate_timed(validation, strength))
        except InputError:
            continue
    return tuple(found)


def judged_again(results: TimedResults, change: TimedRecalibration) -> TimedResults:
    """Give the original patients the new curves and judge them again."""
    horizons, times, layer = results.target.horizons, results.times, change.layer
    places = np.searchsorted(times, horizons)

    def judged(side: TimedPatients, folds: Indices | None) -> tuple[TimedPatients, SurvivalPerformance]:
        curve = layer.curves(side.curve, times)
        new = replace(side, curve=curve, risk=layer.at(results.target.main).apply(side.risk))
        by, over = curve[:, 0, places], (times, curve[:, 0])
        given = (new.duration, new.event, by, horizons)
        return new, evaluate_at_horizons(*given, groups=new.groups, folds=folds, over_time=over)

    training, cross_validated = judged(results.training, results.folds)
    test, tested = (None, None) if results.test is None else judged(results.test, None)
    return replace(
        results,
        training=training,
        cross_validated=cross_validated,
        test=test,
        tested=tested,
    )


def _fit(validation: TimedValidation, strength: Strength, rows: NDArray[np.bool_]) -> Calibrator:
    """Fit the lines at the horizons to some rows: one number, two, or one at each horizon and one for all."""
    duration, event, times = validation.duration[rows], validation.event[rows], np.asarray(validation.judged)
    incidence = Incidence.of(duration, event)
    pseudo, risk = [], []
    for time, place in zip(times, np.searchsorted(validation.times, times), strict=True):
        if ((event == 1) & (duration <= time)).sum() < _FEWEST or not 0 < incidence.at(float(time)) < 1:
            raise InputError(_IMPOSSIBLE, n=len(validation.event), strength=strength)
        pseudo.append(incidence.pseudo_values(float(time)))
        risk.append(complementary_log_log(validation.curve[rows, 0, place]))
    lines = _lines(pseudo, risk, strength)
    if lines is None or lines[0, 1] <= 0:
        raise InputError(_IMPOSSIBLE, n=len(validation.event), strength=strength)
    columns = {"time": times, "intercept": lines[:, 0], "slope": lines[:, 1]}
    return Calibrator(COMPLEMENTARY, {name: tuple(map(float, values)) for name, values in columns.items()})


def _lines(pseudo: list[Floats], score: list[Floats], strength: Strength) -> Floats | None:
    """Return intercept and slope at each horizon (H, 2) of pseudo-values over log(−log(1 − risk)), (n,) each.

    Intercepts do not fall from one horizon to the next: neighbours that would share one, so that no patient's curve falls.
    """
    outcome, scores, n = np.hstack(pseudo), np.hstack(score), len(score[0])
    which = np.arange(len(score)) if strength == "refit" else np.zeros(len(score), np.intp)
    while True:
        design = np.repeat(np.eye(which[-1] + 1)[which], n, axis=0)
        start = np.append(np.zeros(design.shape[1]), 1.0)
        if strength == "intercept":
            fit = fit_complementary(outcome, design, offset=scores, start=start[:-1])
        else:
            fit = fit_complementary(outcome, np.column_stack([design, scores]), start=start)
        if fit is None:
            return None
        intercepts, slope = fit.coefficients[: which[-1] + 1], 1.0 if strength == "intercept" else fit.coefficients[-1]
        falls = np.diff(intercepts) < 0
        if not falls.any():
            return np.column_stack([intercepts[which], np.full(len(which), slope)])
        which = np.append(0, np.cumsum(~falls))[which]
