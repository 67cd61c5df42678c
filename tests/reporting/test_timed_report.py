"""The report of a model that says by when, and the Cox regression written down in it."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main
from medcore.data.cohort import Cohort
from medcore.data.preparation.event_time import choose_event_time
from medcore.data.schema.inference import infer_schema
from medcore.i18n import language
from medcore.models.contract.settings import TrainSettings
from medcore.models.learners.equation import terms_of
from medcore.models.run.cohort import train_cohort
from medcore.models.run.timed.results import read_timed_results
from medcore.reporting import TimedReportInputs, timed_report
from medcore.reporting.formats.document import Heading, Paragraph, Table
from medcore.sealing import as_folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A ward of 1,000 with a competing event and two to four years of follow-up, and its table as a file."""
    rng = np.random.default_rng(11)
    n = 1000
    age, smoker = rng.normal(60, 12, n), rng.choice(["yes", "no"], n)
    sex = rng.choice(["f", "m"], n)
    score = 0.08 * (age - 60) + 0.5 * (smoker == "yes")
    death, other, out = rng.exponential(900 * np.exp(-score)), rng.exponential(3000, n), rng.uniform(200, 1500, n)
    status = np.where(out < np.minimum(death, other), "alive", np.where(death <= other, "dead", "transplant"))
    days = np.maximum(np.minimum(np.minimum(death, other), out), 1).round()
    frame = pd.DataFrame({"age": age.round(1), "smoker": smoker, "sex": sex, "days": days, "status": status})
    frame.loc[::9, "age"] = np.nan
    folder = tmp_path_factory.mktemp("report")
    frame.to_csv(folder / "ward.csv", index=False)
    texts = frame.astype("str").where(frame.notna())
    rows = Cohort(texts, infer_schema(texts), "0" * 64, "ward.csv")
    options = {"event": "dead", "competing": ["transplant"], "horizons": ["2y", "1y"]}
    schema = choose_event_time(rows, "status", when="days", **options)
    found = train_cohort(rows.with_schema(schema), TrainSettings(model="cox"), folder=folder / "bundle")
    return found, folder


def written(trained, **more):
    trained, folder = trained
    results = read_timed_results(as_folder(folder / "bundle"))
    subject = TimedReportInputs(
        title="Ward", results=results, threshold=0.3, prepared=trained.prepared, split=trained.split, **more
    )
    return timed_report(subject.with_cox(trained.bundle))


def tables(document) -> dict[str, Table]:
    return {b.caption: b for b in document.blocks if isinstance(b, Table)}


def test_the_equation_that_is_written_gives_the_bundles_risks(trained) -> None:
    bundle = trained[0].bundle
    part, rows = bundle.parts[0][1], bundle.background
    for cause in part.causes:
        terms = terms_of(cause.maker, cause.splines, cause.baseline.coefficients[:, None])
        scores = sum(t.coefficients[0] * t.value(rows.codes) for t in terms)
        assert scores == pytest.approx(cause.scores(rows), abs=1e-9)
    printed = tables(written(trained))["Baseline, at a score of 0: dead"]
    hazard = part.causes[0].baseline.cumulative(np.array([365.25, 730.5]))
    assert [row[0] for row in printed.rows] == ["1 year", "2 years"]
    assert [float(row[1]) for row in printed.rows] == pytest.approx(hazard, rel=1e-5)
    assert [float(row[2]) for row in printed.rows] == pytest.approx(np.exp(-hazard), abs=1e-6)
    equation = tables(written(trained))["The equation: dead"]
    line = next(row for row in equation.rows if row[0].startswith("age (") or row[0] == "age")
    if line[5]:
        assert float(line[5]) == pytest.approx(math.exp(float(line[4]) / float(line[3])), rel=1e-2)


def test_it_says_who_was_followed_and_answers_the_items(trained) -> None:
    document = written(trained)
    assert document.title == "Prediction of dead within 2 years: development and internal validation of a model"
    found = tables(document)
    parts = found["What had become of the patients by 2 years"]
    training = parts.rows[0]
    duration, event = trained[0].results.training.duration, trained[0].results.training.event
    assert [int(n) for n in training[1:]] == [
        len(duration),
        int(((event == 1) & (duration <= 730.5)).sum()),
        int(((event == 1) & (duration > 730.5)).sum()),
        int((event == 2).sum()),
        int(((event == 0) & (duration >= 730.5)).sum()),
        int(((event == 0) & (duration < 730.5)).sum()),
    ]
    rate = found["Events and person-time"].rows[0]
    assert rate[1] == str((event == 1).sum()) and rate[2] == f"{duration.sum() / 365.25:,.0f}"
    items = {row[0]: row[2] for row in found["Where each item is answered"].rows}
    assert "The model itself" in items["22"] and "Performance" in items["23a"] and "Flow" in items["20a"]
    assert "Sample size" in items["10"]
    assert "Performance within 1 year, with 95% intervals" in found
    text = " ".join(b.text for b in document.blocks if isinstance(b, Paragraph))
    assert "100 had had it (Kaplan–Meier" in text and "logistic" not in text


def test_stability_is_printed_by_horizon_where_it_was_worked_out(trained) -> None:
    assert "not repeated on bootstrap samples" in str(written(trained).blocks)
    figure = {"apparent": 0.8, "optimism": 0.02, "standard_error": 0.001, "corrected": 0.78}
    moved = {"mean_absolute_error": 0.031, "absolute_error_90": 0.08, "median_interval_width": 0.2}
    by = {"365.25": {"figures": {"auroc": figure}, **moved}, "730.5": {"figures": {"auroc": figure}, **moved}}
    document = written(trained, refits={"n_refits": 200, "by_horizon": by})
    distances = next(t for name, t in tables(document).items() if name.startswith("How far the refits"))
    assert distances.rows[0] == ("1 year", "3.1", "8.0", "20.0") and distances.rows[1][0] == "2 years"
    assert "0.020 (± 0.001)" in str(document.blocks) and "believe the latter" in str(document.blocks)


def test_a_test_set_nobody_looked_at_is_not_in_it(trained) -> None:
    found = tables(written(trained, looks=0))
    assert "Locked test set" not in found["Performance within 2 years, with 95% intervals"].header
    assert (
        "Locked test set" in tables(written(trained, looks=1))["Performance within 2 years, with 95% intervals"].header
    )


def test_every_sentence_of_it_is_there_in_chinese(trained) -> None:
    with language("zh_CN"):
        document = written(trained)
    english = {b.text for b in written(trained).blocks if isinstance(b, Heading)}
    assert not english & {b.text for b in document.blocks if isinstance(b, Heading)}
    for block in document.blocks:
        if isinstance(block, Paragraph) and len(block.text) > 40:
            assert sum("一" <= letter <= "鿿" for letter in block.text) > 8, block.text


def test_the_shell_writes_it_of_new_patients_with_the_net_benefit(trained, capsys, tmp_path) -> None:
    folder = trained[1]
    others = pd.read_csv(folder / "ward.csv").iloc[20:220]
    others.to_csv(tmp_path / "others.csv", index=False)
    command = ["evaluate", str(folder / "bundle"), str(tmp_path / "others.csv"), "--threshold", "0.25"]
    assert main([*command, "--report", str(tmp_path / "report.html"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "net_benefit" in found["horizons"][0]["metrics"] and found["report"].endswith("report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "development and external validation" in page and "from a risk of 25" in page
