import json

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main
from medcore.data.reading.table import read_table
from medcore.errors import InputError
from medcore.explanation.patient.patients import explain_row
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort

SILENT = ["note", "ward", "rare"]


def table(n: int = 120) -> pd.DataFrame:
    """Age tells; a note that is another for everybody, a ward that is the same, and codes of four patients each do not."""
    rng = np.random.default_rng(0)
    age = rng.normal(60, 10, n).round(1)
    ill = np.where(rng.random(n) < 1 / (1 + np.exp(-(age - 60) / 5)), "yes", "no")
    note = [f"story {k}" for k in range(n)]
    return pd.DataFrame({"age": age, "note": note, "ward": "A", "rare": [f"c{k // 4}" for k in range(n)], "ill": ill})


def cohort_of(frame: pd.DataFrame):
    cohort = read_table(("ward.csv", frame.to_csv(index=False).encode()))
    schema = cohort.schema
    for name in SILENT:
        schema = schema.change(name, kind="category", role="predictor")
    schema = schema.change("ill", role="outcome")
    return cohort.with_schema(schema.__class__(schema.columns, "yes"))


@pytest.mark.parametrize("model", ["logistic", "forest"])
def test_a_predictor_that_tells_nobody_apart_is_a_finding_and_not_in_the_bundle(model, tmp_path):
    cohort = cohort_of(table())
    trained = train_cohort(cohort, TrainSettings(model=model), folder=tmp_path / "bundle")
    found = {finding.code: finding for finding in trained.findings}["predictors.without_information"]
    assert list(found.columns) == SILENT
    assert found.severity == "warning"
    assert trained.bundle.predictors == ("age",)
    assert [c.name for c in trained.bundle.schema.predictors] == ["age"]
    new = cohort.frame[["age"]]
    np.testing.assert_array_equal(trained.bundle.predict(new), trained.bundle.predict(cohort.frame))
    assert [c.column for c in explain_row(trained.bundle, new, 0).contributions] == ["age"]


def test_nothing_to_learn_from_is_said_before_training():
    with pytest.raises(InputError, match="No predictor tells"):
        train_cohort(cohort_of(table().assign(age=60)), TrainSettings(model="logistic"))


def test_the_shell_says_so_too(tmp_path, capsys):
    path = tmp_path / "ward.csv"
    frame = table(100)[["age", "rare", "ill"]]
    frame.assign(rare=[f"type {chr(97 + k // 4)}" for k in range(100)]).to_csv(path, index=False)
    arguments = ["train", str(path), "--target", "ill", "--model", "logistic", "--out", str(tmp_path / "b"), "--json"]
    assert main(arguments) == 0
    findings = {f["code"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["predictors.without_information"]["columns"] == ["rare"]
    assert {"severity", "why", "remedy", "message"} <= set(findings["predictors.without_information"])
