"""The script that reproduces a run: run as a person does, it finds the same numbers, and says where they are others."""

import json
import subprocess
import sys
from pathlib import Path

from medcore.cli import main
from tests.written_models import table


def test_the_script_trains_again_and_finds_every_figure_the_same_and_refuses_another_table(
    tmp_path: Path, capsys
) -> None:
    file, bundle, script = tmp_path / "ward.csv", tmp_path / "bundle", tmp_path / "reproduce.py"
    table(240, 2).to_csv(file, index=False)
    train = ["train", str(file), "--target", "outcome", "--out", str(bundle), "--model", "logistic", "--seed", "3"]
    assert main([*train, "--test-size", "0.25", "--json"]) == 0
    assert main(["reproduce", str(bundle), "--out", str(script), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["out"] == str(script)
    done = subprocess.run([sys.executable, str(script), str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DIFFERS" not in done.stdout
    assert "same  cross_validated auroc:" in done.stdout
    assert "same  test auroc:" in done.stdout
    file.write_text(file.read_text() + "60,1,O,1,grade 0\n")
    other = subprocess.run([sys.executable, str(script), str(file)], capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert "not the table of that run" in other.stderr
