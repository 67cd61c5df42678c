"""Data page: identifiers first, then outcome, findings with fixes, preparation and split."""

import io

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from medcore.data.long import Pivot
from medcore.data.reading.long.series import with_series
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample
from medcore.data.values.typed import typed
from medcore.i18n import language
from medcore.studies.owners import LOCAL_OWNER

WARD = "姓名,住院号,age,crp,died\n" + "\n".join(
    f"{'王李张'[i % 3]}小{'明芳'[i % 2]},{90000 + i},{40 + i % 45},{1 + i % 17}.{i % 10},{int(i % 4 == 0)}"
    for i in range(60)
)


def press(app, key):
    return next(b for b in app.button if b.key == key).click().run()


def look_at(app, part):
    return next(c for c in app.segmented_control if c.key == "data.part").set_value(part).run()


def widget(app, kind, start):
    return next(w for w in app.get(kind) if w.key and w.key.startswith(start))


def uploaded(open_page):
    app = open_page("studies")
    return app.file_uploader[0].set_value(("ward.csv", WARD.encode(), "text/csv")).run()


def test_a_table_with_names_is_stored_only_after_a_decision(open_page, page_store, page_settings, words):
    app = uploaded(open_page)
    assert not page_store.list_studies(LOCAL_OWNER)
    assert "Nothing has been stored" in words(app)
    assert "王小明" not in words(app)
    widget(app, "selectbox", "data.privacy.action.住院号").set_value("pseudonymise").run()
    press(app, "data.privacy.go")
    (study,) = page_store.list_studies(LOCAL_OWNER)
    frame = page_store.load_cohort(LOCAL_OWNER, study.id).frame
    assert list(frame.columns) == ["住院号", "age", "crp", "died"]
    assert frame["住院号"].str.fullmatch("[0-9a-f]{16}").all()
    stored = b"".join(p.read_bytes() for p in page_settings.data_dir.rglob("*") if p.is_file())
    assert "王小明".encode() not in stored
    assert any(e.action == "privacy.protected" for e in page_store.audit(LOCAL_OWNER, study.id))


def test_keeping_an_identifier_waits_for_a_reason_and_records_it(open_page, page_store):
    app = uploaded(open_page)
    for name in ("姓名", "住院号"):
        widget(app, "selectbox", f"data.privacy.action.{name}").set_value("keep").run()
    assert next(b for b in app.button if b.key == "data.privacy.go").disabled
    for name in ("姓名", "住院号"):
        widget(app, "text_input", f"data.privacy.reason.{name}").set_value("consent, ethics 12/3").run()
    press(app, "data.privacy.go")
    (study,) = page_store.list_studies(LOCAL_OWNER)
    overridden = [e for e in page_store.audit(LOCAL_OWNER, study.id) if e.action == "privacy.overridden"]
    assert len(overridden) == 2
    assert "ethics 12/3" in str(overridden[0].sentence)


def test_a_discarded_table_leaves_nothing(open_page, page_store, words):
    app = press(uploaded(open_page), "data.privacy.discard")
    assert not page_store.list_studies(LOCAL_OWNER)
    assert "No study is open" in words(app)


def test_the_outcome_and_its_event_are_proposed_and_taken_by_one_click(open_page, page_store):
    cohort = load_sample("heart")
    schema = cohort.schema.change("disease", role="predictor")
    study = page_store.create_study(LOCAL_OWNER, "Heart", cohort.with_schema(type(schema)(schema.columns)))
    app = open_page("data", study=study.id)
    assert widget(app, "selectbox", "data.outcome").value == "disease"
    press(app, "data.outcome.save")
    saved = page_store.get_study(LOCAL_OWNER, study.id).schema
    assert (saved.outcome.name, saved.positive) == ("disease", "yes")
    press(app, f"data.last.{study.id}.undo")
    assert page_store.get_study(LOCAL_OWNER, study.id).schema.outcome is None


def test_the_event_and_its_absence_get_names_where_the_outcome_is_chosen(open_page, page_store, heart_study, words):
    app = open_page("data", study=heart_study.id)
    event = widget(app, "text_input", "data.called")
    assert event.value == "coronary disease"
    event.set_value("narrowed vessels").run()
    press(app, "data.outcome.save")
    saved = page_store.get_study(LOCAL_OWNER, heart_study.id)
    assert saved.schema.outcome.level_labels == {"yes": "narrowed vessels"}
    assert saved.identity == heart_study.identity
    training = words(open_page("train", study=heart_study.id))
    assert "narrowed vessels" in training
    assert "Mended on the way from the file to its numbers: 173 cells in 172 rows" in training


