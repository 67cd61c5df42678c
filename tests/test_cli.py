"""The command line's contract: exit codes, one JSON object, one clear message."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medcore.cli import main
from medcore.models.bundle.bundle import load_bundle
from tests.commanded import fail, run, ward


@pytest.fixture
def folder(ward_folder: Path) -> Path:
    return ward_folder


def test_profile_says_what_every_column_is(folder, capsys) -> None:
    found = run(capsys, "profile", folder / "ward.csv")
    assert (found["n_rows"], found["n_columns"], found["encoding"], found["delimiter"]) == (160, 4, "utf-8", ",")
    columns = {c["name"]: c for c in found["columns"]}
    assert columns["troponin"]["kind"] == "numeric"
    assert columns["troponin"]["missing"] == int(ward()["troponin"].isna().sum())
    assert all({"code", "severity", "columns", "n_rows", "message"} <= set(f) for f in found["findings"])
    assert found["targets"][0]["column"] == "died"


def test_the_event_has_the_name_it_was_given_in_sentences_and_its_own_word_in_columns(folder, capsys) -> None:
    assert main(["explain", str(folder / "bundle"), str(folder / "new.csv"), "--row", "0"]) == 0
    assert "Risk of death in hospital: " in capsys.readouterr().out
    assert run(capsys, "explain", folder / "bundle", folder / "new.csv", "--row", "0")["class_name"] == "yes"
    run(capsys, "predict", folder / "bundle", folder / "new.csv", "--out", folder / "named.csv")
    assert list(pd.read_csv(folder / "named.csv", nrows=1).columns) == ["row", "risk_no", "risk_yes", "flags"]
    found = run(
        capsys,
        "profile",
        folder / "ward.csv",
        "--target",
        "died",
        "--class-name",
        "no=alive",
        "--class-name",
        "yes=dead",
    )
    died = next(c for c in found["columns"] if c["name"] == "died")
    assert died["level_labels"] == {"no": "alive", "yes": "dead"}
    assert "no class maybe" in fail(
        capsys, "profile", folder / "ward.csv", "--target", "died", "--class-name", "maybe=x"
    )
    assert "1=heart disease" in fail(capsys, "profile", folder / "ward.csv", "--target", "died", "--class-name", "x")


def test_train_judges_out_of_fold_and_on_the_locked_test_set(folder, capsys) -> None:
    found = run(
        capsys, "train", folder / "ward.csv", "--target", "died", "--model", "logistic", "--out", folder / "second"
    )
    assert found["classes"] == ["no", "yes"]
    assert found["n_train"] + found["n_test"] == 160
    for side in ("cross_validated", "test"):
        for name in ("auroc", "auprc", "brier", "log_loss", "calibration_slope", "calibration_intercept"):
            metric = found[side][name]
            assert metric["low"] <= metric["value"] <= metric["high"]
    assert found["cross_validated"]["auroc"]["value"] > 0.75


def test_the_same_seed_gives_the_same_numbers(folder, capsys) -> None:
    command = (
        "train",
        folder / "ward.csv",
        "--target",
        "died",
        "--model",
        "logistic",
        "--seed",
        3,
        "--out",
        folder / "third",
    )
    first, second = run(capsys, *command), run(capsys, *command)
    assert first["cross_validated"] == second["cross_validated"]
    assert first["test"] == second["test"]


def test_a_search_says_what_it_tried(folder, capsys) -> None:
    found = run(
        capsys,
        *("train", folder / "ward.csv", "--target", "died", "--model", "logistic"),
        *("--search", "0.001", "--out", folder / "searched", "--tensorboard", folder / "logs"),
    )
    assert [path.parent.name for path in (folder / "logs").rglob("*tfevents*")] == ["search"]
    assert found["search"]["n_trials"] >= 1
    assert found["search"]["best"]["model"] == "logistic"
    assert {c["name"] for c in found["candidates"]} == {"prevalence", "logistic", "searched"}


def test_an_outcome_in_an_order_is_told_with_its_own_figures(tmp_path, capsys) -> None:
    frame = ward(240, seed=2)
    steps = pd.cut(frame["age"] + 10 * (frame["died"] == "yes"), [0, 62, 72, 200], labels=["low", "some", "much"])
    frame.drop(columns="died").assign(harm=steps.astype(str)).to_csv(tmp_path / "w.csv", index=False)
    base = ["train", tmp_path / "w.csv", "--target", "harm", "--model", "ordinal", "--out", tmp_path / "b"]
    assert "in an order" in fail(capsys, *base)
    assert "one of the two" in fail(capsys, *base, "--ordinal", "low,some,much", "--positive", "much")
    found = run(capsys, *base, "--ordinal", "low,some,much")
    assert found["ordinal"]["levels"] == ["low", "some", "much"]
    assert {"orc", "generalised_c", "rps", "pdi", "hand_till"} <= set(found["cross_validated"])
    cut = found["ordinal"]["cross_validated"]["much"]["auroc"]
    assert cut["low"] < cut["value"] < cut["high"]
    assert found["ordinal"]["test"]["some"]["brier"]["value"] < 0.25
    judged = run(capsys, "evaluate", tmp_path / "b", tmp_path / "w.csv")
    assert set(judged["ordinal"]["cross_validated"]) == {"some", "much"}
    assert judged["calls"]["likeliest"]["table"] == judged["confusion_matrix"]["counts"]
    assert judged["calls"]["beside_share"]["mean_sensitivity"]["value"] > 0.5
    told = run(
        capsys, "predict", tmp_path / "b", tmp_path / "w.csv", "--out", tmp_path / "p.csv", "--calls", "beside_share"
    )
    table = pd.read_csv(tmp_path / "p.csv")
    counts = load_bundle(tmp_path / "b").manifest["class_counts"]
    beside = {name: table[f"risk_{name}"] / counts[name] for name in ("low", "some", "much")}
    assert told["calls"] == "beside_share" and table["called"].tolist() == pd.DataFrame(beside).idxmax(axis=1).tolist()
    assert (table["called"] != pd.DataFrame({name: table[f"risk_{name}"] for name in beside}).idxmax(axis=1)).any()
    assert main([*map(str, base), "--ordinal", "low,some,much"]) == 0
    out = capsys.readouterr().out
    assert "low < some < much" in out
    assert "some or higher: AUROC" in out


def test_a_test_size_of_zero_trains_on_all_rows(folder, capsys) -> None:
    found = run(
        capsys,
        "train",
        folder / "ward.csv",
        "--target",
        "died",
        "--model",
        "logistic",
        "--test-size",
        0,
        "--out",
        folder / "all",
    )
    assert (found["n_train"], found["n_test"], found["test"]) == (160, 0, None)


def test_a_setting_of_the_shell_is_the_one_that_is_used(folder, capsys) -> None:
    out = folder / "weighted"
    options = ["--model", "logistic", "--folds", 3, "--set", "class_weight=balanced", "--out", out]
    run(capsys, "train", folder / "ward.csv", "--target", "died", *options)
    manifest = load_bundle(out).manifest
    assert manifest["settings"]["class_weight"] == "balanced"
    assert manifest["split"]["n_folds"] == 3


def test_evaluate_judges_the_frozen_model_on_new_patients(folder, capsys) -> None:
    found = run(capsys, "evaluate", folder / "bundle", folder / "new.csv", "--threshold", 0.3)
    assert 0.5 < found["auroc"]["value"] <= 1
    assert found["confusion_matrix"]["threshold"] == 0.3
    assert np.sum(found["confusion_matrix"]["counts"]) == 40
    assert {d["column"] for d in found["differences"]} == {"age", "sex", "troponin"}
    size = found["validation_size"]
    assert size["required"] == max(size["o_e"], size["slope"], size["auroc"]) > 40


def test_evaluate_takes_an_outcome_of_another_name(folder, capsys) -> None:
    ward(40, seed=1).rename(columns={"died": "death"}).to_csv(folder / "renamed.csv", index=False)
    renamed = run(capsys, "evaluate", folder / "bundle", folder / "renamed.csv", "--target", "death")
    assert renamed["auroc"] == run(capsys, "evaluate", folder / "bundle", folder / "new.csv")["auroc"]


def test_with_two_classes_no_rule_calls_but_the_threshold(folder, capsys) -> None:
    asked = ("predict", folder / "bundle", folder / "ward.csv", "--out", folder / "called.csv", "--calls", "likeliest")
    assert "threshold" in fail(capsys, *asked)
    assert run(capsys, "evaluate", folder / "bundle", folder / "ward.csv")["calls"] == {}


def test_predict_writes_one_line_a_row_in_order(folder, capsys) -> None:
    found = run(capsys, "predict", folder / "bundle", folder / "new.csv", "--out", folder / "risks.csv")
    risks = pd.read_csv(folder / "risks.csv", keep_default_na=False)
    assert list(risks.columns) == ["row", "risk_no", "risk_yes", "flags"]
    assert list(risks["row"]) == list(range(40))
    assert np.allclose(risks["risk_no"] + risks["risk_yes"], 1)
    missing = ward(40, seed=1)["troponin"].isna()
    assert (risks["flags"].str.contains("imputed:troponin") == missing).all()
    assert found["n_flagged"] == (risks["flags"] != "").sum()


def test_predictions_do_not_need_the_outcome(folder, capsys) -> None:
    ward(40, seed=1).drop(columns="died").to_csv(folder / "unknown.csv", index=False)
    run(capsys, "predict", folder / "bundle", folder / "unknown.csv", "--out", folder / "unknown_risks.csv")
    run(capsys, "predict", folder / "bundle", folder / "new.csv", "--out", folder / "risks.csv")
    assert (folder / "unknown_risks.csv").read_text() == (folder / "risks.csv").read_text()


def test_contributions_add_up_to_the_prediction(folder, capsys) -> None:
    found = run(capsys, "explain", folder / "bundle", folder / "new.csv", "--row", 5)
    total = found["base_value"] + sum(c["contribution"] for c in found["contributions"])
    assert abs(total - found["prediction"]) < 1e-4
    assert abs(found["additivity_residual"]) < 1e-6
    assert {c["column"] for c in found["contributions"]} == {"age", "sex", "troponin"}
    assert found["method"] == "exact"


def test_all_patients_are_explained_into_a_file(folder, capsys) -> None:
    found = run(capsys, "explain", folder / "bundle", folder / "new.csv", "--all", "--out", folder / "reasons.csv")
    lines = pd.read_csv(folder / "reasons.csv")
    assert found["n_rows"] == len(lines) == 40
    changes = lines[[c for c in lines.columns if c.startswith("contribution: ")]]
    assert np.allclose(lines["base_value"] + changes.sum(axis=1), lines["risk"], atol=1e-6)
    one = run(capsys, "explain", folder / "bundle", folder / "new.csv", "--row", 5)
    assert np.allclose(changes.iloc[5], [c["contribution"] for c in one["contributions"]], atol=1e-6)


def test_all_patients_need_a_file_to_be_written_to(folder, capsys) -> None:
    assert "--out" in fail(capsys, "explain", folder / "bundle", folder / "new.csv", "--all")


def test_the_explanation_of_the_other_class_mirrors_it(folder, capsys) -> None:
    yes = run(capsys, "explain", folder / "bundle", folder / "new.csv", "--row", 5, "--class", "yes")
    no = run(capsys, "explain", folder / "bundle", folder / "new.csv", "--row", 5, "--class", "no")
    assert abs(yes["prediction"] + no["prediction"] - 1) < 1e-9


@pytest.mark.parametrize("strength", ["intercept", "slope", "refit"])
def test_evaluate_keeps_a_recalibrated_version_and_leaves_the_original(folder, capsys, strength) -> None:
    out, before = folder / f"recalibrated-{strength}", (folder / "bundle" / "SHA256SUMS").read_bytes()
    found = run(capsys, "evaluate", folder / "bundle", folder / "new.csv", "--recalibrate", strength, "--out", out)
    assert found["recalibration"]["strength"] == strength
    assert 0 < found["recalibration"]["cross_validated"]["brier"]["value"] < 0.3
    assert (folder / "bundle" / "SHA256SUMS").read_bytes() == before
    again = run(capsys, "evaluate", out, folder / "new.csv")
    assert abs(again["calibration_intercept"]["value"]) < abs(found["calibration_intercept"]["value"])
    assert 0.5 <= found["membership"]["auroc"]["value"] + 0.2 <= 1


def test_a_recalibration_needs_a_new_folder(folder, capsys) -> None:
    command = ("evaluate", folder / "bundle", folder / "new.csv")
    assert "--out" in fail(capsys, *command, "--recalibrate", "slope")
    assert "--recalibrate" in fail(capsys, *command, "--out", folder / "nowhere")
    assert "there already" in fail(capsys, *command, "--recalibrate", "slope", "--out", folder / "bundle")


def test_weighted_new_patients_are_judged_as_scikit_learn_does_and_weight_zero_is_absence(folder, capsys) -> None:
    table = pd.read_csv(folder / "new.csv")
    table["w"] = np.arange(len(table)) % 4
    table.to_csv(folder / "weighted.csv", index=False)
    table[table["w"] > 0].to_csv(folder / "without.csv", index=False)
    found = run(capsys, "evaluate", folder / "bundle", folder / "weighted.csv", "--weight", "w")
    model = load_bundle(folder / "bundle")
    expected = roc_auc_score(table["died"] == "yes", model.predict(table)[:, 1], sample_weight=table["w"])
    assert found["evaluation"]["metrics"]["auroc"]["value"] == pytest.approx(expected, abs=1e-12)
    assert (found["n"], found["n_weight_zero"], found["weight"]) == (30, 10, "w")
    without = run(capsys, "evaluate", folder / "bundle", folder / "without.csv", "--weight", "w")
    assert without["evaluation"] == found["evaluation"]
    assert without["confusion_matrix"] == found["confusion_matrix"]
    assert main(["evaluate", str(folder / "bundle"), str(folder / "weighted.csv"), "--weight", "w"]) == 0
    assert "10 of weight 0 were left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("values", "told"),
    [(["1", ""], "row 1"), (["1", "-2"], "row 1"), (["heavy", "1"], "row 0"), (["0", "0"], "all 0")],
)
def test_weights_that_cannot_be_give_one_clear_error(folder, capsys, values, told) -> None:
    table = pd.read_csv(folder / "new.csv")
    table["w"] = values * (len(table) // 2)
    table.to_csv(folder / "bad.csv", index=False)
    message = fail(capsys, "evaluate", folder / "bundle", folder / "bad.csv", "--weight", "w")
    assert told in message
    assert "w" in message
    assert "heavy" not in message and "-2" not in message


def test_a_weight_column_that_is_not_there_and_a_weighted_recalibration_are_refused(folder, capsys) -> None:
    command = ("evaluate", folder / "bundle", folder / "new.csv")
    assert "wieght" in fail(capsys, *command, "--weight", "wieght")
    recalibrated = ("--recalibrate", "slope", "--out", folder / "weighted-version")
    assert "without weights" in fail(capsys, *command, "--weight", "age", *recalibrated)
    assert not (folder / "weighted-version").exists()


@pytest.mark.parametrize("kind", ["pdf", "docx"])
def test_evaluate_writes_a_report(folder, capsys, kind) -> None:
    found = run(capsys, "evaluate", folder / "bundle", folder / "new.csv", "--report", folder / f"report.{kind}")
    assert Path(found["report"]).stat().st_size > 10_000


def test_a_report_on_the_training_table_compares_who_was_trained_on_with_who_was_locked_away(folder, capsys) -> None:
    pages = {}
    for table in ("ward.csv", "new.csv"):
        found = run(capsys, "evaluate", folder / "bundle", folder / table, "--report", folder / "compared.html")
        pages[table] = Path(found["report"]).read_text(encoding="utf-8")
        assert len(pages[table]) > 10_000
    caption = "Training patients and the locked test set"
    assert caption in pages["ward.csv"] and caption not in pages["new.csv"]


def test_a_report_of_an_unknown_format_is_refused_before_anything_is_done(folder, capsys) -> None:
    assert "report.odt" in fail(
        capsys, "evaluate", folder / "bundle", folder / "new.csv", "--report", folder / "report.odt"
    )
