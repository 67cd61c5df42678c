"""Which value is which, where new patients' categories are in other codes or words than training's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from medcore import jobs
from medcore.data.cohort import Cohort
from medcore.i18n import _
from medcore.models.deployed.levels import UnknownLevels, find_unknown
from medcore.studies.records import RunRecord
from medcore.ui.kit import cache
from medcore.ui.kit.layout import note, section
from medcore.ui.kit.shown.waiting import waited
from medcore.ui.kit.text import one_line, plain

MOST_ASKED = 12
"""Values asked about for one column; rarer ones stay unknown to the model."""


@dataclass(frozen=True, slots=True)
class LevelQuestion:
    """The model's value by the table's own, by column; and the columns whose values are truly new."""

    mapped: Mapping[str, Mapping[str, str]]
    new: tuple[str, ...]


def level_form(run: RunRecord, cohort: Cohort, names: Mapping[str, str]) -> LevelQuestion | None:
    """Ask which value is which where the model knows hardly any; None until that is said."""
    model = jobs.ResultOf(cache.store().settings, run.owner, run.id)
    unknown = waited(
        lambda task: jobs.call(find_unknown, model, cohort, names=names, levels={}, stop=task.stop),
        *("unknown levels", run.id, cohort.sha256, sorted(names.items())),
        key="evaluate.levels",
        doing=_("The values are compared with those the model knows."),
    )
    if unknown is None:
        return None
    if not unknown:
        return LevelQuestion({}, ())
    section(
        _("Which value is which?"),
        _(
            "These columns hold values that the model has never seen. Judged like this, its risks would be made without "
            "them. Match the values, or say that they are truly new."
        ),
    )
    mapped: dict[str, dict[str, str]] = {}
    new: list[str] = []
    open_columns = []
    for number, each in enumerate(unknown):
        chosen, is_new = _ask(each, key=f"evaluate.level.{run.id}.{cohort.sha256[:12]}.{number}")
        if is_new:
            new.append(each.column)
        elif chosen:
            mapped[each.column] = chosen
        if not is_new and len(chosen) < min(len(each.unknown), MOST_ASKED):
            open_columns.append(each.column)
    if open_columns:
        note(
            _("Nothing is judged before this is settled: match every value of {columns}.", columns=open_columns),
            look="warning",
        )
        return None
    return LevelQuestion(mapped, tuple(new))


def _ask(unknown: UnknownLevels, *, key: str) -> tuple[dict[str, str], bool]:
    """Ask about the values of one column; they are this session's only, and never stored."""
    note(
        _(
            "{column}: {n} of {total} rows hold values that training never had.",
            column=unknown.column,
            n=f"{unknown.n_unknown:,}",
            total=f"{unknown.n:,}",
        ),
        look="warning",
    )
    is_new = st.checkbox(_("These are truly new categories: judge without them"), key=f"{key}.new")
    if is_new:
        return {}, True
    chosen = {}
    asked = list(unknown.unknown)[:MOST_ASKED]
    for start in range(0, len(asked), 4):
        for place, value in zip(st.columns(4), asked[start : start + 4], strict=False):
            with place:
                ours = st.selectbox(
                    _("“{value}” ({n} rows) is", value=plain(value, limit=30), n=unknown.unknown[value]),
                    unknown.known,
                    index=_same_word(value, unknown.known),
                    placeholder=_("choose"),
                    format_func=one_line,
                    key=f"{key}.{asked.index(value)}",
                )
            if ours is not None:
                chosen[value] = ours
    return chosen, False


def _same_word(value: str, known: tuple[str, ...]) -> int | None:
    """Propose the value that is the same word in other letters, or begins with it; codes are never guessed."""
    word = value.casefold()
    same = [i for i, k in enumerate(known) if k.casefold() == word]
    begins = [i for i, k in enumerate(known) if word.isalpha() and k.casefold().startswith(word)]
    return same[0] if same else begins[0] if len(begins) == 1 else None
