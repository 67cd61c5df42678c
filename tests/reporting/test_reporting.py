"""Reports of a real, small model: complete in three formats and two languages, and without any patient's row."""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.charts.drawing.theme import alt_text
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.errors import SettingsError
from medcore.evaluation import evaluate
from medcore.i18n import language
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.deployed.external import validate
from medcore.models.deployed.recalibration import recalibrations
from medcore.models.run.results import read_results, save_trained
from medcore.models.run.training import train
from medcore.reporting import FORMATS, ReportInputs, render, study_report
from medcore.reporting.formats.document import Heading, Paragraph, Picture, Table
from medcore.reporting.methods import _in_parts
from medcore.reporting.standards.tripod import ITEMS


def ward(n: int, classes: int, seed: int = 0) -> bytes:
    rng = np.random.default_rng(seed)
    age, lactate = rng.normal(60, 10, n).round(1), rng.lognormal(0.5, 0.6, n).round(2)
    score = (age - 60) / 8 + 2 * np.log(lactate) + rng.logistic(size=n)
    outcome = np.digitize(score, np.linspace(0.5, 2.5, classes - 1) if classes > 2 else [1.0])
    frame = pd.DataFrame({"age": age, "sex": rng.choice(["f", "m"], n), "lactate <b>": lactate, "outcome": outcome})
    return frame.assign(outcome=frame["outcome"].map(lambda k: f"grade {k}")).to_csv(index=False).encode()


def subject_of(folder: Path, classes: int) -> ReportInputs:
    cohort = read_table(("ward.csv", ward(240, classes)))
    cohort = cohort.with_schema(choose_target(cohort.schema, cohort.frame, "outcome"))
    recipe = default_recipe(cohort.schema)
    prepared = prepare(cohort, recipe)
    split = make_split(prepared, SplitSettings())
    settings = TrainSettings(model="logistic")
    save_trained(
        train(prepared, split, settings, schema=cohort.schema, recipe=recipe, cohort_sha256=cohort.sha256), folder
    )
    validation = validate(load_bundle(folder), read_table(("new.csv", ward(80, classes, seed=5))))
    return ReportInputs(
        title="Ward & <outcome>",
        results=read_results(folder),
        threshold=0.3,
        rationale="one missed case is worth three needless treatments",
        cohort=cohort,
        prepared=prepared,
        split=split,
        validation=validation,
        recalibrations=recalibrations(validation),
        looks=2,
        answers={"ethics": "Approved by the ethics committee."},
    )


@pytest.fixture(scope="module", params=[2, 3], ids=["two classes", "three classes"])
def subject(request, tmp_path_factory) -> ReportInputs:
    return subject_of(tmp_path_factory.mktemp("report"), request.param)


@pytest.fixture(scope="module")
def document(subject):
    """The report in English, written once for all who only read it."""
    return study_report(subject)


@pytest.fixture(scope="module")
def page(document) -> str:
    return FORMATS["html"](document).decode()


@pytest.fixture(scope="module")
def without_table(subject):
    """The report where the table it was trained on is not at hand."""
    return study_report(replace(subject, cohort=None, prepared=None, split=None))


def test_every_item_of_tripod_is_answered_or_not_stated(document) -> None:
    blocks = document.blocks
    table = blocks[-1]
    assert isinstance(table, Table)
    assert len(table.rows) == len(ITEMS)
    answers = {row[0]: row[2] for row in table.rows}
    assert answers["17"] == "Approved by the ethics committee."
    assert answers["6a"] == "not stated"
    headings = {b.text for b in blocks if isinstance(b, Heading)}
    pointed = {m.group(1) for a in answers.values() if (m := re.fullmatch("See “(.+)”", a))}
    assert pointed - {"Title"} <= headings


def test_a_report_never_claims_to_meet_a_guideline(page) -> None:
    text = page
    assert "does not claim that they are met" in text
    assert not re.search(r"compl(ies|iant|iance)", text)


