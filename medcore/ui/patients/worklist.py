"""The worklist of a released model: its patients, sorted by risk, by what changed or by what is due; a click opens one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from medcore.data.shown import named
from medcore.errors import MedcoreError
from medcore.i18n import N_, _, parted
from medcore.studies.reminders import Reminder, ReminderRules, of_entry
from medcore.studies.use_records import WorklistEntry
from medcore.ui.kit import cache, links
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.kit.state import speak, state
from medcore.ui.patient.many.opening import MOST_LINES, MOST_NAMED
from medcore.ui.patients.in_use import InUse, moment

HEAD_HEIGHT, ROW_HEIGHT, MOST_HEIGHT = 38, 36, 434
"""Pixels; the page fits a screen of 900."""
OPEN, WHO, RISK, CHANGE, SIDE, REMEMBER, SEEN, DUE, SMALL = 62, 110, 116, 100, 100, 220, 126, 92, 78
"""Pixels of the columns; the whole is not wider than the page at 1440, so that what is due is seen."""
ORDERS = {
    "risk": N_("Highest risk first"),
    "change": N_("What changed most first"),
    "due": N_("Due first"),
    "seen": N_("Not seen for longest first"),
}
NUMBER_ORDERS = ORDERS | {"risk": N_("Highest first")}
FILTERS = {
    "all": N_("All"),
    "above": N_("At or above the threshold"),
    "remembered": N_("To be remembered"),
    "open": N_("With open tasks"),
    "unknown": N_("Outcome not known"),
}
DRAWN = "patients.drawn"
"""Where the session keeps which list was drawn last, and of whom its lines are."""
FAR = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """A patient of the list with what is to be remembered."""

    entry: WorklistEntry
    reminders: tuple[Reminder, ...] = field(repr=False)


def show(in_use: InUse) -> None:
    """Show the patients; opening one draws the page again."""
    everybody = listed(in_use)
    note_view(in_use.study, "worklist.viewed", in_use.model, model=in_use.model)
    if not everybody:
        components.note(_("There are no patients yet. Bring them in: a table, one typed in, or through the service."))
        return
    left, middle, right = st.columns(3)
    orders = NUMBER_ORDERS if in_use.of_number else ORDERS
    filters = [name for name in FILTERS if name != "above" or in_use.threshold is not None]
    with left:
        kept = _one_of(_("Show"), filters, FILTERS, name="filter")
    with middle:
        by = _one_of(_("Order"), list(orders), orders, name="order")
    lines = arranged(everybody, kept, by)
    with right:
        _find(in_use, everybody if len(everybody) <= MOST_NAMED else lines)
    with st.container(horizontal=True, vertical_alignment="center", key="patients-list-head"):
        components.caption(
            _("{n} of {total} patients.", n=f"{len(lines):,}", total=f"{len(everybody):,}")
            + (
                " " + _("The first {n} are shown; the files hold all.", n=f"{MOST_LINES:,}")
                if len(lines) > MOST_LINES
                else ""
            )
        )
        components.downloads(lambda: table(in_use, lines), name="patients", key="patients.files")
    _draw(in_use, lines[:MOST_LINES], name=f"{kept}.{by}")


def take_click() -> None:
    """Open the patient whose line was just clicked, before anything is asked for the list anew."""
    key, patients = st.session_state.get(DRAWN, ("patients.list", []))
    button, table = st.session_state.get(f"{key}.open"), st.session_state.get(key)
    row = int(button["row"]) if button else None
    if row is None and table and table.selection.cells:
        row = int(table.selection.cells[0][0])
    if row is not None and row < len(patients):
        state().course = patients[row]


def listed(in_use: InUse) -> list[Line]:
    """Return every patient of the model with what is to be remembered of them."""
    store, now, threshold = cache.store(), datetime.now(UTC), in_use.threshold
    rules = ReminderRules.from_dict(in_use.release.terms.reminders)
    entries = store.worklist(in_use.person, in_use.model)
    given: Mapping[str, Mapping[str, datetime]] = {}
    if rules.hours:
        since = now - timedelta(hours=max(rules.hours.values()))
        given = store.last_given(in_use.person, in_use.model, list(rules.hours), since=since)
    return [Line(e, of_entry(e, given.get(e.patient_id, {}), rules, threshold=threshold, now=now)) for e in entries]


def arranged(lines: Sequence[Line], kept: str, by: str) -> list[Line]:
    """Return the patients to be shown, in the order asked for; those alike stay by their risk."""
    chosen = {
        "all": lambda _line: True,
        "above": lambda line: line.entry.called,
        "remembered": lambda line: bool(line.reminders),
        "open": lambda line: line.entry.n_open > 0,
        "unknown": lambda line: line.entry.outcome is None,
    }[kept]
    orders: dict[str, Any] = {
        "risk": lambda line: -line.entry.risk,
        "change": lambda line: -abs(line.entry.change or 0.0),
        "due": lambda line: line.entry.due_at or FAR,
        "seen": lambda line: line.entry.at,
    }
    return sorted(filter(chosen, lines), key=orders[by])


def table(in_use: InUse, lines: Sequence[Line]) -> pd.DataFrame:
    """Lay the list out: who, what is predicted, how it changed, what is to be remembered, when seen, what is open."""
    measure, entries = in_use.measure, [line.entry for line in lines]
    found: dict[str, Any] = {
        _("Identifier"): [e.identifier for e in entries],
        head(in_use): [round(measure.times * e.risk, measure.decimals) for e in entries],
        _("Since last visit"): [
            None if e.change is None else round(measure.times * e.change, measure.decimals) for e in entries
        ],
    }
    if in_use.threshold is not None:
        above, below = _("▲ at or above"), _("below")
        found[_("Threshold")] = [above if e.called else below for e in entries]
    found[_("To be remembered")] = [parted(_told(in_use, line)) for line in lines]
    found |= {
        _("Open tasks"): [e.n_open for e in entries],
        _("Due"): [moment(e.due_at, day=True) if e.due_at else "" for e in entries],
        _("Last seen"): [moment(e.at) for e in entries],
        _("Cautions"): [e.n_flags for e in entries],
    }
    if any(e.outcome is not None for e in entries):
        found[_("Outcome")] = [outcome_words(in_use, e.outcome) for e in entries]
    return pd.DataFrame(found)


def head(in_use: InUse) -> str:
    """Return the heading of the column of predictions."""
    if not in_use.of_number:
        return _("Risk of {name} (%)", name=in_use.outcome)
    unit = in_use.measure.unit
    return _("Predicted ({unit})", unit=unit) if unit else _("Predicted")


def outcome_words(in_use: InUse, outcome: float | None) -> str:
    """Say what came of a patient."""
    if outcome is None:
        return ""
    if in_use.of_number:
        return in_use.measure.write(outcome)
    return answers_of(in_use).get(outcome, "–")


def answers_of(in_use: InUse) -> dict[float, str]:
    """Return what may have come of a patient, in words, by how it is kept: yes or no of one event, else the classes by place."""
    if len(in_use.names) == 2:
        return {0.0: _("no"), 1.0: _("yes")}
    return {float(place): name for place, name in enumerate(in_use.names)}


def _one_of(label: str, options: list[str], words: Mapping[str, str], *, name: str) -> str:
    """Ask how the list is arranged; the address keeps it."""
    key = f"patients.{name}"
    links.take_up(name, key, options, usual=options[0])
    chosen: str = st.selectbox(label, options, format_func=lambda o: _(words[o]), key=key, persist_state="session")
    links.keep(name, "" if chosen == options[0] else chosen, chosen)
    return chosen


def _told(in_use: InUse, line: Line) -> list[str]:
    said = (named(r.message, in_use.shown, [r.column]) if r.column else r.message for r in line.reminders)
    return [str(message) for message in said]


def _find(in_use: InUse, lines: Sequence[Line]) -> None:
    """Open a patient without a mouse: by typing a part of the identifier, or the whole of one not proposed."""
    names = {line.entry.patient_id: line.entry.identifier for line in lines[:MOST_NAMED]}
    few, key = len(lines) <= MOST_NAMED, f"patients.find.{in_use.model}"

    def chosen() -> None:
        asked = st.session_state.get(key)
        st.session_state[key] = None
        if asked is not None:
            state().course = asked if asked in names else _number(in_use, asked)

    st.selectbox(
        _("Find a patient"),
        list(names),
        index=None,
        accept_new_options=not few,
        format_func=lambda i: components.one_line(names.get(i, i)),
        placeholder=_("type an identifier"),
        key=key,
        on_change=chosen,
    )


def _number(in_use: InUse, identifier: str) -> str | None:
    """Return the number of the patient with an identifier, or say that there is none."""
    speak()
    try:
        return cache.store().find_patient(in_use.person, in_use.model, identifier)
    except MedcoreError as problem:
        state().problem = problem
        return None


def _draw(in_use: InUse, lines: Sequence[Line], *, name: str) -> None:
    key = f"patients.list.{in_use.model}.{name}"
    st.session_state[DRAWN] = (key, [line.entry.patient_id for line in lines])
    shown = table(in_use, lines)
    shown.insert(0, _("Patient"), _("Open"))
    config = st.column_config
    widths = {
        _("Identifier"): WHO,
        _("Threshold"): SIDE,
        _("To be remembered"): REMEMBER,
        _("Last seen"): SEEN,
        _("Due"): DUE,
        _("Outcome"): SMALL,
    }
    numbers = {_("Cautions"): SMALL, _("Open tasks"): SMALL}
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="–",
        height=min(HEAD_HEIGHT + ROW_HEIGHT * max(len(shown), 1), MOST_HEIGHT),
        row_height=ROW_HEIGHT,
        key=key,
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            _("Patient"): config.ButtonColumn(width=OPEN, pinned=True, key=f"{key}.open"),
            head(in_use): _bar(in_use, lines),
            _("Since last visit"): config.NumberColumn(width=CHANGE, format=f"%+.{in_use.measure.decimals}f"),
        }
        | {column: config.TextColumn(width=width) for column, width in widths.items()}
        | {column: config.NumberColumn(width=width) for column, width in numbers.items()},
        alt=_("{n} patients with their risks", n=len(shown)),
    )


def _bar(in_use: InUse, lines: Sequence[Line]) -> Any:
    if not in_use.of_number:
        return st.column_config.ProgressColumn(_("Risk (%)"), format="%.1f", min_value=0, max_value=100, width=RISK)
    risks = [line.entry.risk for line in lines] or [0.0]
    low, high = min(risks), max(risks)
    return st.column_config.ProgressColumn(
        format=f"%.{in_use.measure.decimals}f", min_value=low, max_value=max(high, low + 1e-9), width=RISK
    )
