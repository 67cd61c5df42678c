"""Share a study with somebody who signs in here, or no more."""

from __future__ import annotations

import streamlit as st

from medcore.errors import MedcoreError
from medcore.i18n import _
from medcore.studies.people.roles import SHARES, Share
from medcore.studies.people.sign_in import sign_in_of
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import store
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import speak, state


def sharing(study: StudyRecord) -> None:
    """Offer its owner to share a study, where people sign in."""
    if sign_in_of(store().settings) is None or study.access != "own":
        return
    for person, role in store().shares(study.owner, study.id).items():
        components.caption(f"{person} · {_(SHARES[role])}")
        key = f"studies.unshare.{study.id}.{person}"
        st.button(_("Share no more"), key=key, on_click=_share, args=(study, person, None))
    with_whom = st.text_input(_("Share with, by the name they sign in with"), key=f"studies.share.{study.id}")
    chosen = st.selectbox(
        _("To do what"), list(SHARES), format_func=lambda s: _(SHARES[s]), key=f"studies.share.role.{study.id}"
    )
    asked: Share = "modeller" if chosen == "modeller" else "reader"
    st.button(
        _("Share"),
        key=f"studies.share.go.{study.id}",
        disabled=not with_whom.strip(),
        on_click=_share,
        args=(study, with_whom, asked),
    )


def _share(study: StudyRecord, person: str, role: Share | None) -> None:
    speak()
    try:
        store().share_study(study.owner, study.id, person, role)
    except MedcoreError as problem:
        state().problem = problem
