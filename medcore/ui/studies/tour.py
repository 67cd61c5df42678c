"""A tour of the pages on a sample, in five steps; it can be left at any of them and taken up again."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from medcore.data.samples import Sample, samples
from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import guards
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import state
from medcore.ui.kit.text import markup
from medcore.ui.studies import create

SAMPLE = "heart"


@dataclass(frozen=True, slots=True)
class TourStep:
    """One step: the page it stands on, what it is about, and what there is to do and see."""

    page: str
    title: str
    text: str


STEPS = (
    TourStep(
        "studies",
        N_("A study is one table"),
        N_(
            "A study holds one table of patients and all that is done with it. This tour takes the built-in table of 920 patients examined for heart disease at four hospitals; nothing of yours is touched."
        ),
    ),
    TourStep(
        "data",
        N_("Look at the table before the model does"),
        N_(
            "What is to be predicted is chosen already. Below it, the findings say what is wrong or risky in the table, and what to do about each; look at one or two."
        ),
    ),
    TourStep(
        "train",
        N_("Train a model"),
        N_(
            "Choose “Logistic regression”, which takes some seconds, and press “Start training”. A fifth of the patients is locked away, to judge the finished model once."
        ),
    ),
    TourStep(
        "evaluate",
        N_("Ask whether to believe it"),
        N_(
            "Each risk here was given by models that had not seen the patient. Read the figures at the top with their intervals, then move the threshold and see whom it finds and whom it alarms."
        ),
    ),
    TourStep(
        "patient",
        N_("Explain one patient"),
        N_(
            "Open a patient by a click on the list: the risk, what the model used to reach it, and how far to trust it. That the model used a value does not mean that the value makes the patient ill."
        ),
    ),
)


def invitation() -> None:
    """Offer the tour, or to go on where it was left; nothing while it is going on."""
    if state().tour:
        return
    step = state().tour_left or _reached()
    text = (
        _("Five steps from a table to an explained patient, on a built-in sample. You can leave at any step.")
        if step <= 1
        else _("You are at step {step} of {n}: {title}.", step=step, n=len(STEPS), title=_(STEPS[step - 1].title))
    )
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="studies-tour"):
        components.card(_("Take the tour"), text)
        label = _("Begin the tour") if step <= 1 else _("Go on with the tour")
        if st.button(label, key="studies.tour", icon=":material/explore:"):
            _go(max(step, 1))


def banner(page: str) -> None:
    """Show the step of the tour above a page, with the way to the next one and out of it."""
    number = state().tour
    if not 1 <= number <= len(STEPS):
        state().tour = 0
        return
    step = STEPS[number - 1]
    with st.container(border=True, key="tour"):
        where = markup(_("Tour, step {step} of {n}", step=number, n=len(STEPS)))
        st.html(
            f'<div class="mc-card mc-tour" role="status"><span class="mc-badge mc-running">{where}</span>'
            f"<h2>{markup(_(step.title))}</h2><p>{markup(_(step.text))}</p></div>"
        )
        with st.container(horizontal=True):
            last = number == len(STEPS)
            waits = step.page == "train" and not _trained(create.sample_study(_sample()))
            if not last and st.button(
                _("Open the sample and go on") if number == 1 else _("Next step"),
                key="tour.next",
                type="primary",
                icon=":material/arrow_forward:",
                disabled=waits,
                help=_("This step is done when a model has been trained.") if waits else None,
            ):
                _go(number + 1)
            if page != step.page and st.button(_("To this step’s page"), key="tour.here"):
                _go(number)
            if st.button(_("End the tour") if last else _("Leave the tour"), key="tour.leave"):
                state().tour, state().tour_left = 0, (0 if last else number)
                st.rerun()


def _go(number: int) -> None:
    """Show a step on its page, with the sample open from the second on."""
    state().tour, state().tour_left = number, 0
    if number > 1:
        create.open_sample(_sample())
    components.go(STEPS[number - 1].page)


def _reached() -> int:
    """Say where a new session takes the tour up: after what was done with the sample already."""
    study = create.sample_study(_sample())
    if study is None:
        return 1
    return 4 if _trained(study) else 2


def _sample() -> Sample:
    return next(sample for sample in samples() if sample.key == SAMPLE)


def _trained(study: StudyRecord | None) -> bool:
    return study is not None and bool(guards.finished_runs(study))
