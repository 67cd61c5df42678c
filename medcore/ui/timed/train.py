"""What came of a training run that says by when: its model and what it was compared with, best first."""

from __future__ import annotations

from medcore.data.follow_up import span
from medcore.evaluation.survival.performance import SurvivalPerformance
from medcore.i18n import _, percent
from medcore.models.run.timed.results import TimedCandidate, TimedResults
from medcore.studies.records import RunRecord
from medcore.ui.kit import cache
from medcore.ui.kit.layout import caption, facts
from medcore.ui.kit.notices import findings
from medcore.ui.kit.shown.tables import table, with_interval
from medcore.ui.kit.text import plain
from medcore.ui.kit.words import duration, model_name


def results(run: RunRecord) -> None:
    """Show the run's model and its candidates by out-of-fold figures; the locked test set is for the Evaluate page."""
    found = cache.timed_results(run)
    parts = len([c for c in found.candidates if c.weight > 0])
    rows = [_row("**" + _("This run's model") + "**", found, found.cross_validated, None)] if parts > 1 else []
    for candidate in found.candidates:
        name = plain(model_name(candidate.name))
        own = parts == 1 and candidate.weight > 0
        rows.append(_row(f"**{name}**" if own else name, found, candidate.cross_validated, candidate))
    table(rows)
    caption(
        _(
            "Out-of-fold figures with their 95 % interval, censored patients weighted for: each patient was judged by models that had not seen that patient. The AUROC and the calibration slope are about {horizon}.",
            horizon=str(span(found.target.main, found.target.unit)),
        )
    )
    findings(found.findings, key=f"train.findings.{run.id}")


def headline(run: RunRecord) -> None:
    """Show in one line what came of a finished run."""
    found = cache.timed_results(run)
    main = found.cross_validated.by(found.target.main)
    by = str(span(found.target.main, found.target.unit))
    facts(
        [
            (_("AUROC within {horizon}", horizon=by), with_interval(main.metrics["auroc"])),
            (_("Integrated Brier score"), with_interval(found.cross_validated.overall["integrated_brier"])),
        ]
    )


def _row(
    name: str, found: TimedResults, judged: SurvivalPerformance, candidate: TimedCandidate | None
) -> dict[str, str]:
    main = judged.by(found.target.main)
    ranks = candidate is None or candidate.name != "prevalence"
    return {
        _("Model"): name,
        _("AUROC"): with_interval(main.metrics["auroc"]) if ranks else "–",
        _("Uno’s C"): with_interval(main.metrics["uno_c"]) if ranks else "–",
        _("Integrated Brier score"): with_interval(judged.overall["integrated_brier"]),
        _("Calibration slope"): with_interval(main.metrics["calibration_slope"], digits=2) if ranks else "–",
        _("Part in the model"): percent(candidate.weight, 0) if candidate else "–",
        _("Time"): duration(candidate.seconds) if candidate else "–",
    }
