"""The Evaluate page judges a trained run: every view, both sides of the split, two classes and three."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings
from medcore.i18n import language
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.owners import LOCAL_OWNER
from medcore.ui.evaluate import stability
from medcore.ui.kit.words import row_name


def wine_table():
    data = load_wine(as_frame=True)
    frame = data.frame.iloc[:, [0, 1, 2, 9]].assign(kind=data.target.map({0: "barolo", 1: "grignolino", 2: "barbera"}))
    cohort = read_table(("wine.csv", frame.to_csv(index=False).encode()))
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, "kind"))


def stages_table():
    """Made-up patients whose disease is mild, moderate or severe."""
    rng = np.random.default_rng(3)
    age, crp = rng.normal(60, 10, 300).round(), rng.lognormal(2, 0.6, 300).round(1)
    steps = np.digitize((age - 60) / 8 + np.log(crp) + rng.logistic(size=300), [1.5, 3.0])
    frame = pd.DataFrame({"age": age, "crp": crp, "severity": np.array(["mild", "moderate", "severe"])[steps]})
    cohort = read_table(("stages.csv", frame.to_csv(index=False).encode()))
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, "severity"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train three studies once: heart disease (yes or no), the same with sites left out, and wine (three classes), and three in an order."""
    home = tmp_path_factory.mktemp("evaluated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(home))
        settings = Settings.from_env()
        store, ids = Store(settings), {}
        tables = {"heart": load_sample("heart"), "sites": load_sample("heart")}
        for name, cohort in (tables | {"wine": wine_table(), "stages": stages_table()}).items():
            study = store.create_study(LOCAL_OWNER, name, cohort)
            if name == "sites":
                store.save_split(LOCAL_OWNER, study.id, SplitSettings(kind="site"))
            run = store.create_run(
                LOCAL_OWNER, study.id, TrainSettings(model="ordinal" if name == "stages" else "logistic")
            )
            perform_run(settings, LOCAL_OWNER, run.id, train_study)
            assert store.get_run(LOCAL_OWNER, run.id).state == "done"
            ids[name] = (study.id, run.id)
    forget_engines()
    return home, ids


@pytest.fixture
def page_settings(trained, monkeypatch):
    monkeypatch.setenv("MEDCORE_DATA", str(trained[0]))
    yield Settings.from_env()
    forget_engines()


@pytest.fixture
def evaluate_page(open_page, trained):
    def opened(name, lang="en"):
        app = open_page("evaluate", study=trained[1][name][0], lang=lang)
        assert not app.exception
        return app

    return opened


def charts(app):
    return [json.loads(e.proto.spec) for e in app.get("plotly_chart")]


def texts(app):
    return "\n".join(str(getattr(e.proto, "body", "")) for e in app.get("html"))


def marks_of(app):
    return [e.proto.body for e in app.get("html") if e.proto.body.startswith('<div class="mc-marks')]


def tables(app):
    told = [getattr(e.proto, "body", "") for e in app.get("html")]
    return "\n".join([*(t.value.to_string() for t in app.table), *(body for body in told if "mc-measures" in body)])


def test_the_overview_has_every_figure_with_an_interval(evaluate_page):
    app = evaluate_page("heart")
    assert "mc-notice mc-error" not in texts(app)
    assert len(charts(app)) == 6
    assert "mc-confusion" in texts(app)
    for word in ("AUROC", "Brier", "Calibration slope", "Sensitivity", "Net benefit", "Accuracy (without any skill"):
        assert word in tables(app), word
    assert "of 100 times, a patient with the outcome is given a higher risk" in texts(app)


def test_the_page_opens_with_a_verdict_and_every_measure_says_what_it_means(evaluate_page):
    app = evaluate_page("heart")
    opening = next(e.proto.body for e in app.get("html") if "mc-verdict" in e.proto.body)
    for words in (
        "Does it tell patients apart? <em class=mc-yes>✓ yes</em>",
        "91 of 100",
        "Do its risks come true?",
        "Does acting on it help?",
        "Next: ",
    ):
        assert words in opening, words
    body = tables(app)
    assert body.count("<details>") == body.count("<th scope=row>")
    assert "Here 91 of 100 such pairs are put in the right order." in body


def test_a_move_of_the_threshold_moves_marks_and_leaves_the_charts_as_they_are(evaluate_page, trained):
    app = evaluate_page("heart")
    before, marks = charts(app), marks_of(app)
    assert len(marks) == 4
    app.selectbox(key=f"evaluate.rule.{trained[1]['heart'][1]}").select("harm_ratio").run()
    assert charts(app) == before
    assert not set(marks_of(app)) & set(marks)
    assert "At a threshold of 20%" in texts(app) and "◆ Threshold 20%" in texts(app)


def test_a_harm_ratio_sets_the_threshold_and_its_reason_is_kept(evaluate_page, trained):
    study, run = trained[1]["heart"]
    app = evaluate_page("heart")
    app.selectbox(key=f"evaluate.rule.{run}").select("harm_ratio").run()
    app.number_input(key=f"evaluate.target.harm_ratio.{run}").set_value(19.0).run()
    assert "Threshold 5.0%." in texts(app)
    assert "From a risk of 5% on" in texts(app)
    app.button(key="evaluate.keep").click().run()
    choice = Store(Settings.from_env()).get_study(LOCAL_OWNER, study).choice
    assert choice.threshold == 0.05 and "19 patients without need" in choice.rationale
    assert "these very patients" not in choice.rationale
    app.selectbox(key=f"evaluate.rule.{run}").select("youden").run()
    app.button(key="evaluate.keep").click().run()
    kept = Store(Settings.from_env()).get_study(LOCAL_OWNER, study).choice
    assert kept.rule == "youden" and "Sensitivity plus specificity is largest here" in kept.rationale
    again = evaluate_page("heart")  # another session: the rule is known, and that these patients chose
    assert again.selectbox(key=f"evaluate.rule.{run}").value == "youden"
    told = " ".join(c.value for c in again.caption)
    assert "chosen on these very patients" in told and "choosing anew in resampled patients" in told


def test_predictive_values_follow_the_prevalence_typed_in(evaluate_page, trained):
    app = evaluate_page("heart")
    assert "where 2.0% have the outcome" not in tables(app)
    app.number_input(key=f"evaluate.prevalence.{trained[1]['heart'][1]}.1").set_value(2.0).run()
    assert "where 2.0% have the outcome" in tables(app)


def test_the_locked_test_set_asks_first_and_counts_the_look(evaluate_page, trained):
    study, _run = trained[1]["heart"]
    store = Store(Settings.from_env())
    before = store.get_study(LOCAL_OWNER, study).n_looks
    app = evaluate_page("heart")
    app.segmented_control(key="evaluate.side").set_value("test").run()
    assert not charts(app) and "for one last look" in texts(app)
    app.button(key="evaluate.unlock").click().run()
    assert charts(app)
    assert store.get_study(LOCAL_OWNER, study).n_looks == before + 1


@pytest.mark.parametrize("lang", ["en", "zh_CN"])
@pytest.mark.parametrize(
    ("view", "word"),
    [
        ("compare", "Prevalence alone"),
        ("groups", "Gaps between groups"),
        ("errors", "Patients with the largest errors"),
        ("model", "A score of points"),
    ],
)
def test_every_view_can_be_seen_in_both_languages(evaluate_page, trained, view, word, lang):
    with language(lang):
        app = evaluate_page("heart", lang)
        app.selectbox(key=f"evaluate.other.{trained[1]['heart'][1]}").select("prevalence").run()
        app.segmented_control(key="evaluate.view").set_value(view).run()
    assert not app.exception and "mc-notice mc-error" not in texts(app)
    assert (word in texts(app)) is (lang == "en")


def test_three_classes_are_judged_one_at_a_time_and_together(evaluate_page, trained):
    app = evaluate_page("wine")
    assert "mc-notice mc-error" not in texts(app)
    assert len(charts(app)) == 7
    assert "the most probable class is the true one" in texts(app)
    app.segmented_control(key="evaluate.calls").set_value("beside_share").run()
    assert "the class whose risk most exceeds its share is the true one" in texts(app)
    assert "to miss a patient counts the more the rarer the class" in texts(app) and "macro-F1" in texts(app)
    app.selectbox(key=f"evaluate.class.{trained[1]['wine'][1]}").select(0).run()
    assert "mc-notice mc-error" not in texts(app) and "barbera" in texts(app)


def test_an_order_is_judged_at_every_cut_and_a_cut_can_be_asked_about(evaluate_page, trained):
    app = evaluate_page("stages")
    shown = tables(app)
    for words in ("Ordinal c-index ORC", "Generalised c-index", "Ranked probability score", "moderate or higher"):
        assert words in shown
    assert "mild &lt; moderate &lt; severe" in texts(app)
    asked = app.selectbox(key=f"evaluate.class.{trained[1]['stages'][1]}")
    assert asked.options[0] == "moderate or higher"
    assert "moderate or higher against lower: what a threshold does" in texts(app)
    asked.select_index(asked.options.index("mild")).run()
    assert not app.exception
    assert "mild against all others" in texts(app)


def test_a_patient_with_a_large_error_opens_on_the_patient_page_and_the_address_says_only_the_row(
    evaluate_page, trained, here
):
    app = evaluate_page("heart")
    app.segmented_control(key="evaluate.view").set_value("errors").run()
    first = next(b for b in app.button if (b.key or "").startswith("evaluate.open."))
    row = int(first.key.rsplit(".", 1)[1])
    first.click().run()
    assert not app.exception
    app.switch_page("../../pages/patient.py").run()
    assert not app.exception
    assert row_name(row + 2) in texts(app)
    assert "trained on this patient" in texts(app)
    address = {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}
    assert address.pop("row") == str(row + 2)  # its line of the file, and of the patient nothing else
    assert set(address) == {"lang", "study", "run", "threshold"}


def test_no_patient_is_listed_or_linked_where_the_study_shows_none(evaluate_page, trained, page_settings):
    store, study = Store(page_settings), trained[1]["heart"][0]
    store.save_similar_patients(LOCAL_OWNER, study, shown=False)
    try:
        app = evaluate_page("heart")
        app.segmented_control(key="evaluate.view").set_value("errors").run()
        assert not app.exception
        assert "switched off for this study" in texts(app)
        assert not [b for b in app.button if (b.key or "").startswith("evaluate.open.")]
    finally:
        store.save_similar_patients(LOCAL_OWNER, study, shown=True)


def test_left_out_sites_are_shown_side_by_side_with_their_heterogeneity(evaluate_page, trained):
    app = evaluate_page("sites")
    app.segmented_control(key="evaluate.view").set_value("groups").run()
    assert app.multiselect(key=f"evaluate.groups.{trained[1]['sites'][1]}").value == ["site"]
    assert not app.exception and "mc-notice mc-error" not in texts(app)
    assert "models that had not seen it" in texts(app)
    assert "I²" in "".join(m.value for m in app.markdown)
    assert "Cleveland" in tables(app)


def test_the_modelling_is_repeated_on_request_and_shows_how_far_risks_move(evaluate_page, here, trained, monkeypatch):
    monkeypatch.setattr(stability, "NUMBERS", ("5",))
    app = evaluate_page("heart")
    app.segmented_control(key="evaluate.view").set_value("stability").run()
    assert not charts(app) and "How stable are the risks" in texts(app)
    app.toggle(key=f"evaluate.stability.{trained[1]['heart'][1]}").set_value(True).run()
    assert not app.exception and "mc-notice mc-error" not in texts(app)
    assert len(charts(app)) == 2 and "Optimism" in tables(app)


def upload(app, trained, frame):
    app.segmented_control(key="evaluate.view").set_value("external").run()
    uploader = app.file_uploader(key=f"evaluate.external.{trained[1]['heart'][1]}")
    uploader.set_value(("new.csv", frame.to_csv(index=False).encode(), "text/csv")).run()
    assert not app.exception and "mc-notice mc-error" not in texts(app)


def test_new_patients_are_judged_with_the_model_as_it_is(evaluate_page, trained, here):
    app = evaluate_page("heart")
    upload(app, trained, load_sample("heart").frame.sample(200, random_state=1))
    assert "What recalibration would give" in texts(app) and "Shifted and stretched" in tables(app)
    assert "New curve" in tables(app) and "Judged by cross-validation" in texts(app)
    assert "How these patients differ" in texts(app) and len(charts(app)) == 2
    assert "can hardly be told from those of training" in texts(app)


def test_patients_in_unknown_codes_are_matched_before_they_are_judged(evaluate_page, trained, here):
    frame = load_sample("heart").frame.head(200)
    app = evaluate_page("heart")
    upload(app, trained, frame.assign(sex=frame.sex.map({"Male": "1", "Female": "0"})))
    assert "sex: 200 of 200 rows" in texts(app) and "What recalibration would give" not in texts(app)
    asked = {box.label.split("”")[0]: box for box in app.selectbox if (box.key or "").startswith("evaluate.level")}
    asked["“1"].select("Male").run()
    assert "Nothing is judged before" in texts(app)
    asked["“0"].select("Female").run()
    assert not app.exception and "What recalibration would give" in texts(app)
    assert "of a sample of the training rows stand in this table" in texts(app)


def test_new_patients_can_be_weighted_by_a_column(evaluate_page, trained, here):
    app = evaluate_page("heart")
    upload(app, trained, load_sample("heart").frame.head(200).assign(weight=np.arange(200) % 3))
    box = next(box for box in app.selectbox if (box.key or "").startswith("evaluate.weight"))
    assert box.value is None
    box.select("weight").run()
    assert not app.exception and "Patients count by their weight in weight" in texts(app)
    assert "Judge without weights to recalibrate" in texts(app) and len(charts(app)) == 2


def test_columns_of_other_names_are_proposed_and_can_be_corrected(evaluate_page, trained, here):
    frame = load_sample("heart").frame.head(200).rename(columns={"age": "Age (years)", "chol": "zzz"})
    app = evaluate_page("heart")
    upload(app, trained, frame)
    assert "Which column is which?" in texts(app) and "Say which column is meant by: chol" in texts(app)
    asked = {box.label: box for box in app.selectbox if (box.key or "").startswith("evaluate.map")}
    assert asked["age"].value == "Age (years)" and asked["chol"].value is None
    asked["chol"].select("zzz").run()
    assert not app.exception and "What recalibration would give" in texts(app)
    assert {"Age (years)", "zzz"}.isdisjoint(tables(app).split())


def test_a_recalibration_is_kept_as_a_new_version_beside_the_old_run(evaluate_page, trained, here):
    study, run = trained[1]["heart"]
    store = Store(Settings.from_env())
    app = evaluate_page("heart")
    upload(app, trained, load_sample("heart").frame.head(150))
    app.segmented_control(key="evaluate.recalibration").set_value("slope").run()
    app.button(key="evaluate.keep_version").click().run()
    assert not app.exception and "Kept as run 2" in texts(app)
    version, old = store.list_runs(LOCAL_OWNER, study)
    assert (version.version_of, old.id, old.version_of) == (1, run, None)
    assert store.audit(LOCAL_OWNER, study)[-1].action == "run.recalibrated"
    app.selectbox(key="evaluate.run").select(version.id).run()
    app.segmented_control(key="evaluate.view").set_value("overview").run()
    assert not app.exception and "mc-notice mc-error" not in texts(app)
    assert charts(app)


def test_the_report_is_written_and_handed_over(evaluate_page, trained, here):
    app = evaluate_page("heart")
    app.segmented_control(key="evaluate.view").set_value("report").run()
    app.segmented_control(key="evaluate.report.format").set_value("html").run()
    app.button(key="evaluate.report.write").click().run(timeout=180)
    assert not app.exception and "The report is ready" in texts(app)
    assert app.get("download_button")


def test_answers_for_the_report_are_kept_with_the_study(evaluate_page, trained):
    study, _run = trained[1]["heart"]
    app = evaluate_page("heart")
    app.segmented_control(key="evaluate.view").set_value("report").run()
    app.text_area(key=f"evaluate.answer.{study}.ethics").set_value("Approved by the committee.")
    next(b for b in app.button if b.label == "Keep these answers").click().run()
    assert not app.exception
    assert Store(Settings.from_env()).get_study(LOCAL_OWNER, study).answers["ethics"] == "Approved by the committee."
