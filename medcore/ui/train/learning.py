"""The learning curve of a finished run on a page."""

from __future__ import annotations

import streamlit as st

from medcore import jobs
from medcore.charts.model.learning import learning_auroc, learning_loss
from medcore.i18n import _
from medcore.jobs.queries.learning import learning_curve_of
from medcore.studies.records import RunRecord
from medcore.ui.kit import cache
from medcore.ui.kit.layout import caption
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.shown.figures import figure
from medcore.ui.kit.shown.waiting import waited
from medcore.ui.kit.words import model_name

MOST_SECONDS = 300.0


def learning(run: RunRecord) -> None:
    """Offer to compute whether more patients would help, and show it."""
    if not st.toggle(_("Would more patients help?"), key=f"train.learning.{run.id}"):
        return
    with errors_shown():
        settings = cache.store().settings
        curve = waited(
            lambda task: jobs.call(
                learning_curve_of, settings, run.owner, run.id, timeout=MOST_SECONDS, stop=task.stop
            ),
            *("learning", run.id),
            key=f"train.learning.{run.id}",
            doing=_("Models are trained on parts of the patients."),
        )
        if curve is None:
            return
        left, right = st.columns(2)
        with left:
            figure(learning_loss(curve, name=model_name), key=f"train.learning_loss.{run.id}")
        with right:
            figure(learning_auroc(curve, name=model_name), key=f"train.learning_auroc.{run.id}")
        caption(
            _(
                "Each model was trained on a tenth, a quarter, a half, three quarters and all of the patients outside each fold, and judged on the fold; bars are 95 % intervals. The locked test set has no part in it."
            )
        )
