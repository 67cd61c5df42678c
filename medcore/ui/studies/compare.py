"""Two studies side by side: their figures with intervals, how they were made, and who is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from medcore.data.cohort import Schema
from medcore.data.follow_up import span
from medcore.data.schema.class_names import class_names
from medcore.data.shown import Shown
from medcore.evaluation.figures.estimates import Estimate
from medcore.i18n import _, parted
from medcore.models.run.number.results import NumberResults
from medcore.models.run.results import Results
from medcore.models.run.timed.results import TimedResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit import cache
from medcore.ui.kit.runs import run_title
from medcore.ui.kit.shown import components
from medcore.ui.kit.words import SPLIT_KINDS
from medcore.ui.studies.cards import best_run

AnyResults = Results | TimedResults | NumberResults
Side = tuple[StudyRecord, RunRecord]


def compare_studies(studies: Sequence[StudyRecord]) -> None:
    """Let two studies with a finished run be set side by side; nothing where there are fewer."""
    best = [(study, best_run(study, cache.runs(study.owner, study.id))) for study in studies]
    judged = {study.id: (study, run) for study, run in best if run is not None}
    if len(judged) < 2 or not st.toggle(_("Compare two studies side by side"), key="studies.compare"):
        return
    ids = list(judged)

    def name(study_id: str) -> str:
        return components.one_line(judged[study_id][0].name, limit=60)

    left, right = st.columns(2)
    first = left.selectbox(_("One study"), ids, format_func=name, key="studies.compare.first")
    others = [study_id for study_id in ids if study_id != first]
    second = right.selectbox(_("Another one"), others, format_func=name, key="studies.compare.second")
    with components.errors_shown(), st.container(key="studies-side-by-side"):
        _side_by_side((judged[first], judged[second]))


def _side_by_side(sides: tuple[Side, Side]) -> None:
    results = [cache.any_results(run) for _study, run in sides]
    names = _names(sides)
    if sides[0][0].content_key != sides[1][0].content_key:
        components.note(
            _(
                "These are different patients: AUROC and calibration depend on who they are, so that a difference need not be the models’."
            ),
            look="warning",
        )
    components.metric_table({name: _metrics(found) for name, found in zip(names, results, strict=True)})
    components.caption(_("Out-of-fold figures: each patient was judged by models that had not seen that patient."))
    components.section(_("How they were made"))
    components.table(_settings(sides, results, names))
    components.section(_("Who is in them"))
    populations = _populations(results, names, sides[0][0].schema)
    if populations is None:
        components.note(
            _("The two have no predictor of the same name, so that their patients cannot be set side by side.")
        )
        return
    components.table(populations)
    components.caption(
        _("Numbers: mean (standard deviation); median [quartiles]. Categories: count (share of those known).")
    )


def _names(sides: tuple[Side, Side]) -> list[str]:
    """Name the two columns after the studies; two of one name are told apart by their day."""
    names = [study.name for study, _run in sides]
    if names[0] == names[1]:
        names = [f"{study.name} ({study.created_at:%Y-%m-%d %H:%M:%S})" for study, _run in sides]
    return names


def _metrics(found: AnyResults) -> Mapping[str, Estimate]:
    """Return the out-of-fold figures of a run, those by the main horizon where it says by when."""
    if isinstance(found, TimedResults):
        return found.cross_validated.by(found.target.main).metrics
    return found.cross_validated.metrics


def _settings(sides: tuple[Side, Side], results: Sequence[AnyResults], names: Sequence[str]) -> pd.DataFrame:
    columns = {}
    for (study, run), found, name in zip(sides, results, names, strict=True):
        outcome = study.schema.outcome
        event, with_event = _event(study, found)
        columns[components.plain(name)] = {
            _("Run"): run_title(run),
            _("Outcome"): components.plain(study.schema.shown(outcome.name) if outcome else "–"),
            _("Event"): components.plain(event),
            _("Training patients"): f"{len(found.training.rows):,}",
            _("With the event"): with_event,
            _("Locked test set"): f"{len(found.test.rows):,}" if found.test else _("none"),
            _("Predictors"): str(len(found.manifest["predictors"])),
            _("Split"): _(SPLIT_KINDS[study.split.kind]),
            _("Seed"): str(run.settings.seed),
            _("Preparation"): parted(str(step.title) for step in study.recipe.steps if step.on) or _("none"),
            _("Out of date"): _("yes") if run.out_of_date else _("no"),
        }
    return pd.DataFrame(columns).rename_axis("").reset_index()


def _event(study: StudyRecord, found: AnyResults) -> tuple[str, str]:
    """Say what a run predicts, and how many training patients had it."""
    if isinstance(found, NumberResults):
        return _("a number"), "–"
    if isinstance(found, TimedResults):
        when = str(span(found.target.main, found.target.unit))
        name = str(class_names(found.classes, study.schema.outcome)[1])
        event = _("{event} within {horizon}", event=name, horizon=when)
        return event, f"{int((found.training.event == 1).sum()):,}"
    event_class = found.target.event
    if event_class is None:
        return _("several classes"), "–"
    return str(found.class_names[event_class]), f"{int((found.training.outcome == event_class).sum()):,}"


def _populations(results: Sequence[AnyResults], names: Sequence[str], schema: Schema) -> pd.DataFrame | None:
    """Put the two Tables 1 beside each other, without their strata, for the columns that both have.

    Columns are called as in the first study, whose ``schema`` it is; without units, for the other's may be others.
    """

    def naming(name: str) -> Shown:
        return replace(schema.shown(name), unit="")

    tables = [found.table_one for found in results]
    shared = set.intersection(*({row.column for row in table.rows} if table else set() for table in tables))
    sides = []
    for table, name in zip(tables, names, strict=True):
        if table is None or not shared:
            return None
        both = replace(table, rows=tuple(row for row in table.rows if row.column in shared))
        lines = both.frame(naming=naming).iloc[:, :2].map(lambda text: components.plain(text, limit=60))
        sides.append(lines.set_axis([_("Column"), components.plain(name)], axis=1).set_index(_("Column")))
    return pd.concat(sides, axis=1, sort=False).fillna("–").rename_axis(_("Column")).reset_index()
