"""The report of a run, written on a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from medcore.i18n import language
from medcore.sealing import Folder
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.records import Choice, StudyRecord

if TYPE_CHECKING:
    from medcore.models.run.any_results import AnyResults
    from medcore.reporting.formats.document import Document


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
    from medcore.models.bundle.files import bundle_hash
    from medcore.models.run.any_results import read_any_results
    from medcore.models.run.cohort import split_cohort
    from medcore.reporting import render

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
        document = _report(read_any_results(folder), study, run_id, folder, known)
        return render(document, f"report.{kind}")


def _report(results: AnyResults, study: StudyRecord, run_id: str, folder: Folder, known: Mapping[str, Any]) -> Document:
    """Return the report of results, whatever their model predicts; ``known`` is what each report is given."""
    from medcore.evaluation.curves.thresholds import BY_HAND
    from medcore.models.bundle.bundle import load_bundle
    from medcore.models.run.number.results import NumberResults
    from medcore.models.run.timed.results import TimedResults
    from medcore.reporting import (
        NumberReportInputs,
        ReportInputs,
        TimedReportInputs,
        number_report,
        study_report,
        timed_report,
    )

    if isinstance(results, NumberResults):
        return number_report(NumberReportInputs(results=results, **known))
    origin = study.origin(run_id, known["threshold"], results.manifest)
    origin = origin or Choice(run_id, results.model, rationale=BY_HAND)
    if isinstance(results, TimedResults):
        timed = TimedReportInputs(results=results, rationale=origin.rationale, **known)
        return timed_report(timed.with_cox(load_bundle(folder)))
    chosen: dict[str, Any] = {"rationale": origin.rationale, "rule": origin.rule, "rule_target": origin.target}
    return study_report(ReportInputs(results=results.named_as(study.schema), **chosen, **known))
