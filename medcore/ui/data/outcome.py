"""Choose what is to be predicted, and which class is the event."""

from __future__ import annotations

import streamlit as st

from medcore.data.schema.inference import TargetProposal, choose_target, propose_targets
from medcore.data.schema.targets import class_counts
from medcore.i18n import _
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import cohort, once, store
from medcore.ui.kit.layout import caption
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.text import one_line

MOST_CLASSES_LISTED = 12


def outcome_form(study: StudyRecord) -> None:
    """Ask for the outcome and the event; the likeliest columns come first."""
    proposals = _proposals(study)
    outcome = study.schema.outcome
    first = [outcome.name] if outcome else []
    names = list(dict.fromkeys([*first, *(p.column for p in proposals), *study.schema.names]))
    left, right = st.columns(2)
    with left:
        target = st.selectbox(
            _("Outcome: the column to be predicted"),
            names,
            index=0 if outcome or proposals else None,
            format_func=lambda n: one_line(n, limit=60),
            key=f"data.outcome.{study.identity}",
            placeholder=_("Choose a column"),
        )
        if outcome is None and proposals:
            caption(_("Likeliest: {column}. {reason}", column=proposals[0].column, reason=str(proposals[0].reason)))
    if target is None:
        return
    with right, errors_shown():
        positive = _event(study, target)
        column = study.schema[target]
        settled = outcome is not None and outcome.name == target and study.schema.positive == positive
        if not settled and st.button(_("Use this outcome"), key="data.outcome.save", type="primary"):
            schema = choose_target(study.schema, cohort(study).frame, column.name, positive=positive)
            store().save_schema(study.owner, study.id, schema)
            st.rerun()


def _event(study: StudyRecord, target: str) -> str | None:
    """Ask for the event among the classes; None predicts every class."""
    schema = once(lambda: choose_target(study.schema, cohort(study).frame, target), "target", study.identity, target)
    counts = once(
        lambda: class_counts(cohort(study).frame, schema[target]),
        "classes",
        study.content_key,
        schema[target].to_dict(),
    )
    current = study.schema.outcome
    chosen = study.schema.positive if current is not None and current.name == target else schema.positive
    options: list[str | None] = [*list(counts)[:MOST_CLASSES_LISTED]]
    if len(counts) > 2:
        options.insert(0, None)
    total = sum(counts.values())

    def words(name: str | None) -> str:
        if name is None:
            return _("Predict every class ({n} classes)", n=len(counts))
        return _(
            "{name}: {n} rows ({share} %)",
            name=one_line(name, limit=40),
            n=counts[name],
            share=_share(counts[name], total),
        )

    return st.selectbox(
        _("Event: the class whose risk is predicted"),
        options,
        index=options.index(chosen) if chosen in options else 0,
        format_func=words,
        key=f"data.event.{study.identity}.{target}",
    )


def _share(n: int, total: int) -> str:
    return f"{100 * n / total:.1f}" if total else "0"


def _proposals(study: StudyRecord) -> tuple[TargetProposal, ...]:
    rows = cohort(study)
    return once(lambda: propose_targets(rows.frame, rows.schema), "proposals", study.identity)
