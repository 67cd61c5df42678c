"""What a change of values does to contributions: differences of two games, found together."""

import numpy as np
import pytest

from medcore.explanation import explain
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.changes.change import changed_explanation, differences
from medcore.models.bundle.bundle import save_bundle


class Mixed:
    """A patient mixed with others by writing the rows down."""

    def __init__(self, risk, row, background):
        self.of, self.row, self.background = risk, row, background

    def risk(self, rows, present):
        return self.of(np.where(present, self.row, self.background[rows]))

    def grand_and_empty(self):
        return self.of(self.row[None])[0], self.of(self.background)


def found_by(risk, row, changed, background, *, repeats=1, scale="probability"):
    before, after = Mixed(risk, row, background), Mixed(risk, changed, background)
    return np.mean(
        [
            differences(before, after, row, changed, background, class_index=1, scale=scale, seed=seed)
            for seed in range(repeats)
        ],
        axis=0,
    )


@pytest.fixture
def patients():
    rng = np.random.default_rng(1)
    background = rng.normal(size=(12, 6))
    row = rng.normal(size=6)
    changed = row.copy()
    changed[[1, 4]] = [2.0, np.nan]
    return row, changed, background


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # matplotlib, inside shap
def test_differences_come_to_those_of_exact_values(network_risk, patients):
    import shap

    row, changed, background = patients
    risk = network_risk(6, seed=3)
    exact = shap.ExactExplainer(lambda x: risk(x)[:, 1], background)
    expected = np.diff(exact(np.stack([row, changed])).values, axis=0)[0]
    found = found_by(risk, row, changed, background, repeats=400).mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=0.002)


@pytest.mark.parametrize("scale", ["probability", "log_odds"])
def test_each_line_adds_up_to_what_the_change_does(network_risk, patients, scale):
    row, changed, background = patients
    risk = network_risk(6, seed=3)
    values = risk(np.stack([row, changed]))[:, 1]
    ends = values if scale == "probability" else np.log(values / (1 - values))
    found = found_by(risk, row, changed, background, scale=scale)
    np.testing.assert_allclose(found.sum(axis=1), ends[1] - ends[0], atol=1e-9)


def test_a_change_of_what_the_model_does_not_use_changes_nothing(logistic_risk, patients):
    row, changed, background = patients
    risk = logistic_risk([1.0, 0.0, -2.0, 0.5, 0.0, 1.0])
    np.testing.assert_allclose(found_by(risk, row, changed, background), 0.0, atol=1e-12)


def test_in_a_sum_only_the_changed_column_moves(logistic_risk, patients):
    row, changed, background = patients
    changed = row.copy()
    changed[2] += 1.0
    risk = logistic_risk([1.0, 0.0, -2.0, 0.5, 0.0, 1.0])
    found = found_by(risk, row, changed, background, scale="log_odds")
    np.testing.assert_allclose(found[:, 2], -2.0, atol=1e-9)
    np.testing.assert_allclose(np.delete(found, 2, axis=1), 0.0, atol=1e-9)


def test_no_change_costs_nothing(network_risk, patients):
    row, _changed, background = patients
    assert not found_by(network_risk(6), row, row, background).any()


def test_the_changed_explanation_adds_up_and_shows_its_errors(network_risk, patients):
    row, changed, background = patients
    risk = network_risk(6, seed=3)
    known = explain(risk, row, background, columns=tuple("abcdef"), class_index=1)
    found = found_by(risk, row, changed, background)
    prediction = float(risk(changed[None])[0, 1])
    after = changed_explanation(known, found, prediction, [*"123456"])
    assert after.additivity_residual < 1e-9
    assert after.prediction == pytest.approx(prediction)
    exact = explain(risk, changed, background, columns=tuple("abcdef"), class_index=1)
    for close, right in zip(after.contributions, exact.contributions, strict=True):
        assert abs(close.contribution - right.contribution) < 5 * close.standard_error + 1e-9


def test_the_worker_answers_a_change_as_it_explains_the_changed_patient(bundle, table, tmp_path):
    folder = tmp_path / "bundle"
    save_bundle(bundle, folder)
    patient = worker_queries.read_risks(folder, table.iloc[[4]])[0]
    changed = patient.rows.with_codes(patient.rows.codes + 10.0 * np.eye(1, patient.rows.shape[1]))
    rounds = [
        worker_queries.change_patient(
            folder, patient.rows, changed, None, round_number=n, class_index=1, scale="log_odds"
        )
        for n in range(worker_queries.n_rounds(len(bundle.background)))
    ]
    risk, _ = rounds[0]
    np.testing.assert_allclose(risk, bundle.risk(changed)[0], atol=1e-6)
    known = worker_queries.explain_patient(folder, patient, None, class_index=1, scale="log_odds")
    prediction = float(np.log(risk[1] / risk[0]))
    found = np.concatenate([part for _risk, part in rounds])
    after = changed_explanation(known, found, prediction, [None] * changed.shape[1])
    assert after.additivity_residual < 1e-6
    assert after.contributions[0].contribution > known.contributions[0].contribution
