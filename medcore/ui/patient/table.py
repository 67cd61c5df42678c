"""Many patients at once: a table explained row by row, for a file."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from medcore.charts import whole_model as charts
from medcore.data.describe.export import to_csv
from medcore.data.reading.table import read_table
from medcore.errors import MissingColumnsError
from medcore.explanation.model.batch import as_table
from medcore.explanation.model.whole import importance
from medcore.explanation.shapley.results import CAPTION, SCALES, Scale
from medcore.i18n import N_, _
from medcore.ui.kit import cache, components
from medcore.ui.patient.batch import Batch, follow
from medcore.ui.patient.desk import Desk
from medcore.ui.patient.view import SCALE_NAMES

SOURCES = {
    "test": N_("Locked test set"),
    "training": N_("Training patients"),
    "table": N_("New table"),
}


def show(desk: Desk) -> None:
    """Ask which table, have it explained on the worker, and hand over a file."""
    sources = [s for s in SOURCES if s != "test" or desk.results.test is not None]
    source = components.choice(_("Patients"), sources, key="patient.batch.source", show=lambda s: _(SOURCES[s]))
    chosen = _table(desk, source)
    if chosen is None:
        return
    frame, identity = chosen
    left, right = st.columns(2)
    with left:
        name = ask_class(desk, "patient.batch.class")
    with right:
        scale: Scale = components.choice(_("Scale"), SCALES, key="patient.scale", show=lambda s: _(SCALE_NAMES[s]))
    batch = cache.once(
        lambda: Batch(desk.model, frame, name, scale), *("patient.batch", desk.run.id, identity, name, scale)
    )
    if not batch.started:
        components.note(_("{n} patients. The risk of each is taken apart into contributions.", n=len(frame)))
        st.button(_("Explain them"), type="primary", key="patient.batch.start", on_click=batch.start)
    elif not batch.finished:
        follow(batch, key="patient.batch")
    else:
        _result(desk, batch, rows=None if source == "table" else getattr(desk.results, source).rows.tolist())


def ask_class(desk: Desk, key: str) -> str:
    """Ask which outcome is meant where there are more than two."""
    if len(desk.classes) == 2:
        return desk.classes[1]
    name: str = st.selectbox(
        _("Outcome in question"),
        desk.classes,
        index=len(desk.classes) - 1,
        format_func=components.plain,
        key=f"{key}.{desk.run.id}",
        persist_state="session",
    )
    return name


def _table(desk: Desk, source: str) -> tuple[pd.DataFrame, str] | None:
    """Return the patients and what identifies them."""
    if source != "table":
        patients = getattr(desk.results, source)
        return desk.frame.iloc[patients.rows][list(desk.columns)], source
    file = st.file_uploader(
        _("Table of new patients, with the same columns as the training table"), key=f"patient.batch.file.{desk.run.id}"
    )
    if file is None:
        return None
    cohort = read_table((file.name, file.getvalue()))
    if not set(desk.columns) <= set(cohort.frame.columns):
        raise MissingColumnsError.between(wanted=desk.columns, got=cohort.frame.columns, table=file.name)
    return cohort.frame[list(desk.columns)], cohort.sha256


def _result(desk: Desk, batch: Batch, rows: list[int] | None) -> None:
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
        key=f"patient.batch.download.{desk.run.id}",
    )
    figure = charts.importance_chart(importance(found), scale=found.scale)
    components.figure(figure, key="patient.batch.importance", caption=_(CAPTION))
