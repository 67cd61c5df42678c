"""A table of new patients is brought and a frozen model judged on it: asked alike whatever is predicted but classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import streamlit as st

from medcore import jobs
from medcore.data.cohort import Cohort
from medcore.i18n import _
from medcore.models.deployed.external import SAME_TABLE
from medcore.models.deployed.membership import Membership
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.evaluate.new_patients.external import column_form
from medcore.ui.evaluate.new_patients.levels import level_form
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.brought import brought
from medcore.ui.kit.shown.tables import with_interval
from medcore.ui.kit.shown.waiting import waited

MOST_SECONDS = 600.0
V = TypeVar("V")


class _Validation(Protocol):
    """What is told alike of every judgement on new patients."""

    @property
    def n_without_outcome(self) -> int:
        """How many were left out."""

    @property
    def same_table(self) -> bool:
        """Whether it is the table of training."""

    @property
    def membership(self) -> Membership:
        """How far they can be told apart from the training patients."""


def judged_table(
    study: StudyRecord, run: RunRecord, manifest: Mapping[str, Any], judge: Callable[..., V]
) -> tuple[Cohort, V] | None:
    """Ask for a table, and which column and value is which; have ``judge`` judge it on a worker. None as yet."""
    file = st.file_uploader(_("Table of new patients with their outcomes"), key=f"evaluate.external.table.{run.id}")
    if file is None:
        return None
    cohort = brought(file, study.identity, like=study.schema, key="evaluate.reading")
    if cohort is None:
        return None
    names = column_form(cohort, manifest, run.id)
    levels = None if names is None else level_form(run, cohort, names)
    if names is None or levels is None:
        return None
    model = jobs.ResultOf(cache.store().settings, run.owner, run.id)
    found: V | None = waited(
        lambda task: jobs.call(
            judge,
            model,
            cohort,
            names=names,
            levels=levels.mapped,
            new_levels=levels.new,
            stop=task.stop,
            timeout=MOST_SECONDS,
        ),
        *("external.judged", run.id, cohort.sha256, sorted(names.items()), levels),
        key="evaluate.external.judged",
        doing=_("The new patients are judged."),
    )
    return None if found is None else (cohort, found)


def counted(found: _Validation, n: int) -> None:
    """Say how many were judged, and how much they are like the training patients."""
    pairs = [(_("Patients judged"), f"{n:,}")]
    if found.n_without_outcome:
        pairs.append((_("Left out, no outcome"), f"{found.n_without_outcome:,}"))
    apart = with_interval(found.membership.auroc, digits=2)
    components.facts([*pairs, (_("AUROC of telling them apart (0.5: not at all)"), apart)])
    if found.same_table:
        components.note(_(SAME_TABLE), look="warning")
    else:
        components.note(str(found.membership.meaning))
