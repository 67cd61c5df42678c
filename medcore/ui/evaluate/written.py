"""The Evaluate page's view of the model itself: its equation, a nomogram, a score of points, and files to take away."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from medcore.data.shown import Naming
from medcore.i18n import N_, _
from medcore.models.run.results import Results
from medcore.reporting.formats.document import Block, Bullets, Heading, Paragraph, Picture, Table
from medcore.reporting.model import render_model
from medcore.reporting.specification import the_model
from medcore.studies.records import RunRecord
from medcore.ui.kit.shown import components
from medcore.ui.kit.text import one_line, plain

FILES: Mapping[str, tuple[str, str]] = {
    "html": (N_("Calculator, one page that works without a network"), "text/html"),
    "pmml": (N_("PMML, for other programs"), "application/xml"),
    "csv": (N_("Table of its numbers (CSV)"), "text/csv"),
}


def written(run: RunRecord, results: Results, naming: Naming) -> None:
    """Show the model as the report prints it, and hand it over."""
    blocks = the_model(results, naming)
    if not blocks:
        components.empty(
            _("No equation was kept"),
            _("This run was trained before models were written down. Train it again to see its equation."),
            page="train",
        )
        return
    kind = components.choice(
        _("Take it away as"), list(FILES), key="evaluate.model.format", show=lambda k: _(FILES[k][0])
    )
    components.download(
        _("Download the model"),
        render_model(results, f"model.{kind}"),
        file_name=f"medcore-model-{run.number}.{kind}",
        mime=FILES[kind][1],
        key="evaluate.model.download",
    )
    for place, block in enumerate(blocks[1:]):  # the view has the heading's name
        _show(block, key=f"evaluate.model.{place}")


def _show(block: Block, *, key: str) -> None:
    match block:
        case Heading(text):
            components.section(text)
        case Paragraph(text, strong):
            components.note(one_line(text)) if strong else st.markdown(plain(text, limit=2000))
        case Bullets(items):
            st.markdown("\n".join(f"- {plain(item, limit=2000)}" for item in items))
        case Table(caption, header, rows):
            components.caption(caption)
            cells = [[plain(cell, limit=400) for cell in row] for row in rows]
            components.table(pd.DataFrame(cells, columns=_distinct(header)), alt=caption)
        case Picture(figure):
            components.figure(figure, key=key)


def _distinct(header: tuple[str, ...]) -> list[str]:
    """Return headings that differ, as a table on a page needs: a repeated one gets invisible marks."""
    return [name + "\u200b" * header[:place].count(name) for place, name in enumerate(header)]
