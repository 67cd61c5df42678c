"""The entries of the trail: shown, narrowed down, followed to the end, taken out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time

import pandas as pd
import streamlit as st

from medcore.i18n import _
from medcore.studies import AuditEntry
from medcore.ui.kit.cache import store
from medcore.ui.kit.shown import components

SHOWN = 200


def verification(person: str) -> None:
    """Follow the whole trail when asked, and offer it as a file with what was found."""
    with st.container(horizontal=True):
        asked = st.button(_("Look whether anything was changed"), key="trail.verify", icon=":material/fact_check:")
        components.download(
            _("Export the whole trail"),
            lambda: _export(person),
            file_name="audit-trail.json",
            mime="application/json",
            key="trail.export",
            noted=False,
        )
    if not asked:
        return
    found = store().verify_trail()
    if found.whole:
        components.note(
            _("{n} entries: nothing was changed, removed or reordered.", n=f"{found.n_entries:,}"), look="success"
        )
    for fault in found.faults:
        components.note(str(fault), look="error")
    components.caption(_("The head, to be kept elsewhere: {head}", head=found.head or "–"))


def table(person: str) -> None:
    """Show the newest entries that fit what is asked for."""
    components.section(_("Entries"))
    left, middle, right = st.columns(3)
    with left:
        who = st.text_input(_("Person"), key="trail.who").strip() or None
    with middle:
        study = st.text_input(_("Number of the study"), key="trail.study").strip() or None
    with right:
        day = components.day_input(_("Since"), key="trail.since")
    since = datetime.combine(day, time(), UTC) if day else None
    found = store().trail(person, who=who, study_id=study, since=since, newest=SHOWN)
    if not found:
        components.note(_("There is no such entry."))
        return
    rows = pd.DataFrame([_row(entry) for entry in reversed(found)])
    st.dataframe(rows, hide_index=True, key="trail.entries", width="stretch")
    components.downloads(rows, name="entries", key="trail.entries")
    components.caption(_("The newest {n} that fit, times in UTC. Details of removed studies are gone.", n=SHOWN))


def _row(entry: AuditEntry) -> dict[str, str | int]:
    return {
        _("Number"): entry.seq,
        _("When"): f"{entry.created_at:%Y-%m-%d %H:%M:%S}",
        _("By whom"): entry.who,
        _("What"): str(entry.sentence),
        _("Study"): entry.study_id or "–",
    }


def _export(person: str) -> str:
    """Write the whole trail with what was found when it was followed; that it was taken is in it."""
    store().note_of_installation(person, "trail.exported")
    data = {
        "verification": store().verify_trail().to_dict(),
        "entries": [entry.to_dict() for entry in store().trail(person)],
    }
    return json.dumps(data, ensure_ascii=False, indent=1)
