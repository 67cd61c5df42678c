"""Choose an outcome that is a number: its logarithm or not, its limits."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore.data.cohort import Schema
from medcore.data.preparation.number import choose_number, read_number, skewness
from medcore.i18n import N_, _, number
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import cohort, once, store
from medcore.ui.kit.layout import caption, facts

SCALES: dict[str, str] = {
    "proposed": N_("as its skewness says"),
    "plain": N_("as it is"),
    "log": N_("its logarithm"),
}
_LOGS: dict[str, bool | None] = {"proposed": None, "plain": False, "log": True}


def number_form(study: StudyRecord, target: str) -> None:
    """Ask for scale and limits, say what is known of the numbers, and keep the outcome on request."""
    outcome = study.schema.outcome
    old = study.schema.number if outcome is not None and outcome.name == target else None
    kept = "proposed" if old is None else "log" if old.log else "plain"
    key = f"{study.identity}.{target}"
    left, middle, right = st.columns(3)
    with left:
        scale = st.selectbox(
            _("What models learn of it"),
            list(SCALES),
            index=list(SCALES).index(kept),
            format_func=lambda s: _(SCALES[s]),
            help=_(
                "A logarithm suits numbers above 0 of which a few are very large, such as costs or lengths of stay."
            ),
            key=f"data.number.scale.{key}",
        )
    with middle:
        low = _limit(_("It cannot be below"), None if old is None else old.low, key=f"data.number.low.{key}")
    with right:
        high = _limit(_("It cannot be above"), None if old is None else old.high, key=f"data.number.high.{key}")
    asked = ("number", study.identity, target, scale, low, high)
    schema: Schema = once(
        lambda: choose_number(cohort(study), target, log=_LOGS[scale], low=low, high=high), *asked, "schema"
    )
    caption(str(schema[target].reason or ""))
    value, n_unreadable = once(lambda: read_number(cohort(study), schema), *asked, "value")
    known = value[~np.isnan(value)]
    low_quarter, middle_value, high_quarter = (number(float(q), ".4g") for q in np.quantile(known, [0.25, 0.5, 0.75]))
    facts(
        [
            (_("Rows with a number"), f"{len(known):,}"),
            *([(_("Could not be read"), f"{n_unreadable:,}")] if n_unreadable else []),
            (_("Mean (SD)"), f"{number(float(known.mean()), '.4g')} ({number(float(known.std(ddof=1)), '.3g')})"),
            (_("Median [quartiles]"), f"{middle_value} [{low_quarter}–{high_quarter}]"),
            (_("Lowest, highest"), f"{number(float(known.min()), '.4g')}, {number(float(known.max()), '.4g')}"),
            (_("Skewness"), number(skewness(known), ".1f")),
        ]
    )
    settled = outcome is not None and outcome.name == target and study.schema.number == schema.number
    if not settled and st.button(_("Use this outcome"), key="data.outcome.save", type="primary"):
        store().save_schema(study.owner, study.id, schema)
        st.rerun()


def _limit(label: str, kept: float | None, *, key: str) -> float | None:
    return st.number_input(label, value=kept, placeholder=_("no limit, or as proposed"), format="%g", key=key)
