"""The report of a run, as the worker writes it: of a real small study, in each format and language."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medcore.data.samples import load_sample
from medcore.data.schema.matching import with_names
from medcore.errors import NotFoundError
from medcore.jobs.queries.reports import write_report
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.jobs.runs.versions import keep_version
from medcore.models.contract.settings import TrainSettings
from medcore.models.deployed.recalibration import recalibrate
from medcore.models.deployed.versions import judge_saved
from medcore.models.run.results import read_results
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.records import Choice


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, str]]:
    """Train the heart sample once, in this process; return the installation and the run's id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(tmp_path_factory.mktemp("reports")))
        settings = Settings.from_env()
        store = Store(settings)
        study = store.create_study("ann", "Heart & vessels", load_sample("heart"))
        run = store.create_run("ann", study.id, TrainSettings(model="logistic"))
        perform_run(settings, "ann", run.id, train_study)
        assert store.get_run("ann", run.id).state == "done"
        store.save_choice("ann", study.id, Choice(run.id, "logistic", 0.25, "one to three"))
        yield settings, run.id
        forget_engines()


@pytest.mark.parametrize(("kind", "start"), [("html", b"<!doctype html"), ("pdf", b"%PDF-"), ("docx", b"PK")])
def test_a_report_is_written_in_the_format_asked_for(finished, kind, start) -> None:
    settings, run_id = finished
    written = write_report(settings, "ann", run_id, threshold=0.25, kind=kind, words="en")
    assert written[: len(start)].lower() == start.lower()
    assert 10_000 < len(written) < 5_000_000


def test_the_reason_of_the_chosen_threshold_is_printed_and_of_no_other(finished) -> None:
    settings, run_id = finished
    chosen, other = (
        write_report(settings, "ann", run_id, threshold=t, kind="html", words="en").decode() for t in (0.25, 0.4)
    )
    assert "one to three" in chosen and "Heart &amp; vessels" in chosen
    assert "one to three" not in other


def test_a_report_speaks_the_language_asked_for(finished) -> None:
    settings, run_id = finished
    page = write_report(settings, "ann", run_id, threshold=0.25, kind="html", words="zh_CN").decode()
    assert "校准" in page and 'lang="zh' in page


def test_nobody_else_gets_the_report(finished) -> None:
    settings, run_id = finished
    with pytest.raises(NotFoundError):
        write_report(settings, "bob", run_id, threshold=0.25, kind="html", words="en")


def test_a_recalibrated_version_has_a_report_of_its_own(finished, tmp_path: Path) -> None:
    settings, run_id = finished
    store = Store(settings)
    folder = store.result_folder("ann", run_id)
    found = judge_saved(folder, with_names(load_sample("heart"), {}))
    made = keep_version(settings, "ann", run_id, recalibrate(found.validation, "slope"), found.validation)
    results = read_results(store.result_folder("ann", made))
    assert results.manifest["recalibration"]["run"] == run_id
    assert store.get_run("ann", made).summary["version_of"]["strength"] == "slope"
    page = write_report(settings, "ann", made, threshold=0.25, kind="html", words="en").decode()
    assert "This version was recalibrated to" in page
