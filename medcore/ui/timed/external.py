"""The frozen model on new patients whose status and follow-up are known."""

from __future__ import annotations

import streamlit as st

from medcore import jobs
from medcore.data.follow_up import span
from medcore.i18n import _
from medcore.jobs.web.uploads import read_upload
from medcore.models.deployed.external import SAME_TABLE
from medcore.models.deployed.timed import TimedValidation, judge_saved_timed
from medcore.models.run.timed_results import TimedResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.tables import with_interval
from medcore.ui.kit.shown.waiting import waited
from medcore.ui.timed.judged import TimedJudged, judge_new

MOST_SECONDS = 600.0


def new_patients(study: StudyRecord, run: RunRecord, results: TimedResults) -> TimedJudged | None:
    """Ask for a table of new patients and by when, and judge the model as it is; None until there is something to show."""
    components.section(
        _("How good is it on other patients?"),
        _(
            "The model stays as it is. The table needs the columns of training, status and follow-up included; it is not stored."
        ),
    )
    file = st.file_uploader(_("Table of new patients with their outcomes"), key=f"evaluate.timed.external.{run.id}")
    if file is None:
        return None
    cohort = cache.once(
        lambda: read_upload(file.name, file.getvalue(), like=study.schema),
        *("timed.external.table", study.identity, file.file_id),
    )
    model = jobs.ResultOf(cache.store().settings, run.owner, run.id)
    found = waited(
        lambda task: jobs.call(judge_saved_timed, model, cohort, stop=task.stop, timeout=MOST_SECONDS),
        *("timed.external", run.id, cohort.sha256),
        key="evaluate.timed.external",
        doing=_("The new patients are judged."),
    )
    if found is None:
        return None
    _counted(found)
    if found.same_table:
        return None
    _beyond(found, results)
    unit, main = results.target.unit, results.target.main
    asked = sorted(found.judged, key=lambda h: (h != main, h))
    horizon = components.choice(
        _("By when"), asked, key=f"evaluate.timed.new.{run.id}.{cohort.sha256[:12]}", show=lambda h: str(span(h, unit))
    )
    return judge_new(results, found, horizon, side=cohort.sha256, run_id=run.id)


def _counted(found: TimedValidation) -> None:
    pairs = [(_("Patients judged"), f"{len(found.event):,}")]
    if found.n_without_outcome:
        pairs.append((_("Left out, no outcome"), f"{found.n_without_outcome:,}"))
    apart = with_interval(found.membership.auroc, digits=2)
    components.facts([*pairs, (_("AUROC of telling them apart (0.5: not at all)"), apart)])
    if found.same_table:
        components.note(_(SAME_TABLE), look="warning")
        return
    components.note(str(found.membership.meaning))


def _beyond(found: TimedValidation, results: TimedResults) -> None:
    """Say which horizons none of these patients was followed to."""
    unit = results.target.unit
    beyond = [str(span(h, unit)) for h in results.target.horizons if h not in found.judged]
    if beyond:
        components.note(
            _("None of these patients was followed for {horizons}, so risks by then are not judged.", horizons=beyond),
            look="warning",
        )
