"""Show rows of the table as they were read."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from medcore.data.cohort import Source
from medcore.data.values.folding import text_array
from medcore.i18n import _
from medcore.studies.records import StudyRecord
from medcore.ui.data.long import long_form
from medcore.ui.data.notes import notes_form
from medcore.ui.data.reading import reading_form
from medcore.ui.data.series import series_form
from medcore.ui.kit.cache import cohort
from medcore.ui.kit.layout import caption
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.kit.shown.tables import downloads

ROWS_A_PAGE = 50


def rows_table(study: StudyRecord) -> None:
    """Show fifty rows at a time, as text, as the file has them, and offer to read it in another way."""
    rows = cohort(study)
    frame = rows.frame
    n_pages = max(1, -(-len(frame) // ROWS_A_PAGE))
    number = 1
    if n_pages > 1:
        number = int(st.number_input(_("Page of {n}", n=n_pages), 1, n_pages, 1, key="data.rows.page"))
    first = (number - 1) * ROWS_A_PAGE
    part = frame.iloc[first : first + ROWS_A_PAGE]
    part.index = pd.Index(rows.source.rows_in_file(range(first, first + len(part))))
    note_view(study, "rows.viewed", number, first=int(part.index[0]), last=int(part.index[-1]))
    columns = {name: st.column_config.TextColumn(str(name)) for name in part.columns}
    st.dataframe(part.apply(_texts), key=f"data.rows.{number}", column_config=columns, width="stretch")
    downloads(frame, name="table", key="data.rows")
    caption(_where(rows.source, first=int(part.index[0]), last=int(part.index[-1]), n=len(frame)))
    reading_form(study)
    long_form(study)
    series_form(study)
    notes_form(study)


def _texts(values: pd.Series) -> pd.Series:
    """Write cells as the file shows them: a spreadsheet's whole numbers without a point."""
    if not pd.api.types.is_float_dtype(values.dtype):
        return values.astype("str")
    return pd.Series(pd.array(text_array(values), dtype="str"), index=values.index)


def _where(source: Source, **numbers: int) -> str:
    """Say which rows of the file are shown; or which of its columns, where patients stand in these."""
    if source.patients_in == "columns":
        return _(
            "Columns {first} to {last} of the file, a patient each, turned into rows; {n} in all. A column is numbered by its place, the first being 1.",
            **numbers,
        )
    return _(
        "Rows {first} to {last} of the file, as they were read; {n} rows in all. Rows are numbered as a spreadsheet numbers them.",
        **numbers,
    )
