"""A training run on a page: how far it is, how it learns, what came of it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from medcore import jobs
from medcore.charts.model.training import auroc_curve, epochs_of, has_auroc, loss_curve
from medcore.errors import MedcoreError
from medcore.evaluation import Estimate, Evaluation
from medcore.i18n import N_, _, listed, percent
from medcore.models.contract.candidate import LOGISTIC, by_epochs
from medcore.models.contract.progress import Progress
from medcore.models.run.paired import CHOSEN, auroc_gains
from medcore.models.run.results import CandidateResult
from medcore.studies.records import RunRecord
from medcore.ui.kit import cache
from medcore.ui.kit.layout import caption, facts, note
from medcore.ui.kit.notices import findings
from medcore.ui.kit.shown.figures import figure
from medcore.ui.kit.shown.tables import table, with_interval
from medcore.ui.kit.state import speak, state
from medcore.ui.kit.text import plain
from medcore.ui.kit.words import duration, model_name
from medcore.ui.train.export import reproduce_script, training_logs
from medcore.ui.train.learning import learning
from medcore.ui.train.search import leaderboard

PLACES = {1: N_("Next in the queue"), 2: N_("Second in the queue"), 3: N_("Third in the queue")}
STAGES = {
    "folds": N_("Training on each part of the patients in turn"),
    "final": N_("Training on all training patients"),
    "search": N_("Searching for better settings"),
    "calibration": N_("Calibrating the risks"),
}


def follow(owner: str, run_id: str) -> None:
    """Show a run at work; when it has ended, draw the whole page once more.

    Meant for ``components.fragment(follow, every=1.0)``: each call reads only the
    moments that are new.
    """
    run = cache.store().get_run(owner, run_id)
    points = cache.progress(run)
    if not run.unfinished:
        st.rerun()
    waiting(run)
    now, busy = points[-1] if points else None, at_work(points)
    st.progress(min(1.0, now.fraction) if now else 0.0, text=_step(run, now, busy))
    if run.attempt > 1:
        caption(_("The worker was lost during this run; it goes on from where it was (attempt {n}).", n=run.attempt))
    if now is not None:
        numbers = [(_("Time so far"), duration(now.seconds)), (_("Time left, about"), duration(now.remaining_seconds))]
        learning = next((p for p in reversed(busy or [now]) if p.n_epochs), None)
        if learning is not None:
            epoch = _("{epoch} of {n_epochs}", epoch=learning.epoch, n_epochs=learning.n_epochs)
            numbers.append((_("Epoch"), epoch))
        facts(numbers)
    st.button(
        _("Cancel this run"),
        key=f"train.cancel.{run.id}",
        on_click=_cancel,
        args=(run,),
        disabled=run.cancel_requested,
        icon=":material/stop_circle:",
    )
    leaderboard(points)
    curves(points, key="train.live")


def waiting(run: RunRecord) -> None:
    """Say how many are before a run that waits, and how long about."""
    place = cache.store().place_in_queue(run.owner, run.id) if run.state == "queued" else None
    if place is None or not jobs.worker_ready():
        return
    first = _(PLACES[place.number]) if place.number in PLACES else _("Number {n} in the queue", n=place.number)
    if place.seconds is None:
        note(_("{place}.", place=first))
    else:
        note(_("{place}; it begins in about {time}.", place=first, time=duration(place.seconds)))


def at_work(points: Sequence[Progress]) -> list[Progress]:
    """Return the last moment of each model that has begun on the folds and not finished, first begun first.

    Models are fitted side by side, so that the moments of several come mixed; from
    the calibration on, none is at work any more.
    """
    if not points or points[-1].stage not in ("folds", "final"):
        return []
    last = {p.model: p for p in points}
    return [p for p in last.values() if p.stage == "folds" and not 0 < p.n_epochs <= p.epoch]


def learned(run: RunRecord) -> None:
    """Offer what a search tried, and the curves of a finished run whose model learned by epochs."""
    if run.settings.search_minutes and st.toggle(_("Show what was tried"), key=f"train.tried.{run.id}"):
        leaderboard(cache.progress(run))
    if by_epochs(run.settings.model) and st.toggle(_("Show how it learned"), key=f"train.learned.{run.id}"):
        curves(cache.progress(run), key=f"train.{run.id}")


def curves(points: Sequence[Progress], *, key: str) -> None:
    """Draw loss and AUROC by epoch, where the model learns by epochs."""
    if epochs_of(points):
        left, right = st.columns(2)
        with left:
            figure(loss_curve(points), key=f"{key}.loss")
        if has_auroc(points):
            with right:
                figure(auroc_curve(points), key=f"{key}.auroc")


def results(run: RunRecord) -> None:
    """Show what came of a finished run: its model and what it was compared with, best first.

    Only out-of-fold figures: a look at the locked test set belongs to the Evaluate page.
    """
    found = cache.results(run)
    parts = len([c for c in found.candidates if c.weight > 0])
    gains = cache.once(lambda: auroc_gains(found), "gains", run.id)
    own = "**" + _("This run's model") + "**"
    rows = [_row(own, found.cross_validated, None, gains.get(CHOSEN))] if parts > 1 else []
    for candidate in found.candidates:
        if parts == 1 and candidate.weight > 0:  # the run's model by itself, as it is kept: recalibrated where it was
            gain = gains.get(CHOSEN) if candidate.name != LOGISTIC else None
            rows.append(_row(f"**{_name(candidate)}**", found.cross_validated, candidate, gain))
        else:
            rows.append(_row(_name(candidate), candidate.cross_validated, candidate, gains.get(candidate.name)))
    table(rows)
    caption(
        _(
            "Out-of-fold figures with their 95 % interval: each patient was judged by models that had not seen that patient. Differences in AUROC are paired by patient (DeLong)."
        )
    )
    findings(found.findings, key=f"train.findings.{run.id}")
    learned(run)
    learning(run)
    reproduce_script(run, found.manifest)
    training_logs(run)


def headline(run: RunRecord) -> None:
    """Show in one line what came of a finished run, for a list of many."""
    found = cache.results(run).cross_validated
    facts(
        [(_("AUROC"), with_interval(found.metrics["auroc"])), (_("Log loss"), with_interval(found.metrics["log_loss"]))]
    )


def _cancel(run: RunRecord) -> None:
    speak()
    try:
        jobs.cancel_run(cache.store(), run.owner, run.id)
    except MedcoreError as problem:
        state().problem = problem


def _name(candidate: CandidateResult) -> str:
    return plain(model_name(candidate.name))


def _gain(gain: Estimate | None) -> str:
    """Write a difference with its sign and interval."""
    return "–" if gain is None else f"{gain:+.3f}"


def _row(
    name: str, judged: Evaluation, candidate: CandidateResult | None, gain: Estimate | None = None
) -> dict[str, str]:
    # The same risk for everybody ranks nobody and has no slope: its folds' small differences are no finding.
    ranks = candidate is None or candidate.name != "prevalence"
    return {
        _("Model"): name,
        _("AUROC"): with_interval(judged.metrics["auroc"]) if ranks else "–",
        _("AUROC above logistic regression"): _gain(gain) if ranks else "–",
        _("Log loss"): with_interval(judged.metrics["log_loss"]),
        _("Calibration slope"): with_interval(judged.metrics["calibration_slope"], digits=2) if ranks else "–",
        _("Part in the model"): percent(candidate.weight, 0) if candidate else "–",
        _("Time"): duration(candidate.seconds) if candidate else "–",
    }


def _step(run: RunRecord, now: Progress | None, busy: Sequence[Progress]) -> str:
    if run.cancel_requested:
        return _("Stopping at the end of this epoch …")
    if run.state == "queued":
        return _("Waiting for a free worker …")
    if now is None:
        return _("Reading and preparing the table …")
    if not now.model:
        return _("Weighing and judging the models")
    if len(busy) > 1:
        return _("Training side by side: {models}", models=listed(model_name(p.model) for p in busy))
    stage = _(STAGES[now.stage]) if now.stage in STAGES else _("At work")
    return _("{model}: {stage}", model=model_name(now.model), stage=stage)
