"""Choose what is to be predicted, and which class is the event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from medcore.data.cohort import Column, Schema
from medcore.data.preparation.event_time import EventTimeProposal, propose_event_times
from medcore.data.preparation.number import NumberProposal, propose_numbers
from medcore.data.schema.class_names import class_names, name_classes
from medcore.data.schema.inference import TargetProposal, choose_target, propose_targets
from medcore.data.schema.targets import absence, against_event, class_counts
from medcore.data.shown import with_code
from medcore.i18n import _, current_language
from medcore.studies.records import StudyRecord
from medcore.ui.data.event_time import event_time_form, what_is_asked
from medcore.ui.data.number import number_form
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
            format_func=lambda n: one_line(study.schema.shown(n), limit=60),
            key=f"data.outcome.{study.identity}",
            placeholder=_("Choose a column"),
        )
        if outcome is None and proposals:
            caption(
                _(
                    "Likeliest: {column}. {reason}",
                    column=study.schema.shown(proposals[0].column),
                    reason=str(proposals[0].reason),
                )
            )
    if target is None:
        return
    with right:
        asked = what_is_asked(study, target)
    with errors_shown():
        if asked == "time":
            event_time_form(study, target)
            return
        if asked == "number":
            number_form(study, target)
            return
        schema = once(
            lambda: choose_target(study.schema, cohort(study).frame, target), "target", study.identity, target
        )
        counts = once(
            lambda: class_counts(cohort(study).frame, schema[target]),
            "classes",
            study.content_key,
            schema[target].to_dict(),
        )
        with right:
            positive = _event(study, target, counts, schema.positive)
            order = _order(study, schema[target], counts) if positive is None else None
        schema = once(
            lambda: choose_target(study.schema, cohort(study).frame, target, positive=positive, order=order),
            *("target", study.identity, target, positive, order),
        )
        if outcome is not None and outcome.name == target:
            schema = replace(schema.change(target, level_labels=outcome.level_labels), absence=study.schema.absence)
        schema = _called(study, schema, counts)
        settled = outcome is not None and _said(schema) == _said(study.schema)
        settled = settled and study.schema.follow_up is None and study.schema.number is None
        if not settled and st.button(_("Use this outcome"), key="data.outcome.save", type="primary"):
            store().save_schema(study.owner, study.id, schema)
            st.rerun()


def _said(schema: Schema) -> tuple[object, ...]:
    """Return what this form asks for."""
    column = schema.outcome
    order = schema.target.ordered and column.levels if column and schema.target else ()
    return (column and (column.name, dict(column.level_labels)), order, schema.positive, schema.absence)


def _called(study: StudyRecord, schema: Schema, counts: Mapping[str, int]) -> Schema:
    """Ask what the event and its absence are called, or which of many classes means "none of these"."""
    column = schema.outcome
    assert column is not None
    key = f"data.called.{study.identity}.{column.name}.{schema.positive}.{current_language()}"
    left, right = st.columns(2)
    if schema.positive is None:
        names = list(counts)[:MOST_CLASSES_LISTED]
        none = absence(names, schema.absence)
        with left:
            chosen = st.selectbox(
                _("The class that means “none of these”"),
                [None, *names],
                index=0 if none is None else none + 1,
                format_func=lambda name: _("there is none") if name is None else one_line(name, limit=40),
                help=_(
                    "The healthy or the negative ones: their risk is not told as a danger, and diseases come first."
                ),
                key=f"{key}.none",
            )
        return replace(schema, absence=chosen)
    classes = against_event(list(counts), schema.positive)
    proposed = [str(name) for name in class_names(classes, replace(column, level_labels={}))]
    present = [str(name) for name in class_names(classes, column)]
    with left:
        event = st.text_input(
            _("What the event is called"), present[1], placeholder=proposed[1], max_chars=60, key=f"{key}.event"
        )
    with right:
        absent = st.text_input(
            _("What its absence is called"), present[0], placeholder=proposed[0], max_chars=60, key=f"{key}.absence"
        )
    if str(class_names(classes, column)[1]) == _("the event"):
        caption(_("Give the event the name that physicians say: every sentence, chart and report uses it."))
    typed = zip(classes, (absent.strip(), event.strip()), proposed, strict=True)
    own = {name: text for name, text, usual in typed if text and text != usual}
    bare = schema.change(column.name, level_labels={k: v for k, v in column.level_labels.items() if k not in classes})
    return name_classes(bare, cohort(study).frame, own) if own else bare


def _event(study: StudyRecord, target: str, counts: Mapping[str, int], likely: str | None) -> str | None:
    """Ask for the event among the classes; None predicts every class."""
    current = study.schema.outcome
    chosen = study.schema.positive if current is not None and current.name == target else likely
    options: list[str | None] = [*list(counts)[:MOST_CLASSES_LISTED]]
    if len(counts) > 2:
        options.insert(0, None)
    total = sum(counts.values())

    def words(name: str | None) -> str:
        if name is None:
            return _("Predict every class ({n} classes)", n=len(counts))
        return _(
            "{name}: {n} rows ({share} %)",
            name=one_line(with_code(name, study.schema[target].level_labels), limit=40),
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


def _order(study: StudyRecord, likely: Column, counts: Mapping[str, int]) -> list[str]:
    """Ask in which order the classes stand, the lowest first; nothing chosen is no order."""
    current = study.schema.outcome
    known = current if current is not None and current.name == likely.name else likely
    chosen: list[str] = st.multiselect(
        _("Order of the classes, lowest first (mild, moderate, severe); empty if they have none"),
        list(counts),
        default=[level for level in known.levels if level in counts],
        format_func=lambda name: one_line(with_code(name, known.level_labels), limit=40),
        key=f"data.order.{study.identity}.{likely.name}",
        placeholder=_("Choose a value"),
    )
    return chosen


def _share(n: int, total: int) -> str:
    return f"{100 * n / total:.1f}" if total else "0"


def _proposals(study: StudyRecord) -> tuple[TargetProposal | EventTimeProposal | NumberProposal, ...]:
    """Return the likeliest outcomes, classes and events with their time, a column once; a measurement where there is none of them."""
    rows = cohort(study)
    classes = once(lambda: propose_targets(rows.frame, rows.schema), "proposals", study.identity)
    times = once(lambda: propose_event_times(rows.frame, study.schema), "event_times", study.identity)
    every: list[TargetProposal | EventTimeProposal] = [*classes, *times]
    found: dict[str, TargetProposal | EventTimeProposal] = {}
    for proposal in sorted(every, key=lambda p: -p.confidence):
        found.setdefault(proposal.column, proposal)
    if found:
        return tuple(found.values())
    return once(lambda: propose_numbers(rows.frame, rows.schema), "number proposals", study.identity)
