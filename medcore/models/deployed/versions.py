"""A new version of a bundle: the same model, recalibrated to other patients, in a folder of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from medcore.data.cohort import Cohort
from medcore.data.findings import Finding
from medcore.data.schema.matching import with_names
from medcore.evaluation import Evaluation, evaluate
from medcore.evaluation.curves.thresholds import choose_threshold
from medcore.i18n import N_, Message
from medcore.models.bundle.bundle import load_bundle, read_manifest
from medcore.models.bundle.files import MANIFEST, bundle_hash, check_new, seal, write_json
from medcore.models.deployed import number_recalibration, timed_recalibration
from medcore.models.deployed.external import ExternalValidation, validate
from medcore.models.deployed.levels import read_as
from medcore.models.deployed.number import NumberValidation, judge_saved_number
from medcore.models.deployed.number_recalibration import NumberRecalibration, number_recalibrations
from medcore.models.deployed.recalibration import Recalibration, recalibrations
from medcore.models.deployed.timed import TimedValidation, judge_saved_timed
from medcore.models.deployed.timed_recalibration import TimedRecalibration, timed_recalibrations
from medcore.models.run.number.results import (
    NumberResults,
    has_number_results,
    read_number_results,
    write_number_results,
)
from medcore.models.run.results import Patients, Results, has_results, read_results, write_results
from medcore.models.run.timed.results import TimedResults, has_timed_results, read_timed_results, write_timed_results
from medcore.models.selection.calibration import Calibrator
from medcore.sealing import Folder, copy_folder

THRESHOLD_RATIONALE = N_("Youden's index on the cross-validated risks of the patients it was recalibrated to")
TIMED_THRESHOLD = N_("the share of the patients it was recalibrated to with the event by the horizon")

RECALIBRATED: Mapping[str, str] = {
    "intercept": N_("This version was recalibrated to {n} other patients after training: its log-odds were shifted."),
    "slope": N_(
        "This version was recalibrated to {n} other patients after training: its log-odds were shifted and stretched."
    ),
    "refit": N_("This version was recalibrated to {n} other patients after training: its risks follow a new curve."),
}


AnyRecalibration = Recalibration | TimedRecalibration | NumberRecalibration
AnyValidation = ExternalValidation | TimedValidation | NumberValidation


@dataclass(frozen=True, slots=True)
class Judgement:
    """A frozen bundle on new patients, and what recalibration to them would give, the weakest first."""

    validation: ExternalValidation
    recalibrations: tuple[Recalibration, ...] = field(repr=False)


def judge_saved(
    folder: Folder,
    cohort: Cohort,
    *,
    target: str | None = None,
    names: Mapping[str, str] | None = None,
    weight: str | None = None,
    threshold: float | None = None,
    levels: Mapping[str, Mapping[str, str]] | None = None,
    new_levels: Collection[str] = (),
) -> Judgement:
    """Judge the bundle kept in a folder on new patients: what a page asks of a worker.

    ``names`` gives the table's own name of a column by the model's name of it, and
    ``weight`` the column of weights, ``levels`` the model's value of a category by the
    table's own. A weighted judgement has no recalibrations, nor has one of patients
    whose categories the model cannot read.
    """
    bundle = load_bundle(folder)
    named = read_as(bundle, with_names(cohort, names or {}), levels or {})
    validation = validate(bundle, named, target=target, threshold=threshold, weight=weight, new_levels=new_levels)
    return Judgement(validation, () if weight or validation.unreadable else recalibrations(validation))


def judge_saved_by_when(
    folder: Folder, cohort: Cohort, **options: Any
) -> tuple[TimedValidation, tuple[TimedRecalibration, ...]]:
    """Judge the bundle kept in a folder, which says by when, as a page asks it of a worker, and what recalibration would give."""
    validation = judge_saved_timed(folder, cohort, **options)
    return validation, () if validation.unreadable or validation.same_table else timed_recalibrations(validation)


def judge_saved_numbers(
    folder: Folder, cohort: Cohort, **options: Any
) -> tuple[NumberValidation, tuple[NumberRecalibration, ...]]:
    """Judge the bundle kept in a folder, which predicts a number, and what recalibration would give."""
    validation = judge_saved_number(folder, cohort, **options)
    return validation, () if validation.unreadable or validation.same_table else number_recalibrations(validation)


def save_version(
    folder: Folder, out: Folder, recalibration: AnyRecalibration, validation: AnyValidation, **origin: Any
) -> Results | TimedResults | NumberResults | None:
    """Keep a recalibrated version of a bundle in a new folder; the original is not touched.

    The results beside it are of the original patients under the new risks: the
    layer was fitted to others, so out-of-fold risks stay honest. The manifest's
    ``recalibration`` says from which bundle (SHA-256 of its sums), in what way, and
    how good it is on the new patients; ``origin`` is added to it. Returns those
    results, ``None`` when the original has none beside it.

    Raises:
        InputError: the folder holds something already.
        BundleError: the original is not a bundle or was changed.

    """
    check_new(out)
    manifest = read_manifest(folder)
    if not isinstance(recalibration, Recalibration):
        return _save_other(folder, out, recalibration, validation, origin)
    assert isinstance(validation, ExternalValidation)
    results = read_results(folder) if has_results(folder) else None
    copy_folder(folder, out)
    manifest = _manifest(manifest, folder, recalibration, validation, origin)
    if results is not None:
        results = _results(results, recalibration, validation.n_patients)
        manifest["cross_validated"] = _figures(results.cross_validated)
        manifest["test"] = _figures(results.tested) if results.tested else None
        write_results(results, out)
    write_json(out / MANIFEST, manifest)
    seal(out)
    return None if results is None else replace(results, manifest=manifest)


def _save_other(
    folder: Folder,
    out: Folder,
    change: TimedRecalibration | NumberRecalibration,
    validation: AnyValidation,
    origin: Mapping[str, Any],
) -> TimedResults | NumberResults | None:
    """Keep a version of a model that says by when, or that predicts a number."""
    manifest, results = read_manifest(folder), _other_results(folder)
    assert not isinstance(validation, ExternalValidation)
    copy_folder(folder, out)
    judged = (validation.performance.to_dict(), change.performance.to_dict())
    manifest = {**manifest, **_changed(manifest, folder, change, validation, origin, judged)}
    if isinstance(change, NumberRecalibration):
        manifest["intervals"] = change.intervals.to_dict()
    elif (main := manifest["schema"]["follow_up"]["main"]) in change.performance.horizons:
        manifest["threshold"] = float(np.clip(change.performance.by(main).observed.value, 0.001, 0.999))
        manifest["threshold_rationale"] = TIMED_THRESHOLD
    if results is not None:
        results = _judged_again(results, change, validation.n_patients)
        manifest["cross_validated"] = results.cross_validated.to_dict()
        manifest["test"] = results.tested.to_dict() if results.tested else None
        if isinstance(results, TimedResults):
            write_timed_results(results, out)
        else:
            write_number_results(results, out)
        results = replace(results, manifest=manifest)
    write_json(out / MANIFEST, manifest)
    seal(out)
    return results


def _other_results(folder: Folder) -> TimedResults | NumberResults | None:
    if has_number_results(folder):
        return read_number_results(folder)
    return read_timed_results(folder) if has_timed_results(folder) else None


def _judged_again(
    results: TimedResults | NumberResults, change: TimedRecalibration | NumberRecalibration, n: int
) -> TimedResults | NumberResults:
    """Give the original patients the new risks or numbers, and judge them again; a finding says whose they are."""
    if isinstance(results, TimedResults):
        assert isinstance(change, TimedRecalibration)
        finding = _finding(timed_recalibration.RECALIBRATED[change.strength], n)
        again: TimedResults | NumberResults = timed_recalibration.judged_again(results, change)
    else:
        assert isinstance(change, NumberRecalibration)
        finding = _finding(number_recalibration.RECALIBRATED[change.strength], n)
        again = number_recalibration.judged_again(results, change)
    return replace(again, findings=(finding, *results.findings), stability=None)


def _changed(
    manifest: Mapping[str, Any],
    folder: Folder,
    recalibration: AnyRecalibration,
    validation: AnyValidation,
    origin: Mapping[str, Any],
    judged: tuple[dict[str, Any], dict[str, Any]],
) -> dict[str, Any]:
    """Return what a manifest says anew: the layer, and from what and how it was made; ``judged`` before and after."""
    earlier = Calibrator.from_dict(manifest["calibrator"])
    return {
        "calibrator": earlier.followed_by(recalibration.layer).to_dict(),
        "recalibration": {
            **origin,
            "of": bundle_hash(folder),
            "strength": recalibration.strength,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "data_sha256": validation.data_sha256,
            "n_patients": validation.n_patients,
            "layer": recalibration.layer.to_dict(),
            "before": judged[0],
            "cross_validated": judged[1],
            "earlier": manifest.get("recalibration"),
        },
    }


def _manifest(
    manifest: Mapping[str, Any],
    folder: Folder,
    recalibration: Recalibration,
    validation: ExternalValidation,
    origin: Mapping[str, Any],
) -> dict[str, Any]:
    judged = (_figures(validation.evaluation), _figures(recalibration.evaluation))
    changed = _changed(manifest, folder, recalibration, validation, origin, judged)
    if recalibration.risk.shape[1] == 2:
        event = recalibration.outcome.astype(float)
        changed["threshold"] = choose_threshold(event, recalibration.risk[:, 1], "youden").threshold
        changed["threshold_rationale"] = THRESHOLD_RATIONALE
    return {**manifest, **changed}


def _results(results: Results, recalibration: Recalibration, n: int) -> Results:
    """Give the original patients the new risks and judge them again."""
    layer, classes = recalibration.layer, results.classes

    def judged(patients: Patients) -> tuple[Patients, Evaluation]:
        new = replace(patients, risk=layer.apply(patients.risk))
        return new, evaluate(new.outcome, new.risk, classes, groups=new.groups, ordered=results.target.ordered)

    training, cross_validated = judged(results.training)
    test, tested = (None, None) if results.test is None else judged(results.test)
    return replace(
        results,
        training=training,
        cross_validated=cross_validated,
        test=test,
        tested=tested,
        findings=(_finding(RECALIBRATED[recalibration.strength], n), *results.findings),
        stability=None,  # of the original
    )


def _finding(said: str, n: int) -> Finding:
    return Finding(
        code="model.recalibrated",
        severity="info",
        message=Message(said, {"n": n}),
        why=Message(
            N_(
                "Its figures here are of the original patients, for whom it was not recalibrated: risks that fit the "
                "new patients may fit these worse."
            )
        ),
        remedy=Message(N_("Judge it on further patients of the new kind under New patients.")),
    )


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    return {name: estimate.to_dict() for name, estimate in evaluation.metrics.items()}
