"""Every case is explained from the shell: the contributions are finite, add up, and belong to the right patient."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main
from medcore.settings import ROOT

GRADES = [f"grade {k}" for k in range(1, 9)]


def ward(n=200, *, seed=0):
    """Numbers, two categories, missing cells, and a column that is the same for everybody."""
    rng = np.random.default_rng(seed)
    age, crp = rng.normal(65, 12, n).round(), rng.lognormal(2, 1, n).round(1)
    sex, ward = rng.choice(["f", "m"], n), rng.choice(["north", "south", "east"], n)
    score = (age - 65) / 8 + np.log(crp) - 2 + (ward == "south") + rng.logistic(size=n)
    frame = pd.DataFrame({"age": age, "crp": crp, "sex": sex, "ward": ward}).astype("str")
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    return frame.assign(hospital="ours", outcome=np.where(score > 0.5, "ill", "well"))


def eight_classes():
    frame = ward(400, seed=1)
    score = frame["age"].astype(float).fillna(65) + 5 * (frame["ward"] == "south")
    score += np.random.default_rng(2).normal(0, 5, len(frame))
    return frame.assign(outcome=np.array(GRADES)[pd.qcut(score, 8, labels=False)])


def wide():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(150, 279)).round(3)
    frame = pd.DataFrame(x, columns=[f"gene_{i:03}" for i in range(279)]).astype("str")
    frame["tissue"] = rng.choice(["liver", "lung"], len(x))
    return frame.assign(outcome=np.where(x[:, 0] + x[:, 1] + rng.logistic(size=len(x)) / 2 > 0, "ill", "well"))


TABLES = {"ward": ward, "eight classes": eight_classes, "280 columns": wide}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A bundle a kind of table, the ward's trained by another process."""
    folder = tmp_path_factory.mktemp("cases")
    for name, make in TABLES.items():
        make().to_csv(folder / f"{name}.csv", index=False)
        order = ["train", str(folder / f"{name}.csv"), "--target", "outcome", "--model", "logistic"]
        order += ["--out", str(folder / name)]
        if name == "ward":
            subprocess.run([sys.executable, "-m", "medcore", *order], cwd=ROOT, check=True, capture_output=True)
        else:
            assert main(order) == 0
    return folder


@pytest.fixture
def shell(capsys):
    """Run a command and read its one JSON object."""

    def run(*order):
        assert main([*map(str, order), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def altered(frame, case):
    """A table of new patients, the first of which is the case."""
    new = frame.drop(columns="outcome").head(3).copy()
    if case == "all missing":
        new.iloc[0] = None
    elif case == "all unseen":
        new.loc[new.index[0], [c for c in new if new[c].str.contains("[a-z]", na=False).any()]] = "unheard of"
    elif case == "far outside":
        new.loc[new.index[0], [c for c in new if c.startswith(("age", "crp", "gene"))]] = "1e9"
    elif case == "one row":
        new = new.head(1)
    elif case == "nobody has a value":
        new = new.assign(**dict.fromkeys(new, None), number=range(len(new)))
    return new


CASES = ("one row", "all missing", "all unseen", "far outside", "nobody has a value")
PAIRS = [(kind, case) for kind in TABLES for case in CASES[: 1 if kind == "280 columns" else 5]]


@pytest.mark.parametrize(("kind", "case"), PAIRS)
def test_contributions_of_every_case_add_up_to_the_models_own_prediction(home, shell, kind, case):
    new, risks = home / "new.csv", home / "risks.csv"
    altered(TABLES[kind](), case).to_csv(new, index=False)
    found = shell("explain", home / kind, new, "--row", 0)
    shell("predict", home / kind, new, "--out", risks)
    parts = found["contributions"]
    numbers = [[c["contribution"], c["standard_error"]] for c in parts]
    assert np.isfinite(numbers).all()
    assert found["additivity_residual"] <= 1e-6
    total = found["base_value"] + sum(c["contribution"] for c in parts)
    assert total == pytest.approx(found["prediction"], abs=1e-6)
    predicted = pd.read_csv(risks)[f"risk_{found['class_name']}"][0]
    assert found["prediction"] == pytest.approx(predicted, abs=1e-5)
    if case in ("all missing", "nobody has a value"):
        assert {c["value"] for c in parts} == {None}


def test_a_column_that_is_the_same_for_everybody_is_no_predictor_and_others_are_explained(home, shell):
    new = home / "new.csv"
    altered(ward(), "one row").to_csv(new, index=False)
    found = shell("explain", home / "ward", new, "--row", 0)
    by_column = {c["column"]: c["contribution"] for c in found["contributions"]}
    assert "hospital" not in by_column
    assert max(map(abs, by_column.values())) > 0.01


def test_over_eight_classes_contributions_of_a_column_cancel(home, shell):
    new = home / "new.csv"
    altered(eight_classes(), "one row").to_csv(new, index=False)
    each = [shell("explain", home / "eight classes", new, "--row", 0, "--class", name) for name in GRADES]
    assert sum(found["prediction"] for found in each) == pytest.approx(1.0, abs=1e-6)
    by_column = np.array([[c["contribution"] for c in found["contributions"]] for found in each])
    assert np.abs(by_column).max() > 0.01
    np.testing.assert_allclose(by_column.sum(axis=0), 0.0, atol=1e-6)


def test_of_280_columns_each_has_its_own_contribution_with_an_error(home, shell):
    found = shell("explain", home / "280 columns", home / "280 columns.csv", "--row", 0)
    assert found["method"] == "sampled"
    assert len({c["column"] for c in found["contributions"]}) == 280
    strongest = sorted(found["contributions"], key=lambda c: -abs(c["contribution"]))[:12]
    assert {"gene_000", "gene_001"} <= {c["column"] for c in strongest}
    assert all(0 < c["standard_error"] < abs(c["contribution"]) for c in strongest)
