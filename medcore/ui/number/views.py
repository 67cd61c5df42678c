"""What is judged of predicted numbers, and three views on it: groups of patients, errors, two models side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pandas as pd

from medcore.charts import numbers as charts
from medcore.data.shown import Naming
from medcore.evaluation import Agreement, Estimate, NumberPerformance, compare_numbers, groups_of_numbers
from medcore.evaluation.figures.estimates import Floats
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.groups.mistakes import mistakes_of_numbers
from medcore.evaluation.number.groups import GroupOfNumbers
from medcore.explanation.patient.wording import Measure
from medcore.i18n import _
from medcore.studies.records import StudyRecord
from medcore.ui.evaluate.groups import failing, pick_columns, worst
from medcore.ui.evaluate.judging import told_by
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberJudged:
    """One set of patients: what was measured (n,), and what each model predicted, by its name as shown; the first is in question.

    ``side`` is "training" (out of fold), "test", or what names a table of new patients.
    """

    run_id: str
    side: str
    value: Floats = field(repr=False)
    predictions: Mapping[str, Floats] = field(repr=False)
    groups: Ints | None = field(repr=False)
    folds: Ints | None = field(repr=False)
    rows: Ints = field(repr=False)
    performances: Mapping[str, NumberPerformance] = field(repr=False)
    limits: Agreement
    measure: Measure
    sensitive: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells these patients and models apart from others."""
        return self.run_id, self.side, tuple(self.predictions)

    @property
    def predicted(self) -> Floats:
        """What the model in question predicted."""
        return next(iter(self.predictions.values()))

    @property
    def metrics(self) -> Mapping[str, Estimate]:
        """The figures of the model in question."""
        return next(iter(self.performances.values())).metrics

    def known(self, what: object, compute: Callable[[], R]) -> R:
        """Return what was computed of these patients and models, once."""
        return cache.once(compute, "number.evaluate", what, *self.identity)


def groups(judged: NumberJudged, naming: Naming) -> None:
    """Judge the predictions within groups by any sensitive column and by intersections."""
    components.section(
        _("Is it as good for every kind of patient?"),
        _("What was measured beside what was predicted, and how far single predictions are off, within each group."),
    )
    columns = list(map(str, judged.sensitive.columns))
    picked = pick_columns(columns, naming, key=f"evaluate.number.groups.{judged.run_id}")
    if not picked:
        return
    found = judged.known(
        ("groups", *picked),
        lambda: groups_of_numbers(judged.value, judged.predicted, judged.sensitive, picked, groups=judged.groups),
    )
    shown = [naming(c) for c in picked]
    named = {str(g.key.shown(shown)): g for g in found}
    chart = charts.groups({name: g.off for name, g in named.items()}, unit=judged.measure.unit)
    components.figure(chart, key="evaluate.number.groups.chart")
    components.table([_row(name, g, judged.measure) for name, g in named.items()])
    components.caption(
        _("Groups of fewer than 5 patients are not shown. Wide intervals say that a group is too small to tell.")
    )


def _row(name: str, group: GroupOfNumbers, measure: Measure) -> dict[str, str]:
    judged, metrics = group.performance, group.performance.metrics
    return {
        _("Group"): components.plain(name),
        _("Rows"): str(judged.n),
        _("Measured: mean"): measure.write(judged.mean),
        _("Predicted: mean"): measure.write(judged.mean_predicted),
        _("Measured less predicted"): _written(group.off, measure),
        _("Typical error (MAE)"): _written(metrics["mae"], measure),
        _("Calibration slope"): components.with_interval(metrics["calibration_slope"], digits=2),
    }


def _written(estimate: Estimate, measure: Measure) -> str:
    return components.with_interval(estimate, digits=measure.decimals + 1)


def errors(judged: NumberJudged, study: StudyRecord) -> None:
    """Show the kinds of patients and the patients for whom the predictions were furthest off."""
    found = judged.known(
        ("mistakes", study.identity),
        lambda: mistakes_of_numbers(judged.value, judged.predicted, told_by(study, judged.rows)),
    )
    measure = judged.measure
    loss = _("Mean error (all: {error})", error=measure.bare(found.mean_loss, more=1))
    failing(
        study,
        found,
        lambda r: {
            _("Predicted: mean"): measure.write(r.mean_risk),
            _("Measured: mean"): measure.write(r.observed),
            _("Measured less predicted"): _written(r.gap, measure),
            loss: measure.bare(r.loss, more=1),
        },
    )

    def said(place: int) -> dict[str, str]:
        return {
            _("Predicted"): components.plain(measure.write(float(judged.predicted[place]))),
            _("Measured"): components.plain(measure.write(float(judged.value[place]))),
        }

    worst(study, judged.run_id, judged.rows, found, said)


def compared(judged: NumberJudged) -> None:
    """Say which of two models comes closer, with paired differences."""
    if len(judged.predictions) < 2:
        components.note(_("Choose a second model above to compare it with this one."))
        return
    (name_a, a), (name_b, b) = judged.predictions.items()
    found = judged.known(
        "compared", lambda: compare_numbers(judged.value, a, b, groups=judged.groups, folds=judged.folds)
    )
    components.section(_("Which of the two comes closer?"))
    components.note(str(found.verdict(name_a, name_b)))
    metrics = {name: p.metrics for name, p in judged.performances.items()}
    components.table(
        [
            {
                _("Measure"): label,
                components.plain(name_a): _written(metrics[name_a][key], judged.measure),
                components.plain(name_b): _written(metrics[name_b][key], judged.measure),
                _("Difference (95 % interval, paired)"): _written(difference, judged.measure),
            }
            for label, key, difference in (
                (_("Typical error (MAE), lower is better"), "mae", found.mae),
                (_("Root mean squared error, lower is better"), "rmse", found.rmse),
            )
        ]
    )