def test_of_many_classes_the_one_that_means_none_of_these_is_asked(open_page, page_store):
    study = page_store.create_study(LOCAL_OWNER, "Thyroid", load_sample("thyroid"))
    app = open_page("data", study=study.id)
    asked = widget(app, "selectbox", "data.called")
    assert asked.value == "negative"
    asked.set_value("hypothyroid").run()
    press(app, "data.outcome.save")
    assert page_store.get_study(LOCAL_OWNER, study.id).schema.absence == "hypothyroid"


def test_the_order_of_the_classes_is_asked_and_kept(open_page, page_store):
    table = "age,state\n" + "\n".join(f"{40 + i},{'abc'[i % 3]}" for i in range(60)) + "\n"
    study = page_store.create_study(LOCAL_OWNER, "States", read_table(("t.csv", table.encode())))
    app = open_page("data", study=study.id)
    widget(app, "selectbox", "data.outcome").set_value("state").run()
    assert widget(app, "multiselect", "data.order").value == []
    widget(app, "multiselect", "data.order").set_value(["c", "a", "b"]).run()
    press(app, "data.outcome.save")
    saved = page_store.get_study(LOCAL_OWNER, study.id).schema
    assert (saved["state"].levels, saved.target.ordered) == (("c", "a", "b"), True)


def test_a_finding_is_answered_by_one_click(open_page, page_store, heart_study, words):
    app = open_page("data", study=heart_study.id)
    assert "equal to an earlier row" in words(app)
    key = next(b.key for b in app.button if b.key and "rows.duplicate" in b.key)
    app = press(app, key)
    assert page_store.get_study(LOCAL_OWNER, heart_study.id).recipe.is_on("drop_duplicate_rows")
    assert "equal to an earlier row" not in words(app)


def test_a_step_is_switched_and_the_rows_are_counted(open_page, page_store, heart_study, words):
    app = look_at(open_page("data", study=heart_study.id), "recipe")
    assert "173 cells" in words(app)
    widget(app, "toggle", "data.step.drop_duplicate_rows").set_value(True).run()
    assert page_store.get_study(LOCAL_OWNER, heart_study.id).recipe.is_on("drop_duplicate_rows")
    assert "2 rows dropped, 918 left" in words(app)


def test_a_split_by_site_is_previewed_before_it_is_kept(open_page, page_store, heart_study):
    app = look_at(open_page("data", study=heart_study.id), "split")
    widget(app, "selectbox", "data.split.kind").set_value("site").run()
    widget(app, "selectbox", "data.split.site").set_value("Switzerland").run()
    assert page_store.get_study(LOCAL_OWNER, heart_study.id).split.kind == "random"
    assert not app.exception
    press(app, "data.split.save")
    kept = page_store.get_study(LOCAL_OWNER, heart_study.id).split
    assert (kept.kind, kept.site) == ("site", "Switzerland")


def test_a_file_is_read_again_with_another_separator(open_page, page_store):
    app = open_page("studies")
    rows = "\n".join(f"{40 + i};{i}|{i % 2}" for i in range(40))
    app.file_uploader[0].set_value(("odd.csv", f"age;crp|died\n{rows}\n".encode(), "text/csv")).run()
    (study,) = page_store.list_studies(LOCAL_OWNER)
    first = study.n_columns
    app = look_at(open_page("data", study=study.id), "rows")
    other = "|" if page_store.load_cohort(LOCAL_OWNER, study.id).source.delimiter == ";" else ";"
    widget(app, "selectbox", "data.read.delimiter").set_value(other).run()
    press(app, "data.read.again")
    studies = page_store.list_studies(LOCAL_OWNER)
    assert len(studies) == 2 and app.query_params["study"] == studies[0].id
    assert page_store.load_cohort(LOCAL_OWNER, studies[0].id).source.delimiter == other
    assert page_store.get_study(LOCAL_OWNER, study.id).n_columns == first


def test_a_table_that_lies_is_turned_and_told_and_read_as_it_lies_on_request(open_page, page_store, words):
    rows = [["what", *(f"C{i}" for i in range(40))], ["age", *(str(40 + i) for i in range(40))]]
    rows += [["crp", *(str(i % 17) for i in range(40))], ["died", *("yn"[i % 2] for i in range(40))]]
    text = "\n".join(",".join(row) for row in rows)
    open_page("studies").file_uploader[0].set_value(("lying.csv", text.encode(), "text/csv")).run()
    (study,) = page_store.list_studies(LOCAL_OWNER)
    app = open_page("data", study=study.id)
    assert "the table was turned, 40 rows" in words(app)
    app = look_at(app, "rows")
    assert "Columns 2 to 41 of the file" in words(app)
    assert app.button(key="data.read.again").disabled
    widget(app, "selectbox", "data.read.patients_in").set_value("rows").run()
    press(app, "data.read.again")
    newest = page_store.list_studies(LOCAL_OWNER)[0]
    assert page_store.load_cohort(LOCAL_OWNER, newest.id).n_rows == 3
    app = look_at(open_page("data", study=newest.id), "rows")
    assert app.button(key="data.read.again").disabled


