"""The worklist: many patients with their risks at once, the reasons as they arrive; a click opens one."""

from __future__ import annotations

from typing import Any
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
import streamlit as st

from medcore.data.describe.export import to_csv, to_xlsx
from medcore.explanation.model.tables import Explanations
from medcore.explanation.shapley.game import Floats
from medcore.i18n import N_, _, listed, span
from medcore.ui.kit import cache, links
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.tables import XLSX
from medcore.ui.patient.choice import in_words
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.many import ahead
from medcore.ui.patient.many.batch import Batch
from medcore.ui.patient.many.listing import Listing, shown_name
from medcore.ui.patient.many.opening import MOST_LINES, open_by_name, open_patient

EXPLAINED = 20
"""Patients at the top of the list whose reasons are worked out without being asked for."""
REASONS = 3
NAME_WIDTH, VALUE_WIDTH = 36, 24
"""Letters of a reason on the page, so that three stand on three lines at 1440 pixels; files have them whole."""
HEAD_HEIGHT, ROW_HEIGHT, MOST_HEIGHT = 38, 66, 500
"""Pixels: Streamlit breaks lines in rows of more than 64, so that no reason is cut; the page fits a screen of 900."""
LIST_WIDTH, FEWEST_REASONS_WIDTH = 1058, 300
"""Pixels of the whole list at 1440, and of the reasons at least: they take what other columns leave, so as to be seen."""
OPEN, ROW, IDENTIFIER, NAMED, RISK, OBSERVED, BETWEEN, SIDE, OUTCOME = 62, 54, 100, 60, 116, 88, 126, 100, 140
"""Pixels of the other columns."""
WIDEST_NAME = 150
ASKED_HEIGHT = 78
"""What the question for one of several outcomes takes above the list."""
PIECE_SECONDS = 0.7
NUMBER_ORDERS = {"risk": N_("Highest first"), "low": N_("Lowest first"), "row": N_("As in the file")}
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
        orders = NUMBER_ORDERS if explainer.measure.of_number else ORDERS
        components.choice(_("Order"), list(orders), key="patient.order", show=lambda o: _(orders[o]), link="order")
    order = arranged(listing, threshold, class_index)
    known = ("patient.band", explainer.identity, listing.identity, class_index)
    band = cache.once(lambda: listing.band(explainer, class_index), *known)  # files are made without a session
    batch = _batch(explainer, listing, order, class_index)  # before the rest is drawn: some are explained meanwhile
    with right:
        open_by_name(explainer, listing, order)
    with st.container(horizontal=True, vertical_alignment="center", key="patient-list-head"):
        values = {
            "name": explainer.names[class_index],
            "n": f"{len(order):,}",
            "total": f"{len(listing):,}",
            "threshold": explainer.measure.write(threshold),
        }
        components.caption(
            _("{name}: {n} of {total} patients, threshold {threshold}.", **values)
            if explainer.measure.of_number
            else _("Risk of {name}: {n} of {total} patients, threshold {threshold}.", **values)
        )
        if len(order) > MOST_LINES:
            components.caption(_("The first {n} are shown; the files hold all.", n=f"{MOST_LINES:,}"))
        _downloads(explainer, listing, threshold, class_index, order, band, batch)
    going = not batch.finished
    if not going and listing.row(0) is not None:
        ahead.keep_first(explainer)
    fragment = components.fragment(_table, every=1.0 if going else None)
    fragment(explainer, listing, threshold, class_index, order[:MOST_LINES], band, batch, going)


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
    band: tuple[Floats, Floats],
    reasons: dict[int, str],
) -> pd.DataFrame:
    """Lay the list out: who, risk in per cent, or number, with its interval, on which side of the threshold, reasons, cautions."""
    names = explainer.names
    risk = listing.risk[order, class_index]
    low, high = (bound[order] for bound in band)
    measure = explainer.measure
    table: dict[str, Any] = {_("Row"): listing.lines[order]}
    table |= {str(explainer.shown(c)): shown_name(explainer, listing, c)[order] for c in listing.names.columns}
    table[_head(explainer, class_index)] = (measure.times * risk).round(measure.decimals)
    if measure.of_number:
        table[_("Nine of ten between")] = [
            f"{measure.bare(a)} – {measure.bare(b)}" for a, b in zip(low.tolist(), high.tolist(), strict=True)
        ]
    else:
        # Of many patients there are few bounds and few flags: each is put into words once.
        bounds = list(zip((100 * low).round().tolist(), (100 * high).round().tolist(), strict=True))
        said = {pair: f"{span(*pair, '.0f')}%" if pair[0] == pair[0] else "–" for pair in set(bounds)}
        table[_("Observed at such a risk (95 %)")] = [said[pair] for pair in bounds]
    above, below = _("▲ at or above"), _("below")
    table[_("Threshold")] = np.where(risk >= threshold, above, below)
    if explainer.results.target.many:
        likeliest = listing.risk[order].argmax(axis=1)
        table[_("Likeliest outcome")] = [names[k] for k in likeliest]
    table[_("Main reasons")] = [reasons.get(int(i), "") for i in order]
    if listing.happened:
        table[_("Measured") if measure.of_number else _("What happened")] = [listing.happened[i] for i in order]
    if listing.flags:
        usual = _usually_missing(explainer)
        cautions = {f: in_words(f, explainer.shown, usual) for f in {listing.flags[i] for i in order}}
        table[_("Be careful about")] = [cautions[listing.flags[i]] for i in order]
    return pd.DataFrame(table)


