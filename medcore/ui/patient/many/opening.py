"""Open one patient of a list: from its line, or by typing a row or an identifier."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import streamlit as st

from medcore.i18n import _
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import speak, state
from medcore.ui.kit.words import row_name
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.many.listing import Listing, shown_name

MOST_LINES = 2_000
"""Patients on the page: more are sent for seconds. Files have all of them, and typing a row or an identifier opens any."""
MOST_NAMED = 5_000
"""Patients whom the browser finds by a part of what is typed; of more, all are looked through for the whole."""


def open_patient(run_id: str, identity: str, place: int) -> None:
    """Let the page show one patient of a list."""
    state().opened[run_id] = (identity, place)


def open_by_name(explainer: Explainer, listing: Listing, order: np.ndarray) -> None:
    """Open a patient without a mouse: by typing a part of the row's number, identifier, age or sex.

    Of very many, the first of the list are proposed and a row or an identifier is looked up among all.
    """
    key = f"patient.row.{explainer.run.id}.{listing.identity[:12]}"
    few = len(listing) <= MOST_NAMED
    places = np.arange(len(listing)) if few else order[:MOST_LINES]
    proposed = places.tolist()
    columns = [pd.Series(shown_name(explainer, listing, c)[places]).fillna("") for c in listing.names.columns]
    names = dict(zip(proposed, (" ".join(parts) for parts in zip(*columns, strict=True)), strict=False))

    def chosen() -> None:
        asked = st.session_state.get(key)
        st.session_state[key] = None
        place = looked_up(listing, asked) if isinstance(asked, str) else asked
        if place is not None:
            open_patient(explainer.run.id, listing.identity, int(place))
        elif asked is not None:
            speak()
            st.toast(_("No one patient of this list has that row or identifier."))

    st.selectbox(
        _("Open a patient"),
        proposed,
        index=None,
        accept_new_options=not few,
        format_func=lambda i: components.one_line(f"{row_name(int(listing.lines[i]))} {names.get(i, '')}"),
        placeholder=_("type a row, an identifier or an age"),
        key=key,
        on_change=chosen,
        help=_("Rows as a spreadsheet numbers them."),
    )


def looked_up(listing: Listing, asked: str) -> int | None:
    """Return the place of the one patient with a row of the file or an identifier, as it was typed."""
    number = re.search(r"\d+$", asked.strip())
    found = np.flatnonzero(listing.lines == int(number[0])) if number and len(number[0]) < 10 else np.array([], int)
    for name in listing.names.columns:
        found = found if len(found) else np.flatnonzero(listing.names[name] == asked.strip())
    return int(found[0]) if len(found) == 1 else None
