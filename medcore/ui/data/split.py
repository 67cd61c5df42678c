"""Choose who is trained on and who is locked away, with a preview of sizes and events."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from medcore.data.preparation.recipe import Prepared
from medcore.data.schema.class_names import class_names
from medcore.data.splitting.split import Split, SplitKind, SplitSettings, make_split
from medcore.i18n import _, percent
from medcore.studies.records import StudyRecord
from medcore.targets import Target
from medcore.ui.data.recipe import prepared
from medcore.ui.kit.cache import once, store
from medcore.ui.kit.layout import facts, note
from medcore.ui.kit.notices import errors_shown, findings
from medcore.ui.kit.shown.tables import table
from medcore.ui.kit.text import one_line, plain
from medcore.ui.kit.words import SPLIT_KINDS


def split_form(study: StudyRecord) -> None:
    """Ask how to split, show what comes of it, and keep it on request."""
    done = prepared(study)
    with errors_shown():
        wanted = _ask(study, done)
        split = once(lambda: make_split(done, wanted), "split", study.identity, wanted.to_dict())
        _preview(split, [str(name) for name in class_names(split.classes, study.schema.outcome)])
        findings(split.findings, key="data.split")
        if wanted != study.split and st.button(_("Use this split"), type="primary", key="data.split.save"):
            store().save_split(study.owner, study.id, wanted)
            st.rerun()
    note(
        _(
            "The test set is locked: it is judged once, at the end, and every look is counted (so far: {n}).",
            n=study.n_looks,
        )
    )


def _ask(study: StudyRecord, done: Prepared) -> SplitSettings:
    old = study.split
    first, second, third, fourth = st.columns([3, 2, 1, 1], vertical_alignment="bottom")
    kinds: list[SplitKind] = [k for k in get_args(SplitKind) if _possible(k, done)]
    usual = "group" if done.groups is not None and old.kind == "random" else old.kind
    with first:
        kind = st.selectbox(
            _("How to split"),
            kinds,
            index=kinds.index(usual) if usual in kinds else 0,
            format_func=lambda k: _(SPLIT_KINDS[k]),
            key=f"data.split.kind.{study.identity}",
        )
    with second:
        share = st.slider(
            _("Share locked for the test (%)"),
            0,
            50,
            round(100 * old.test_size),
            5,
            key=f"data.split.test.{study.identity}",
        )
    with third:
        folds = st.number_input(_("Folds"), 2, 20, old.n_folds, key=f"data.split.folds.{study.identity}")
    with fourth:
        seed = st.number_input(_("Seed"), 0, 10**6, old.seed, key=f"data.split.seed.{study.identity}")
    site = _site(study, done) if kind == "site" else None
    column = _column(study) if kind == "column" else None
    kept: SplitKind = "random" if kind == "group" and old.kind == "random" else kind
    return SplitSettings(kind=kept, test_size=share / 100, n_folds=int(folds), seed=int(seed), site=site, column=column)


def _possible(kind: str, done: Prepared) -> bool:
    if kind == "random":
        return done.groups is None
    needs = {"group": done.groups, "time": done.time, "site": done.sites}
    return kind not in needs or needs[kind] is not None


def _site(study: StudyRecord, done: Prepared) -> str | None:
    known = sorted({str(s) for s in done.sites if s is not None}) if done.sites is not None else []
    options: list[str | None] = [None, *known]
    return st.selectbox(
        _("Site to be left out"),
        options,
        index=options.index(study.split.site) if study.split.site in options else 0,
        format_func=lambda s: _("chosen by share") if s is None else one_line(s, limit=60),
        key=f"data.split.site.{study.identity}",
    )


def _column(study: StudyRecord) -> str | None:
    names = list(study.schema.names)
    return st.selectbox(
        _("Column that says who is tested"),
        names,
        index=names.index(study.split.column) if study.split.column in names else None,
        format_func=lambda n: one_line(n, limit=60),
        key=f"data.split.column.{study.identity}",
    )


def _preview(split: Split, names: list[str]) -> None:
    """Show rows, patients and events of each part; of two classes only the event."""
    facts(
        [
            (_("To train on"), f"{int(split.train.sum()):,}"),
            (_("Locked for the test"), f"{int(split.test.sum()):,}"),
            (_("Folds"), str(split.n_folds)),
        ]
    )
    shown = Target.of(split.classes).told
    rows = []
    for part in split.parts():
        row = {_("Part"): str(part.name), _("Rows"): part.n_rows, _("Patients"): part.n_patients}
        for k in shown:
            n = part.class_counts[k]
            row[plain(names[k], limit=24)] = f"{n} ({percent(n / max(part.n_rows, 1))})"
        rows.append(row)
    table(rows)
