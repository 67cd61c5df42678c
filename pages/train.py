"""Train: which model, with which settings, and how is it doing."""

from __future__ import annotations

import streamlit as st

from medcore import jobs
from medcore.data.follow_up import span
from medcore.data.quality import inspect
from medcore.data.schema.class_names import event_name
from medcore.i18n import _, percent
from medcore.studies.records import StudyRecord
from medcore.targets import EventTime, Number
from medcore.ui.kit import cache, guards
from medcore.ui.kit.runs import run_title
from medcore.ui.kit.shown import components
from medcore.ui.train import run_panel
from medcore.ui.train.past_runs import earlier_runs, past_run
from medcore.ui.train.settings import ask_settings


def page() -> None:
    study = guards.require_outcome()
    components.header(
        _("Train"), _("Choose a model, start it, and watch it learn. It goes on when you leave this page.")
    )
    what_is_trained(study)
    components.mends(cache.mends(study), naming=study.schema.shown)
    runs = cache.runs(study.owner, study.id)
    active = next((run for run in reversed(runs) if run.unfinished), None)
    ended = [run for run in runs if not run.unfinished]
    components.last_change(study, where="train.runs")
    may_change = study.access != "read"
    if active is not None:
        components.section(run_title(active))
        components.fragment(run_panel.follow, every=1.0)(active.owner, active.id)
    elif ended:
        components.section(_("Latest run"))
        past_run(ended[0], may_change=may_change)
    if active is None and may_change:
        before_training(study)
        new_run(study)
    earlier_runs(ended if active else ended[1:], may_change=may_change)


def what_is_trained(study: StudyRecord) -> None:
    outcome = study.schema.outcome
    target = study.schema.target
    by = [(_("By when"), str(span(target.main, target.unit)))] if isinstance(target, EventTime) else []
    several = _("several classes in an order") if target and target.ordered else _("several classes")
    asked = (_("Event"), event_name(study.schema) or several)
    if isinstance(target, Number):
        asked = (_("Predicted"), _("a number, by its logarithm") if target.log else _("a number"))
    components.facts(
        [
            (_("Rows"), f"{study.n_rows:,}"),
            (_("Outcome"), str(study.schema.shown(outcome.name)) if outcome else "–"),
            asked,
            *by,
            (_("Predictors"), str(len(study.schema.predictors))),
            (_("Locked test set"), percent(study.split.test_size, 0)),
        ]
    )


def before_training(study: StudyRecord) -> None:
    """Say before training what makes its result doubtful."""
    cohort = cache.cohort(study)
    found = cache.once(lambda: inspect(cohort, recipe=study.recipe), "inspect", study.identity)
    doubts = [f for f in found if f.severity == "error" or f.code.startswith("outcome.")]
    if doubts:
        components.section(_("Before you train"))
        components.findings(doubts, key="train.before", naming=study.schema.shown)
        components.link("data", _("Mend this on the Data page"), icon=":material/arrow_back:")


def new_run(study: StudyRecord) -> None:
    components.section(_("New run"))
    with components.errors_shown():
        settings = ask_settings(study.schema)
        if st.button(_("Start training"), type="primary", key="train.start", icon=":material/play_arrow:"):
            jobs.start_run(cache.store(), study.owner, study.id, settings)
            st.rerun()


page()