def _usually_missing(explainer: Explainer) -> set[str]:
    """Return the columns that most training patients had no value in, which is no caution about one more."""
    shares = np.isnan(explainer.reference.patients.codes).mean(axis=0)
    return {name for name, share in zip(explainer.reference.columns, shares, strict=True) if share > 0.5}


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
        told[int(place)] = listed(
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
            explainer.model,
            listing.frame.iloc[top],
            explainer.classes[class_index],
            piece_seconds=PIECE_SECONDS,
            known=_kept_reasons(explainer, listing, top, class_index),
        ),
        *("patient.reasons", explainer.identity, listing.identity, class_index, top.tolist()),
    )
    if len(order):
        ahead.begin(explainer, listing, order, int(order[0]))
    batch.start()
    return batch


def _kept_reasons(explainer: Explainer, listing: Listing, places: np.ndarray, class_index: int) -> Explanations | None:
    """Return the reasons of just these patients, where they were worked out and kept when training ended."""
    first = explainer.first
    if first is None or (listing.identity, class_index) != (first.source, first.class_index):
        return None
    return first.reasons if listing.rows[places].tolist() == list(first.patients) else None


def _table(
    explainer: Explainer,
    listing: Listing,
    threshold: float,
    class_index: int,
    order: np.ndarray,
    band: tuple[Floats, Floats],
    batch: Batch,
    going: bool,
) -> None:
    """Draw the list with the reasons known by now; meant as a fragment, ``going`` on until all are known."""
    key = f"patient.list.{explainer.run.id}.{listing.identity[:12]}.{class_index}"
    row = _clicked(key)
    if row is not None:
        batch.rest()
        open_patient(explainer.run.id, listing.identity, int(order[row]))
    if row is not None or (going and batch.finished):
        st.rerun()
    reasons = reasons_of(explainer, batch.found, order, short=True)
    table = lines(explainer, listing, threshold, class_index, order, band, reasons)
    table.insert(0, _("Patient"), _("Open"))
    asked = ASKED_HEIGHT if len(explainer.results.target.told) > 1 or explainer.measure.of_number else 0
    risk = _head(explainer, class_index)
    observed = _("Observed at such a risk (95 %)")
    config = st.column_config
    st.dataframe(
        table,
        hide_index=True,
        height=min(HEAD_HEIGHT + ROW_HEIGHT * max(len(table), 1), MOST_HEIGHT - asked),
        row_height=ROW_HEIGHT,
        key=key,
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            _("Patient"): config.ButtonColumn(width=OPEN, pinned=True, key=f"{key}.open"),
            _("Row"): config.NumberColumn(width=ROW, pinned=True),
            risk: _bar(explainer),
            observed: config.TextColumn(
                _("Observed"),
                width=OBSERVED,
                help=_("How many training patients at such a risk had the outcome: 95 % interval."),
            ),
            _("Threshold"): config.TextColumn(width=SIDE),
            _("Nine of ten between"): config.TextColumn(width=BETWEEN),
            _("Likeliest outcome"): config.TextColumn(width=OUTCOME),
            _("What happened"): config.TextColumn(width=OUTCOME),
            _("Measured"): config.TextColumn(width=OUTCOME),
            _("Main reasons"): config.TextColumn(width=_room(explainer, listing)),
        }
        | {str(explainer.shown(c)): _named(explainer, c) for c in listing.names.columns},
        alt=_("{n} patients with their risks", n=len(table)),
    )
    if going:
        batch.look()


