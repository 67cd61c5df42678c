"""The tower: measurements in the order of time, trained, kept, asked and explained, from the shell on."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from medcore.cli import main
from medcore.data.long import Pivot
from medcore.data.reading.long.series import with_series
from medcore.data.reading.table import read_table
from medcore.data.splitting.split import SplitSettings
from medcore.errors import SettingsError
from medcore.explanation.shapley.inside import explain_inside
from medcore.features import Rows, steps_of
from medcore.models.bundle.bundle import load_bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.contract.candidate import automatic, offered, reads_in_order
from medcore.models.contract.checks import check_suits
from medcore.models.contract.settings import TrainSettings
from medcore.models.network.sequences import SequenceScaler
from medcore.models.run.cohort import train_cohort
from medcore.targets import EventTime, Number, Target

N = 140
TAKEN = "last|mean|sequence"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Patients of whom the middle of a pulse tells the outcome, and nothing else does; a tower trained from the shell."""
    random = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("tower")
    ill = random.random(N) < 0.5
    patients = pd.DataFrame({"id": range(N), "age": random.integers(30, 80, N), "died": np.where(ill, "yes", "no")})
    late = np.random.default_rng(4)  # what is told of the same patients by when and how long
    patients["days"] = late.exponential(np.where(ill, 100, 900)).round() + 1
    patients["stay"] = (np.where(ill, 12, 4) + late.normal(0, 1, N)).round(1)
    lines = []
    for who in range(N):
        hours = np.sort(random.uniform(0, 48, random.integers(8, 24)))
        wave = np.select([hours < 16, hours < 32], [-1.0, 1.0], 0.0)
        pulse = random.normal(80, 6, len(hours)) + wave * (25 if ill[who] else -25)
        lines += [(who, hour, "HR", value) for hour, value in zip(hours, pulse, strict=True)]
        lines += [(who, hour, "K", random.normal(4, 0.5)) for hour in random.uniform(0, 48, random.integers(0, 4))]
    long = pd.DataFrame(lines, columns=["id", "at (h)", "test", "result"]).round(2)
    patients.to_csv(folder / "patients.csv", index=False)
    long.to_csv(folder / "long.csv", index=False)
    asked = ["--series", "long.csv", "--id", "id", "--until", "48h", "--take", TAKEN, "--model", "tower"]
    arguments = ["--target", "died", "--out", "bundle", "--folds", "2", "--epochs", "30", "--drop", "id,days,stay"]
    with pytest.MonkeyPatch.context() as moved:
        moved.chdir(folder)
        assert main(["train", "patients.csv", *arguments, *asked]) == 0
    return folder


@pytest.fixture(scope="module", params=["by when", "number"])
def other(request, folder):
    """The same tower for the same patients' times and for a number, with the columns that are no predictors."""
    when = ["--target", "died", "--duration", "days", "--event", "yes", "--horizon", "365d", "--drop", "id,stay"]
    number = ["--target", "stay", "--outcome", "number", "--drop", "id,died,days"]
    asked = ["--series", "long.csv", "--id", "id", "--until", "48h", "--take", TAKEN, "--model", "tower"]
    out = request.param.replace(" ", "_")
    with pytest.MonkeyPatch.context() as moved:
        moved.chdir(folder)
        own = when if request.param == "by when" else number
        assert main(["train", "patients.csv", *own, *asked, "--out", out, "--folds", "2", "--epochs", "30"]) == 0
    return load_bundle(folder / out)


@pytest.fixture(scope="module")
def bundle(folder):
    return load_bundle(folder / "bundle")


@pytest.fixture(scope="module")
def cohort(folder, bundle):
    patients, long = (read_table(folder / name) for name in ("patients.csv", "long.csv"))
    return with_series(patients, long, bundle.schema.series, like=bundle.schema)


