"""The audit trail from a shell."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from medcore.cli import main
from medcore.data.samples import load_sample
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.database import forget_engines

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "data"))
    store = Store(Settings.from_env())
    study = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
    store.rename_study(LOCAL_OWNER, study.id, "Ward")

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([*map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    yield run
    forget_engines()


def test_a_whole_trail_is_told_with_its_head(shell: Shell) -> None:
    code, out, _err = shell("audit", "verify", "--json")
    found = json.loads(out)
    assert (code, found["whole"], found["n_entries"], found["faults"]) == (0, True, 2, [])
    assert shell("audit", "verify", "--head", found["head"])[0] == 0
    assert "Nothing was changed" in shell("audit", "verify")[1]


def test_a_changed_trail_ends_with_code_1_and_names_the_entry(shell: Shell, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "data" / "medcore.db")) as database, database:
        database.execute("UPDATE audit SET owner = 'somebody' WHERE id = 1")
    code, out, _err = shell("audit", "verify")
    assert code == 1 and "Entry 1 was changed" in out


def test_entries_are_shown_as_asked(shell: Shell) -> None:
    found = json.loads(shell("audit", "show", "--action", "study.renamed", "--json")[1])["entries"]
    assert [(e["seq"], e["who"], e["sentence"]) for e in found] == [(2, LOCAL_OWNER, "The study was renamed.")]
    assert len(shell("audit", "show", "--last", "1")[1].splitlines()) == 1
    assert shell("audit", "show", "--since", "2999-01-01")[1].strip() == ""


def test_the_whole_trail_goes_into_a_file_and_that_is_an_entry(shell: Shell, tmp_path: Path) -> None:
    code, out, _err = shell("audit", "export", "--out", tmp_path / "trail.json")
    kept = json.loads((tmp_path / "trail.json").read_text())
    assert code == 0 and "3 entries" in out
    assert [e["action"] for e in kept["entries"]] == ["study.created", "study.renamed", "trail.exported"]
    assert kept["verification"]["whole"] and kept["verification"]["head"].endswith(kept["entries"][-1]["link"])


@pytest.mark.parametrize("arguments", [("verify", "--head", "8"), ("show", "--since", "yesterday")])
def test_what_cannot_be_read_is_one_message_and_code_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, _out, err = shell("audit", *arguments)
    assert code == 2 and err.startswith("medcore: “") and err.count("\n") == 1