def _named(explainer: Explainer, column: str) -> Any:
    """Return how a column is drawn that tells patients apart: narrow, so that reasons are seen beside it."""
    words = explainer.shown(column)
    return st.column_config.TextColumn(words.words, width=_name_width(explainer, column), help=str(words))


def _name_width(explainer: Explainer, column: str) -> int:
    known = column in explainer.schema.names
    if known and explainer.schema[column].role not in ("identifier", "group"):
        return NAMED
    return min(
        WIDEST_NAME, max(IDENTIFIER, 7 * len(explainer.shown(column).words) + 10)
    )  # pixels a letter of a heading


def _room(explainer: Explainer, listing: Listing) -> int:
    """Return the pixels that the other columns leave to the reasons; what happened stands beside them if it is one of two."""
    many, of_number = explainer.results.target.many, explainer.measure.of_number
    others = OPEN + ROW + RISK + SIDE + (BETWEEN if of_number else OBSERVED)
    others += sum(_name_width(explainer, c) for c in listing.names.columns)
    others += OUTCOME if many or listing.happened else 0
    return max(FEWEST_REASONS_WIDTH, LIST_WIDTH - others)


def _head(explainer: Explainer, class_index: int) -> str:
    """Return the heading of the column of predictions."""
    name, measure = explainer.names[class_index], explainer.measure
    if not measure.of_number:
        return _("Risk of {name} (%)", name=name)
    return _("Predicted ({unit})", unit=measure.unit) if measure.unit else _("Predicted")


def _bar(explainer: Explainer) -> Any:
    """Return how the column of predictions is drawn: a bar each, as long as its place among all there may be."""
    measured, measure = explainer.reference.measured, explainer.measure
    if measured is None:
        return st.column_config.ProgressColumn(_("Risk (%)"), format="%.1f", min_value=0, max_value=100, width=RISK)
    low, high = float(measured.value.min()), float(measured.value.max())
    form = f"%.{measure.decimals}f"
    return st.column_config.ProgressColumn(format=form, min_value=low, max_value=max(high, low + 1e-9), width=RISK)


def _clicked(key: str) -> int | None:
    """Return the line of the list that was just clicked, if any, before the list is drawn again.

    The button in each line tells of it at once; a selected cell only after the 150 ms that
    Streamlit's page waits for a selection to grow.
    """
    button, table = st.session_state.get(f"{key}.open"), st.session_state.get(key)
    if button:
        return int(button["row"])
    return int(table.selection.cells[0][0]) if table and table.selection.cells else None


def _downloads(
    explainer: Explainer,
    listing: Listing,
    threshold: float,
    class_index: int,
    order: np.ndarray,
    band: tuple[Floats, Floats],
    batch: Batch,
) -> None:
    """Offer the list as it is shown, as CSV and as Excel, made when it is asked for."""

    def table() -> pd.DataFrame:
        reasons = reasons_of(explainer, batch.found, order)
        return lines(explainer, listing, threshold, class_index, order, band, reasons)

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