def test_html_needs_nothing_from_elsewhere_and_escapes_what_comes_from_the_table(page) -> None:
    assert "<outcome>" not in page.replace("&lt;outcome&gt;", "")
    assert "lactate <b>" not in page
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "<script" not in page
    assert all('alt=""' not in tag for tag in re.findall("<img [^>]*>", page))


@pytest.mark.parametrize("code", ["en", "zh_CN"])
def test_pdf_and_docx_hold_the_same_headings_in_each_language(subject, code) -> None:
    import docx

    with language(code):
        document = study_report(subject)
        pdf, written_docx = render(document, "r.pdf"), render(document, "r.docx")
    headings = [b.text for b in document.blocks if isinstance(b, Heading)]
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) < 2_000_000
    paper = docx.Document(BytesIO(written_docx))
    written = [p.text for p in paper.paragraphs if p.style.name.startswith("Heading")]
    assert written == headings
    assert len(paper.inline_shapes) == sum(isinstance(b, Picture) for b in document.blocks)


def test_counts_below_five_are_not_told(document) -> None:
    tables = [b for b in document.blocks if isinstance(b, Table) and "SMD" in b.header]
    assert len(tables) == 2
    shares = re.findall(r"\b(\d+) \(\d+(?:\.\d+)? ?%\)", " ".join(c for t in tables for row in t.rows for c in row))
    assert shares
    assert all(int(n) >= 5 for n in shares)


def test_the_external_validation_tells_who_the_patients_are_and_what_recalibration_gives(subject, page) -> None:
    text = page
    assert "membership model" in text
    assert "Recalibrated to the new patients, cross-validated" in text
    assert ("New curve" in text) is (subject.target.event is not None)


def test_an_outcome_in_an_order_has_its_figures_and_its_cuts(subject, page) -> None:
    text = page
    for words in ("Ordinal c-index ORC", "Ranked probability score", "At or above each class", "grade 0 &lt; grade 1"):
        assert (words in text) is subject.target.ordered


def test_an_unknown_format_names_those_there_are(document) -> None:
    with pytest.raises(SettingsError, match=r"\.pdf"):
        render(document, "report.odt")


def test_figures_of_a_locked_test_set_nobody_looked_at_are_not_in_the_report(subject, page) -> None:
    seen, locked = page, FORMATS["html"](study_report(replace(subject, looks=0))).decode()
    shown = f"{subject.results.tested.metrics['auroc'].value:.3f} ("
    assert shown in seen
    assert f"looked at {subject.looks} time" in seen
    assert shown not in locked
    assert "has not been looked at yet" in locked


def test_charts_of_the_report_have_the_intervals_of_its_table_where_patients_repeat(subject) -> None:
    patients = subject.results.training
    groups = np.arange(len(patients.outcome)) // 4
    classes = subject.results.classes
    judged = evaluate(patients.outcome, patients.risk, classes, groups=groups, n_boot=50)
    repeated = replace(subject.results, training=replace(patients, groups=groups), cross_validated=judged)
    blocks = study_report(replace(subject, results=repeated)).blocks
    roc = drawings(blocks)[0]
    summary = " ".join(b.text for b in blocks if isinstance(b, Paragraph))
    assert f"{len(groups)} rows of {groups.max() + 1} patients" in summary
    area = judged.metrics["auroc"] if (subject.target.event is not None) else judged.per_class[classes[0]]["auroc"]
    assert f"{area:.3f}" in alt_text(roc.figure)


def test_table_one_of_many_classes_is_printed_in_parts_that_fit(subject) -> None:
    head = ["Column", "All", *"abcdefgh", "SMD"]
    parts = _in_parts("Patients", head, [[f"{name}1" for name in head]])
    assert [p.header for p in parts] == [
        ("Column", "All", *"abcd"),
        ("Column", "All", *"efgh", "SMD"),
    ]
    assert parts[1].rows == (("Column1", "All1", "e1", "f1", "g1", "h1", "SMD1"),)
    assert parts[0].caption == "Patients (part 1 of 2)"
    assert len(_in_parts("Patients", [*head[:4], "SMD"], [])) == 1


