"""The worklist: many patients with their risks at once, the reasons as they arrive; a click opens one."""

from __future__ import annotations

from typing import Any
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
import streamlit as st

from medcore.data.describe.export import to_csv, to_xlsx
from medcore.explanation.model.tables import Explanations
from medcore.i18n import N_, _, span
from medcore.ui.kit import cache, links
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.tables import XLSX
from medcore.ui.kit.state import state
from medcore.ui.kit.words import row_name
from medcore.ui.patient.batch import Batch
from medcore.ui.patient.choice import in_words
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.listing import Listing

EXPLAINED = 20
"""Patients at the top of the list whose reasons are worked out without being asked for."""
REASONS = 3
NAME_WIDTH, VALUE_WIDTH = 17, 12
"""Letters of a reason on the page, so that three stand beside one another at 1440 pixels; files have them whole."""
HEAD_HEIGHT, ROW_HEIGHT, MOST_HEIGHT = 38, 35, 458
"""Pixels; the page fits a screen of 900."""
ASKED_HEIGHT = 78
"""What the question for one of several outcomes takes above the list."""
PIECE_SECONDS = 0.7
MOST_NAMED = 5_000
"""Patients that can be found by typing; beyond, the browser's list would be slow, and the table has its own search."""
FILTERS = {"all": N_("All"), "above": N_("At or above the threshold"), "below": N_("Below it")}
ORDERS = {"risk": N_("Highest risk first"), "low": N_("Lowest risk first"), "row": N_("As in the file")}
ARRANGED = {"filter": ("patient.filter", FILTERS), "order": ("patient.order", ORDERS)}
"""By its name in the address: where a choice about the list is kept, and its options."""


def worklist(explainer: Explainer, listing: Listing, threshold: float, class_index: int) -> None:
    """Show the patients, those at the highest risk first; opening one draws the page again."""
    left, middle, right = st.columns([5, 5, 4])
    with left:
        components.choice(_("Show"), list(FILTERS), key="patient.filter", show=lambda f: _(FILTERS[f]), link="filter")
    with middle:
        components.choice(_("Order"), list(ORDERS), key="patient.order", show=lambda o: _(ORDERS[o]), link="order")
    with right:
        _open_by_name(explainer, listing)
    order = arranged(listing, threshold, class_index)
    batch = _batch(explainer, listing, order, class_index)
    with st.container(horizontal=True, vertical_alignment="center", key="patient-list-head"):
        components.caption(
            _(
                "Risk of {name}: {n} of {total} patients, threshold {percent} %. Click a row to open the patient.",
                name=explainer.names[class_index],
                n=f"{len(order):,}",
                total=f"{len(listing):,}",
                percent=f"{100 * threshold:.1f}",
            )
        )
        _downloads(explainer, listing, threshold, class_index, order, batch)
    every = None if batch.finished else 1.0
    components.fragment(_table, every=every)(explainer, listing, threshold, class_index, order, batch)


def linked() -> None:
    """Let the address say how the list is arranged also while one of its patients is looked at."""
    for name, (key, options) in ARRANGED.items():
        usual = next(iter(options))
        links.take_up(name, key, list(options), usual=usual)
        chosen = st.session_state.get(key) or usual
        links.keep(name, "" if chosen == usual else chosen, chosen)


def arranged(listing: Listing, threshold: float, class_index: int) -> np.ndarray:
    """Return the places of the patients to be shown, filtered and in the order chosen last."""
    shown, by = (st.session_state.get(key) or next(iter(options)) for key, options in ARRANGED.values())
    return ordered(listing, threshold, class_index, shown, by=by)


def ordered(
    listing: Listing, threshold: float, class_index: int, shown: str = "all", *, by: str = "risk"
) -> np.ndarray:
    """Return the places of the patients to be shown; equal risks stay as in the file."""
    risk = listing.risk[:, class_index]
    order = np.arange(len(risk)) if by == "row" else np.argsort(risk if by == "low" else -risk, kind="stable")
    if shown == "all":
        return order
    return order[risk[order] >= threshold] if shown == "above" else order[risk[order] < threshold]


def lines(
    explainer: Explainer,
    listing: Listing,
    threshold: float,
    class_index: int,
    order: np.ndarray,
    reasons: dict[int, str],
) -> pd.DataFrame:
    """Lay the list out: who, risk in per cent with its interval, on which side of the threshold, reasons, cautions."""
    names = explainer.names
    name = names[class_index]
    risk = listing.risk[order, class_index]
    low, high = (bound[order] for bound in listing.band(explainer, class_index))
    table: dict[str, Any] = {_("Row"): listing.lines[order]}
    table |= {str(explainer.shown(c)): listing.names[c].to_numpy()[order] for c in listing.names.columns}
    table[_("Risk of {name} (%)", name=name)] = (100 * risk).round(1)
    # Of many patients there are few bounds and few flags: each is put into words once.
    bounds = list(zip((100 * low).round().tolist(), (100 * high).round().tolist(), strict=True))
    said = {pair: f"{span(*pair, '.0f')}%" for pair in set(bounds)}
    table[_("Observed at such a risk (95 %)")] = [said[pair] for pair in bounds]
    above, below = _("▲ at or above"), _("below")
    table[_("Threshold")] = np.where(risk >= threshold, above, below)
    if explainer.results.target.many:
        likeliest = listing.risk[order].argmax(axis=1)
        table[_("Likeliest outcome")] = [names[k] for k in likeliest]
    table[_("Main reasons")] = [reasons.get(int(i), "") for i in order]
    if listing.outcome is not None:
        table[_("What happened")] = [names[k] for k in listing.outcome[order]]
    if listing.flags:
        cautions = {flags: in_words(flags, explainer.shown) for flags in set(listing.flags)}
        table[_("Be careful about")] = [cautions[listing.flags[i]] for i in order]
    return pd.DataFrame(table)


