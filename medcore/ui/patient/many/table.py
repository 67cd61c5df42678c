"""Many patients at once: a table explained row by row, for a file."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from medcore.charts.model import whole_model as charts
from medcore.data.describe.export import to_csv
from medcore.errors import MissingColumnsError
from medcore.explanation.model.batch import as_table
from medcore.explanation.model.whole import importance
from medcore.explanation.shapley.results import Scale, caption_of
from medcore.i18n import N_, _
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.brought import brought
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.many.batch import Batch, follow
from medcore.ui.patient.view import SCALE_NAMES

SOURCES = {
    "test": N_("Locked test set"),
    "training": N_("Training patients"),
    "table": N_("New table"),
}


def show(explainer: Explainer) -> None:
    """Ask which table, have it explained on the worker, and hand over a file."""
    sources = [s for s in SOURCES if s != "test" or explainer.results.test is not None]
    source = components.choice(_("Patients"), sources, key="patient.batch.source", show=lambda s: _(SOURCES[s]))
    chosen = _table(explainer, source)
    if chosen is None:
        return
    frame, identity = chosen
    left, right = st.columns(2)
    with left:
        name = ask_class(explainer, "patient.batch.class")
    scale: Scale = "value"
    if not explainer.measure.of_number:
        with right if explainer.results.target.many else left:  # the first place that is free
            scale = components.choice(
                _("Scale"), list(SCALE_NAMES), key="patient.scale", show=lambda s: _(SCALE_NAMES[s])
            )
    batch = cache.once(
        lambda: Batch(explainer.model, frame, name, scale),
        *("patient.batch", explainer.identity, identity, name, scale),
    )
    if not batch.started:
        components.note(_("{n} patients. The prediction of each is taken apart into contributions.", n=len(frame)))
        st.button(_("Explain them"), type="primary", key="patient.batch.start", on_click=batch.start)
    elif not batch.finished:
        follow(batch, key="patient.batch")
    else:
        _result(explainer, batch, rows=None if source == "table" else getattr(explainer.results, source).rows.tolist())


def ask_class(explainer: Explainer, key: str) -> str:
    """Ask which outcome is meant where there are more than two."""
    event = explainer.results.target.event
    if event is not None or explainer.measure.of_number:
        return explainer.classes[event or 0]
    name: str = st.selectbox(
        _("Outcome in question"),
        explainer.classes,
        index=len(explainer.classes) - 1,
        format_func=lambda c: components.one_line(explainer.names[explainer.classes.index(c)]),
        key=f"{key}.{explainer.run.id}",
        persist_state="session",
    )
    return name


def _table(explainer: Explainer, source: str) -> tuple[pd.DataFrame, str] | None:
    """Return the patients and what identifies them."""
    if source != "table":
        patients = getattr(explainer.results, source)
        return explainer.frame.iloc[patients.rows][list(explainer.columns)], source
    file = st.file_uploader(
        _("Table of new patients, with the same columns as the training table"),
        key=f"patient.batch.file.{explainer.run.id}",
    )
    if file is None:
        return None
    cohort = brought(file, explainer.run.id, like=explainer.schema, key="patient.batch.reading")
    if cohort is None:
        return None
    if not set(explainer.columns) <= set(cohort.frame.columns):
        raise MissingColumnsError.between(wanted=explainer.columns, got=cohort.frame.columns, table=file.name)
    components.mends(cache.model_mends(cohort, explainer.run, explainer.schema), naming=explainer.shown)
    return cohort.frame[list(explainer.columns)], cohort.sha256


def _result(explainer: Explainer, batch: Batch, rows: list[int] | None) -> None:
    """Show what is used most, offer the file, and offer to go on after a stop."""
    if batch.done < len(batch.frame):
        components.note(
            _("Stopped after {n} of {total} patients.", n=batch.done, total=len(batch.frame)), look="warning"
        )
        st.button(_("Go on"), key="patient.batch.start", on_click=batch.start)
    found = batch.found
    if found is None:
        return
    lines = as_table(found)
    if rows is not None:
        lines["row"] = rows[: len(lines)]
    components.download(
        _("Download the explanations (CSV)"),
        to_csv(lines),
        file_name="explanations.csv",
        mime="text/csv",
        key=f"patient.batch.download.{explainer.run.id}",
    )
    figure = charts.importance_chart(importance(found), scale=found.scale, naming=explainer.shown)
    components.figure(figure, key="patient.batch.importance", caption=_(caption_of(found.scale)))
