"""What the commands tell of models that say by when an event comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcore.commands.output import write_out
from medcore.commands.result import Result, check_readable, finding_lines, kept_line, mended_lines
from medcore.commands.written import recalibrated
from medcore.data.describe.mended import Mend, mended_of
from medcore.data.follow_up import span
from medcore.data.preparation.event_time import horizon_in
from medcore.data.schema.class_names import event_name
from medcore.data.shown import Shown, named
from medcore.errors import SettingsError
from medcore.i18n import N_, Message, _
from medcore.sealing import as_folder

if TYPE_CHECKING:
    from medcore.data.cohort import Cohort, Schema
    from medcore.data.findings import Finding
    from medcore.evaluation.survival.performance import SurvivalPerformance
    from medcore.models.bundle.bundle import Bundle
    from medcore.models.contract.settings import Strength
    from medcore.models.deployed.timed import TimedValidation
    from medcore.models.run.sides import TrainedRun
    from medcore.models.run.timed.results import TimedResults
    from medcore.targets.event_time import TimeUnit

HEADLINE = ("auroc", "uno_c", "brier", "scaled_brier", "calibration_slope", "calibration_intercept", "o_e_ratio", "ici")


def timed_told(
    trained: TrainedRun[TimedResults], findings: Sequence[Finding], mends: Sequence[Mend], *, out: Path
) -> Result:
    """Tell of a training: what was trained on whom, and how good its risks are by each horizon."""
    results, schema = trained.results, trained.bundle.schema
    found = {
        "bundle": str(out),
        **results.to_dict(),
        "event": schema.positive,
        "follow_up": schema.follow_up.to_dict() if schema.follow_up else None,
        "seconds": round(trained.seconds, 3),
        "mended": [m.to_dict() for m in mends],
        "findings": [f.to_dict() for f in findings],
    }
    reason = str(_event_named(schema))
    tested = (
        [] if results.tested is None else performance_lines(_("Locked test set"), results.tested, results.target.unit)
    )
    lines = (
        kept_line(found),
        reason,
        *performance_lines(_("Cross-validated"), results.cross_validated, results.target.unit),
        *tested,
        *mended_lines(mends),
        *finding_lines(findings),
    )
    return Result(found, lines)


def _event_named(schema: Schema) -> Message | str:
    """Say why which value of the status is the event, by the name a person gave it where there is one."""
    reason = schema.outcome.reason if schema.outcome else None
    if reason is None or schema.positive is None:
        return reason or ""
    event, name = schema.positive, event_name(schema)
    return reason if name == event else named(reason, lambda _code: Shown(event, name), [event])


def performance_lines(heading: str, performance: SurvivalPerformance, unit: TimeUnit) -> list[str]:
    """Write figures with their intervals, a line each, horizon by horizon."""
    lines = [f"{heading}:"]
    lines += [f"  {name}: {estimate:.3f}" for name, estimate in performance.overall.items()]
    for at in performance.at:
        lines.append(
            _(
                "  within {horizon}: {n} events, observed {observed}, predicted {predicted} on average",
                horizon=str(span(at.horizon, unit)),
                n=at.n_events,
                observed=f"{at.observed:.3f}",
                predicted=f"{at.mean_risk:.3f}",
            )
        )
        lines += [f"    {name}: {at.metrics[name]:.3f}" for name in (*HEADLINE, "net_benefit") if name in at.metrics]
    return lines


def evaluate_timed(
    bundle: Path,
    model: Bundle,
    cohort: Cohort,
    *,
    target: str | None = None,
    threshold: float | None = None,
    report: Path | None = None,
    new_levels: Sequence[str] = (),
    recalibrate: tuple[Strength, Path] | None = None,
) -> Result:
    """Judge a frozen model that says by when on new patients; write the report, keep a recalibrated version in a folder, if asked for."""
    from medcore.models.deployed.timed import validate_timed

    validation = validate_timed(model, cohort, target=target, threshold=threshold, new_levels=new_levels)
    if report is not None:
        _write_report(report, bundle, model, validation, model.threshold if threshold is None else threshold)
    follow_up = model.schema.follow_up
    assert follow_up is not None
    mends = mended_of(cohort, model.schema)
    heading = _(
        "{n} patients judged, {dropped} without an outcome left out.",
        n=len(validation.event),
        dropped=validation.n_without_outcome,
    )
    title = _("The table of training") if validation.same_table else _("New patients")
    beyond = [span(h, follow_up.unit) for h in follow_up.horizons if h not in validation.judged]
    lines = [heading, *performance_lines(title, validation.performance, follow_up.unit)]
    if beyond:
        lines.append(
            _("None of these patients was followed for {horizons}, so risks by then are not judged.", horizons=beyond)
        )
    told = validation.to_dict() | validation.performance.to_dict() | {"mended": [m.to_dict() for m in mends]}
    told |= {} if report is None else {"report": str(report)}
    if recalibrate is not None:
        told["recalibration"], kept = _recalibrate(bundle, validation, *recalibrate, follow_up.unit)
        lines += kept
    return Result(told | horizons_told(model), (*lines, *mended_lines(mends)))


def _recalibrate(
    bundle: Path, validation: TimedValidation, strength: Strength, out: Path, unit: TimeUnit
) -> tuple[dict[str, Any], list[str]]:
    """Keep a recalibrated version; return what is told of it, for programs and for people."""
    from medcore.models.deployed.timed_recalibration import recalibrate_timed

    check_readable(validation.unreadable)
    change = recalibrate_timed(validation, strength)
    title = _("Recalibrated, cross-validated on the new patients")
    return recalibrated(bundle, out, change, validation, performance_lines(title, change.performance, unit))


def _write_report(report: Path, bundle: Path, model: Bundle, validation: TimedValidation, threshold: float) -> None:
    from medcore.evaluation.curves.thresholds import BY_HAND
    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.timed.results import read_timed_results
    from medcore.reporting import TimedReportInputs, render, timed_report

    rationale = str(model.manifest.get("threshold_rationale", "")) if threshold == model.threshold else BY_HAND
    subject = TimedReportInputs(
        title="",
        results=read_timed_results(as_folder(bundle)),
        threshold=threshold,
        rationale=rationale,
        bundle_sha256=bundle_hash(bundle),
        validation=validation,
    )
    write_out(report, render(timed_report(subject.with_cox(model)), report.name))


def at_horizon(model: Bundle, horizon: str | None) -> Bundle:
    """Return the model asked about another time, where one is named."""
    if horizon is None:
        return model
    return model.at(horizon_in(horizon, model.schema.follow_up.unit) if model.schema.follow_up else 1.0)


def horizons_told(model: Bundle) -> dict[str, Any]:
    """Say by when a model's risks are, and in which unit; nothing where it does not say by when."""
    follow_up = model.schema.follow_up
    if follow_up is None:
        return {}
    return {"horizon": follow_up.main, "model_horizons": list(follow_up.horizons), "unit": follow_up.unit}


def horizon_lines(model: Bundle) -> list[str]:
    """Say in words by when a model's risks are."""
    follow_up = model.schema.follow_up
    return (
        []
        if follow_up is None
        else [_("This risk is that of the event within {horizon}.", horizon=span(follow_up.main, follow_up.unit))]
    )


def refuse(options: Iterable[str]) -> None:
    """Refuse options that are not ready for models that say by when.

    Raises:
        SettingsError: there is one.

    """
    given = list(options)
    if given:
        raise SettingsError(
            N_("{options} cannot be used yet with a model that says by when the event comes. Leave it out."),
            options=given,
        )
