"""The report of a run, written on a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medcore.i18n import language
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.records import Choice


def write_report(
    settings: Settings,
    owner: str,
    run_id: str,
    *,
    threshold: float,
    kind: str,
    words: str,
    refits: Mapping[str, Any] | None = None,
) -> bytes:
    """Write a finished run's report as ``html``, ``pdf`` or ``docx``, in the language ``words``.

    ``refits`` is its stability told as JSON, if it was worked out.

    The patients are prepared and split as they were for the run, whatever was
    changed in the study since.

    Raises:
        NotFoundError: there is no such run, or it has no results yet.

    """
    from medcore.evaluation.curves.thresholds import BY_HAND
    from medcore.models.bundle.bundle import load_bundle
    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.cohort import split_cohort
    from medcore.models.run.number.results import has_number_results, read_number_results
    from medcore.models.run.results import read_results
    from medcore.models.run.timed.results import TimedResults, has_timed_results, read_timed_results
    from medcore.reporting import (
        NumberReportInputs,
        ReportInputs,
        TimedReportInputs,
        number_report,
        render,
        study_report,
        timed_report,
    )

    store = Store(settings)
    run, inputs = store.get_run(owner, run_id), store.run_inputs(owner, run_id)
    study = store.get_study(owner, run.study_id)
    folder = store.result_folder(owner, run_id)
    prepared, split = split_cohort(inputs.cohort, inputs.plan.recipe, inputs.plan.split)
    known: dict[str, Any] = {
        "title": study.name,
        "threshold": threshold,
        "bundle_sha256": bundle_hash(folder),
        "cohort": inputs.cohort,
        "prepared": prepared,
        "split": split,
        "looks": study.n_looks,
        "answers": study.answers,
        "refits": refits,
    }
    with language(words):
        if has_number_results(folder):
            numbers = NumberReportInputs(results=read_number_results(folder), **known)
            return render(number_report(numbers), f"report.{kind}")
        results = read_timed_results(folder) if has_timed_results(folder) else read_results(folder)
        origin = study.origin(run_id, threshold, results.manifest) or Choice(run_id, results.model, rationale=BY_HAND)
        known["rationale"] = origin.rationale
        if isinstance(results, TimedResults):
            timed = TimedReportInputs(results=results, **known)
            return render(timed_report(timed.with_cox(load_bundle(folder))), f"report.{kind}")
        known |= {"rule": origin.rule, "rule_target": origin.target}
        return render(study_report(ReportInputs(results=results.named_as(study.schema), **known)), f"report.{kind}")