def test_without_its_table_a_report_still_has_table_one_and_missing_shares(document, without_table) -> None:
    """The shell has only the bundle at hand: it holds the aggregates."""
    whole, alone = document.blocks, without_table.blocks
    for title in ("Patients by outcome", "Candidate predictors"):
        first, second = (
            next(b for b in blocks if isinstance(b, Table) and b.caption.startswith(title)) for blocks in (whole, alone)
        )
        assert first == second
    assert any("%" in row[3] for row in second.rows)


def test_new_patients_have_charts_and_rates_of_their_own(subject, document) -> None:
    with_them, without = document.blocks, study_report(replace(subject, validation=None)).blocks
    drawn = [len(drawings(blocks)) for blocks in (with_them, without)]
    assert drawn[0] == 2 * drawn[1]
    captions = [b.caption for b in with_them if isinstance(b, Table)]
    assert ("At the threshold of 30.0%, new patients" in captions) == (subject.target.event is not None)


def test_limits_are_the_studys_own_findings(subject) -> None:
    results = subject.results
    before, after_ = results.cross_validated, results.tested
    metrics = {**after_.metrics, "auroc": replace(after_.metrics["auroc"], value=before.metrics["auroc"].value - 0.06)}
    metrics["calibration_slope"] = replace(metrics["calibration_slope"], value=0.69)
    table = replace(results.table_one, rows=tuple(replace(r, n_missing=160) for r in results.table_one.rows[:1]))
    fallen = replace(results, tested=replace(after_, metrics=metrics), table_one=table)
    (found,) = after(study_report(replace(subject, results=fallen)).blocks, "Limits")
    said = " ".join(found.items)
    assert "The AUROC fell from" in said
    assert "the calibration slope was 0.69" in said and "do not rule out a slope of 1" in said
    assert "age (67%)" in said
    (unlooked,) = after(study_report(replace(subject, results=fallen, looks=0)).blocks, "Limits")
    assert "fell from" not in " ".join(unlooked.items)


def test_probast_is_told_what_is_known_and_not_judged(document) -> None:
    blocks = document.blocks
    table = next(b for b in blocks if isinstance(b, Table) and b.caption == "Signalling questions")
    known = {row[0]: row[2] for row in table.rows}
    assert known["1.1"] == known["2.2"] == "not stated"
    assert known["4.9"] == "See “The model itself”"
    assert "not stated: Source of the data" in {row[0]: row[2] for row in blocks[-1].rows}["2"]


def test_the_title_says_what_kind_of_study_it_is(subject, document) -> None:
    assert "external validation" in document.title
    alone = study_report(replace(subject, validation=None, title=""))
    assert "internal validation" in alone.title
    assert alone.subtitle.startswith("Trained ")


def test_a_training_table_is_not_passed_off_as_new_patients(subject) -> None:
    same = replace(subject, validation=replace(subject.validation, same_table=True))
    blocks = study_report(same).blocks
    told = [cell for b in blocks if isinstance(b, Table) for row in (b.header, *b.rows) for cell in row]
    assert "New patients" not in told
    strong = [b.text for b in blocks if isinstance(b, Paragraph) and b.strong]
    assert any("not an external validation" in text for text in strong)
    assert not [b for b in blocks if isinstance(b, Heading) and b.text == "External validation"]
    items = {row[0]: row[2] for row in study_report(replace(same, prepared=None)).blocks[-1].rows}
    assert items["16"] == items["24"] == "not stated"
    assert len(same.validation.lines()) == 1


def test_without_its_table_a_report_tells_the_same_preparation_and_flow(document, without_table) -> None:
    whole, alone = document.blocks, without_table.blocks
    for title in ("Flow of patients", "Preparation of the data"):
        first, second = (after(blocks, title) for blocks in (whole, alone))
        assert first == second
    assert "The table held 240 rows" in str(after(alone, "Preparation of the data"))


