"""What the commands tell of models that say by when an event comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcore.commands.result import Result, finding_lines, kept_line, mended_lines
from medcore.data.describe.mended import Mend, mended_of
from medcore.data.follow_up import span
from medcore.data.preparation.event_time import horizon_in
from medcore.errors import SettingsError
from medcore.i18n import N_, _

if TYPE_CHECKING:
    from medcore.data.cohort import Cohort
    from medcore.data.findings import Finding
    from medcore.evaluation.survival.performance import SurvivalPerformance
    from medcore.models.bundle.bundle import Bundle
    from medcore.models.run.timed import TimedTrained
    from medcore.targets.event_time import TimeUnit

HEADLINE = ("auroc", "uno_c", "brier", "scaled_brier", "calibration_slope", "calibration_intercept", "o_e_ratio", "ici")


def timed_told(trained: TimedTrained, findings: Sequence[Finding], mends: Sequence[Mend], *, out: Path) -> Result:
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
    reason = str(schema.outcome.reason or "") if schema.outcome else ""
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
        lines += [f"    {name}: {at.metrics[name]:.3f}" for name in HEADLINE]
    return lines


def evaluate_timed(
    model: Bundle, cohort: Cohort, *, target: str | None = None, new_levels: Sequence[str] = ()
) -> Result:
    """Judge a frozen model that says by when on new patients."""
    from medcore.models.deployed.timed import validate_timed

    validation = validate_timed(model, cohort, target=target, new_levels=new_levels)
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
    return Result(told | horizons_told(model), (*lines, *mended_lines(mends)))


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