def test_it_learns_what_no_summary_tells(bundle, cohort):
    """Out of fold, against scikit-learn's regression over the summaries."""
    table = cohort.frame[["age", "HR last", "HR mean"]].astype(float)
    ill = (cohort.frame["died"] == "yes").to_numpy()
    summed_up = cross_val_predict(LogisticRegression(max_iter=5000), table, ill, method="predict_proba")[:, 1]
    assert bundle.manifest["cross_validated"]["auroc"]["value"] > max(0.75, roc_auc_score(ill, summed_up) + 0.1)


def test_new_patients_alone_are_read_as_among_all(folder, bundle, cohort, capsys):
    risk = bundle.predict(cohort.frame)
    long = pd.read_csv(folder / "long.csv")
    (pd.read_csv(folder / "patients.csv").iloc[[7]]).to_csv(folder / "one.csv", index=False)
    long[long["id"] == 7].to_csv(folder / "own.csv", index=False)
    out = folder / "risks.csv"
    asked = ["predict", str(folder / "bundle"), str(folder / "one.csv"), "--series", str(folder / "own.csv")]
    assert main([*asked, "--out", str(out)]) == 0
    np.testing.assert_allclose(pd.read_csv(out)["risk_yes"], risk[7, 1], rtol=1e-5)
    asked = ["explain", str(folder / "bundle"), str(folder / "patients.csv"), "--row", "7", "--series"]
    assert main([*asked, str(folder / "long.csv"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    columns = {c["column"]: c for c in told["contributions"]}
    assert set(columns) == {"age", "HR last", "HR mean", "HR sequence", "K last", "K mean", "K sequence"}
    assert abs(told["additivity_residual"]) < 1e-6 and "|" not in columns["HR sequence"]["value"]
    inside = {name: [part["contribution"] for part in c["parts"]] for name, c in columns.items() if c["parts"]}
    assert set(inside) >= {"HR sequence"} and all(len(parts) == 6 for parts in inside.values())
    for name, parts in inside.items():
        assert sum(parts) == pytest.approx(columns[name]["contribution"], abs=1e-9)
    assert np.abs(inside["HR sequence"][:4]).sum() > np.abs(inside["HR sequence"][4:]).sum()
    assert max(columns, key=lambda name: abs(columns[name]["contribution"])) == "HR sequence"


def _agrees_with_rows_written_out(bundle, cohort):
    rows, others = bundle.encode(cohort.frame), bundle.background
    risk = BundleRisk(bundle).knowing(rows, others)
    random = np.random.default_rng(0)
    mine, whose = random.random((60, rows.shape[1])) < 0.5, random.integers(0, len(others), 60)
    written = risk(np.where(mine, rows.codes[3], others.codes[whose]))
    asked = risk.for_patient(rows.codes[3], others.codes).risk(whose, mine)
    np.testing.assert_allclose(asked, written, atol=2e-6 * max(1.0, float(np.abs(written).max())))


def test_coalitions_are_those_of_rows_written_out(bundle, cohort):
    _agrees_with_rows_written_out(bundle, cohort)


def test_times_and_numbers_are_learnt_kept_and_taken_apart_as_classes_are(other, cohort):
    """What was read back ranks patients by what only the middle of the pulse tells."""
    ill = (cohort.frame["died"] == "yes").to_numpy()
    assert other.parts[0][1].kind in ("hazard_tower", "tower_of_numbers")
    assert roc_auc_score(ill, other.predict(cohort.frame)[:, -1]) > 0.9
    _agrees_with_rows_written_out(other, cohort)


def test_a_coalition_and_its_opposite_tell_of_every_column(bundle, cohort):
    rows, others = bundle.encode(cohort.frame), bundle.background
    patient = BundleRisk(bundle).knowing(rows, others).for_patient(rows.codes[3], others.codes)
    random = np.random.default_rng(0)
    mine, whose = random.random((20, rows.shape[1])) < 0.5, random.integers(0, len(others), 20)
    pairs = patient.pairs(whose, mine, lambda risk: risk[:, 1])
    asked = [
        [
            np.subtract(*(patient.risk(whose, both)[:, 1] for both in (mask | one, mask & ~one)))
            for mask in (mine, ~mine)
        ]
        for one in np.eye(rows.shape[1], dtype=bool)
    ]
    expected = np.mean(asked, axis=1).T
    np.testing.assert_allclose(pairs.exactly(np.arange(rows.shape[1])), expected, atol=5e-6)


def test_the_parts_of_the_time_add_up_to_the_column(bundle, cohort):
    rows, place = bundle.encode(cohort.frame).take(3), bundle.codebook.place("HR sequence")
    parts = bundle.codebook.encoders[place].parts(rows.column(place), None)
    assert parts.names[0] == "0–8 h" and len(parts.names) == 6
    others = Rows.of(bundle.background).take(slice(0, 2))
    whole = rows.knowing(others).mix(
        np.arange(rows.shape[1]) != place, others
    )  # the other columns are the patient's own
    inside = explain_inside(BundleRisk(bundle).inside(place), rows, whole, parts, place, class_index=1)
    expected = (bundle.risk(rows)[0] - bundle.risk(whole).mean(axis=0))[1]
    assert sum(part.contribution for part in inside) == pytest.approx(expected, abs=1e-6)


def test_gaps_are_told_and_nothing_is_made_up(bundle, cohort):
    """Against a loop: the last value, how many steps ago; before the first the training mean, and never taken."""
    rows = bundle.encode(cohort.frame)
    places = np.flatnonzero(bundle.codebook.in_order)
    scaler = SequenceScaler.fit(rows.take(slice(0, 70)), places)
    told = scaler.transform(rows).reshape(len(rows), 2, 48, 2)
    for at, place in enumerate(places):
        steps = steps_of(rows.column(int(place)))
        for row in (0, 5, 77):
            known = np.flatnonzero(~np.isnan(steps[row]))
            for step in range(48):
                before = known[known <= step]
                ago = step - before[-1] if len(before) else 48
                value = np.clip(steps[row, before[-1]], scaler.low[at], scaler.high[at]) if len(before) else None
                wanted = 0.0 if value is None else (value - scaler.centre[at]) / scaler.scale[at]
                assert told[row, 1, step, at] == ago and told[row, 0, step, at] == pytest.approx(wanted, abs=1e-5)


def test_the_regression_beside_is_written_down_over_the_summaries(bundle, cohort):
    """Its equation tells patients apart as the regression did out of fold, by the columns that it reads."""
    run = train_cohort(
        cohort.with_schema(bundle.schema),
        TrainSettings(model="tower", epochs=1),
        split=SplitSettings(n_folds=2),  # the folder's, of whose rows and folds a program is compiled already
    )
    written, (beside,) = run.results.specification, [c for c in run.candidates if c.name == "logistic"]
    names = [i.name for i in written.inputs]
    assert names == ["age", "HR last", "HR mean", "K last", "K mean"] and not written.delivered
    codes, ill = cohort.frame[names].astype(float).to_numpy(), (cohort.frame["died"] == "yes").to_numpy()
    codes, ill = codes[run.split.train], ill[run.split.train]
    assert roc_auc_score(ill, written.risk(codes)[:, 1]) > roc_auc_score(ill, beside.oof[:, 1]) - 0.02
    np.testing.assert_allclose(written.risk(codes).mean(axis=0)[1], ill.mean(), atol=0.02)


def test_it_is_offered_where_measurements_are(cohort):
    two = Target(2)
    assert all("tower" in automatic(100, target, over_time=True) for target in (two, Number(), EventTime(2)))
    assert "tower" in automatic(100, two, over_time=True) and "tower" not in automatic(100, two)
    assert "tower" in offered(two) and "tower" not in offered(two, over_time=False) and "tower" in offered(Number())
    assert reads_in_order("auto", two) and reads_in_order("tower", two) and not reads_in_order("network", two)
    with pytest.raises(SettingsError, match="holds none"):
        check_suits("tower", two, over_time=False)
    with pytest.raises(SettingsError, match="beside the patients"):
        Pivot(patient="id", analyte="test", value="result", forms=("sequence",))
