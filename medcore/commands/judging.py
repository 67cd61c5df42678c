"""Commands on a bundle and new patients whose outcome is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medcore.commands.asked import Asked
from medcore.commands.matching import read_mapped
from medcore.commands.outcomes.number import evaluate_number, refuse_for_number
from medcore.commands.outcomes.timed import evaluate_timed, refuse
from medcore.commands.output import check_out, write_out
from medcore.commands.result import (
    Result,
    check_readable,
    headline,
    mended_lines,
    metric_lines,
    ordinal_told,
    step_lines,
)
from medcore.commands.written import recalibrated
from medcore.data.describe.mended import mended_of
from medcore.errors import SettingsError
from medcore.i18n import N_, _
from medcore.models.bundle.files import check_new
from medcore.statistics.sample_size.validation import ValidationSize, size_if_possible

if TYPE_CHECKING:
    from medcore.data.cohort import Cohort
    from medcore.models.bundle.bundle import Bundle
    from medcore.models.contract.settings import Strength
    from medcore.models.deployed.external import ExternalValidation
    from medcore.models.run.results import Results


@dataclass(frozen=True, slots=True)
class Recalibrate:
    """A recalibration that is asked for: how strong, and the folder for the new version."""

    strength: Strength
    out: Path

    @classmethod
    def of(cls, strength: Strength | None, out: Path | None) -> Recalibrate | None:
        """Put the two options together; raise SettingsError when only one is there."""
        if strength is None and out is None:
            return None
        if strength is None or out is None:
            raise SettingsError(
                N_("--recalibrate and --out go together: say how to recalibrate and into which folder.")
            )
        check_new(out)
        return cls(strength, out)


def evaluate(
    bundle: Path,
    data: Path,
    *,
    target: str | None = None,
    threshold: float | None = None,
    report: Path | None = None,
    recalibrate: Recalibrate | None = None,
    mapping: Sequence[str] = (),
    weight: str | None = None,
    levels: Sequence[str] = (),
    new_levels: Sequence[str] = (),
    asked: Asked | None = None,
) -> Result:
    """Judge a frozen model on new patients; write the report and keep a recalibrated version if they are asked for.

    ``mapping`` holds "name in the table=name in the model" for columns called otherwise;
    ``levels`` "column:value in the table=value in the model", and ``new_levels`` the
    categories whose values are truly new. ``weight`` names the column that says for how many patients each row stands.
    """
    from medcore.models.bundle.bundle import load_bundle

    _check(threshold=threshold, report=report, recalibrate=recalibrate, weight=weight)
    if report is not None:
        check_out(report, bundle, data)
    model = load_bundle(bundle)
    cohort, mapped = read_mapped(
        data, model, mapping, levels=levels, outcome=target or _outcome_name(model), asked=asked
    )
    options = {"--threshold": threshold, "--report": report, "--weight": weight, "--recalibrate": recalibrate}
    unready = [name for name, given in options.items() if given is not None]
    kept_as = None if recalibrate is None else (recalibrate.strength, recalibrate.out)
    if model.schema.follow_up is not None:
        refuse(name for name in unready if name == "--weight")
        return evaluate_timed(
            bundle,
            model,
            cohort,
            target=target,
            threshold=threshold,
            report=report,
            new_levels=new_levels,
            recalibrate=kept_as,
        ).with_more({"bundle": str(bundle), "mapping": mapped}, ())
    if model.schema.number is not None:
        refuse_for_number(name for name in unready if name not in ("--report", "--recalibrate"))
        return evaluate_number(
            bundle, model, cohort, target=target, report=report, new_levels=new_levels, recalibrate=kept_as
        ).with_more({"bundle": str(bundle), "mapping": mapped}, ())
    return _evaluate_classes(
        bundle,
        model,
        cohort,
        target=target,
        threshold=threshold,
        report=report,
        recalibrate=recalibrate,
        weight=weight,
        new_levels=new_levels,
    ).with_more({"bundle": str(bundle), "mapping": mapped}, ())


def _check(
    *, threshold: float | None, report: Path | None, recalibrate: Recalibrate | None, weight: str | None
) -> None:
    """Refuse what cannot be, before anything is read."""
    from medcore.models.deployed.recalibration import WEIGHTED
    from medcore.reporting import check_format

    if threshold is not None and not 0 < threshold < 1:
        raise SettingsError(
            N_("The threshold is {got}; it is a risk, so give a number between 0 and 1."), got=threshold
        )
    if report is not None:
        check_format(report.name)
    if weight is not None and recalibrate is not None:
        raise SettingsError(WEIGHTED)


def _evaluate_classes(
    bundle: Path,
    model: Bundle,
    cohort: Cohort,
    *,
    target: str | None,
    threshold: float | None,
    report: Path | None,
    recalibrate: Recalibrate | None,
    weight: str | None,
    new_levels: Sequence[str],
) -> Result:
    """Judge a frozen model of classes on new patients."""
    from medcore.models.deployed.external import validate

    validation = validate(model, cohort, target=target, threshold=threshold, weight=weight, new_levels=new_levels)
    found: dict[str, Any] = validation.to_dict()
    if report is not None:
        _write_report(report, bundle, cohort, validation, model.threshold if threshold is None else threshold)
        found["report"] = str(report)
    kept: list[str] = []
    if recalibrate is not None:
        check_readable(validation.unreadable)
        found["recalibration"], kept = _recalibrate(bundle, validation, recalibrate)
    judged = headline(validation.evaluation)
    needed = None if validation.same_table else _needed(validation)
    found["validation_size"] = needed.to_dict() if needed else None
    found["ordinal"] = ordinal_told(validation.evaluation, None)
    heading = _(
        "{n} patients judged, {dropped} without an outcome left out.",
        n=validation.n_patients,
        dropped=validation.n_without_outcome,
    )
    mends = mended_of(cohort, model.schema)
    return Result(
        found | judged | {"mended": [m.to_dict() for m in mends]},
        (
            heading,
            *_size_line(needed, validation.n_patients),
            *mended_lines(mends),
            *map(str, validation.weighting()),
            *metric_lines(_("The table of training") if validation.same_table else _("New patients"), judged),
            *step_lines(validation.evaluation),
            *map(str, validation.lines()),
            *kept,
        ),
    )


def _needed(validation: ExternalValidation) -> ValidationSize | None:
    """Return how many patients like these judge the model precisely, for two classes."""
    evaluation, event = validation.evaluation, validation.evaluation.target.event
    if event is None:
        return None
    share = (evaluation.n_events or 0) / evaluation.n
    return size_if_possible(validation.risk[:, event], evaluation.metrics["auroc"].value, share)


def _size_line(needed: ValidationSize | None, n: int) -> list[str]:
    if needed is None:
        return []
    return [
        _(
            "A precise judgement needs {required} patients like these, {events} of them with the outcome (Riley 2021: O:E {o_e}, slope {slope}, AUROC {auroc}); there are {n}.",
            required=needed.required,
            events=needed.required_events,
            o_e=needed.o_e,
            slope=needed.slope,
            auroc=needed.auroc,
            n=n,
        )
    ]


def _outcome_name(model: Bundle) -> str | None:
    return model.schema.outcome.name if model.schema.outcome else None


def _recalibrate(bundle: Path, validation: ExternalValidation, asked: Recalibrate) -> tuple[dict[str, Any], list[str]]:
    """Keep a recalibrated version; return what is told of it, for programs and for people."""
    from medcore.models.deployed.recalibration import recalibrate

    change = recalibrate(validation, asked.strength)
    judged = headline(change.evaluation)
    figures = metric_lines(_("Recalibrated, cross-validated on the new patients"), judged)
    told, lines = recalibrated(bundle, asked.out, change, validation, figures)
    return told | {"cross_validated": judged}, lines


def _as_trained(results: Results, cohort: Cohort) -> dict[str, Any]:
    """Return the table as it was prepared and split for training; nothing where that cannot be done again, row by row."""
    from medcore.data.cohort import Schema
    from medcore.data.preparation.recipe import Recipe
    from medcore.data.splitting.split import SplitSettings
    from medcore.models.run.cohort import split_cohort

    manifest = results.manifest
    if "plan" not in manifest:
        return {}
    trained = cohort.with_schema(Schema.from_dict(manifest["schema"]))
    asked = SplitSettings.from_dict(manifest["plan"]["split"])
    prepared, split = split_cohort(trained, Recipe.from_dict(manifest["recipe"]), asked)
    same = np.array_equal(prepared.rows[~split.test], results.training.rows)
    return {"cohort": trained, "prepared": prepared, "split": split} if same else {}


def _write_report(report: Path, bundle: Path, cohort: Cohort, validation: ExternalValidation, threshold: float) -> None:
    from medcore.evaluation.curves.thresholds import BY_HAND
    from medcore.models.bundle.files import bundle_hash
    from medcore.models.deployed.recalibration import recalibrations
    from medcore.models.run.manifest import YOUDEN
    from medcore.models.run.results import read_results
    from medcore.reporting import ReportInputs, render, study_report

    results = read_results(bundle)
    own = results.manifest.get("threshold") == threshold
    rationale = str(results.manifest.get("threshold_rationale", "")) if own else BY_HAND
    subject = ReportInputs(
        title="",
        results=results,
        threshold=threshold,
        rationale=rationale,
        rule="youden" if rationale == YOUDEN else "by_hand",
        bundle_sha256=bundle_hash(bundle),
        validation=validation,
        recalibrations=() if validation.weight else recalibrations(validation),
        **(_as_trained(results, cohort) if validation.same_table else {}),
    )
    write_out(report, render(study_report(subject), report.name))
