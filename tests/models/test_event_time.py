"""Models that say by when: curves, folds, bundles, and the same by shell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main
from medcore.data.cohort import Cohort
from medcore.data.preparation.event_time import choose_event_time
from medcore.data.schema.inference import infer_schema
from medcore.errors import BundleError, SettingsError, TargetError
from medcore.explanation import explain_row
from medcore.explanation.model.tables import explain_rows
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.candidate import candidates, offered
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.timed import TimedPart
from medcore.models.deployed.external import validate
from medcore.models.deployed.timed import predict_timed_table, validate_timed
from medcore.models.run.cohort import train_cohort
from medcore.models.run.learning import learning_curve
from medcore.models.run.results import read_results
from medcore.models.run.timed.results import read_timed_results
from medcore.models.run.training import train
from medcore.models.survival.cox import incidences, on_steps
from medcore.statistics.cox import Cox, fit_cox
from medcore.targets import EventTime

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "cox.json").read_text(encoding="utf-8"))


def ward(n: int = 300, *, competing: bool = False, seed: int = 5) -> pd.DataFrame:
    """A made-up ward followed for up to three years: age, pressure and smoking drive death, discharge competes."""
    rng = np.random.default_rng(seed)
    age, pressure = rng.normal(60, 12, n), rng.normal(130, 18, n)
    smoker = rng.choice(["yes", "no"], n)
    score = 0.8 * (age - 60) / 12 + 0.5 * (smoker == "yes")
    death, out = rng.exponential(900 * np.exp(-score)), rng.uniform(100, 1200, n)
    other = rng.exponential(1500, n) if competing else np.full(n, np.inf)
    status = np.where(out < np.minimum(death, other), "0", np.where(death <= other, "1", "2"))
    table = pd.DataFrame(
        {
            "age": [f"{v:.1f}" for v in age],
            "pressure": [f"{v:.0f}" for v in pressure],
            "smoker": smoker,
            "days": [f"{max(v, 1):.0f}" for v in np.minimum(np.minimum(death, other), out)],
            "status": status,
        },
        dtype="str",
    )
    table.loc[rng.choice(n, n // 12, replace=False), "pressure"] = None
    return table


def cohort(frame: pd.DataFrame, **options: object) -> Cohort:
    rows = Cohort(frame, infer_schema(frame), "0" * 64, "ward.csv")
    asked = {"event": "1", "horizons": ["2y", "1y"], **options}
    return rows.with_schema(choose_event_time(rows, "status", when="days", **asked))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("timed")
    return train_cohort(cohort(ward()), TrainSettings(model="cox"), folder=folder), folder


def test_a_curve_rises_and_the_risk_is_one_of_its_points(trained) -> None:
    bundle, rows = trained[0].bundle, trained[0].bundle.background
    curve = bundle.curve(rows)
    assert (np.diff(curve, axis=2) >= 0).all()
    at = int(np.searchsorted(bundle.times, bundle.target.main))
    assert bundle.risk(rows)[:, 1] == pytest.approx(curve[:, 0, at], abs=1e-12)
    earlier = bundle.at(365.25)
    assert earlier.risk(rows)[:, 1] == pytest.approx(bundle.curve(rows, np.array([365.25]))[:, 0, 0], abs=1e-12)
    with pytest.raises(SettingsError, match="The model says what comes within 2 years"):
        bundle.at(1500.0)


def test_it_beats_the_incidence_alone_on_patients_it_has_not_seen(trained) -> None:
    results = trained[0].results
    assert [c.name for c in results.candidates] == ["cox", "prevalence"]
    assert results.tested is not None
    assert results.tested.overall["integrated_scaled_brier"].value > 0.03
    assert results.cross_validated.by(results.target.main).metrics["auroc"].value > 0.65
    assert results.cross_validated.by(365.25).n_events < results.cross_validated.by(730.5).n_events


def test_the_bundle_opens_without_pickle_and_predicts_the_same(trained) -> None:
    first, folder = trained
    again = load_bundle(folder)
    assert again.target == first.bundle.target
    assert again.schema == first.bundle.schema
    assert np.array_equal(again.curve(again.background), first.bundle.curve(first.bundle.background))
    results = read_timed_results(folder)
    assert np.array_equal(results.training.curve, first.results.training.curve)
    assert results.to_dict() == first.results.to_dict()
    with pytest.raises(BundleError, match="says by when the event comes"):
        read_results(folder)


def test_the_same_seed_gives_the_same_numbers(trained) -> None:
    again = train_cohort(cohort(ward()), TrainSettings(model="cox"))
    assert np.array_equal(again.results.training.curve, trained[0].results.training.curve)
    assert np.array_equal(again.bundle.predict(ward()), trained[0].bundle.predict(ward()))


def test_contributions_at_a_horizon_add_up_to_the_risk_by_it(trained) -> None:
    bundle = trained[0].bundle
    for days in (365.25, 730.5):
        found = explain_row(bundle.at(days), ward(), 3)
        assert found.prediction == pytest.approx(
            bundle.curve(bundle.encode(ward()), np.array([days]))[3, 0, 0], abs=1e-9
        )
        assert found.additivity_residual < 1e-6
        assert [c.column for c in found.contributions] == ["age", "pressure", "smoker"]


def test_new_patients_are_judged_by_the_horizons_they_were_followed_to(trained) -> None:
    new = ward(200, seed=9)
    found = validate_timed(trained[0].bundle, cohort(new))
    assert found.judged == (365.25, 730.5)
    assert found.performance.by(730.5).metrics["calibration_slope"].exists
    early = new.assign(days=np.minimum(new["days"].astype(float), 400).astype(int).astype(str))
    short = validate_timed(trained[0].bundle, cohort(early, horizons=["1y"]))
    assert short.judged == (365.25,)


def test_every_patient_gets_risks_by_each_horizon_and_the_curve(trained) -> None:
    table = predict_timed_table(trained[0].bundle, ward().drop(columns=["days", "status"]))
    assert list(table.columns[:5]) == ["row", "risk_0", "risk_1", "by_365.25_1", "by_730.5_1"]
    assert table["by_730.5_1"].to_numpy() == pytest.approx(table["risk_1"].to_numpy(), abs=1e-9)
    assert len(table) == 300


def test_where_events_compete_all_incidences_and_none_sum_to_one() -> None:
    found = train_cohort(cohort(ward(400, competing=True), competing=["2"]), TrainSettings(model="cox"))
    bundle = found.bundle
    assert bundle.classes == ("no event", "1", "2")
    assert bundle.risk(bundle.background).sum(axis=1) == pytest.approx(1.0)
    curve = bundle.curve(bundle.background)
    assert (curve.sum(axis=1) <= 1 + 1e-12).all()
    main = found.results.cross_validated.by(bundle.target.main)
    assert found.results.training.risk[:, 1].mean() == pytest.approx(main.observed.value, abs=0.04)
    assert explain_row(bundle, ward(400, competing=True), 0).class_name == "1"
    assert explain_rows(bundle, ward(400, competing=True).head(2)).class_name == "1"


@pytest.mark.parametrize("name", ["competing", "dominated"])
def test_incidences_of_competing_events_are_those_of_r(name: str) -> None:
    golden = GOLDEN[name]
    new = np.column_stack([GOLDEN["new"][c] for c in ("age", "pressure", "ill")]).astype(np.float64)
    data = {k: np.asarray(v, dtype=np.float64) for k, v in golden["data"].items()}
    matrix = np.column_stack([data[c] for c in ("age", "pressure", "ill")])

    fits: list[Cox] = [fit_cox(matrix, data["time"], data["status"] == k) for k in (1, 2)]
    assert np.concatenate([f.coefficients for f in fits]) == pytest.approx(golden["coefficients"], abs=1e-6)
    steps = np.unique(np.concatenate([f.times for f in fits]))
    ratios = np.exp([new @ f.coefficients for f in fits])
    curve = incidences(
        ratios, np.stack([on_steps(f, steps) for f in fits]), steps, np.asarray(GOLDEN["times"], dtype=float)
    )
    assert curve[:, 0] == pytest.approx(np.asarray(golden["event"]), abs=1e-6)
    assert curve[:, 1] == pytest.approx(np.asarray(golden["other"]), abs=1e-6)


def test_what_reckons_with_classes_refuses_a_time(trained) -> None:
    found = trained[0]
    with pytest.raises(TargetError, match="a censored patient is not one without the event"):
        made = {"schema": found.bundle.schema, "recipe": found.bundle.recipe, "cohort_sha256": ""}
        train(found.prepared, found.split, TrainSettings(model="logistic"), **made)
    with pytest.raises(TargetError, match="a censored patient is not one without the event"):
        learning_curve(found.prepared, found.split, TrainSettings(model="logistic"))
    with pytest.raises(TargetError, match="validate_timed"):
        validate(found.bundle, cohort(ward()))


def test_models_for_classes_and_by_when_are_told_apart() -> None:
    target = EventTime(2, horizons=(1.0,), main=1.0)
    assert "cox" in offered(target)
    assert "logistic" not in offered(target)
    assert all(issubclass(c.part, TimedPart) for c in candidates(target).values() if c.part is not None)
    with pytest.raises(SettingsError, match="does not predict by when"):
        train_cohort(cohort(ward()), TrainSettings(model="logistic"))
    with pytest.raises(SettingsError, match="no search for settings"):
        train_cohort(cohort(ward()), TrainSettings(model="cox", search_minutes=1))


def test_the_shell_trains_predicts_judges_and_explains_by_when(tmp_path: Path, capsys) -> None:
    table = tmp_path / "ward.csv"
    ward().to_csv(table, index=False)

    def run(*arguments: object) -> dict:
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    options = ["--target", "status", "--duration", "days", "--event", "1", "--horizon", "2y,1y", "--model", "cox"]
    found = run("train", table, *options, "--out", tmp_path / "bundle", "--stability", "2")
    assert (found["stability"]["n_refits"], set(found["stability"]["by_horizon"])) == (2, {"365.25", "730.5"})
    assert read_timed_results(tmp_path / "bundle").stability == found["stability"]
    assert (found["main_horizon"], found["unit"], found["horizons"]) == (730.5, "days", [365.25, 730.5])
    assert found["cross_validated"]["overall"]["integrated_brier"]["low"] < 0.25
    run("predict", tmp_path / "bundle", table, "--out", tmp_path / "risks.csv")
    risks = pd.read_csv(tmp_path / "risks.csv")
    page = train_cohort(
        cohort(pd.read_csv(table, dtype="str")), TrainSettings(model="cox")
    ).bundle  # what a page trains of the same table
    assert risks["risk_1"].to_numpy() == pytest.approx(page.predict(pd.read_csv(table, dtype="str"))[:, 1], abs=1e-15)
    judged = run("evaluate", tmp_path / "bundle", table)
    assert judged["trained_on"]["same_table"]
    explained = run("explain", tmp_path / "bundle", table, "--row", "0", "--horizon", "1y")
    assert explained["horizon"] == 365.25
    assert explained["prediction"] == pytest.approx(risks.loc[0, "by_365.25_1"], abs=1e-9)
    proposed = run("profile", table)["event_times"]
    assert (proposed[0]["status"], proposed[0]["duration"]) == ("status", "days")
    for wrong in (
        ["explain", tmp_path / "bundle", table, "--row", "0", "--horizon", "9y"],
        ["evaluate", tmp_path / "bundle", table, "--weight", "age"],
        ["model", tmp_path / "bundle", "--out", tmp_path / "m.html"],
        ["reproduce", tmp_path / "bundle", "--out", tmp_path / "r.py"],
        ["train", table, "--target", "status", "--event", "1", "--out", tmp_path / "x"],
    ):
        assert main(list(map(str, wrong))) == 2
        assert "Traceback" not in capsys.readouterr().err
