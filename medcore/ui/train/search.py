"""A search for better settings on a page: the question, and the trials as they come."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from medcore.i18n import _
from medcore.models.contract.candidate import AUTO
from medcore.models.contract.progress import Progress
from medcore.models.contract.setting_field import FIELDS
from medcore.models.contract.trials import Trial
from medcore.ui.kit.layout import caption
from medcore.ui.kit.shown.tables import table
from medcore.ui.kit.text import plain
from medcore.ui.kit.words import model_name

SHOWN_TRIALS = 10
USUAL_MINUTES = 10


def ask_search(model: str) -> float:
    """Ask whether to search for better settings; return the minutes, 0 for no search."""
    if not st.toggle(
        _("Search for better settings"),
        key="train.search",
        persist_state="session",
        help=_("Tries many settings, and repeats the whole search for each fold so that what it reports is honest."),
    ):
        return 0.0
    field = FIELDS["search_minutes"]
    minutes = st.number_input(
        _(field.label),
        1,
        1440,
        USUAL_MINUTES,
        step=1,
        key="train.search_minutes",
        help=_(field.help),
        persist_state="session",
    )
    if model == AUTO:
        caption(
            _(
                "Searches logistic regression, random forest and gradient boosting; the neural network is searched when it is the model."
            )
        )
    return float(minutes)


def trials_of(points: Sequence[Progress]) -> tuple[Trial, ...]:
    """Return the trials among a run's moments, best first."""
    trials = [Trial.from_dict(p.trial) for p in points if p.trial]
    return tuple(sorted(trials, key=lambda t: (float("inf") if t.loss is None else t.loss, t.number)))


def leaderboard(points: Sequence[Progress]) -> None:
    """Show the best trials so far; nothing where there are none."""
    trials = trials_of(points)
    if not trials:
        return
    table([_row(place, trial) for place, trial in enumerate(trials[:SHOWN_TRIALS], start=1)])
    caption(
        _(
            "{n} settings tried, the best {shown} shown. These log losses helped to choose, so the best of them flatters; the row of the searched settings among the results is honest.",
            n=len(trials),
            shown=min(len(trials), SHOWN_TRIALS),
        )
    )


def _row(place: int, trial: Trial) -> dict[str, str]:
    return {
        _("Place"): str(place),
        _("Model"): plain(model_name(trial.model)),
        _("Settings"): trial.words if trial.settings else _("the usual ones"),
        _("Log loss"): _("could not be trained") if trial.loss is None else f"{trial.loss:.4f}",
        _("Trial"): str(trial.number + 1),
    }
