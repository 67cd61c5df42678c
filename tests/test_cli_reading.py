"""The options by which the shell says how a table is read, and what its columns are."""

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main
from medcore.commands.asked import Asked, columns_named
from medcore.data.cohort import Schema
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.errors import InputError, MissingColumnsError
from medcore.models.bundle.bundle import load_bundle


def ward(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    crp = rng.gamma(2, 12, n).round(1)
    return pd.DataFrame(
        {
            "age": rng.integers(30, 90, n),
            "CRP, high sensitivity": crp,
            "code": rng.integers(1, 4, n),
            "seen": [f"{1 + i % 12}/{1 + i % 11}/2023" for i in range(n)],
            "died": (rng.random(n) < 1 / (1 + np.exp(2 - crp / 20))).astype(int),
        }
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    ward().to_csv(folder / "ward.csv", index=False)
    return folder / "ward.csv"


def profiled(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["profile", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_is_asked_is_what_is_profiled(table: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("name,unit,description\nage,years,Age at admission\n", encoding="utf-8")
    asked = ["--kind", "code=category", "--missing", "age=30,31", "--role", "seen=time", "--dates", "mdy"]
    found = profiled(capsys, str(table), "--target", "died", *asked, "--dictionary", str(tmp_path / "d.csv"))
    columns = {c["name"]: c for c in found["columns"]}
    assert columns["code"]["kind"] == "category" and columns["died"]["role"] == "outcome"
    assert columns["age"]["missing_codes"] == ["30", "31"] and columns["age"]["description"] == "Age at admission"
    assert columns["seen"]["role"] == "time" and columns["seen"]["reading"]["dates"] == "mdy"


def test_no_error_is_about_an_outcome_that_nobody_chose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = ward().assign(died=[0] * 118 + [1, 1])
    frame.to_csv(tmp_path / "t.csv", index=False)
    loud = [f for f in profiled(capsys, str(tmp_path / "t.csv"))["findings"] if f["severity"] == "error"]
    assert not [f for f in loud if f["code"].startswith(("outcome", "leakage"))]
    chosen = profiled(capsys, str(tmp_path / "t.csv"), "--target", "died")["findings"]
    assert [f for f in chosen if f["severity"] == "error" and f["code"].startswith("outcome")]


def test_names_with_commas_are_one_column() -> None:
    names = ["age", "CRP, high sensitivity", "CRP", "high"]
    assert columns_named(["age,CRP, high sensitivity"], names) == ["age", "CRP, high sensitivity"]
    assert columns_named(["CRP,high"], names) == ["CRP", "high"]
    assert columns_named(['"CRP, high sensitivity",age'], names) == ["CRP, high sensitivity", "age"]
    with pytest.raises(MissingColumnsError, match="CRP, high"):
        columns_named(["CRP high sensitivty"], names)


@pytest.mark.parametrize(
    "asked",
    [
        Asked(kinds=["age=number"]),
        Asked(roles=["agee=ignored"]),
        Asked(missing=["age"]),
        Asked(dates=["ydm"]),
        Asked(dictionary=Path("/nowhere/d.csv")),
    ],
)
def test_what_cannot_be_is_refused_by_its_option(table: Path, asked: Asked) -> None:
    with pytest.raises(InputError):
        asked.read(table)


def test_a_shell_trains_and_predicts_as_it_is_asked(table: Path, tmp_path: Path) -> None:
    out, risks = tmp_path / "b", tmp_path / "r.csv"
    line = ["train", str(table), "--target", "died", "--model", "logistic", "--folds", "3", "--out", str(out)]
    assert main([*line, "--drop", "CRP, high sensitivity,seen", "--kind", "code=category"]) == 0
    assert {c.name for c in load_bundle(out).schema.predictors} == {"age", "code"}
    new = ward(5).assign(age=["45,5", "50,0", "61,0", "70,0", "80,0"])
    new.to_csv(tmp_path / "n.csv", index=False, sep=";")
    assert main(["predict", str(out), str(tmp_path / "n.csv"), "--decimal", ",", "--out", str(risks)]) == 0
    ward(5).assign(age=[45.5, 50, 61, 70, 80]).to_csv(tmp_path / "p.csv", index=False)
    assert main(["predict", str(out), str(tmp_path / "p.csv"), "--out", str(tmp_path / "s.csv")]) == 0
    assert risks.read_text() == (tmp_path / "s.csv").read_text()
    (tmp_path / "odd.csv").write_text("age,code,x\n45,1,2\n45,5,1,2\n", encoding="utf-8")
    assert main(["predict", str(out), str(tmp_path / "odd.csv"), "--out", str(risks)]) == 0
    assert pd.read_csv(risks)["flags"].fillna("").str.contains("shifted_row").tolist() == [False, True]


def told(frame: pd.DataFrame, target: str) -> dict[str, tuple[str, ...]]:
    cohort = read_table(("t.csv", frame.to_csv(index=False).encode()))
    schema: Schema = choose_target(cohort.schema, cohort.frame, target)
    return {f.code: f.columns for f in inspect(cohort.with_schema(schema)) if f.code.startswith("leakage.")}


def test_follow_up_and_other_tests_of_the_same_disease_are_asked_about() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(200) < 0.4
    noisy = truth ^ (rng.random(200) < 0.1)
    frame = pd.DataFrame(
        {
            "age": rng.integers(30, 90, 200),
            "antigen_test": np.where(noisy, "pos", "neg"),
            "covid_status_day7": np.where(noisy, "yes", "no"),
            "os_months": rng.integers(1, 60, 200),
            "family_history_covid": np.where(noisy, "yes", "no"),
            "covid_pcr": np.where(truth, "pos", "neg"),
        }
    )
    found = told(frame, "covid_pcr")
    assert found["leakage.follow_up"] == ("os_months",)
    assert found["leakage.sibling"] == ("antigen_test", "covid_status_day7")


def test_no_option_is_guessed_from_its_beginning(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", str(table), "--target", "died", "--split", "seen"])
    assert ended.value.code == 2
    assert "--split" in capsys.readouterr().err


def test_measurements_over_time_lie_beside_the_patients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained with --series, asked again with the same rows, one row alone, and without."""
    rng = np.random.default_rng(11)
    frame = ward().rename_axis("id").reset_index()
    frame.to_csv(tmp_path / "ward.csv", index=False)
    at = rng.integers(0, 3000, 1500)
    long = pd.DataFrame(
        {
            "id": rng.integers(0, 118, 1500),
            "Time": [f"{t // 60:02d}:{t % 60:02d}" for t in at],
            "Parameter": rng.choice(["HR", "MAP"], 1500),
            "Value": rng.normal(80, 10, 1500).round(),
        }
    )
    long.to_csv(tmp_path / "icu.csv", index=False)
    given = ["--series", str(tmp_path / "icu.csv")]
    how = ["--id", "id", "--by", "Parameter", "--at", "Time", "--until", "48h"]
    train = [
        "train",
        str(tmp_path / "ward.csv"),
        "--target",
        "died",
        "--model",
        "logistic",
        "--out",
        str(tmp_path / "m"),
    ]
    assert main([*train, *given, *how[:-2]]) == 2
    assert "--until" in capsys.readouterr().err
    assert main([*train, *how]) == 2
    assert "need --series" in capsys.readouterr().err
    for late, said in {"12": "no time with its unit", "48h": "no part of the 48 hours"}.items():
        assert main([*train, *given, *how, "--late", late]) == 2
        assert said in capsys.readouterr().err
    assert main([*train, *given, *how, "--late", "12h", "--take", "first|mean|count|since"]) == 0
    told = f"{(at > 48 * 60).sum()} result(s) lie outside the window"
    assert told in capsys.readouterr().out
    schema = load_bundle(tmp_path / "m").schema
    assert [c.name for c in schema.predictors if c.name.startswith("HR")] == [
        "HR first",
        "HR mean",
        "HR count",
        "HR since",
        "HR last 12h mean",
    ]
    frame.iloc[[5]].to_csv(tmp_path / "one.csv", index=False)
    risks = {}
    for name in ("ward", "one"):
        out = tmp_path / f"{name}.risks.csv"
        assert main(["predict", str(tmp_path / "m"), str(tmp_path / f"{name}.csv"), *given, "--out", str(out)]) == 0
        risks[name] = pd.read_csv(out)["risk_1"]
    assert risks["ward"][5] == pytest.approx(risks["one"][0], abs=1e-12)
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "m"), str(tmp_path / "one.csv"), "--out", str(tmp_path / "r.csv")]) == 2
    assert "give that of these patients with --series" in capsys.readouterr().err
    assert main(["reproduce", str(tmp_path / "m"), "--out", str(tmp_path / "again.py")]) == 0
    again = runpy.run_path(str(tmp_path / "again.py"))["main"]
    assert again(str(tmp_path / "ward.csv"), str(tmp_path / "icu.csv")) == 0