def reasons_of(
    explainer: Explainer, found: Explanations | None, order: np.ndarray, *, short: bool = False
) -> dict[int, str]:
    """Write the largest contributions of each patient explained so far, by place in the list; in full or shortened."""
    if found is None:
        return {}
    told, missing, columns = {}, _("missing"), [explainer.shown(c) for c in found.columns]
    name_width, value_width = (NAME_WIDTH, VALUE_WIDTH) if short else (1000, 1000)
    for number, place in enumerate(order[: len(found.rows)]):
        sizes = found.contributions[number]
        largest = [k for k in np.argsort(-np.abs(sizes), kind="stable")[:REASONS] if sizes[k] != 0]
        told[int(place)] = ", ".join(
            f"{'▲' if sizes[k] > 0 else '▼'} {shortened(columns[k].words, name_width)} "
            f"{shortened(columns[k].value(found.values[number][k]) or missing, value_width)}"
            for k in largest
        )
    return told


def shortened(text: str, width: int) -> str:
    """Cut a text after a word so that it takes at most ``width`` letters; one of Chinese counts as two."""
    ends = np.cumsum([2 if east_asian_width(letter) in "WF" else 1 for letter in text])
    if not len(ends) or ends[-1] <= width:
        return text
    cut = text[: int(np.searchsorted(ends, width - 1, side="right"))]
    return f"{cut.rsplit(' ', 1)[0]}…" if " " in cut[width // 2 :] else f"{cut.rstrip()}…"


def _batch(explainer: Explainer, listing: Listing, order: np.ndarray, class_index: int) -> Batch:
    """Return the explanations of the patients at the top, as far as they are."""
    top = order[:EXPLAINED]
    batch = cache.once(
        lambda: Batch(
            explainer.model, listing.frame.iloc[top], explainer.classes[class_index], piece_seconds=PIECE_SECONDS
        ),
        *("patient.reasons", explainer.run.id, listing.identity, class_index, top.tolist()),
    )
    batch.start()
    return batch


def _table(
    explainer: Explainer, listing: Listing, threshold: float, class_index: int, order: np.ndarray, batch: Batch
) -> None:
    """Draw the list with the reasons known by now, then work out some more; meant as a fragment."""
    reasons = reasons_of(explainer, batch.found, order, short=True)
    table = lines(explainer, listing, threshold, class_index, order, reasons)
    asked = ASKED_HEIGHT if explainer.results.target.event is None else 0
    risk = _("Risk of {name} (%)", name=explainer.names[class_index])
    observed = _("Observed at such a risk (95 %)")
    config = st.column_config
    event = st.dataframe(
        table,
        hide_index=True,
        height=min(HEAD_HEIGHT + ROW_HEIGHT * max(len(table), 1), MOST_HEIGHT - asked),
        key=f"patient.list.{explainer.run.id}.{listing.identity[:12]}.{class_index}",
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            _("Row"): config.NumberColumn(width=60, pinned=True),
            risk: config.ProgressColumn(_("Risk (%)"), format="%.1f", min_value=0, max_value=100, width=130),
            observed: config.TextColumn(
                _("Observed"),
                width=95,
                help=_("How many training patients at such a risk had the outcome: 95 % interval."),
            ),
            _("Threshold"): config.TextColumn(width=100),
            _("Main reasons"): config.TextColumn(width=420),
        },
        alt=_("{n} patients with their risks", n=len(table)),
    )
    cells = event.selection.cells if event else []
    if cells:
        open_patient(explainer.run.id, listing.identity, int(order[cells[0][0]]))
        st.rerun()
    if batch.finished:
        return
    batch.advance()
    if batch.finished:
        st.rerun()


def open_patient(run_id: str, identity: str, place: int) -> None:
    """Let the page show one patient of a list."""
    state().opened[run_id] = (identity, place)


def _open_by_name(explainer: Explainer, listing: Listing) -> None:
    """Open a patient without a mouse: by typing a part of the row's number, identifier, age or sex."""
    key = f"patient.row.{explainer.run.id}.{listing.identity[:12]}"
    columns = [listing.names[c].fillna("").tolist() for c in listing.names.columns]
    names = [" ".join(parts) for parts in zip(*columns, strict=True)] or [""] * len(listing)

    def chosen() -> None:
        place = st.session_state.get(key)
        if place is not None:
            open_patient(explainer.run.id, listing.identity, int(place))
            st.session_state[key] = None

    st.selectbox(
        _("Open a patient"),
        range(len(listing)) if len(listing) <= MOST_NAMED else range(MOST_NAMED),
        index=None,
        format_func=lambda i: components.one_line(f"{row_name(int(listing.lines[i]))} {names[i]}"),
        placeholder=_("type a row, an identifier or an age"),
        key=key,
        on_change=chosen,
        help=_("Rows as a spreadsheet numbers them."),
    )


def _downloads(
    explainer: Explainer, listing: Listing, threshold: float, class_index: int, order: np.ndarray, batch: Batch
) -> None:
    """Offer the list as it is shown, as CSV and as Excel, made when it is asked for."""

    def table() -> pd.DataFrame:
        return lines(explainer, listing, threshold, class_index, order, reasons_of(explainer, batch.found, order))

    for label, write, ending, mime in (
        (_("This list (CSV)"), to_csv, "csv", "text/csv"),
        (_("This list (Excel)"), to_xlsx, "xlsx", XLSX),
    ):
        components.download(
            label,
            lambda write=write: write(table()),  # type: ignore[misc]
            file_name=f"patients.{ending}",
            mime=mime,
            key=f"patient.list.{ending}.{explainer.run.id}",
            quiet=True,
        )
