"""Notes in files of their own: matched by name, each in its encoding, and what is wrong counted."""

import io
import zipfile

import pytest

from medcore.commands.asked import Asked
from medcore.data.quality import inspect
from medcore.data.reading.notes import named_after, read_note_files, with_notes
from medcore.data.reading.table import read_table
from medcore.errors import InputError, MissingColumnsError, SettingsError, UnreadableFileError

TABLE = "id,age,died\n" + "".join(f"{n},{40 + n},{n % 2}\n" for n in range(1, 41))


def archive(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def opened(data):
    return read_note_files(("notes.zip", data))


def table():
    return read_table(("ward.csv", TABLE.encode()))


def told(cohort):
    return " ".join(map(str, cohort.repairs))


def test_files_are_matched_by_name_folder_or_beginning_and_each_has_its_encoding():
    files = {
        "1.txt": "Cough.",
        "2_b.txt": "Then better.",
        "2_a.txt": "Fever.",
        "notes/3/admission.txt": "活动后气促，无发热。".encode("gb18030"),
        "4.txt": "Œdème".encode("cp1252"),
        "999.txt": "Nobody's.",
        "5.pdf": b"%PDF-",
    }
    found = with_notes(table(), opened(archive(**files)), patient="id")
    assert found.frame["notes"].head(4).tolist() == [
        "Cough.",
        "Fever.\n\nThen better.",
        "活动后气促，无发热。",
        "Œdème",
    ]
    assert found.frame["notes"].isna().sum() == 36
    assert (found.schema["notes"].kind, found.schema["notes"].role) == ("note", "predictor")
    said = told(found)
    for words in ("5 text file(s) were read as notes of 4 patient(s)", "gb18030: 1", "1 text file(s) are of nobody"):
        assert words in said
    assert "1 file(s) of the archive are no text files" in said
    assert "36 row(s) of the table have no note" in said
    assert found.sha256 != table().sha256
    assert "Nobody" not in said and "999" not in said


def test_a_note_of_ten_megabytes_and_broken_bytes_are_read_and_counted():
    files = {"1.txt": "cough " * 1_750_000, "2.txt": b"fever \xff\xfe\x81 \x80"}
    found = with_notes(table(), opened(archive(**files)), patient="id")
    assert len(found.frame["notes"][0]) > 10_000_000
    finding = next(f for f in inspect(found) if f.code == "notes.unusable")
    assert finding.message.values["long"] == 1


def test_what_cannot_be_read_or_matched_is_one_message():
    good = archive(**{"1.txt": "Cough."})
    with pytest.raises(UnreadableFileError, match=r"no zip archive"):
        with_notes(table(), opened(b"not a zip at all"), patient="id")
    with pytest.raises(UnreadableFileError, match="damaged"):
        with_notes(table(), opened(good[:-30]), patient="id")
    with pytest.raises(InputError, match="named after a patient"):
        with_notes(table(), opened(archive(**{"x.txt": "a"})), patient="id")
    with pytest.raises(MissingColumnsError):
        with_notes(table(), opened(good), patient="ID number")
    with pytest.raises(InputError, match="already"):
        with_notes(with_notes(table(), opened(good), patient="id"), opened(good), patient="id")
    schema = table().schema.change("id", role="ignored")
    with pytest.raises(SettingsError, match="--note-id"):
        with_notes(table().with_schema(schema), opened(good))


def test_the_shell_takes_the_archive_and_the_identifier_is_known_without_saying(tmp_path):
    (tmp_path / "ward.csv").write_text(TABLE)
    (tmp_path / "notes.zip").write_bytes(archive(**{f"{n}.txt": f"Note {n}." for n in range(1, 41)}))
    asked = Asked(note_files=tmp_path / "notes.zip", note_id="id")
    found = asked.read(tmp_path / "ward.csv")
    assert found.frame["notes"].tolist() == [f"Note {n}." for n in range(1, 41)]
    like = found.schema.change("id", role="identifier")
    again = Asked(note_files=tmp_path / "notes.zip").read(tmp_path / "ward.csv", like=like)
    assert again.frame["notes"].tolist() == found.frame["notes"].tolist()


def test_the_column_that_files_are_named_after_is_found():
    files = opened(archive(**{f"{n}_ward.txt": f"Note {n}." for n in range(1, 41)}))
    assert named_after(files, table()) == "id"
    with pytest.raises(InputError, match="named after a patient"):
        named_after(opened(archive(**{"x.txt": "a", "7.pdf": "b"})), table())
