"""Tables that a screen reader can read, and downloads of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.words import METRICS, with_interval
from medcore.i18n import _
from medcore.ui.kit.text import plain

__all__ = ["METRICS", "download", "metric_table", "table", "with_interval"]


def metric_table(
    columns: Mapping[str, Mapping[str, Estimate]],
    *,
    metrics: Sequence[str] = tuple(METRICS),
    labels: Mapping[str, str] = METRICS,
    digits: int = 3,
) -> None:
    """Show measures with their 95 % intervals: a row a measure, a column a model or a set of patients."""
    rows = [m for m in metrics if any(m in values for values in columns.values())]
    cells = {
        plain(name): [with_interval(values[m], digits=digits) if m in values else "–" for m in rows]
        for name, values in columns.items()
    }
    table(pd.DataFrame({_("Measure (95 % interval)"): [_(labels.get(m, m)) for m in rows], **cells}))


def table(rows: pd.DataFrame | Sequence[Mapping[str, Any]], *, alt: str | None = None) -> None:
    """Show a small table as text; cells are read as markdown, so wrap a table's own texts in ``plain``."""
    st.table(pd.DataFrame(rows), hide_index=True, border="horizontal", alt=alt)


def download(label: str, data: bytes | str | Callable[[], bytes | str], *, file_name: str, mime: str, key: str) -> None:
    """Offer a file; the name holds no patient's value, a CSV was neutralised by who made it."""
    st.download_button(
        label, data, file_name=file_name, mime=mime, key=key, icon=":material/download:", on_click="ignore"
    )
