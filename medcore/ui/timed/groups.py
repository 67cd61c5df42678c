"""Three views on risks by a horizon: groups of patients, where it fails, and two models side by side."""

from __future__ import annotations

from collections.abc import Sequence

from medcore.charts.survival import horizons as charts
from medcore.data.describe.small_cells import FEWEST_TOLD
from medcore.data.shown import Naming
from medcore.evaluation import compare_at_horizon, groups_at_horizon, mistakes_at_horizon
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.survival.groups import GroupAtHorizon
from medcore.i18n import _, percent
from medcore.studies.records import StudyRecord
from medcore.ui.evaluate.groups import failing, per_cent, pick_columns, worst
from medcore.ui.evaluate.judging import told_by
from medcore.ui.kit.shown import components
from medcore.ui.timed.judged import TimedJudged


def groups(judged: TimedJudged, naming: Naming) -> None:
    """Judge the risks within groups by any sensitive column and by intersections."""
    components.section(
        _("Is it as good for every kind of patient?"),
        _(
            "Within {when}. Observed shares are Kaplan–Meier’s, or Aalen–Johansen’s where events compete, within each group.",
            when=judged.when,
        ),
    )
    columns = [str(c) for c in judged.sensitive.columns]
    picked = pick_columns(columns, naming, key=f"evaluate.timed.groups.{judged.run_id}")
    if not picked:
        return
    found = judged.known(
        f"groups.{picked}",
        lambda: groups_at_horizon(
            judged.duration,
            judged.event,
            judged.risks[judged.name],
            judged.horizon,
            judged.sensitive,
            picked,
            groups=judged.groups,
        ),
    )
    shown = [naming(c) for c in picked]
    names = [str(g.key.shown(shown)) for g in found]
    components.figure(
        charts.groups(dict(zip(names, found, strict=True)), when=judged.when), key="evaluate.timed.groups"
    )
    components.table([_row(name, g) for name, g in zip(names, found, strict=True)])
    components.caption(
        _("Groups of fewer than 5 patients are not shown. Wide intervals say that a group is too small to tell.")
    )


def _row(name: str, found: GroupAtHorizon) -> dict[str, str]:
    few = 0 < found.n_events < FEWEST_TOLD
    return {
        _("Group"): components.plain(name),
        _("Patients"): str(found.n),
        _("Events"): _("under {n}", n=FEWEST_TOLD) if few else str(found.n_events),
        _("Observed (%)"): _percent(found.observed),
        _("Mean risk"): percent(found.mean_risk),
        "AUROC": components.with_interval(found.auroc, digits=2),
        _("Observed : expected"): components.with_interval(found.o_e_ratio, digits=2),
        _("Calibration slope"): components.with_interval(found.calibration_slope, digits=2),
    }


def errors(judged: TimedJudged, study: StudyRecord, happened: Sequence[str]) -> None:
    """Show the kinds of patients and the patients for whom the risks were furthest off; ``happened`` says of every patient what ended the follow-up."""
    risk = judged.risks[judged.name]
    found = judged.known(
        f"mistakes.{study.identity}",
        lambda: mistakes_at_horizon(judged.duration, judged.event, risk, judged.horizon, told_by(study, judged.rows)),
    )
    failing(study, found, per_cent(_("Log loss of those known (all: {loss})", loss=f"{found.mean_loss:.2f}")))

    def said(place: int) -> dict[str, str]:
        return {
            _("Risk within {when}", when=judged.when): percent(risk[place]),
            _("What happened"): components.plain(happened[place]),
        }

    worst(study, judged.run_id, judged.rows, found, said)


def _percent(estimate: Estimate) -> str:
    return f"{estimate.times(100):.0f}" if estimate.exists else "–"


def compared(judged: TimedJudged) -> None:
    """Say which of two models is better by the horizon, with paired differences."""
    if len(judged.risks) < 2:
        components.note(_("Choose a second model above to compare it with this one."))
        return
    (name_a, a), (name_b, b) = judged.risks.items()
    found = judged.known(
        "compared",
        lambda: compare_at_horizon(
            judged.duration, judged.event, a, b, judged.horizon, groups=judged.groups, folds=judged.folds
        ),
    )
    components.section(_("Which of the two is better within {when}?", when=judged.when))
    components.note(str(found.verdict(name_a, name_b)))
    metrics = {name: p.by(judged.horizon).metrics for name, p in judged.performances.items()}
    components.table(
        [
            {
                _("Measure"): label,
                components.plain(name_a): components.with_interval(metrics[name_a][key]),
                components.plain(name_b): components.with_interval(metrics[name_b][key]),
                _("Difference (95 % interval, paired)"): components.with_interval(difference),
            }
            for label, key, difference in (
                (_("AUROC (higher is better)"), "auroc", found.auroc),
                (_("Brier score (lower is better)"), "brier", found.brier),
            )
        ]
    )
    components.figure(
        charts.agreement(a, b, name_a=name_a, name_b=name_b, when=judged.when), key="evaluate.timed.agreement"
    )
