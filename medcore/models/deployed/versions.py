"""A new version of a bundle: the same model, recalibrated to other patients, in a folder of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from medcore.data.cohort import Cohort
from medcore.data.findings import Finding
from medcore.data.schema.matching import with_names
from medcore.evaluation import Evaluation, evaluate
from medcore.evaluation.curves.thresholds import choose_threshold
from medcore.i18n import N_, Message
from medcore.models.bundle.bundle import load_bundle, read_manifest
from medcore.models.bundle.files import MANIFEST, bundle_hash, check_new, seal, write_json
from medcore.models.deployed.external import ExternalValidation, validate
from medcore.models.deployed.levels import read_as
from medcore.models.deployed.recalibration import Recalibration, recalibrations
from medcore.models.run.results import Patients, Results, has_results, read_results, write_results
from medcore.models.selection.calibration import Calibrator
from medcore.sealing import Folder, copy_folder

THRESHOLD_RATIONALE = N_("Youden's index on the cross-validated risks of the patients it was recalibrated to")

RECALIBRATED: Mapping[str, str] = {
    "intercept": N_("This version was recalibrated to {n} other patients after training: its log-odds were shifted."),
    "slope": N_(
        "This version was recalibrated to {n} other patients after training: its log-odds were shifted and stretched."
    ),
    "refit": N_("This version was recalibrated to {n} other patients after training: its risks follow a new curve."),
}


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


def save_version(
    folder: Folder, out: Folder, recalibration: Recalibration, validation: ExternalValidation, **origin: Any
) -> Results | None:
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


def _manifest(
    manifest: Mapping[str, Any],
    folder: Folder,
    recalibration: Recalibration,
    validation: ExternalValidation,
    origin: Mapping[str, Any],
) -> dict[str, Any]:
    earlier = Calibrator.from_dict(manifest["calibrator"])
    changed: dict[str, Any] = {
        "calibrator": earlier.followed_by(recalibration.layer).to_dict(),
        "recalibration": {
            **origin,
            "of": bundle_hash(folder),
            "strength": recalibration.strength,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "data_sha256": validation.data_sha256,
            "n_patients": validation.n_patients,
            "layer": recalibration.layer.to_dict(),
            "before": _figures(validation.evaluation),
            "cross_validated": _figures(recalibration.evaluation),
            "earlier": manifest.get("recalibration"),
        },
    }
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
        findings=(_finding(recalibration, n), *results.findings),
    )


def _finding(recalibration: Recalibration, n: int) -> Finding:
    return Finding(
        code="model.recalibrated",
        severity="info",
        message=Message(RECALIBRATED[recalibration.strength], {"n": n}),
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
