"""What a worker answers, from a bundle in a folder."""

import numpy as np
import pytest

from medcore.explanation import explain_row
from medcore.explanation.patient import effort, worker_queries
from medcore.explanation.shapley import pairs
from medcore.models.bundle import coalitions
from medcore.models.bundle.bundle import save_bundle
from medcore.models.bundle.coalitions import BundleRisk


@pytest.fixture
def folder(bundle, tmp_path):
    save_bundle(bundle, tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_patient_is_read_with_risk_members_and_flags(folder, bundle, table):
    rows = table.iloc[[0, 1]].copy()
    rows.iloc[1, 1:] = np.nan
    first, second = worker_queries.read_risks(folder, rows)
    np.testing.assert_allclose(first.risk, bundle.predict(table.iloc[[0]])[0], atol=1e-7)
    assert first.simple_risk == pytest.approx(first.risk)
    assert "imputed:age" in second.flags
    assert second.values == (None,) * 5


def test_an_explanation_is_that_of_the_row(folder, bundle, table):
    patient = worker_queries.read_risks(folder, table.iloc[[4]])[0]
    found = worker_queries.explain_patient(folder, patient, None, class_index=1)
    assert found.contributions == explain_row(bundle, table, 4).contributions


def test_a_chosen_background_is_used(folder, bundle, table):
    patient = worker_queries.read_risks(folder, table.iloc[[4]])[0]
    others = bundle.encode(table.iloc[50:60])
    found = worker_queries.explain_patient(folder, patient, others, class_index=1, scale="log_odds")
    assert found.n_background == 10
    assert found.scale == "log_odds"


def test_weights_are_largest_for_what_drives_the_risk(folder, bundle):
    weights = dict(zip(bundle.predictors, worker_queries.column_weights(folder, class_index=1), strict=True))
    assert weights["age"] > 3 * weights["pressure"]
    assert weights["sex"] > weights["pressure"]


def test_patients_are_drawn_from_all_of_a_sorted_table():
    rows = np.arange(100.0)[:, None]
    found = worker_queries.drawn(rows, 30)
    assert found.min() < 20
    assert found.max() > 80
    np.testing.assert_array_equal(found, worker_queries.drawn(rows, 30))


def test_a_table_of_new_patients_gets_a_line_a_row(folder, table):
    found = worker_queries.predict_table(folder, table.iloc[:7])
    assert list(found["row"]) == list(range(7))


def test_how_much_the_page_asks_does_not_depend_on_the_machine(folder):
    fewest, most = effort.LIVE_EVALUATIONS
    assert effort.live_evaluations(worker_queries.opened(folder)) == most  # a logistic regression is quick
    assert fewest < most


def test_a_wide_table_is_explained_to_two_per_cent(folder, monkeypatch):
    risk = worker_queries.bundle_risk(folder)
    narrow = effort.patient_effort(risk, 100)
    monkeypatch.setattr(effort, "MOST_PLAYERS", 1)
    wide = effort.patient_effort(risk, 100)
    assert (narrow["tolerance"], wide["tolerance"]) == (0.01, 0.02)
    assert wide["max_evaluations"] == pairs.cost(100, effort.WIDE_ROUNDS) < narrow["max_evaluations"]


def test_a_costly_model_still_gets_two_sweeps(folder, table, monkeypatch):
    patient = worker_queries.read_risks(folder, table.iloc[[4]])[0]
    monkeypatch.setattr(effort, "LIVE_EVALUATIONS", (1, 1))
    others = worker_queries.opened(folder).background.take(slice(100))
    found = worker_queries.explain_patient(folder, patient, others, class_index=1)
    brief = worker_queries.explain_patient(folder, patient, others, class_index=1, max_evaluations=1)
    errors = [sum(c.standard_error for c in e.contributions) for e in (found, brief)]
    assert found.n_evaluations > 3 * (brief.n_evaluations - len(others))
    assert errors[0] < errors[1]


def test_a_patient_who_was_read_is_explained_as_one_who_was_not(folder, table, monkeypatch):
    """Of a wide table's patient the risk is remembered from reading them, each one's own, and no more than so many."""
    monkeypatch.setattr(coalitions, "MOST_KEPT", 0)
    monkeypatch.setattr(coalitions, "MOST_ANSWERS", 2)
    read = [patient for row in (4, 9, 14) for patient in worker_queries.read_risks(folder, table.iloc[[row]])]
    risk = worker_queries.bundle_risk(folder)
    background = risk.bundle.background.codes[:20]
    for patient in read:
        codes = patient.rows.codes[0]
        again, new = risk.for_patient(codes, background), BundleRisk(risk.bundle).for_patient(codes, background)
        np.testing.assert_array_equal(again.grand_and_empty()[0], new.grand_and_empty()[0])
        np.testing.assert_array_equal(again.grand_and_empty()[0], patient.risk)
    assert [risk.for_patient(p.rows.codes[0], background).answer is None for p in read] == [True, True, False]
