"""Train: which model, with which settings, and how is it doing."""

from __future__ import annotations

import streamlit as st

from medcore import jobs
from medcore.data.quality import inspect
from medcore.i18n import _
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit import cache, components, guards
from medcore.ui.kit.state import state
from medcore.ui.kit.words import RUN_STATES, duration, model_name
from medcore.ui.train import run_panel
from medcore.ui.train.settings import ask_settings

SHOWN = 6


def page() -> None:
    study = guards.require_outcome()
    components.header(
        _("Train"), _("Choose a model, start it, and watch it learn. It goes on when you leave this page.")
    )
    what_is_trained(study)
    runs = cache.store().list_runs(study.owner, study.id)
    active = next((run for run in reversed(runs) if run.unfinished), None)
    ended = [run for run in runs if not run.unfinished]
    if active is not None:
        components.section(run_title(active))
        components.fragment(run_panel.follow, every=1.0)(active.owner, active.id)
    elif ended:
        components.section(_("Latest run"))
        past_run(ended[0])
    if active is None:
        before_training(study)
        new_run(study)
    earlier_runs(ended if active else ended[1:])


def what_is_trained(study: StudyRecord) -> None:
    outcome = study.schema.outcome
    positive = study.schema.positive
    components.facts(
        [
            (_("Rows"), f"{study.n_rows:,}"),
            (_("Outcome"), outcome.name if outcome else "–"),
            (_("Event"), positive or _("several classes")),
            (_("Predictors"), str(len(study.schema.predictors))),
            (_("Locked test set"), f"{study.split.test_size:.0%}"),
        ]
    )


def before_training(study: StudyRecord) -> None:
    """Say before training what makes its result doubtful."""
    cohort = cache.cohort(study)
    found = cache.once(lambda: inspect(cohort, recipe=study.recipe), "inspect", study.identity)
    doubts = [f for f in found if f.severity == "error" or f.code.startswith("outcome.")]
    if doubts:
        components.section(_("Before you train"))
        components.findings(doubts, key="train.before")
        components.link("data", _("Mend this on the Data page"), icon=":material/arrow_back:")


def new_run(study: StudyRecord) -> None:
    components.section(_("New run"))
    with components.errors_shown():
        settings = ask_settings()
        if st.button(_("Start training"), type="primary", key="train.start", icon=":material/play_arrow:"):
            jobs.start_run(cache.store(), study.owner, study.id, settings)
            st.rerun()


def earlier_runs(runs: list[RunRecord]) -> None:
    if not runs:
        return
    components.section(_("Earlier runs"))
    wanted = runs[:SHOWN]
    if len(runs) > SHOWN and st.toggle(_("Show all {n}", n=len(runs)), key="train.all"):
        wanted = runs
    for run in wanted:
        past_run(run, folded=True)


def past_run(run: RunRecord, *, folded: bool = False) -> None:
    name, look = RUN_STATES[run.state]
    with st.container(border=True, key=f"train-run-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            components.card(run_title(run), took(run), badge=_(name), look=look)
            if run.state == "done" and st.button(_("Judge it"), key=f"train.judge.{run.id}", type="primary"):
                state().run_id = run.id
                components.go("evaluate")
        if run.out_of_date and run.state == "done":
            components.note(
                _("Out of date: the columns, the preparation or the split were changed after this run."), look="warning"
            )
        if run.error is not None:
            components.error(run.error)
        if run.state == "cancelled":
            components.caption(_("Stopped as you asked before it was finished; nothing of it was kept."))
        if run.state == "done":
            outcome_of(run, folded=folded)


def outcome_of(run: RunRecord, *, folded: bool) -> None:
    """Show a run's results; in a list of many, first in one line."""
    if folded:
        run_panel.headline(run)
        if not st.toggle(_("Show its results"), key=f"train.show.{run.id}"):
            return
    run_panel.results(run)


def run_title(run: RunRecord) -> str:
    return _("Run {number}: {model}", number=run.number, model=model_name(run.settings.model))


def took(run: RunRecord) -> str:
    if run.started_at is None or run.finished_at is None:
        return ""
    return duration((run.finished_at - run.started_at).total_seconds())


page()