def drawings(blocks):
    """Return the charts of how good the model is: all but its nomogram."""
    return [b for b in blocks if isinstance(b, Picture) and not alt_text(b.figure).startswith("Nomogram")]


def after(blocks, title: str):
    """Return what stands under a heading, up to the next one."""
    start = next(i for i, b in enumerate(blocks) if isinstance(b, Heading) and b.text == title) + 1
    end = next(i for i, b in enumerate(blocks) if i >= start and isinstance(b, Heading))
    return blocks[start:end]


def test_methods_name_only_what_was_done(document) -> None:
    text = " ".join(b.text for b in after(document.blocks, "Models"))
    assert "48 of 240 rows were locked away" in text
    assert "Seed of the split: 0" in text
    assert "Settings in use: model = logistic, seed = 0." in text
    assert "learning_rate" not in text


def test_measures_say_by_which_methods_these_intervals_were_found(subject, document) -> None:
    (measured,) = after(document.blocks, "Measures of performance")
    assert re.search(r"AUROC[^:.;]*: DeLong", measured.text)
    assert "bootstrap percentiles" in measured.text
    assert ("the Brier score is the sum over the classes" in measured.text) is (subject.target.event is None)
    assert ("Wilson" in measured.text) is (subject.target.event is not None)


def test_where_patients_repeat_the_measures_say_that_their_rows_count_together(subject) -> None:
    patients = subject.results.training
    groups = np.arange(len(patients.outcome)) // 4
    judged = evaluate(patients.outcome, patients.risk, subject.results.classes, groups=groups, n_boot=50)
    repeated = replace(subject.results, training=replace(patients, groups=groups), cross_validated=judged)
    blocks = study_report(replace(subject, results=repeated)).blocks
    (measured,) = after(blocks, "Measures of performance")
    assert "clustered by patient" in measured.text
    assert ("effective number of patients" in measured.text) is (subject.target.event is not None)
    pictures = [alt_text(b.figure) for b in drawings(blocks)]
    assert f"{len(groups)} rows, several of a patient" in pictures[0]


def test_the_model_card_says_what_the_model_is_on_one_look(subject, document) -> None:
    (card,) = after(document.blocks, "Model card")
    said = dict(card.rows)
    assert said["Intended use"] == "not stated"
    assert said["Learnt from"].startswith("192 patients")
    assert "AUROC" in said["Out of fold"] and "(" in said["Out of fold"]
    assert ("Threshold" in said) is (subject.target.event is not None)


def test_versions_have_hashes_and_both_seeds(subject) -> None:
    (table,) = after(study_report(replace(subject, bundle_sha256="ab" * 32)).blocks, "Versions and identity")
    said = dict(table.rows)
    assert said["SHA-256 of the bundle's list of hashes"] == "ab" * 32
    assert said["SHA-256 of the new patients' table"] == subject.validation.data_sha256
    assert said["Seed of the training"] == said["Seed of the split"] == "0"
    assert re.fullmatch(r"\d+\.\d+\.\d+", said["medcore"])


def test_an_item_is_pointed_to_a_part_only_if_the_part_answers_it(subject) -> None:
    full, bare = (
        {row[0]: row[2] for row in study_report(s).blocks[-1].rows}
        for s in (subject, replace(subject, validation=None, recalibrations=(), prepared=None, split=None))
    )
    assert full["16"] == full["24"] == "See “External validation”"
    assert bare["16"] == bare["24"] == "not stated"
    assert full["12d"] == full["23b"] == "not stated"  # no column names the site


def test_chinese_reports_have_no_english_between_the_bounds_of_an_interval(subject) -> None:
    with language("zh_CN"):
        page = FORMATS["html"](study_report(subject)).decode()
    assert not re.search(r"\d to [-−\d]", page)
    assert re.search(r"−\d[\d.]*～", page)
    assert "。 " not in re.sub("<[^>]+>", "", page)
