"""Voices of a few speakers, many recordings each: by patient the model is judged honestly, by row there is an alarm.

The table is like parkinsons.csv: the speaker is inside the text of a name, and
recordings of one speaker are nearly alike, so that a model may learn speakers.
"""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main

SPEAKERS, RECORDINGS, MEASURES = 40, 6, 12


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a table in which a speaker's voice is very much their own and says a little about the disease."""
    rng = np.random.default_rng(4)
    sick = np.arange(SPEAKERS) % 4 > 0
    own = rng.normal(size=(SPEAKERS, MEASURES)) + 1.2 * sick[:, None] * (np.arange(MEASURES) < 4)
    rows = []
    for speaker in range(SPEAKERS):
        for recording in range(RECORDINGS):
            values = own[speaker] + rng.normal(scale=0.15, size=MEASURES)
            measures = {f"jitter_{k}": round(v, 4) for k, v in enumerate(values)}
            rows.append({"name": f"phon_R01_S{speaker:02d}_{recording + 1}", **measures, "status": int(sick[speaker])})
    folder = tmp_path_factory.mktemp("voices")
    pd.DataFrame(rows).sample(frac=1, random_state=0).to_csv(folder / "voices.csv", index=False)
    return folder


def trained(voices: Path, name: str, *more: str) -> dict:
    arguments = ["train", str(voices / "voices.csv"), "--target", "status", "--model", "forest", "--test-size", "0"]
    with redirect_stdout(StringIO()) as out:
        assert main([*arguments, "--out", str(voices / name), *more, "--json"]) == 0
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def by_patient(voices: Path) -> dict:
    return trained(voices, "by_patient")


@pytest.fixture(scope="module")
def by_row(voices: Path) -> dict:
    return trained(voices, "by_row", "--drop", "name")


def alarm(found: dict) -> dict:
    return next(f for f in found["findings"] if f["code"] == "patients.repeated")


def test_a_speaker_is_recognised_inside_the_name_and_judged_on_one_side_only(by_patient) -> None:
    auroc = by_patient["cross_validated"]["auroc"]
    assert 0.65 < auroc["value"] < 0.95
    assert auroc["method"] == "delong_logit_cluster"
    assert alarm(by_patient)["severity"] == "info"
    assert f"{SPEAKERS} patients" in alarm(by_patient)["message"]


def test_by_row_the_figures_flatter_and_a_warning_says_why(by_patient, by_row) -> None:
    assert alarm(by_row)["severity"] == "warning"
    assert alarm(by_row)["columns"] == ["name"]
    assert "inside the text" in alarm(by_row)["message"]
    assert "group" in alarm(by_row)["remedy"]
    flattering, honest = (f["cross_validated"]["auroc"]["value"] for f in (by_row, by_patient))
    assert flattering > max(0.98, honest + 0.05)
