"""A zip archive of notes on the Data page, and beside a table of new patients."""

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from medcore.data.reading.notes import read_note_files, with_notes
from medcore.data.reading.table import read_table
from medcore.studies.owners import LOCAL_OWNER

WARD = "id,age,died\n" + "".join(f"{n},{40 + n % 37},{n % 2}\n" for n in range(100, 160))


def packed(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


NOTES = packed(
    {f"{n}_admission.txt": f"Reports cough {n}.".encode() for n in range(100, 150)}
    | {"150.txt": "活动后气促，无发热。".encode("gb18030"), "151.txt": b"Oedema. " * 1_300_000}
    | {"999.txt": b"Nobody's.", "scan.pdf": b"%PDF-"}
)


@pytest.fixture
def archive_of_ward(open_page, page_store):
    """Open a study of the ward, and bring a file as an archive of its notes."""
    open_page("studies").file_uploader[0].set_value(("ward.csv", WARD.encode(), "text/csv")).run()
    (study,) = page_store.list_studies(LOCAL_OWNER)

    def bring(data):
        app = open_page("data", study=study.id)
        next(c for c in app.segmented_control if c.key == "data.part").set_value("rows").run()
        return app.file_uploader(key="data.notes.file").set_value(("notes.zip", data, "application/zip")).run()

    return bring


def test_an_archive_of_notes_becomes_a_column_and_what_was_left_out_is_counted_first(
    archive_of_ward, page_store, here, words
):
    app = archive_of_ward(NOTES)
    assert not app.exception and app.selectbox(key="data.notes.patient").value == "id"
    said = words(app)
    for told in (
        "52 text file(s) were read as notes of 52 patient(s) (utf-8: 51, gb18030: 1)",
        "1 text file(s) are of nobody",
        "1 file(s) of the archive are no text files",
        "8 row(s) of the table have no note",
    ):
        assert told in said
    assert len(page_store.list_studies(LOCAL_OWNER)) == 1
    next(b for b in app.button if b.key == "data.notes.make").click().run()
    assert not app.exception and not app.error
    made = page_store.list_studies(LOCAL_OWNER)[0]
    assert made.schema["notes"].kind == "note" and app.query_params["study"] == made.id
    notes = page_store.load_cohort(LOCAL_OWNER, made.id).frame["notes"]
    assert notes.notna().sum() == 52 and notes[50] == "活动后气促，无发热。" and len(notes[51]) > 10_000_000


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (NOTES[:-40], "The archive notes.zip is damaged"),
        (b"id,text\n100,cough\n", "notes.zip is no zip archive"),
        (packed({"x.txt": b"Cough."}), "No text file (.txt) of the archive is named after a patient"),
    ],
)
def test_an_archive_that_is_of_no_use_is_one_sentence_and_the_study_stays(
    archive_of_ward, page_store, here, words, data, told
):
    app = archive_of_ward(data)
    assert not app.exception and told in words(app)
    assert len(page_store.list_studies(LOCAL_OWNER)) == 1


def test_new_patients_of_such_a_model_bring_their_notes_too(here, signed_in):
    joined = with_notes(read_table(("ward.csv", WARD.encode())), read_note_files(("n.zip", NOTES)), patient="id")

    def page():
        import streamlit as st

        from medcore.ui.kit.shown.brought import brought

        file = st.file_uploader("table", key="table")
        if file is not None:
            st.session_state["rows"] = brought(file, "run", like=st.session_state["like"], key="reading")

    app = AppTest.from_function(page, default_timeout=180)
    app.session_state["like"] = joined.schema
    app.run().file_uploader(key="table").set_value(("two.csv", b"id,age\n7,50\n8,60\n", "text/csv")).run()
    assert not app.exception and app.session_state["rows"] is None
    files = packed({"7.txt": b"Cough."})
    app.file_uploader(key="reading.notes").set_value(("notes.zip", files, "application/zip")).run()
    assert not app.exception
    found = app.session_state["rows"].frame["notes"]
    assert found[0] == "Cough." and found.isna().tolist() == [False, True]
