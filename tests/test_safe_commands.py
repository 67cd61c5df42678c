"""No command writes over what it reads or half a file, and nothing in a bundle or an archive runs or blinds anything."""

import ast
import json
from pathlib import Path

import pandas as pd
import pytest

from medcore.commands.output import check_out, check_writable, write_out
from medcore.errors import SettingsError
from medcore.i18n import Message
from medcore.jobs.web.guard import cookies_of
from medcore.models.bundle.bundle import read_manifest
from medcore.reporting.reproduce import reproduction
from medcore.settings import Settings
from medcore.studies.audit.entries import ACTIONS, places_of
from tests.commanded import fail, trained_ward


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_ward(tmp_path_factory.mktemp("safe"))


def test_no_command_writes_over_its_table_or_into_its_bundle(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, new = folder / "bundle", folder / "new.csv"
    before = {path: path.read_bytes() for path in (new, *bundle.rglob("*")) if path.is_file()}
    link = folder / "link.csv"
    link.symlink_to(new)
    for out in (new, link, folder / "bundle" / ".." / "new.csv", bundle / "manifest.json", bundle / "more" / "x.csv"):
        assert "would be lost" in fail(capsys, "predict", bundle, new, "--out", out)
    assert "would be lost" in fail(capsys, "model", bundle, "--out", bundle / "calculator.html")
    assert "would be lost" in fail(capsys, "reproduce", bundle, "--out", bundle / "manifest.json")
    assert "would be lost" in fail(capsys, "explain", bundle, new, "--all", "--out", new)
    assert "is a folder" in fail(capsys, "predict", bundle, new, "--out", folder)
    assert before == {path: path.read_bytes() for path in before}


def test_a_file_is_written_whole_private_and_through_a_link(tmp_path: Path) -> None:
    out = tmp_path / "made" / "risks.csv"
    check_out(out, tmp_path / "other.csv", None)
    write_out(out, "a\n")
    link = tmp_path / "link.csv"
    link.symlink_to(out)
    write_out(link, "b\n")
    assert link.is_symlink()
    assert (out.read_text(), out.stat().st_mode & 0o077) == ("b\n", 0)
    assert [path.name for path in out.parent.iterdir()] == ["risks.csv"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="Nothing can be written"):
        check_writable(tmp_path / "file" / "out")


def test_a_script_of_a_bundle_holds_its_words_as_data_alone(folder: Path) -> None:
    manifest = json.loads(json.dumps(read_manifest(folder / "bundle")))
    evil = '0.1.0"""\nimport os; os.system("id")\n"""\\'
    manifest["versions"]["medcore"] = evil
    manifest["settings"]["model"] = evil
    plain = ast.parse(reproduction(read_manifest(folder / "bundle")))
    found = ast.parse(reproduction(manifest, f"{evil}.py"))
    assert [type(node) for node in found.body] == [type(node) for node in plain.body]
    assert "os.system(" not in ast.get_docstring(found, clean=False)


def test_a_sentence_of_a_file_has_names_alone_in_its_places() -> None:
    good = Message("{n} rows of {name}", {"n": 3, "name": "x"})
    assert Message.from_dict(good.to_dict()) == good
    assert str(Message.from_dict({"template": "{ as it is", "values": {}})) == "{ as it is"
    for template in ("{n:>3000000000}", "{n.__class__}", "{n[0]}", "{n!r}"):
        with pytest.raises(ValueError, match="names alone"):
            Message.from_dict({"template": template, "values": {"n": 1}})


def test_every_sentence_of_the_trail_has_places_with_names() -> None:
    assert all(name.isidentifier() for action in ACTIONS for name in places_of(action))


@pytest.mark.parametrize("other", ["a/b=1", 'prefs={"theme":"dark"}', "seen", "name=Jane Doe", "", "=x"])
def test_a_cookie_of_another_program_hinders_nobody(other: str) -> None:
    assert cookies_of(f'{other}; medcore_owner="abc"; x=1')["medcore_owner"] == "abc"


@pytest.mark.parametrize("name", ["plain", "a b ü 中?#%", "p%41x"])
def test_the_database_lies_in_the_data_folder_whatever_that_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.engine import make_url

    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path / name))
    assert make_url(Settings.from_env().database_url).database == str(tmp_path / name / "medcore.db")


def test_risks_are_those_of_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from medcore.cli import main

    out = folder / "risks.csv"
    for _again in range(2):  # an earlier file of one's own is replaced
        assert main(["predict", str(folder / "bundle"), str(folder / "new.csv"), "--out", str(out)]) == 0
    assert len(pd.read_csv(out)) == 40
