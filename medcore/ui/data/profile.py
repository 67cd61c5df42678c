"""Look through the columns: distributions by outcome, what is missing, Table 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from medcore.charts import profile as charts
from medcore.data.describe.profile import ColumnProfile, Profile, profile
from medcore.data.describe.table_one import TableOne, table_one
from medcore.data.schema.class_names import class_names
from medcore.data.shown import Naming
from medcore.data.splitting.split import make_split
from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.data.recipe import prepared
from medcore.ui.kit.cache import cohort, once
from medcore.ui.kit.layout import caption, note
from medcore.ui.kit.shown.figures import figure
from medcore.ui.kit.shown.inputs import choice
from medcore.ui.kit.shown.tables import table
from medcore.ui.kit.text import plain

COLUMNS_A_PAGE = 12
ROWS_SHOWN = 60
VIEWS: Mapping[str, str] = {
    "columns": N_("Column by column"),
    "missing": N_("What is missing"),
    "table_one": N_("Table 1"),
}
ORDERS: Mapping[str, tuple[str, Callable[[ColumnProfile], Any]]] = {
    "file": (N_("as in the file"), lambda _c: 0),
    "auroc": (N_("by how well it tells the outcome alone"), lambda c: -(c.auroc or 0.0)),
    "missing": (N_("by what is missing"), lambda c: -c.missing),
    "name": (N_("by name"), lambda c: c.name.casefold()),
}


def profile_view(study: StudyRecord) -> None:
    """Show one of three looks at the table."""
    view = choice(_("Show"), list(VIEWS), key="data.profile.view", show=lambda v: _(VIEWS[v]), link="show")
    if view == "table_one":
        _table_one(study)
        return
    found = once(lambda: profile(cohort(study)), "profile", study.identity)
    found = replace(found, classes=tuple(map(str, class_names(found.classes, study.schema.outcome))))
    if view == "missing":
        figure(charts.missing_share(found, naming=study.schema.shown), key="data.profile.missing")
        return
    _columns(found, study.schema.shown)


def _columns(found: Profile, naming: Naming) -> None:
    """Draw twelve columns at a time of those asked for."""
    first, second = st.columns(2)
    with first:
        wanted = st.text_input(_("Find a column by name"), key="data.profile.find").casefold()
    with second:
        order = st.selectbox(_("Order"), list(ORDERS), format_func=lambda o: _(ORDERS[o][0]), key="data.profile.order")
    chosen = [c for c in found.columns if wanted in str(naming(c.name)).casefold() and (c.numbers or c.categories)]
    chosen.sort(key=ORDERS[order][1])
    n_pages = max(1, -(-len(chosen) // COLUMNS_A_PAGE))
    number = 1
    if n_pages > 1:
        number = int(st.number_input(_("Page of {n}", n=n_pages), 1, n_pages, 1, key="data.profile.page"))
    part = chosen[(number - 1) * COLUMNS_A_PAGE : number * COLUMNS_A_PAGE]
    if not part:
        note(_("No column with values to draw has such a name."))
    for left in range(0, len(part), 2):
        for place, column in zip(st.columns(2), part[left : left + 2], strict=False):
            with place:
                chart = charts.distribution(column, found.classes, height=280, naming=naming)
                figure(chart, key=f"data.profile.chart.{column.name}")


def _table_one(study: StudyRecord) -> None:
    if study.schema.outcome is None:
        note(_("Choose the outcome first."))
        return
    by = choice(
        _("By"),
        ["outcome", "split"],
        key="data.profile.by",
        show=lambda b: _("outcome") if b == "outcome" else _("split"),
    )
    one = once(lambda: _made(study, by), "table one", study.identity, by, study.schema.outcome.level_labels)
    lines = one.frame(naming=study.schema.shown)
    shown = lines.head(ROWS_SHOWN)
    table(shown.map(lambda v: plain(v, limit=60)).rename(columns=lambda c: plain(c, limit=60)), whole=lines)
    if len(lines) > ROWS_SHOWN:
        caption(_("The first {n} of {total} lines; the files have all.", n=ROWS_SHOWN, total=len(lines)))
    caption(
        _(
            "Numbers: mean (SD); median [quartiles]. Categories: count (share of those known). SMD: standardised mean difference, above 0.1 a difference worth a look. “*” hides a count under 5, or one from which such a count could be worked out."
        )
    )


def _made(study: StudyRecord, by: str) -> TableOne:
    done = prepared(study)
    if by == "split":
        return table_one(done, split=make_split(done, study.split))
    found = table_one(done)
    return found if done.value is not None else found.named(class_names(done.classes, study.schema.outcome))