def test_sheets_are_put_together_and_one_is_read_on_request(open_page, page_store, words):
    book = io.BytesIO()
    with pd.ExcelWriter(book, engine="openpyxl") as file:
        for year, n in (("2021", 30), ("2022", 20)):
            rows = {
                "age": range(40, 40 + n),
                "crp": [int(year) % 7 + i / 10 for i in range(n)],
                "died": ["y", "n"] * (n // 2),
            }
            pd.DataFrame(rows).to_excel(file, sheet_name=year, index=False)
    upload = ("ward.xlsx", book.getvalue(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    open_page("studies").file_uploader[0].set_value(upload).run()
    (study,) = page_store.list_studies(LOCAL_OWNER)
    app = open_page("data", study=study.id)
    assert "were put together, 50 rows: 2021, 2022" in words(app)
    app = look_at(app, "rows")
    asked = widget(app, "selectbox", "data.read.sheet")
    assert (asked.value, asked.options) == ("*", ["2021", "2022", "All that belong together"])
    asked.set_value("2021").run()
    press(app, "data.read.again")
    newest = page_store.list_studies(LOCAL_OWNER)[0]
    assert page_store.load_cohort(LOCAL_OWNER, newest.id).n_rows == 30


def test_empty_boxes_become_no_by_one_click(open_page, page_store, words):
    rows = "\n".join(f"{40 + i},{'X' if i % 4 == 0 else ''},{'y' if i % 3 else 'n'}" for i in range(60))
    upload = ("ward.csv", f"age,diabetes,died\n{rows}\n".encode(), "text/csv")
    open_page("studies").file_uploader[0].set_value(upload).run()
    (study,) = page_store.list_studies(LOCAL_OWNER)
    app = open_page("data", study=study.id)
    assert "a box that is ticked or left empty: diabetes" in words(app)
    app = press(app, next(b.key for b in app.button if b.key and "columns.boxes" in b.key))
    kept = page_store.get_study(LOCAL_OWNER, study.id).schema["diabetes"]
    assert (kept.kind, kept.levels, kept.reading.empty_is_no) == ("boolean", ("no", "X"), True)
    assert "45 cell(s) in 45 row(s) are empty and count as no" in words(app)


def test_measurements_over_time_are_added_from_a_second_table(open_page, page_store, here, words):
    app = open_page("studies")
    rows = "\n".join(f"{k},{40 + k % 37},{k % 2}" for k in range(60))
    app.file_uploader[0].set_value(("ward.csv", f"id,age,died\n{rows}\n".encode(), "text/csv")).run()
    (study,) = page_store.list_studies(LOCAL_OWNER)
    lines = "\n".join(
        f"{k % 58},{h:02d}:30,{('HR', 'MAP')[h % 2]},{70 + (k * h) % 40}" for k in range(58) for h in range(0, 60, 3)
    )
    app = look_at(open_page("data", study=study.id), "rows")
    app.file_uploader(key="data.series.file").set_value(
        ("icu.csv", f"id,Time,Parameter,Value\n{lines}\n".encode(), "text/csv")
    ).run()
    assert not app.exception and app.button(key="data.series.make").disabled
    assert app.selectbox(key="data.series.when").value == "Time"
    app.number_input(key="data.series.until").set_value(48.0).run()
    app.number_input(key="data.series.late").set_value(12.0).run()
    press(app, "data.series.make")
    assert not app.exception and not app.error
    made, before = page_store.list_studies(LOCAL_OWNER)
    assert before.n_columns == 3 and made.n_columns == 3 + 2 * (10 + 3)
    assert (
        made.schema.series.windows == ((None, 2.0),)
        and made.schema.series.late == 0.5
        and app.query_params["study"] == made.id
    )
    assert "2 of 60 patients have no measurement" in " ".join(
        map(str, page_store.load_cohort(LOCAL_OWNER, made.id).repairs)
    )
    app = look_at(open_page("data", study=made.id), "rows")
    assert not app.exception and "Measurements over time, up to 2 days" in words(app)
    assert "2 measurements over time" in words(app)  # drawn as small lines
    app.number_input(key="data.series.row").set_value(60).run()  # the last two patients have none
    assert not app.exception and "Nothing was measured of this patient" in words(app)
    # The same as one row a visit: nothing names what was measured, so each other column is a measurement.
    visits = "\n".join(f"{k % 58},{h:02d}:30,{70 + (k * h) % 40},{h}" for k in range(58) for h in range(0, 40, 9))
    app = look_at(open_page("data", study=before.id), "rows")
    app.file_uploader(key="data.series.file").set_value(
        ("rounds.csv", f"id,Time,HR,MAP\n{visits}\n".encode(), "text/csv")
    ).run()
    assert "One row a visit" in words(app)
    app.number_input(key="data.series.until").set_value(48.0).run()
    app.number_input(key="data.series.late").set_value(0.0).run()
    press(app, "data.series.make")
    made = page_store.list_studies(LOCAL_OWNER)[0]
    assert not app.exception and made.schema.series.by_visit and made.n_columns == 3 + 2 * 10


def test_measurements_in_another_sheet_of_the_same_file_are_offered(open_page, page_store, here, words):
    who = pd.DataFrame({"Patient ID": range(1, 61), "age": range(30, 90), "died": [0, 1, 1] * 20})
    lines = pd.DataFrame({"MRN": [*range(1, 61)] * 8, "Time (h)": [*range(0, 48, 6)] * 60, "Parameter": "HR"})
    lines["Value"] = lines["MRN"] + lines["Time (h)"]
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        lines.to_excel(book, sheet_name="Vitals", index=False)
        who.to_excel(book, sheet_name="Patients", index=False)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    open_page("studies").file_uploader[0].set_value(("ward.xlsx", file.getvalue(), kind)).run()
    (study,) = page_store.list_studies(LOCAL_OWNER)
    app = look_at(open_page("data", study=study.id), "rows")
    assert not app.exception
    assert app.dataframe[0].value["age"].tolist()[:2] == ["30", "31"]
    assert app.selectbox(key="data.series.sheet").value == "Vitals"
    assert app.selectbox(key="data.series.patient").value == "MRN"
    assert app.selectbox(key="data.series.known_as").value == "Patient ID"
    app.number_input(key="data.series.until").set_value(24.0).run()
    press(app, "data.series.make")
    assert not app.exception
    assert not app.error
    made = page_store.list_studies(LOCAL_OWNER)[0]
    assert made.n_columns == 3 + 10
    assert (made.schema.series.known_as, made.schema.series.sheet) == ("Patient ID", "Vitals")
    app = look_at(open_page("data", study=study.id), "rows")
    app.selectbox(key="data.series.sheet").set_value("").run()
    assert not app.exception
    assert app.file_uploader(key="data.series.file") is not None


def test_new_patients_of_such_a_model_bring_their_measurements_too(here, signed_in):
    patients = read_table(("ward.csv", b"id,age\n1,40\n2,50\n3,60\n"))
    long = b"id,Time,Parameter,Value\n" + b"".join(b"%d,%02d:00,HR,%d\n" % (k % 3 + 1, k, 60 + k) for k in range(30))
    named = {"patient": "id", "analyte": "Parameter", "value": "Value", "when": "Time"}
    joined = with_series(patients, read_table(("icu.csv", long)), Pivot.of_series(named, until=24))

    def page():
        import streamlit as st

        from medcore.ui.kit.shown.brought import brought

        file = st.file_uploader("table", key="table")
        if file is not None:
            st.session_state["rows"] = brought(file, "run", like=st.session_state["like"], key="reading")

    app = AppTest.from_function(page, default_timeout=180)
    app.session_state["like"] = joined.schema
    app.run().file_uploader(key="table").set_value(("one.csv", b"id,age\n2,50\n", "text/csv")).run()
    assert not app.exception and app.session_state["rows"] is None
    app.file_uploader(key="reading.series").set_value(("icu.csv", long, "text/csv")).run()
    assert not app.exception
    found = app.session_state["rows"].frame
    assert typed(found, joined.schema).iloc[0].equals(typed(joined.frame, joined.schema).iloc[1])


@pytest.mark.parametrize("lang", ["en", "zh_CN"])
@pytest.mark.parametrize("part", ["findings", "columns", "profile", "recipe", "split", "rows"])
def test_every_part_is_drawn_without_a_fault(open_page, heart_study, words, part, lang):
    with language(lang):  # the test driver formats options in its own language
        app = look_at(open_page("data", study=heart_study.id, lang=lang), part)
    assert not app.exception
    assert "fault in medcore" not in words(app)
    assert "medcore 的故障" not in words(app)
    assert 'role="alert"' not in words(app)
