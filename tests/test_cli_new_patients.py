"""New patients from a shell: columns of other names."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main

THEIRS = {"age": "Age (years)", "troponin": "TnI=ng/l", "died": "death"}


def ward(n: int, *, seed: int) -> pd.DataFrame:
    """A made-up ward: age and troponin drive the outcome, sex does not."""
    rng = np.random.default_rng(seed)
    age, troponin = rng.normal(65, 12, n).round(), rng.lognormal(2, 1, n).round(1)
    died = rng.random(n) < 1 / (1 + np.exp(-(age - 65) / 8 - np.log(troponin) + 2.5))
    return pd.DataFrame(
        {"age": age, "sex": rng.choice(["f", "m"], n), "troponin": troponin, "died": np.where(died, "yes", "no")}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new-patients")
    ward(160, seed=0).to_csv(folder / "ward.csv", index=False)
    ward(60, seed=1).to_csv(folder / "new.csv", index=False)
    ward(60, seed=1).rename(columns=THEIRS).to_csv(folder / "theirs.csv", index=False)
    trained = [folder / "ward.csv", "--target", "died", "--out", folder / "bundle", "--model", "logistic"]
    assert main(["train", *map(str, trained)]) == 0
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> dict:
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def fail(capsys: pytest.CaptureFixture[str]):
    def fail(*arguments: object) -> str:
        assert main([*map(str, arguments), "--json"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "Traceback" not in err
        return err.strip().splitlines()[-1]

    return fail


def mapped(*names: str) -> list[str]:
    return [part for name in names for part in ("--map", f"{THEIRS[name]}={name}")]


def test_mapped_columns_give_the_same_judgement(folder, run) -> None:
    ours = run("evaluate", folder / "bundle", folder / "new.csv")
    theirs = run("evaluate", folder / "bundle", folder / "theirs.csv", *mapped("age", "troponin", "died"))
    assert theirs["evaluation"] == ours["evaluation"]
    assert theirs["mapping"] == {"Age (years)": "age", "TnI=ng/l": "troponin", "death": "died"}
    assert ours["mapping"] == {}


def test_mapped_columns_give_the_same_risks_and_reasons(folder, run) -> None:
    names = mapped("age", "troponin")
    bundle, new, theirs = folder / "bundle", folder / "new.csv", folder / "theirs.csv"
    run("predict", bundle, new, "--out", folder / "ours_risks.csv")
    found = run("predict", bundle, theirs, "--out", folder / "their_risks.csv", *names)
    assert (folder / "ours_risks.csv").read_text() == (folder / "their_risks.csv").read_text()
    assert found["mapping"] == {"Age (years)": "age", "TnI=ng/l": "troponin"}
    ours = run("explain", bundle, new, "--row", 3)
    for background in (folder / "ward.csv", theirs):
        reasons = run("explain", bundle, theirs, "--row", 3, "--background", background, *names)
        assert {c["column"] for c in reasons["contributions"]} == {"age", "sex", "troponin"}
        assert reasons["prediction"] == pytest.approx(ours["prediction"])


def test_a_lacking_column_is_told_with_the_option_that_mends_it(folder, fail, run) -> None:
    message = fail("predict", folder / "bundle", folder / "theirs.csv", "--out", folder / "x.csv", *mapped("troponin"))
    assert '--map "Age (years)=age"' in message
    assert "theirs.csv" in message


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("Age=age", ["theirs.csv", "Age (years)"]),
        ("Age (years)=agge", ["agge", "age"]),
        ("Age (years)", ["Age (years)", "name in the model"]),
        ("=age", ["=age"]),
    ],
)
def test_a_pair_that_cannot_be_is_named(folder, fail, pair, words) -> None:
    message = fail("evaluate", folder / "bundle", folder / "theirs.csv", "--map", pair)
    assert all(word in message for word in words)


def test_one_column_cannot_stand_for_two(folder, fail) -> None:
    pairs = ["--map", "Age (years)=age", "--map", "Age (years)=troponin"]
    assert "Age (years)=troponin" in fail("evaluate", folder / "bundle", folder / "theirs.csv", *pairs)


CODES = ("--map-level", "sex:1=f", "--map-level", "sex:2=m", "--map-level", "died:1=yes", "--map-level", "died:0=no")


@pytest.fixture(scope="module")
def coded(folder) -> Path:
    """The same new patients with sex as 1 and 2, and the outcome as 1 and 0."""
    frame = ward(60, seed=1)
    frame["sex"] = frame["sex"].map({"f": 1, "m": 2})
    frame.to_csv(folder / "coded_sex.csv", index=False)
    frame["died"] = (frame["died"] == "yes").astype(int)
    frame.to_csv(folder / "coded.csv", index=False)
    return folder / "coded.csv"


def test_patients_in_unknown_codes_are_not_judged_unawares(folder, coded, fail) -> None:
    message = fail("evaluate", folder / "bundle", folder / "coded_sex.csv")
    assert "sex" in message and "60 of 60" in message
    assert '--map-level "sex:' in message and '--new-levels "sex"' in message


def test_mapped_levels_give_the_same_judgement(folder, coded, run) -> None:
    ours = run("evaluate", folder / "bundle", folder / "new.csv")
    theirs = run("evaluate", folder / "bundle", coded, *CODES)
    assert theirs["evaluation"] == ours["evaluation"]


def test_new_levels_are_judged_with_a_warning_and_without_recalibration(folder, coded, run, fail) -> None:
    table, options = folder / "coded_sex.csv", ("--new-levels", "sex")
    assert run("evaluate", folder / "bundle", table, *options)["n"] == 60
    message = fail(
        *("evaluate", folder / "bundle", table, *options, "--recalibrate", "slope", "--out", folder / "never")
    )
    assert "sex" in message and not (folder / "never").exists()


def test_training_patients_in_other_codes_are_recognised(folder, run) -> None:
    frame = ward(160, seed=0)
    frame["sex"] = frame["sex"].map({"f": 1, "m": 2})
    frame.to_csv(folder / "same.csv", index=False)
    found = run("evaluate", folder / "bundle", folder / "same.csv", "--new-levels", "sex")
    assert found["trained_on"]["share_of_training_sample"] > 0.9


def test_predictions_of_patients_in_unknown_codes_say_so(folder, coded, run) -> None:
    assert run("predict", folder / "bundle", coded, "--out", folder / "p.csv")["unreadable"] == ["sex"]
    assert run("predict", folder / "bundle", folder / "new.csv", "--out", folder / "p.csv")["unreadable"] == []


@pytest.mark.parametrize("pair", ["1=f", "age:1=f", "sex:1=woman", "sex:=f"])
def test_a_pair_of_levels_that_cannot_be_is_refused(folder, coded, fail, pair) -> None:
    assert "sex" in fail("evaluate", folder / "bundle", coded, "--map-level", pair)


@pytest.fixture(scope="module")
def year(folder: Path) -> Path:
    """A year of the ward: in August one hospital sends troponin in other units, the outcomes of December are not known yet."""
    rng, n = np.random.default_rng(3), 2400
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 365, n)), unit="D")
    table = ward(n, seed=2).assign(day=day.strftime("%Y-%m-%d"), site=rng.choice(["North", "South"], n))
    table.loc[(day.month == 8) & (table["site"] == "South"), "troponin"] *= 1000
    table.loc[day.month == 12, "died"] = ""
    table.to_csv(folder / "year.csv", index=False)
    return folder / "year.csv"


def test_watching_names_column_site_and_month_and_writes_the_page(run, folder: Path, year: Path) -> None:
    options = [
        "--time",
        "day",
        "--site",
        "site",
        "--group",
        "sex",
        "--report",
        folder / "august.html",
        "--month",
        "2025-08",
    ]
    found = run("watch", folder / "bundle", year, *options)
    assert [m["complete"] for m in found["months"]] == [True] * 11 + [False]
    told = {(a["figure"], a["place"]["level"], a["column"], a["month"]) for a in found["alarms"]}
    assert ("difference", "South", "troponin", "2025-08") in told
    assert not [a for a in found["alarms"] if a["place"]["level"] == "North" and a["month"] == "2025-08"]
    assert found["false_alarm_rate"] == 0.05
    page = (folder / "august.html").read_text(encoding="utf-8")
    assert "troponin" in page
    assert "A model in use: 2025-08" in page


def test_the_card_can_be_written_at_any_time(run, folder: Path) -> None:
    told = run("card", folder / "bundle", "--out", folder / "card.html")
    page = (folder / "card.html").read_text(encoding="utf-8")
    assert "Model card: died" in page
    assert len(told["bundle_sha256"]) == 64


def test_watching_without_outcomes_estimates_and_what_cannot_be_is_one_sentence(
    run, fail, folder: Path, year: Path
) -> None:
    blind = pd.read_csv(year).drop(columns="died")
    blind.to_csv(folder / "blind.csv", index=False)
    found = run("watch", folder / "bundle", folder / "blind.csv", "--time", "day", "--reference", 6)
    assert found["reference_months"] == 6
    assert found["expected"][0]["auroc"][7] > 0.5
    assert found["cusums"] == []
    assert "holds no dates" in fail("watch", folder / "bundle", folder / "blind.csv", "--time", "age")
    assert "no judged month 2025-01" in fail(
        "watch", folder / "bundle", year, "--time", "day", "--report", folder / "x.html", "--month", "2025-01"
    )
    assert "ward" not in fail("watch", folder / "bundle", year, "--time", "nothing")
