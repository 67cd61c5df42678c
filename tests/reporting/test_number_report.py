"""The report of a model that predicts a number, from page to shell."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main
from medcore.data.cohort import Cohort
from medcore.data.preparation.number import choose_number
from medcore.data.schema.inference import infer_schema
from medcore.i18n import language
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.models.run.number.results import read_number_results
from medcore.reporting import NumberReportInputs, number_report, render
from medcore.reporting.formats.document import Bullets, Heading, Paragraph, Picture, Table
from medcore.sealing import as_folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A ward of 400 with a blood loss that age and sex explain, seven of them of a third sex, few with a CRP, and its table as a file."""
    rng = np.random.default_rng(12)
    age, sex = rng.normal(60, 12, 400), rng.choice(["f", "m"], 400)
    sex[:7] = "x"
    loss = (500 + 12 * (age - 60) + 150 * (sex == "m") + rng.normal(0, 120, 400)).round(1)
    crp = np.where(rng.random(400) < 0.3, rng.gamma(2, 10, 400).round(1), np.nan)
    frame = pd.DataFrame({"age": age.round(1), "sex": sex, "crp": crp, "loss": loss})
    folder = tmp_path_factory.mktemp("report")
    frame.assign(age=frame["age"] + 1).to_csv(folder / "others.csv", index=False)
    texts = frame.astype("str").replace("nan", "")
    rows = Cohort(texts, infer_schema(texts), "0" * 64, "ward.csv")
    schema = choose_number(rows, "loss")
    return train_cohort(rows.with_schema(schema), TrainSettings(model="linear"), folder=folder / "bundle"), folder


def written(trained, **more):
    found, folder = trained
    results = read_number_results(as_folder(folder / "bundle"))
    return number_report(
        NumberReportInputs(title="Ward", results=results, prepared=found.prepared, split=found.split, **more)
    )


def test_the_report_says_what_the_results_say(trained):
    document = written(trained)
    results = trained[0].results
    tables = {b.caption: b for b in document.blocks if isinstance(b, Table)}
    figures = {row[0]: row[1] for row in tables["Performance, with 95% intervals"].rows}
    assert next(v for k, v in figures.items() if k.startswith("R²")).startswith(
        f"{results.cross_validated.metrics['r2'].value:.3f}"
    )
    assert "TRIPOD+AI items" in [b.text for b in document.blocks if isinstance(b, Heading)]
    assert document.title == "Prediction of loss: development and internal validation of a model"
    parts = tables["What was measured, in the outcome’s own unit"].rows
    assert [row[0] for row in parts] == ["Trained on, and judged out of fold", "Locked test set"]
    limits = [item for b in document.blocks if isinstance(b, Bullets) for item in b.items]
    assert any(item.startswith("Much is missing of crp (") for item in limits)
    said = " ".join(b.text for b in document.blocks if isinstance(b, Paragraph))
    assert "Riley" in said and "Limits of agreement" in said and "risk" not in said.split("For research")[0]
    assert [str(row[0]) for row in tables["By sex, in the outcome’s own unit"].rows] == ["f", "m"]  # 7 are too few


def test_no_patients_number_is_drawn_in_it_and_it_speaks_chinese(trained):
    pictures = [b.figure for b in written(trained).blocks if isinstance(b, Picture)]
    values = set(trained[0].results.training.value.tolist())
    assert pictures and not any(
        values & set(np.ravel(t.y).tolist()) for f in pictures for t in f.data if t.y is not None
    )
    with language("zh_CN"):
        text = render(written(trained), "report.html").decode()
    assert "平均绝对误差" in text and "Mean measured" not in text


def test_the_shell_judges_on_a_second_table_and_writes_the_report(trained, tmp_path, capsys):
    bundle, others = str(trained[1] / "bundle"), str(trained[1] / "others.csv")
    for kind in ("html", "docx"):
        report = tmp_path / f"report.{kind}"
        assert main(["evaluate", bundle, others, "--report", str(report), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["report"] == str(report) and report.stat().st_size > 10_000 and told["n"] == 400
    assert "external validation of a model" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert main(["evaluate", bundle, others, "--threshold", "0.3"]) == 2
    assert "cannot be used with a model that predicts a number" in capsys.readouterr().err
