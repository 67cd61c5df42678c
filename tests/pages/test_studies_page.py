"""Studies page: samples open by one click, tables become studies, deleting can be undone."""

import pytest

from medcore.data.samples import samples
from medcore.studies.owners import LOCAL_OWNER


def press(app, key):
    return next(b for b in app.button if b.key == key).click().run()


def test_without_the_signed_cookie_nothing_is_shown(page_settings, words):
    from streamlit.testing.v1 import AppTest

    from medcore.settings import ROOT

    app = AppTest.from_file(str(ROOT / "medcore/ui/main.py"), default_timeout=180).run()
    assert "not signed in" in words(app)
    assert not app.button


def test_every_sample_is_offered(open_page, words):
    shown = words(open_page("studies"))
    assert all(str(s.title) in shown for s in samples())
    assert "not a medical device" in shown


def test_a_sample_opens_by_one_click_ready_to_train(open_page, page_store, words):
    app = press(open_page("studies"), "studies.sample.heart")
    (study,) = page_store.list_studies(LOCAL_OWNER)
    assert study.schema.outcome is not None
    assert "Start training" in words(app)
    assert app.query_params["study"] == study.id


def test_a_sample_that_is_open_is_opened_again_not_twice(open_page, page_store):
    for _ in range(2):
        press(open_page("studies"), "studies.sample.heart")
    assert len(page_store.list_studies(LOCAL_OWNER)) == 1


def test_an_uploaded_table_becomes_a_study(open_page, page_store):
    app = open_page("studies")
    rows = "\n".join(f"{40 + i},{i % 2}" for i in range(30))
    app.file_uploader[0].set_value(("ward_7.csv", f"age,died\n{rows}\n".encode(), "text/csv")).run()
    (study,) = page_store.list_studies(LOCAL_OWNER)
    assert (study.name, study.n_rows, study.schema.outcome) == ("ward 7", 30, None)


@pytest.mark.parametrize(("name", "data"), [("empty.csv", b""), ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(64))])
def test_a_file_that_is_no_table_gives_one_message_and_keeps_nothing(open_page, page_store, words, name, data):
    app = open_page("studies")
    app.file_uploader[0].set_value((name, data, "text/csv")).run()
    assert words(app).count('role="alert"') == 1
    assert "fault in medcore" not in words(app)
    assert not page_store.list_studies(LOCAL_OWNER)


def test_a_study_is_renamed(open_page, page_store, heart_study):
    app = open_page("studies")
    app.text_input(key=f"studies.name.{heart_study.id}").set_value("Ward 7").run()
    press(app, f"studies.rename.{heart_study.id}")
    assert page_store.get_study(LOCAL_OWNER, heart_study.id).name == "Ward 7"


def test_deleting_is_undone_by_one_click(open_page, page_store, heart_study, words):
    app = press(open_page("studies", study=heart_study.id), f"studies.delete.{heart_study.id}")
    assert not page_store.list_studies(LOCAL_OWNER)
    assert "“Heart” was deleted." in words(app)
    press(app, "studies.deleted.undo")
    assert [s.id for s in page_store.list_studies(LOCAL_OWNER)] == [heart_study.id]


def test_a_study_of_somebody_else_cannot_be_opened_by_its_address(open_page, page_store, heart_study, words):
    from medcore.data.samples import load_sample

    theirs = page_store.create_study("somebody else", "Secret", load_sample("breast"))
    app = open_page("train", study=theirs.id)
    assert "Secret" not in words(app)
    assert "No study is open" in words(app)


def test_a_hostile_name_is_text(open_page, page_store, heart_study, words):
    page_store.rename_study(LOCAL_OWNER, heart_study.id, "<img src=x onerror=alert(1)>![x](http://evil.example/x.png)")
    shown = words(open_page("studies"))
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_a_new_installation_begins_empty_and_the_tour_is_left_and_taken_up_at_the_same_step(
    open_page, page_store, words
):
    app = open_page("studies")
    assert "There is no study yet" in words(app)
    app = press(press(app, "studies.tour"), "tour.next")
    (study,) = page_store.list_studies(LOCAL_OWNER)
    assert (study.n_rows, app.query_params["tour"]) == (920, "2")
    app = press(app, "tour.next")
    assert next(b for b in app.button if b.key == "tour.next").disabled
    app = press(app, "tour.leave").switch_page("../../pages/studies.py").run()
    assert "tour" not in app.query_params
    assert "step 3 of 5" in words(app)
    assert press(app, "studies.tour").query_params["tour"] == "3"


def test_a_table_of_one_row_is_no_study_and_the_way_to_one_patients_risk_is_said(open_page, page_store, words):
    app = open_page("studies")
    app.file_uploader[0].set_value(("one.csv", b"age,crp,died\n40,3,1\n", "text/csv")).run()
    assert not page_store.list_studies(LOCAL_OWNER)
    assert "has 1 row(s), which no model can learn from" in words(app)
