"""The pages in clinical order, and the ways from one to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import streamlit as st

from medcore.i18n import N_, _
from medcore.settings import ROOT
from medcore.ui.kit.state import address

TITLES: Mapping[str, str] = {
    "studies": N_("Studies"),
    "data": N_("Data"),
    "train": N_("Train"),
    "evaluate": N_("Evaluate"),
    "patient": N_("Patient"),
    "patients": N_("Patient list"),
    "watch": N_("Watch"),
    "trail": N_("Audit trail"),
}
HOME = "studies"
"""The first page, whose address is that of the whole."""
ADDRESSES = frozenset(TITLES) - {HOME}
"""The names of the other pages, as they stand in addresses."""
_ICONS = {
    "studies": "folder_open",
    "data": "table_view",
    "train": "neurology",
    "evaluate": "monitoring",
    "patient": "person_search",
    "patients": "groups",
    "watch": "monitor_heart",
    "trail": "fact_check",
}


ADMINISTRATORS = ("trail",)
"""Pages that others are not shown; each asks for the role itself."""


def pages(*, administrator: bool) -> list[st.Page]:
    """Return the pages, titled in the session's language; those that are not for somebody stand in no list of theirs.

    They are pages all the same: at an address without one Streamlit shows an English box of its own.
    """
    return [_page(name, _(title), listed=administrator or name not in ADMINISTRATORS) for name, title in TITLES.items()]


def page(name: str) -> st.Page:
    """Return one page by its name: a key of :data:`TITLES`."""
    return _page(name, _(TITLES[name]))


def link(name: str, label: str | None = None, *, icon: str | None = None) -> None:
    """Draw a link to a page that keeps the study and the language in the address."""
    st.page_link(page(name), label=label, icon=icon, query_params=dict(address()))


def go(name: str) -> NoReturn:
    """Leave for a page at once, keeping the study and the language in the address."""
    st.switch_page(page(name), query_params=dict(address()))


def _page(name: str, title: str, *, listed: bool = True) -> st.Page:
    return st.Page(
        ROOT / "pages" / f"{name}.py",
        title=title,
        icon=f":material/{_ICONS[name]}:",
        url_path=name,
        default=name == HOME,
        visibility="visible" if listed else "hidden",
    )
