"""Boxes that were ticked or left empty: asked about, and read as yes and no, of new patients too."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort, Schema
from medcore.data.describe.mended import mended
from medcore.data.preparation.fixes import apply_fix
from medcore.data.preparation.recipe import default_recipe, prepare, prepare_predictors
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.schema.dictionaries.dictionary import load_dictionary, save_dictionary
from medcore.data.schema.inference import choose_target
from medcore.data.values.typed import typed
from tests.commanded import fail, run

WORDS = {"diabetes": "X", "stroke": "Yes", "smoker": "1", "高血压": "有", "fall": "√"}


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    n = 400
    ill = {name: rng.random(n) < share for name, share in zip(WORDS, (0.2, 0.03, 0.4, 0.6, 0.1), strict=True)}
    died = rng.random(n) < np.where(ill["diabetes"], 0.5, 0.15)
    table = pd.DataFrame(
        {
            "age": rng.integers(30, 90, n),
            **{name: np.where(ticked, WORDS[name], "") for name, ticked in ill.items()},
            "ct": np.where(rng.random(n) < 0.5, rng.choice(["normal", "bleeding"], n), ""),
            "died": np.where(died, "yes", "no"),
        }
    )
    table.to_csv(tmp_path / "ward.csv", index=False)
    return tmp_path


def with_outcome(table: bytes) -> Cohort:
    cohort = read_table(("ward.csv", table))
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, "died"))


def cohort_of(ward: Path) -> Cohort:
    return with_outcome((ward / "ward.csv").read_bytes())


def boxes(cohort: Cohort) -> tuple[str, ...]:
    return next((f.columns for f in inspect(cohort) if f.code == "columns.boxes"), ())


def test_boxes_are_asked_about_and_not_said_to_be_empty(ward: Path) -> None:
    cohort = cohort_of(ward)
    found = inspect(cohort)
    assert boxes(cohort) == tuple(WORDS)
    others = ("columns.constant", "missing.much", "missing.predicts_outcome")
    assert not {c for f in found if f.code in others for c in f.columns} & set(WORDS)
    fix = next(f.fix for f in found if f.code == "columns.boxes")
    assert fix is not None and fix.options() == '--empty-is-no "diabetes,stroke,smoker,高血压,fall"'
    assert len(fix.clicks()) == len(WORDS)


def test_an_empty_box_is_no_in_the_table_and_in_one_row_alone(ward: Path) -> None:
    cohort = cohort_of(ward)
    fix = next(f.fix for f in inspect(cohort) if f.code == "columns.boxes")
    assert fix is not None
    schema, recipe = apply_fix(fix, cohort.schema, default_recipe(cohort.schema))
    assert [schema[name].levels for name in WORDS] == [
        ("no", "X"),
        ("No", "Yes"),
        ("0", "1"),
        ("无", "有"),
        ("no", "√"),
    ]
    read = cohort.with_schema(schema)
    assert not boxes(read) and typed(read.frame, schema)[list(WORDS)].notna().all(axis=None)
    prepared = prepare(read, recipe).predictors
    assert (prepared["diabetes"] == "no").sum() == cohort.frame["diabetes"].isna().sum()
    one = prepare_predictors(cohort.frame.iloc[[7]], schema, recipe)
    assert one[list(WORDS)].iloc[0].to_dict() == prepared[list(WORDS)].iloc[7].to_dict()
    told = next(m for m in mended(read) if m.kind == "empty")
    assert told.n_cells == int(cohort.frame[list(WORDS)].isna().sum().sum())
    assert Schema.from_dict(schema.to_dict()) == schema
    kept = load_dictionary(cohort.schema, save_dictionary(schema))
    assert [(c.kind, c.levels, c.reading) for c in kept.columns] == [
        (c.kind, c.levels, c.reading) for c in schema.columns
    ]


def test_a_word_that_says_nothing_is_still_missing(ward: Path) -> None:
    table = pd.read_csv(ward / "ward.csv", dtype="str")
    table.loc[:20, "diabetes"] = "unknown"
    table.to_csv(ward / "ward.csv", index=False)
    cohort = cohort_of(ward)
    assert "diabetes" in boxes(cohort)
    fix = next(f.fix for f in inspect(cohort) if f.code == "columns.boxes")
    assert fix is not None
    schema, _recipe = apply_fix(fix, cohort.schema, default_recipe(cohort.schema))
    read = typed(cohort.frame, schema)["diabetes"]
    assert read.iloc[:21].isna().all() and read.iloc[21:].notna().all()


def test_measurements_and_columns_of_one_value_are_no_boxes() -> None:
    table = pd.DataFrame(
        {
            "crp": [str(i % 50 + 1) if i % 3 == 0 else "" for i in range(300)],
            "hospital": ["North"] * 300,
            "country": ["CH"] * 295 + [""] * 5,
            "noted": ["once"] + [""] * 299,
            "died": ["yes", "no", "no"] * 100,
        }
    )
    assert not boxes(with_outcome(table.to_csv(index=False).encode()))


def test_a_ticked_outcome_says_how_it_can_be_read(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv(ward / "ward.csv", dtype="str")
    table["died"] = np.where(table["died"] == "yes", "†", "")
    table.to_csv(ward / "ward.csv", index=False)
    asked = ("train", ward / "ward.csv", "--target", "died", "--model", "logistic", "--out", ward / "out")
    assert "--empty-is-no" in fail(capsys, *asked)
    assert run(capsys, *asked, "--empty-is-no", "died")["n_train"] > 0


def test_the_shell_reads_boxes_and_refuses_what_are_none(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("train", ward / "ward.csv", "--target", "died", "--model", "logistic", "--out", ward / "out")
    assert "“ct” holds 2 different words" in fail(capsys, *asked, "--empty-is-no", "ct")
    run(capsys, *asked, "--empty-is-no", ",".join(WORDS))
    new = pd.DataFrame({"age": ["60", "60"], **{name: ["", word] for name, word in WORDS.items()}, "ct": ["", ""]})
    new.to_csv(ward / "new.csv", index=False)
    told = run(capsys, "predict", ward / "out", ward / "new.csv", "--out", ward / "risks.csv")
    assert "count as no" in str(told)
    risks = pd.read_csv(ward / "risks.csv")["risk_yes"]
    assert risks[1] > risks[0]
    equation = ward / "equation.csv"
    run(capsys, "model", ward / "out", "--out", equation)
    assert "X" in equation.read_text(encoding="utf-8")
