"""Studies from the shell: out as one archive, and in again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from medcore.cli import main
from medcore.data.samples import load_sample
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.database import forget_engines


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / "data"))
    yield Store(Settings.from_env())
    forget_engines()


def test_a_study_goes_out_by_its_name_and_comes_in_under_another(store, tmp_path, capsys):
    made = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
    out = tmp_path / "heart.zip"
    assert main(["export-study", "Heart", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "study": made.id,
        "name": "Heart",
        "n_rows": 920,
        "n_runs": 0,
        "out": str(out),
        "n_bytes": out.stat().st_size,
    }
    assert main(["import-study", str(out), "--name", "Heart again", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    back = store.get_study(LOCAL_OWNER, told["study"])
    assert (back.name, back.identity) == ("Heart again", made.identity)


def test_an_unknown_name_and_a_file_that_is_no_archive_are_the_persons_fault(store, tmp_path, capsys):
    made = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
    assert main(["export-study", "Lungs", "--out", str(tmp_path / "x.zip")]) == 2
    assert f"{made.id} (Heart)" in capsys.readouterr().err
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    assert main(["import-study", str(tmp_path / "x.zip")]) == 2
    assert main(["import-study", str(tmp_path / "none.zip")]) == 2
    assert len(store.list_studies(LOCAL_OWNER)) == 1


def test_a_study_is_shared_and_shared_no_more_and_the_trail_tells_both(store, capsys):
    made = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))

    def share(*options: str) -> dict[str, object]:
        assert main(["share-study", "Heart", *options, "--json"]) == 0
        return json.loads(capsys.readouterr().out)["shared"]

    assert share() == {}
    assert share("--with", "ann@ward.org") == {"ann@ward.org": "reader"}
    assert store.get_study("ann@ward.org", made.id).access == "read"
    assert share("--with", "ann@ward.org", "--as", "modeller") == {"ann@ward.org": "modeller"}
    assert share("--with", "ann@ward.org", "--as", "none") == {}
    told = [entry.action for entry in store.trail(LOCAL_OWNER, study_id=made.id)]
    assert told[-3:] == ["study.shared_reader", "study.shared_modeller", "study.unshared"]
    assert store.verify_trail().whole


def test_a_study_is_shared_with_no_one_who_cannot_be(store, capsys):
    store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
    assert main(["share-study", "Heart", "--with", LOCAL_OWNER]) == 2
    assert main(["share-study", "Heart", "--with", "ben", "--as", "none"]) == 2
    assert "not shared with ben" in capsys.readouterr().err
