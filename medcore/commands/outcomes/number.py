"""What the commands tell of models that predict a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcore.commands.output import write_out
from medcore.commands.result import Result, check_readable, finding_lines, kept_line, mended_lines
from medcore.commands.written import recalibrated
from medcore.data.describe.mended import Mend, mended_of
from medcore.errors import SettingsError
from medcore.i18n import N_, _
from medcore.sealing import as_folder

if TYPE_CHECKING:
    from medcore.data.cohort import Cohort
    from medcore.data.findings import Finding
    from medcore.evaluation.number.calibration import Agreement
    from medcore.evaluation.number.performance import NumberPerformance
    from medcore.models.bundle.bundle import Bundle
    from medcore.models.contract.settings import Strength
    from medcore.models.deployed.number import NumberValidation
    from medcore.models.run.number.results import NumberResults
    from medcore.models.run.sides import TrainedRun


def number_told(
    trained: TrainedRun[NumberResults], findings: Sequence[Finding], mends: Sequence[Mend], *, out: Path
) -> Result:
    """Tell of a training: what was trained on whom, and how good its predictions are."""
    results, outcome = trained.results, trained.bundle.schema.outcome
    found = {
        "bundle": str(out),
        **results.to_dict(),
        "seconds": round(trained.seconds, 3),
        "mended": [m.to_dict() for m in mends],
        "findings": [f.to_dict() for f in findings],
    }
    lines = (
        kept_line(found),
        str(outcome.reason or "") if outcome else "",
        *_lines(_("Cross-validated"), results.cross_validated, results.agreement),
        *(_lines(_("Locked test set"), results.tested, results.tested_agreement) if results.tested else ()),
        *mended_lines(mends),
        *finding_lines(findings),
    )
    return Result(found, lines)


def _lines(heading: str, judged: NumberPerformance, limits: Agreement | None) -> list[str]:
    """Write figures with their intervals, a line each."""
    lines = [f"{heading}:", *(f"  {name}: {estimate:.3f}" for name, estimate in judged.metrics.items())]
    if limits is not None:
        lines.append(
            _(
                "  limits of agreement (observed less predicted, Bland and Altman): {low} and {high}",
                low=f"{limits.lower:.3f}",
                high=f"{limits.upper:.3f}",
            )
        )
    return lines


def evaluate_number(
    bundle: Path,
    model: Bundle,
    cohort: Cohort,
    *,
    target: str | None = None,
    report: Path | None = None,
    new_levels: Sequence[str] = (),
    recalibrate: tuple[Strength, Path] | None = None,
) -> Result:
    """Judge a frozen model of a number on new patients; write the report, keep a recalibrated version in a folder, if asked for."""
    from medcore.models.deployed.number import validate_number

    validation = validate_number(model, cohort, target=target, new_levels=new_levels)
    if report is not None:
        _write_report(report, bundle, validation)
    mends = mended_of(cohort, model.schema)
    heading = _(
        "{n} patients judged, {dropped} without an outcome left out.",
        n=len(validation.value),
        dropped=validation.n_without_outcome,
    )
    title = _("The table of training") if validation.same_table else _("New patients")
    figures = {name: e.to_dict() for name, e in validation.performance.metrics.items()}
    told = validation.to_dict() | figures | {"mended": [m.to_dict() for m in mends]}
    told |= {} if report is None else {"report": str(report)}
    lines = [heading, *_lines(title, validation.performance, validation.agreement), *mended_lines(mends)]
    if recalibrate is not None:
        told["recalibration"], kept = _recalibrate(bundle, validation, *recalibrate)
        lines += kept
    return Result(told, tuple(lines))


def _recalibrate(
    bundle: Path, validation: NumberValidation, strength: Strength, out: Path
) -> tuple[dict[str, Any], list[str]]:
    """Keep a recalibrated version; return what is told of it, for programs and for people."""
    from medcore.models.deployed.number_recalibration import recalibrate_number

    check_readable(validation.unreadable)
    change = recalibrate_number(validation, strength)
    title = _("Recalibrated, cross-validated on the new patients")
    return recalibrated(bundle, out, change, validation, _lines(title, change.performance, change.agreement))


def _write_report(report: Path, bundle: Path, validation: NumberValidation) -> None:
    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.number.results import read_number_results
    from medcore.reporting import NumberReportInputs, number_report, render

    subject = NumberReportInputs(
        title="",
        results=read_number_results(as_folder(bundle)),
        bundle_sha256=bundle_hash(bundle),
        validation=validation,
    )
    write_out(report, render(number_report(subject), report.name))


def refuse_for_number(options: Iterable[str]) -> None:
    """Refuse options that are not ready for models that predict a number.

    Raises:
        SettingsError: there is one.

    """
    given = list(options)
    if given:
        raise SettingsError(
            N_("{options} cannot be used with a model that predicts a number. Leave it out."), options=given
        )
