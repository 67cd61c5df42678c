"""The confusion matrix as a table of HTML, quick to draw again at every move of the threshold."""

from __future__ import annotations

import streamlit as st

from medcore.charts.drawing.lines import percent
from medcore.charts.utility import call_names, confusion_finding
from medcore.evaluation import Confusion
from medcore.i18n import _
from medcore.ui.kit.shown.tables import take_along
from medcore.ui.kit.text import markup


def confusion_table(confusion: Confusion, *, positive: str, negative: str) -> None:
    """Show counts, what they are called, and their share of the row, shaded by that share."""
    counts = ((confusion.tp, confusion.fn), (confusion.fp, confusion.tn))
    lines = []
    for i, (outcome, row, names) in enumerate(zip((positive, negative), counts, call_names(), strict=True)):
        cells = "".join(
            _cell(n, sum(row), name, right=i == j) for j, (n, name) in enumerate(zip(row, names, strict=True))
        )
        lines.append(f"<tr><th scope=row>{markup(outcome)}</th>{cells}</tr>")
    calls, happened = (_("Called positive"), _("Called negative")), _("What happened")
    heads = "".join(f"<th scope=col>{markup(h)}</th>" for h in calls)
    corner = markup(happened)
    st.html(
        f'<div class="mc-headline">{markup(confusion_finding(confusion))}</div>'
        f'<table class="mc-confusion"><thead><tr><td>{corner}</td>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    )
    outcomes = zip((positive, negative), counts, strict=True)
    take_along([{happened: outcome} | dict(zip(calls, row, strict=True)) for outcome, row in outcomes])


def _cell(n: int, total: int, name: str, *, right: bool) -> str:
    share = n / max(total, 1)
    kind = "mc-right" if right else "mc-wrong"
    words = markup(_("{share} % of row", share=percent(share)))
    return f'<td class="{kind}" style="--share:{45 * share:.0f}%"><b>{n:,}</b>{markup(name)}<br>{words}</td>'
