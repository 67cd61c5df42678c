"""The command line given in this process, and a made-up ward that it is tried on."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main


def ward(n: int = 160, *, seed: int = 0) -> pd.DataFrame:
    """A made-up ward: age and troponin drive the outcome, sex does not, some cells are missing."""
    rng = np.random.default_rng(seed)
    age, troponin = rng.normal(65, 12, n).round(), rng.lognormal(2, 1, n).round(1)
    died = rng.random(n) < 1 / (1 + np.exp(-(age - 65) / 8 - np.log(troponin) + 2.5))
    frame = pd.DataFrame({"age": age, "sex": rng.choice(["f", "m"], n), "troponin": troponin})
    frame.loc[rng.random(n) < 0.1, "troponin"] = np.nan
    return frame.assign(died=np.where(died, "yes", "no"))


def trained_ward(folder: Path) -> Path:
    """Write the ward and forty new patients into a folder, and train a logistic regression there."""
    ward().to_csv(folder / "ward.csv", index=False)
    ward(40, seed=1).to_csv(folder / "new.csv", index=False)
    assert (
        main(
            [
                "train",
                str(folder / "ward.csv"),
                "--target",
                "died",
                "--out",
                str(folder / "bundle"),
                "--model",
                "logistic",
                "--class-name",
                "yes=death in hospital",
            ]
        )
        == 0
    )
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def fail(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([*map(str, arguments), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err.strip().splitlines()[-1]
