"""A further kind of column, in one folder: trained, judged, explained (also inside), kept and read back."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.data.reading.table import read_table
from medcore.explanation.model.overview import effect_of
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.changes.counterfactual import counterfactuals
from medcore.explanation.patient.changes.what_if import curve
from medcore.explanation.patient.neighbours import similar
from medcore.explanation.patient.patients import explain_row
from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.inside import explain_inside
from medcore.features import register
from medcore.models.bundle.bundle import load_bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.contract.settings import TrainSettings
from medcore.models.deployed.external import validate
from medcore.models.run.cohort import train_cohort
from tests.features.toy_kind import PRESSURE

register(PRESSURE)


def ward(n: int = 260, seed: int = 1) -> pd.DataFrame:
    """Patients whose risk rises with the systolic pressure and, less, with age; some pressures are missing."""
    rng = np.random.default_rng(seed)
    high, age = rng.normal(130, 18, n).round(), rng.normal(60, 10, n).round()
    low = (high - rng.normal(50, 14, n)).round()
    event = rng.random(n) < 1 / (1 + np.exp(-((high - 130) / 9 + (age - 60) / 20)))
    pressure = [f"{h:.0f}/{d:.0f}" for h, d in zip(high, low, strict=True)]
    sex = np.where(rng.random(n) < 0.5, "f", "m")
    table = pd.DataFrame({"bp": pressure, "age": age, "sex": sex, "event": np.where(event, "yes", "no")})
    table.loc[::17, "bp"] = None
    return table


def cohort_of(table: pd.DataFrame):
    cohort = read_table(("ward.csv", table.to_csv(index=False).encode()))
    schema = cohort.schema.change("bp", kind="blood pressure", role="predictor")
    schema = schema.change("event", role="outcome")
    return cohort.with_schema(schema.__class__(schema.columns, "yes"))


@pytest.fixture(scope="module")
def cohort():
    return cohort_of(ward())


@pytest.fixture(scope="module", params=["logistic", "seed", "forest"])
def trained(cohort, request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy") / request.param
    settings = TrainSettings(model=request.param, epochs=20, n_seeds=1)
    return train_cohort(cohort, settings, folder=folder), folder


def test_the_column_predicts(trained):
    run, _folder = trained
    assert run.bundle.codebook.kinds == ("pressure", "numeric", "category")
    assert run.results.cross_validated.metrics["auroc"].value > 0.75


def test_the_column_is_one_player_and_contributions_add_up(trained, cohort):
    run, _folder = trained
    found = explain_row(run.bundle, cohort.frame, 3)
    assert [c.column for c in found.contributions] == list(run.bundle.predictors)
    assert found.additivity_residual < 1e-6
    assert found.contributions[0].value == cohort.frame["bp"][3]
    sizes = np.abs([c.contribution for c in found.contributions])
    assert sizes.argmax() == 0


def test_the_parts_inside_add_up_to_the_column(trained, cohort):
    run, _folder = trained
    bundle, whole = run.bundle, explain_row(run.bundle, cohort.frame, 3)
    of, inside = whole.contributions[0], whole.contributions[0].parts
    assert sum(part.contribution for part in inside) == pytest.approx(of.contribution, abs=1e-9)
    assert [part.part for part in inside] == ["systolic", "diastolic"]
    patient = bundle.encode(cohort.frame.iloc[[3]])
    parts = bundle.codebook.encoders[0].parts(patient.column(0), of.value)

    def asked(**options):
        found = explain_inside(
            BundleRisk(bundle).inside(0), patient, bundle.background, parts, 0, class_index=1, **options
        )
        return np.array([(p.contribution, p.standard_error) for p in found]).T

    counted, _none = asked(max_evaluations=2**18)
    drawn, errors = asked(max_evaluations=2**12)
    assert sum(counted) == pytest.approx(of.contribution, abs=1e-6)
    assert (abs(counted - drawn) <= 5 * errors + 1e-6).all()
    assert abs(inside[0].contribution) > abs(inside[1].contribution)


def test_a_kept_model_is_read_back_without_pickle_and_predicts_the_same(trained, cohort):
    run, folder = trained
    again = load_bundle(folder)
    np.testing.assert_array_equal(again.predict(cohort.frame), run.bundle.predict(cohort.frame))
    assert again.background.payloads[0].contents.shape[1] == 2
    assert not list(Path(folder).rglob("*.pkl"))
    found = explain_row(again, cohort.frame, 5)
    assert found.to_dict()["contributions"][0] == explain_row(run.bundle, cohort.frame, 5).to_dict()["contributions"][0]


def test_new_patients_are_judged_and_flagged(trained):
    run, _folder = trained
    high = ward(120, seed=2)
    high.loc[0, "bp"] = "250/160"
    found = validate(run.bundle, cohort_of(high))
    assert found.evaluation.metrics["auroc"].value > 0.8
    assert found.differences[0].difference < 0.3
    assert "pressure_out_of_range:bp" in run.bundle.flags(cohort_of(high).frame)[0]


@pytest.fixture(scope="module")
def logistic(cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy") / "page"
    run = train_cohort(cohort, TrainSettings(model="logistic"), folder=folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    return run, folder, Reference.of(manifest, run.results, cohort.frame)


def test_the_patient_page_compares_and_changes_values(logistic, cohort):
    run, folder, reference = logistic
    known = np.flatnonzero(~np.isnan(reference.codes[:, 0]))[0]
    row = int(reference.rows[known])
    patient = worker_queries.read_risks(folder, cohort.frame.iloc[[row]])[0]
    risk = run.bundle.risk_of_codes(patient.rows, reference.patients)
    along = curve(risk, patient.rows, reference, "bp", class_index=1)
    assert along.current == cohort.frame["bp"][row]
    assert along.risk[along.values.index(along.current)] == pytest.approx(along.current_risk)
    assert similar(reference, patient.rows, class_index=1)[0].distance == pytest.approx(0.0)
    effect = effect_of(folder, reference, "bp", class_name="yes", unit=None)
    assert not len(effect.accumulated)
    chosen = reference.codebook.encoders[0].alternatives(reference.patients.column(0), None, n_points=5).column
    changed = patient.rows.with_column(0, chosen.take([0]))
    after, differences = worker_queries.change_patient(
        folder, patient.rows, changed, None, round_number=0, class_index=1
    )
    np.testing.assert_allclose(after, run.bundle.risk(changed)[0], atol=1e-6)
    np.testing.assert_allclose(differences.sum(axis=1), after[1] - patient.risk[1], atol=1e-5)


def test_what_carries_across_the_threshold_is_a_pressure_of_other_patients(logistic, cohort):
    run, _folder, reference = logistic
    place = int(np.argmin(np.abs(reference.risk[:, 1] - 0.6)))
    patient = reference.patients.take(place)
    risk = run.bundle.risk_of_codes(patient, reference.patients)
    found = counterfactuals(risk, patient, reference, class_index=1, threshold=0.5, locked=("age", "sex"))
    assert found
    assert all(change.then in set(cohort.frame["bp"]) for change in found[0].changes)


def test_a_kind_has_one_name_and_one_way_of_reading():
    class Other(type(PRESSURE)):
        pass

    with pytest.raises(ValueError, match="pressure"):
        register(Other())
