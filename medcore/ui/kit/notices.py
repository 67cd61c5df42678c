"""What goes wrong or is risky, said in one place and in one look."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import streamlit as st

from medcore.data.describe.mended import Mend, total
from medcore.data.findings import Finding, Severity
from medcore.data.shown import Naming, Shown, named
from medcore.errors import MedcoreError
from medcore.i18n import N_, _, running
from medcore.ui.kit.text import markup, plain

_log = logging.getLogger("medcore.ui")

SEVERITIES: dict[Severity, tuple[str, str]] = {
    "error": (N_("Problem"), "mc-error"),
    "warning": (N_("Warning"), "mc-warning"),
    "info": (N_("Note"), "mc-info"),
}


def error(problem: MedcoreError) -> None:
    """Show the one message of an error that medcore raised on purpose."""
    st.html(f'<div class="mc-notice mc-error" role="alert">{markup(problem)}</div>')


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what goes wrong inside the block and keep the rest of the page.

    A :class:`MedcoreError` shows its message. Anything else shows a neutral
    sentence; the log gets the kind of error and where it happened, never its text,
    which may hold a patient's value.
    """
    try:
        yield
    except MedcoreError as problem:
        error(problem)
    except Exception as problem:
        frames = traceback.extract_tb(problem.__traceback__)[-4:]
        places = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
        _log.error("unexpected %s at %s", type(problem).__name__, places)
        sentence = _("This part could not be shown because of a fault in medcore. Your study is unchanged.")
        advice = _("Try again; if it happens again, the server's log says where ({kind}).", kind=type(problem).__name__)
        st.html(f'<div class="mc-notice mc-error" role="alert"><b>{markup(sentence)}</b> {markup(advice)}</div>')


def findings(
    found: Sequence[Finding],
    *,
    key: str,
    on_fix: Callable[[Finding], None] | None = None,
    shown: int = 8,
    naming: Naming = Shown,
) -> None:
    """List findings, worst first: what was seen, why it matters, what to do.

    ``on_fix`` is called with the finding when its one-click fix is pressed, before
    the page is drawn again; ``naming`` says how columns are called. More than ``shown`` are folded away.
    """
    order = list(SEVERITIES)
    ranked = sorted((f.shown(naming) for f in found), key=lambda f: order.index(f.severity))
    loud = [f for f in ranked if f.severity != "info"]
    quiet = [f for f in ranked if f.severity == "info"]
    first, folded = loud[:shown], loud[shown:] + quiet
    if not loud:
        first, folded = quiet[:3], quiet[3:]
    for number, finding in enumerate(first):
        _finding(finding, key=f"{key}.{number}.{finding.code}", on_fix=on_fix)
    if folded:
        with st.expander(_("{n} more notes", n=len(folded))):
            for number, finding in enumerate(folded, start=len(first)):
                _finding(finding, key=f"{key}.{number}.{finding.code}", on_fix=on_fix)


def mends(found: Sequence[Mend], *, naming: Naming = Shown) -> None:
    """Say in one line how many cells and rows were mended between file and numbers; opened, it says what was done."""
    if not found:
        return
    cells, rows = total(found)
    line = (
        _("Mended on the way from the file to its numbers: {cells} cells in {rows} rows", cells=cells, rows=rows)
        if cells
        else _("Mended on the way from the file to its numbers: the table’s layout")
    )
    told = "".join(f"<li>{markup(named(m.message, naming, m.columns))}</li>" for m in found)
    st.html(f'<details class="mc-caption"><summary>{markup(line)}</summary><ul>{told}</ul></details>')


def _finding(finding: Finding, *, key: str, on_fix: Callable[[Finding], None] | None) -> None:
    name, look = SEVERITIES[finding.severity]
    text = (
        f'<div class="mc-notice {look}"><b>{markup(_(name))}</b> · {markup(finding.message)}'
        f'<div class="mc-why">{markup(running([finding.why, finding.remedy]))}</div></div>'
    )
    if not (finding.fix and on_fix):
        st.html(text)
        return
    clicks = finding.fix.clicks()
    place = "mc-fix" if len(clicks) == 1 else "mc-clicks"
    if len(clicks) > 1:  # several stand below: beside, they would leave the words no room
        st.html(text)
    with st.container(key=f"{place}-{key}".replace(".", "-"), horizontal=True, vertical_alignment="center"):
        if len(clicks) == 1:
            st.html(text)
        for number, fix in enumerate(clicks):
            label = f"{plain(fix.columns[0], limit=24)} · {fix.label}" if fix.each else str(fix.label)
            asked = replace(finding, fix=fix)
            st.button(label, key=f"{key}.fix{number or ''}", on_click=on_fix, args=(asked,), icon=":material/build:")
