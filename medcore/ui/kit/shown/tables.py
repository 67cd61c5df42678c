"""Tables that a screen reader can read, and downloads of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from types import MappingProxyType
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.errors import StreamlitDuplicateElementKey

from medcore.data.describe.export import to_csv, to_xlsx
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.readings import MEANINGS
from medcore.evaluation.figures.words import METRICS, with_interval
from medcore.i18n import _, running
from medcore.ui.kit.frame.entry import made_for
from medcore.ui.kit.shown.noted import noting_export
from medcore.ui.kit.state import state
from medcore.ui.kit.text import markup, unmarked

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

SENTENCE = 45
"""Letters from which on a cell is a sentence."""

__all__ = [
    "METRICS",
    "XLSX",
    "download",
    "downloads",
    "explained_table",
    "metric_table",
    "said",
    "table",
    "with_interval",
]


def metric_table(
    columns: Mapping[str, Mapping[str, Estimate]],
    *,
    metrics: Sequence[str] = tuple(METRICS),
    labels: Mapping[str, str] = METRICS,
    digits: int = 3,
    own_digits: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Show measures with their 95 % intervals: a row a measure, a column a model or a set of patients."""
    rows = [m for m in metrics if any(m in values for values in columns.values())]
    head = _("Measure (95 % interval)")
    explained_table(
        [
            {head: _(labels.get(m, m))}
            | {
                name: with_interval(v[m], digits=own_digits.get(m, digits)) if m in v else "–"
                for name, v in columns.items()
            }
            for m in rows
        ],
        [said(m, next(iter(columns.values())).get(m)) for m in rows],
    )


def said(measure: str, estimate: Estimate | None) -> str:
    """Say what a measure asks, what is good and what its value means; empty where nothing is to be said."""
    meaning = MEANINGS.get(measure)
    return running(meaning.sentences(estimate)) if meaning is not None and estimate is not None else ""


def explained_table(rows: Sequence[Mapping[str, str]], why: Sequence[str]) -> None:
    """Show figures as :func:`explained_html` writes them, and the way to take the table along."""
    st.html(explained_html(rows, why))
    take_along(rows)


def explained_html(rows: Sequence[Mapping[str, str]], why: Sequence[str]) -> str:
    """Write figures by line, each name with a "?" that opens its sentences.

    The first cell of a line is its name. Cells are plain text.
    """
    ask = markup(_("What does this mean?"))
    lines = []
    for row, text in zip(rows, why, strict=True):
        name, *cells = map(markup, row.values())
        more = (
            f'<details><summary aria-label="{ask} {name}" title="{ask}">?</summary><p>{markup(text)}</p></details>'
            if text
            else ""
        )
        lines.append(f"<tr><th scope=row>{name}{more}</th>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    heads = "".join(f"<th scope=col>{markup(name)}</th>" for name in (rows[0] if rows else ()))
    return (
        f'<div class="mc-wide"><table class="mc-measures"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def table(
    rows: pd.DataFrame | Sequence[Mapping[str, Any]], *, alt: str | None = None, whole: pd.DataFrame | None = None
) -> None:
    """Show a small table as text, with the way to take it along.

    Cells are read as markdown, so wrap a table's own texts in ``plain``; files get them
    without. ``whole`` is what the files hold where the page shows only its beginning.
    """
    shown = pd.DataFrame(rows)
    with _roomy(shown, _digest(rows)):
        st.table(shown, hide_index=True, border="horizontal", alt=alt)
    take_along(rows if whole is None else whole, marked=whole is None)


def _roomy(rows: pd.DataFrame, name: str) -> AbstractContextManager[Any]:
    """Return a place for a table in which its first column of sentences, if there is one, has the room they need."""
    longest = [int(column.astype("str").str.len().max()) if len(column) else 0 for _name, column in rows.items()]
    first = next((place for place, n in enumerate(longest, 1) if n > SENTENCE), None)
    if first is None:
        return nullcontext()
    with suppress(StreamlitDuplicateElementKey):  # the same table twice
        return st.container(key=f"mc-sentences-{first}-{name}")
    return nullcontext()


def take_along(rows: pd.DataFrame | Sequence[Mapping[str, Any]], *, marked: bool = False) -> None:
    """Offer a table's files, once a page; where its texts are ``marked``, without the marks of markdown."""

    def made() -> pd.DataFrame:
        whole = pd.DataFrame(rows)
        if not marked:
            return whole
        whole = whole.map(lambda cell: unmarked(cell) if isinstance(cell, str) else cell)
        return whole.rename(columns=lambda name: unmarked(str(name)))

    if len(rows):
        with suppress(StreamlitDuplicateElementKey):  # the same table twice: its files are there already
            downloads(made, name="table", key=f"table.{_digest(rows)}")


def downloads(frame: pd.DataFrame | Callable[[], pd.DataFrame], *, name: str, key: str) -> None:
    """Offer a table as CSV and as an Excel workbook, in which nothing acts as a formula; made when asked for."""

    def made() -> pd.DataFrame:
        return frame() if callable(frame) else frame

    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        download("CSV", lambda: to_csv(made()), file_name=f"{name}.csv", mime="text/csv", key=f"{key}.csv", quiet=True)
        download("XLSX", lambda: to_xlsx(made()), file_name=f"{name}.xlsx", mime=XLSX, key=f"{key}.xlsx", quiet=True)


def download(
    label: str,
    data: bytes | str | Callable[[], bytes | str],
    *,
    file_name: str,
    mime: str,
    key: str,
    quiet: bool = False,
    noted: bool = True,
) -> None:
    """Offer a file; the name holds no patient's value, a CSV was neutralised by who made it.

    That it was taken goes into the audit trail of the study at hand, unless who makes it says so itself.
    """
    make = data if callable(data) else lambda: data
    make = noting_export(file_name, make) if noted else make
    st.download_button(
        label,
        made_for(state().person, make, mime=mime, file_name=file_name),
        file_name=file_name,
        mime=mime,
        key=key,
        icon=":material/download:",
        type="tertiary" if quiet else "secondary",
        on_click="ignore",
    )


def _digest(rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> str:
    """Name a table by what it shows, so that each on a page has a key of its own."""
    shown = repr(rows.to_dict("split") if isinstance(rows, pd.DataFrame) else [dict(row) for row in rows])
    return hashlib.sha256(shown.encode()).hexdigest()[:16]
