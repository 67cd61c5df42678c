"""What came of a training run that predicts a number: its model and what it was compared with, best first."""

from __future__ import annotations

from medcore.evaluation.number.performance import NumberPerformance
from medcore.i18n import _, percent
from medcore.models.contract.candidate import MEAN
from medcore.models.run.number.results import NumberCandidate
from medcore.studies.records import RunRecord
from medcore.ui.kit import cache
from medcore.ui.kit.layout import caption, facts
from medcore.ui.kit.notices import findings
from medcore.ui.kit.shown.tables import table, with_interval
from medcore.ui.kit.text import plain
from medcore.ui.kit.words import duration, model_name


def results(run: RunRecord) -> None:
    """Show the run's model and its candidates by out-of-fold figures; the locked test set is for the Evaluate page."""
    found = cache.number_results(run)
    parts = len([c for c in found.candidates if c.weight > 0])
    rows = [_row("**" + _("This run's model") + "**", found.cross_validated, None)] if parts > 1 else []
    for candidate in found.candidates:
        name = plain(model_name(candidate.name))
        own = parts == 1 and candidate.weight > 0
        rows.append(_row(f"**{name}**" if own else name, candidate.cross_validated, candidate))
    table(rows)
    caption(
        _(
            "Out-of-fold figures with their 95 % interval: each patient was judged by models that had not seen that patient. Errors are in {unit}.",
            unit=found.unit or _("the outcome’s own unit"),
        )
    )
    findings(found.findings, key=f"train.findings.{run.id}")


def headline(run: RunRecord) -> None:
    """Show in one line what came of a finished run."""
    metrics = cache.number_results(run).cross_validated.metrics
    facts([("R²", with_interval(metrics["r2"])), (_("Typical error (MAE)"), with_interval(metrics["mae"]))])


def _row(name: str, judged: NumberPerformance, candidate: NumberCandidate | None) -> dict[str, str]:
    ranks = candidate is None or candidate.name != MEAN
    metrics = judged.metrics
    return {
        _("Model"): name,
        "R²": with_interval(metrics["r2"]) if ranks else "–",
        "RMSE": with_interval(metrics["rmse"]),
        "MAE": with_interval(metrics["mae"]),
        _("Calibration slope"): with_interval(metrics["calibration_slope"], digits=2) if ranks else "–",
        _("Part in the model"): percent(candidate.weight, 0) if candidate else "–",
        _("Time"): duration(candidate.seconds) if candidate else "–",
    }
