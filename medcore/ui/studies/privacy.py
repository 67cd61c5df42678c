"""Decide about identifiers before a table is stored or shown."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from medcore.data.privacy import Action, Decision
from medcore.i18n import N_, _
from medcore.ui.kit.layout import header, note
from medcore.ui.kit.notices import errors_shown, findings
from medcore.ui.kit.state import Pending, speak, state
from medcore.ui.kit.text import plain
from medcore.ui.studies import create

ACTION_WORDS: Mapping[Action, str] = {
    "drop": N_("drop the column"),
    "pseudonymise": N_("replace by a pseudonym"),
    "keep": N_("keep it, with a reason"),
}


def privacy_form(pending: Pending) -> None:
    """Show what may tell who the patients are, and ask what to do about each column."""
    header(
        _("Before this table is stored"),
        _("Columns that may tell who the patients are were found. Nothing has been stored or shown yet."),
    )
    findings(pending.findings, key="data.privacy", shown=20)
    decisions = []
    with errors_shown():
        decisions = [_ask(name) for name in dict.fromkeys(c for f in pending.findings for c in f.columns)]
    note(
        _(
            "Finding nothing more is no proof that nothing is there. A pseudonym's key stays on this machine, apart from the table."
        )
    )
    with st.container(horizontal=True):
        if st.button(
            _("Go on with these decisions"), type="primary", key="data.privacy.go", disabled=None in decisions
        ):
            with errors_shown():
                create.open_protected(pending, [d for d in decisions if d is not None])
                st.rerun()
        st.button(_("Discard the table"), key="data.privacy.discard", on_click=_discard)


def _ask(name: str) -> Decision | None:
    """Ask about one column; None while a reason is lacking."""
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        action = st.selectbox(
            _("Column “{name}”", name=plain(name, limit=60)),
            list(ACTION_WORDS),
            format_func=lambda a: _(ACTION_WORDS[a]),
            key=f"data.privacy.action.{name}",
        )
    reason = ""
    if action == "keep":
        with right:
            reason = st.text_input(
                _("Reason for keeping it (recorded)"), key=f"data.privacy.reason.{name}", max_chars=300
            ).strip()
    return None if action == "keep" and not reason else Decision(column=name, action=action, reason=reason)


def _discard() -> None:
    speak()
    state().pending = None
