"""Whose patients are listed: of the test set, of training, of a new table; with their risks at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from medcore import jobs
from medcore.data.cohort import Schema
from medcore.data.schema.names import says
from medcore.errors import MissingColumnsError
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.bands import band_of
from medcore.explanation.shapley.game import Floats
from medcore.i18n import N_, _
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.brought import brought
from medcore.ui.kit.words import row_name
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import AnyPatients, Explainer

SOURCES: Mapping[str, str] = {
    "test": N_("Locked test set"),
    "training": N_("Training patients"),
    "table": N_("New table"),
    "type": N_("Type one in"),
}
OWN = ("test", "training")
"""Those of the study's own table, known by their row."""

PATIENCE_SECONDS, PATIENCE_A_ROW = 120.0, 0.01
"""How long an answer is waited for: a person sees how long it has taken, and can stop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Patients in file order: cells as read, row numbers from 0 and those of the file (``lines``), risks (n, K), and in words what happened where it is known.

    ``frame`` has the columns the model needs, ``names`` what tells patients apart on
    the page: identifiers, else age and sex. ``identity`` tells one list from another.
    """

    identity: str
    frame: pd.DataFrame = field(repr=False)
    names: pd.DataFrame = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    lines: NDArray[np.int64] = field(repr=False)
    risk: Floats = field(repr=False)
    happened: Sequence[str] = field(repr=False, default=())
    flags: tuple[str, ...] = field(repr=False, default=())
    in_training: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, place: int) -> int | None:
        """Return a patient's row in the study's table, from 0; None where they are of another table."""
        return int(self.rows[place]) if self.identity in OWN else None

    def patient(self, place: int, explainer: Explainer) -> Chosen:
        """Return one of the patients."""
        happened = self.happened[place] if self.happened else None
        row, line = int(self.rows[place]), int(self.lines[place])
        trained = row if self.in_training else None
        title = " · ".join([row_name(line), *_told(self.names.iloc[place].dropna(), explainer)])
        return Chosen(self.frame.iloc[[place]], f"{self.identity} {row}", title, happened, line=line, trained=trained)

    def band(self, explainer: Explainer, class_index: int) -> tuple[Floats, Floats]:
        """Return 95 % bounds of how often the outcome came among training patients of such risks; of a number its interval.

        Nine of ten are inside that.
        """
        return band_of(explainer.results, self.risk, class_index, horizon=explainer.horizon)


def _told(names: pd.Series, explainer: Explainer) -> list[str]:
    columns = [(explainer.shown(str(name)), value) for name, value in names.items()]
    return [f"{column.words} {column.value(value)}" for column, value in columns]


def sources(explainer: Explainer) -> list[str]:
    """Return where patients may come from in this run, the first being shown at first."""
    return [s for s in SOURCES if s != "test" or explainer.results.test is not None]


def known(explainer: Explainer, source: str) -> Listing:
    """Return the patients of the test set or of training; their risks are known without asking the model.

    Those of training patients are out of fold: from models that had not seen the patient.
    """
    patients: AnyPatients | None = explainer.results.test
    if source != "test":
        patients = explainer.results.training
    assert patients is not None
    rows = patients.rows

    def parts() -> tuple[pd.DataFrame, pd.DataFrame]:
        frame = explainer.frame.iloc[rows]
        return frame[list(explainer.columns)], _names(frame, explainer.schema)

    frame, names = cache.once(parts, "patient.listed", explainer.run.id, source)
    return Listing(
        identity=source,
        frame=frame,
        names=names,
        rows=rows,
        lines=explainer.source.rows_in_file(rows),
        risk=patients.risk,
        happened=explainer.happened(patients),
        in_training=source == "training",
    )


def new_table(explainer: Explainer) -> Listing | None:
    """Ask for a table of new patients and predict for all of them at once; it is not stored."""
    file = st.file_uploader(
        _("Table of new patients, with the same columns as the training table"), key=f"patient.file.{explainer.run.id}"
    )
    if file is None:
        st.caption(
            _(
                "It needs these columns: {columns}.",
                columns=[components.plain(explainer.shown(c)) for c in explainer.columns],
            )
        )
        return None
    cohort = brought(file, explainer.run.id, like=explainer.schema, key="patient.reading")
    if cohort is None:
        return None
    if not set(explainer.columns) <= set(cohort.frame.columns):
        raise MissingColumnsError.between(wanted=explainer.columns, got=cohort.frame.columns, table=file.name)
    components.mends(cache.model_mends(cohort, explainer.run, explainer.schema), naming=explainer.shown)
    frame = cohort.frame[list(explainer.columns)]
    patience = PATIENCE_SECONDS + len(frame) * PATIENCE_A_ROW
    predicted = components.waited(
        lambda task: jobs.call(worker_queries.predict_table, explainer.model, frame, timeout=patience, stop=task.stop),
        *("patient.predictions", explainer.identity, cohort.sha256),
        key="patient.table",
        doing=_("The table is predicted."),
    )
    if predicted is None:
        return None
    return Listing(
        identity=cohort.sha256,
        frame=frame,
        names=_names(cohort.frame, cohort.schema),
        rows=np.arange(len(frame)),
        lines=cohort.source.rows_in_file(range(len(frame))),
        risk=predicted[_predicted(explainer)].to_numpy(),
        flags=tuple(predicted["flags"]),
    )


def _predicted(explainer: Explainer) -> list[str]:
    """Return the columns of a predicted table in which the predictions are."""
    return ["predicted"] if explainer.measure.of_number else [f"risk_{name}" for name in explainer.classes]


def _names(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return what tells patients apart: identifiers, else age and sex, as many as there are."""
    present = [c for c in schema.columns if c.name in frame.columns]
    telling = [c.name for c in present if c.role in ("identifier", "group")]
    if not telling:
        telling = [c.name for topic in ("age", "sex") for c in present if says(c.name, topic)][:2]
    return frame[telling[:2]].astype("str").where(frame[telling[:2]].notna())


def shown_name(explainer: Explainer, listing: Listing, column: str) -> np.ndarray:
    """Return what tells patients apart in the study's words: 1 is “male” where its dictionary says so."""
    cells, shown = listing.names[column], explainer.shown(column)
    return cells.map({cell: shown.value(cell) for cell in cells.dropna().unique()}).to_numpy()
