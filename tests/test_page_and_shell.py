"""The page and the shell are two doors to the same rooms: one seed, one set of numbers."""

import json
from pathlib import Path

import pytest

from medcore.cli import main
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings
from medcore.jobs.runs.follower import RunFollower
from medcore.jobs.runs.perform import train_study
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.results import read_results
from medcore.settings import Settings
from medcore.studies import Store


@pytest.mark.parametrize("model", ["logistic", "seed"])
def test_the_same_seed_gives_the_same_numbers_from_page_and_shell(model, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "data"))
    table = tmp_path / "heart.csv"
    load_sample("heart").frame.to_csv(table, index=False)
    epochs = 3 if model == "seed" else 100

    cohort = read_table((table.name, table.read_bytes()))
    store = Store(Settings.from_env())
    study = store.create_study("ann", "heart", cohort)
    store.save_schema("ann", study.id, choose_target(cohort.schema, cohort.frame, "disease"))
    store.save_split("ann", study.id, SplitSettings(seed=4))
    run = store.create_run("ann", study.id, TrainSettings(model=model, seed=4, epochs=epochs))
    attempt = store.begin_attempt("ann", run.id)
    assert attempt is not None
    train_study(store.run_inputs("ann", run.id), RunFollower(store, "ann", run.id, attempt), tmp_path / "page")
    page = read_results(tmp_path / "page")

    command = ["train", table, "--target", "disease", "--model", model, "--seed", 4, "--epochs", epochs]
    assert main([*map(str, command), "--out", str(tmp_path / "shell"), "--json"]) == 0
    shell = json.loads(capsys.readouterr().out)
    for name, metric in shell["cross_validated"].items():
        assert metric == page.cross_validated.metrics[name].to_dict()
    for name, metric in shell["test"].items():
        assert metric == page.tested.metrics[name].to_dict()
    assert read_results(Path(tmp_path / "shell")).folds.tolist() == page.folds.tolist()
