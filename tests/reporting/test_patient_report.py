"""One patient's page: one page in both languages, complete, and without a value in a file's name."""

import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from medcore.explanation.patient.conformal import ConformalSets
from medcore.explanation.patient.reliability import LocalCalibration, Reliability
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.explanation.shapley.results import Contribution, Explanation, PartContribution
from medcore.features import Rows
from medcore.i18n import N_, Message, language
from medcore.reporting import FORMATS
from medcore.reporting.formats.document import Paragraph, Picture, Table
from medcore.reporting.formats.pdf import paged
from medcore.reporting.patient_report import VALUES, PatientReportInputs, patient_report, write_patient_report


def subject_of(n_columns: int) -> PatientReportInputs:
    rng = np.random.default_rng(0)
    changes = rng.normal(0, 0.03, n_columns)
    names = [f"serum marker number {i}" for i in range(n_columns)]
    values = [None if i == 1 else f"{i}.25" for i in range(n_columns)]
    contributions = tuple(
        Contribution(n, v, float(c), 0.001, "mmol/l") for n, v, c in zip(names, values, changes, strict=True)
    )
    risk = np.array([0.817, 0.183])
    return PatientReportInputs(
        study="Ward <b>",
        who="Row 12",
        patient=PatientRisk(
            rows=Rows(np.zeros((1, n_columns))),
            risk=risk,
            members=(("logistic", 0.5, np.array([0.9, 0.1])), ("forest", 0.5, np.array([0.7, 0.3]))),
            values=tuple(values),
            flags=("imputed:serum marker number 1", "out_of_range:serum marker number 2"),
        ),
        explanation=Explanation(
            prediction=0.183,
            base_value=0.183 - float(changes.sum()),
            scale="probability",
            contributions=contributions,
            additivity_residual=0.0,
            method="sampled",
            n_background=100,
            n_evaluations=1000,
            seconds=0.2,
            class_name="yes",
        ),
        reliability=Reliability(
            level="caution",
            reasons=(Message(N_("Missing, so filled in from other patients: {columns}."), {"columns": names[1:2]}),),
            remoteness=0.4,
            remoteness_quantile=0.5,
            local=LocalCalibration(50, 11, 0.2, 0.22, 0.128, 0.352),
        ),
        sets=ConformalSets(("no heart disease", "heart disease"), (0.1, 0.1), 0.9, (100, 100)),
        class_name="heart disease",
        threshold=0.4,
        class_index=1,
        base=0.3,
        model="Automatic",
        model_sha256="0123456789abcdef" * 4,
        run_number=3,
        trained="2026-01-31",
        n_training=300,
        made=date(2026, 2, 1),
    )


@pytest.mark.parametrize("code", ["en", "zh_CN"])
@pytest.mark.parametrize("n_columns", [5, 13, 60])
def test_the_page_is_one_page(n_columns, code) -> None:
    pdf = write_patient_report(subject_of(n_columns), kind="pdf", words=code)
    assert len(re.findall(rb"/Type ?/Page\b(?!s)", pdf)) == 1


def test_long_names_leave_room_for_fewer_values_and_never_a_second_page() -> None:
    subject = subject_of(40)
    words = " and another word of a very long name" * 6
    changed = replace(
        subject.explanation,
        contributions=tuple(replace(c, column=c.column + words) for c in subject.explanation.contributions),
    )
    subject = replace(subject, explanation=changed)
    assert paged(patient_report(subject))[1] > 1
    pdf = write_patient_report(subject, kind="pdf", words="en")
    assert len(re.findall(rb"/Type ?/Page\b(?!s)", pdf)) == 1


def test_an_age_is_told_in_years_of_age_in_the_readers_language() -> None:
    subject = subject_of(3)
    first, *others = subject.explanation.contributions
    aged = replace(subject.explanation, contributions=(replace(first, column="age", value="63", unit="years"), *others))
    for code, words in (("en", "63 years of age"), ("zh_CN", "63 岁")):
        assert words in write_patient_report(replace(subject, explanation=aged), kind="html", words=code).decode()


def test_everything_a_record_needs_is_on_it() -> None:
    page = write_patient_report(subject_of(8), kind="html", words="en").decode()
    for words in (
        "About 18 of 100 patients with values like these: heart disease.",
        "Of the 50 training patients most like this one, 22 of 100 had it (95% interval 13 to 35).",
        "The models it combines say 10% to 30%.",
        "Cannot be ruled out, with 90% certainty: no heart disease, heart disease.",
        "Read this risk with caution.",
        "0.25 mmol/l",
        "missing (filled in)",
        "2.25 mmol/l (outside the training range)",
        "not why the patient is ill",
        "run 3, trained 2026-01-31 on 300 patients; SHA-256 0123456789abcdef.",
        "not a medical device",
        "Row 12 · 2026-02-01",
    ):
        assert words in page, words
    assert "Ward <b>" not in page


def test_of_many_values_those_used_most_are_printed_and_the_others_counted() -> None:
    subject = subject_of(60)
    table = next(b for b in patient_report(subject).blocks if isinstance(b, Table))
    printed = {c for row in table.rows for c in row[::2] if c}
    assert printed == {c.column for c in subject.explanation.largest(VALUES)}
    assert "36 others not printed" in table.caption


@pytest.mark.parametrize("kind", FORMATS)
def test_it_is_written_in_every_format(kind) -> None:
    assert len(write_patient_report(subject_of(5), kind=kind, words="zh_CN")) > 5_000


def test_it_is_written_in_the_language_that_was_asked_for() -> None:
    with language("zh_CN"):
        document = patient_report(subject_of(5))
    sentences = [b.text for b in document.blocks if isinstance(b, Paragraph)]
    assert document.language == "zh_CN"
    assert all(re.search("[一-鿿]", text) for text in sentences)
    assert sum(isinstance(b, Picture) for b in document.blocks) == 1


def test_the_phrases_of_a_long_note_add_up_and_the_page_stays_one_page() -> None:
    subject = subject_of(13)
    first, *others = subject.explanation.contributions
    said = tuple(
        PartContribution(f"Phrase {i} of a note <b> " + "long " * 30, 0.01 * (i - 4), 0.001) for i in range(12)
    )
    note = replace(first, value="".join(p.part for p in said), contribution=0.18, parts=said)
    subject = replace(subject, explanation=replace(subject.explanation, contributions=(note, *others)))
    table = next(b for b in patient_report(subject).blocks if isinstance(b, Table) and b.header[0] == "Part")
    assert [row[1] for row in table.rows] == ["+7.0", "+6.0", "+5.0", "−4.0", "+4.0", "0.0"]
    assert table.rows[-1][0] == "7 other parts"
    pdf = write_patient_report(subject, kind="pdf", words="zh_CN")
    assert len(re.findall(rb"/Type ?/Page\b(?!s)", pdf)) == 1
