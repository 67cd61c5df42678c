"""The model itself: its specification, its score of points, and the files it is handed over in."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit

from medcore.charts.drawing.static import to_svg
from medcore.charts.model.nomogram import nomogram_chart
from medcore.data.cohort import Schema
from medcore.data.values.folding import fold_text
from medcore.errors import BundleError, SettingsError
from medcore.features import Layout, Rows
from medcore.i18n import language
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Task
from medcore.models.learners.equation import Equation, Term
from medcore.models.run.results import Results
from medcore.models.selection.calibration import Calibrator
from medcore.models.written.errors import standard_errors
from medcore.models.written.inputs import codes_of_answers
from medcore.models.written.nomogram import Nomogram, Scale, ScaleMark, nomogram
from medcore.models.written.specification import Specification
from medcore.reporting.formats.document import Bullets, Table
from medcore.reporting.model import render_model, written_model
from medcore.reporting.model.calculator import caveats
from medcore.reporting.model.pmml import to_pmml
from medcore.reporting.specification import the_model
from medcore.statistics.proportional_odds import fit_proportional_odds
from tests.pmml_reader import read_pmml
from tests.written_models import random_answers, train_written

CALIBRATORS = {
    "none": Calibrator(),
    "platt": Calibrator("platt", {"slope": (0.8,), "intercept": (-0.2,)}),
    "beta": Calibrator("beta", {"abc": (0.7, 1.2, 0.1)}),
    "isotonic": Calibrator("isotonic", {"x": (0.1, 0.3, 0.6, 0.9), "y": (0.05, 0.2, 0.7, 0.95)}),
    "with Platt": Calibrator("venn_abers_and_platt", {"x": (0.0, 0.3, 0.6, 1.0), "y": (0.02, 0.2, 0.7, 0.97)}),
    "temperature": Calibrator("temperature", {"power": (0.8,)}),
    "then": Calibrator("temperature", {"power": (1.3,)}, Calibrator("vector", {"power": (0.9,), "shift": (0.1, -0.1)})),
}

JPMML = json.loads((Path(__file__).parent.parent / "golden" / "jpmml.json").read_text(encoding="utf-8"))


@pytest.fixture(
    scope="module",
    params=[(2, "logistic"), (3, "logistic"), (3, "ordinal")],
    ids=["two classes", "three classes", "three in order"],
)
def trained(request, tmp_path_factory):
    classes, model = request.param
    return train_written(tmp_path_factory.mktemp("written"), classes, model=model)


def predicted(bundle, answers) -> np.ndarray:
    frame = pd.DataFrame(answers).replace("", None)
    return bundle.predict(frame)


def test_the_specification_gives_the_bundles_risks_for_whatever_people_answer(trained) -> None:
    bundle, results = trained
    answers = random_answers(1000)
    model = written_model(results)
    np.testing.assert_allclose(
        model.risk(codes_of_answers(model.inputs, answers)), predicted(bundle, answers), rtol=0, atol=1e-12
    )
    assert model.delivered


def test_it_is_kept_with_the_results_and_read_back_the_same(trained) -> None:
    model = written_model(trained[1])
    again = Specification.from_dict(model.to_dict())
    assert again.equation == model.equation
    assert again.inputs == model.inputs
    np.testing.assert_array_equal(again.errors, model.errors)
    assert (again.points is None) == (model.points is None)


def test_pmml_read_by_its_own_rules_gives_the_same_risks(trained) -> None:
    _bundle, results = trained
    written = written_model(results)
    answers = random_answers(100, seed=2)
    of_many_classes = ("none", "temperature")
    for method in CALIBRATORS if len(written.classes) == 2 else of_many_classes:
        model = replace(written, calibrator=CALIBRATORS[method])
        read = read_pmml(to_pmml(model, results.manifest), answers)
        expected = model.risk(codes_of_answers(model.inputs, answers))
        got = np.array([[row[f"risk_{name}"] for name in model.classes] for row in read])
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9, err_msg=method)


def test_pmml_reads_a_coded_category_as_predict_does_however_another_program_writes_it(trained) -> None:
    _bundle, results = trained
    written = written_model(results)
    place = next(i for i, source in enumerate(written.inputs) if source.name == "blood")
    coded = replace(written.inputs[place], categories=("1", "-2", "3.5", "a"))
    model = replace(written, inputs=(*written.inputs[:place], coded, *written.inputs[place + 1 :]))
    answers = [{"age": "60", "lactate": "2", "score": "1", "blood": cell} for cell in ("1.0", "-2.0", "3.5", "", "7.0")]
    read = read_pmml(to_pmml(model, results.manifest), answers)
    folded = [answer | {"blood": fold_text(answer["blood"])} for answer in answers]
    expected = model.risk(codes_of_answers(model.inputs, folded))
    got = np.array([[row[f"risk_{name}"] for name in model.classes] for row in read])
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)
    assert np.abs(got[0] - got[4]).max() > 1e-3


@pytest.mark.parametrize("case", JPMML["cases"], ids=["two classes", "three classes", "three in order"])
def test_pmml_is_what_was_found_valid_by_the_schema_and_scored_by_jpmml(case) -> None:
    model = Specification.from_dict(case["specification"])
    written = to_pmml(model, case["manifest"])
    assert written.splitlines() == case["pmml"]  # another document: have tests/golden/jpmml.py check it
    risk = model.risk(codes_of_answers(model.inputs, case["answers"]))
    np.testing.assert_allclose(risk, case["risk"], rtol=0, atol=1e-12)


def test_the_table_holds_every_digit_of_the_equation(trained) -> None:
    _bundle, results = trained
    model = written_model(results)
    rows = pd.read_csv(io.BytesIO(render_model(results, "model.csv")))
    terms = rows[(rows["class"] == model.classes[-1]) & (rows["term"] > 0)]
    starts = rows.loc[rows["term"] == 0, "coefficient"].tolist()
    assert starts == [model.equation.intercepts[k] for k in model.equation.told]
    assert terms["coefficient"].tolist() == [t.coefficients[-1] for t in model.equation.terms]
    assert (terms["low"] < terms["coefficient"]).all() and (terms["coefficient"] < terms["high"]).all()
    knots = [tuple(map(float, k.strip("[]").split())) for k in terms["knots"].dropna()]
    assert knots == [t.knots for t in model.equation.terms if t.knots]


def test_the_calculator_needs_nothing_and_allows_nothing(trained) -> None:
    page = render_model(trained[1], "calculator.html").decode()
    policy = re.search(r'Security-Policy" content="([^"]+)"', page).group(1)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"""(src|href)=["']""", page)
    assert "://" not in page
    assert "Rh <neg>" not in page
    for words in ("For research use; not a medical device.", "仅供研究使用", "Judge the model on your own patients"):
        assert words in page


def test_intercepts_of_many_classes_have_errors_although_they_may_shift_together(trained) -> None:
    errors = written_model(trained[1]).errors
    assert np.isfinite(errors).all()
    assert errors.max() < 2


def test_without_an_equation_or_with_another_ending_it_says_what_to_do(trained) -> None:
    _bundle, results = trained
    with pytest.raises(SettingsError, match=r"\.pmml"):
        render_model(results, "model.xlsx")
    with pytest.raises(BundleError, match="Train the model again"):
        render_model(replace(results, specification=None), "model.csv")


def test_weak_penalties_give_the_standard_errors_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    n = 400
    codes, groups = rng.normal(size=(n, 2)), np.repeat(np.arange(100), 4)
    outcome = (rng.random(n) < expit(codes @ [0.8, -0.5] - 0.3)).astype(np.int64)
    fitted = sm.Logit(outcome, sm.add_constant(codes)).fit(disp=False, cov_type="cluster", cov_kwds={"groups": groups})
    terms = tuple(Term(place=p, kind="linear", coefficients=(0.0, float(fitted.params[p + 1]))) for p in (0, 1))
    kinds = ("numeric", "numeric")
    task = Task(
        Rows(codes),
        outcome,
        np.arange(n) % 4,
        4,
        2,
        kinds,
        (0, 0),
        Layout.of(codes, kinds),
        TrainSettings(),
        groups=groups,
    )
    errors = standard_errors(Equation((0.0, float(fitted.params[0])), terms), task, 1e9)
    correction = np.sqrt(100 / 99)  # statsmodels also multiplies by (n − 1) / (n − p)
    assert errors[:, 0].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(errors[:, 1], fitted.bse / np.sqrt((n - 1) / (n - 3) * 100 / 99) * correction, rtol=1e-4)


def test_proportional_odds_of_two_classes_have_the_errors_of_logistic_regression() -> None:
    rng = np.random.default_rng(1)
    n, kinds = 300, ("numeric", "numeric")
    codes = rng.normal(size=(n, 2))
    outcome = (rng.random(n) < expit(codes @ [0.8, -0.5] - 0.3)).astype(np.int64)
    task = Task(Rows(codes), outcome, np.arange(n) % 4, 4, 2, kinds, (0, 0), Layout.of(codes, kinds), TrainSettings())
    terms = [(p, b) for p, b in enumerate((0.7, -0.4))]
    one, two = (
        Equation(i, tuple(Term(place=p, kind="linear", coefficients=c(b)) for p, b in terms), ordered)
        for i, c, ordered in (((0.0, -0.3), lambda b: (0.0, b), False), ((-0.3,), lambda b: (b,), True))
    )
    np.testing.assert_allclose(one.risk(codes), two.risk(codes), rtol=0, atol=1e-12)
    np.testing.assert_allclose(standard_errors(one, task, 2.0)[:, 1], standard_errors(two, task, 2.0)[:, 0], rtol=1e-10)


def test_the_errors_of_proportional_odds_are_those_of_refits() -> None:
    """The sandwich against leaving each patient out (Wu 1986): the same to a few percent."""
    rng = np.random.default_rng(2)
    n, kinds = 240, ("numeric",)
    codes = rng.normal(size=(n, 1))
    outcome = np.digitize(codes[:, 0] + rng.logistic(size=n), [-0.5, 1.0])
    own = fit_proportional_odds(outcome, codes, penalty=0.5)
    without = [np.arange(n) != i for i in range(n)]
    found = [fit_proportional_odds(outcome[rows], codes[rows], penalty=0.5) for rows in without]
    numbers = np.array([np.r_[-f.thresholds, f.coefficients] for f in found])
    jackknife = np.sqrt((n - 1) / n * ((numbers - numbers.mean(axis=0)) ** 2).sum(axis=0))
    task = Task(Rows(codes), outcome, np.arange(n) % 4, 4, 3, kinds, (0,), Layout.of(codes, kinds), TrainSettings())
    term = Term(place=0, kind="linear", coefficients=tuple(own.coefficients) * 2)
    errors = standard_errors(Equation(tuple(-own.thresholds), (term,), ordered=True), task, 2.0)
    np.testing.assert_allclose([*errors[0], errors[1, 0]], jackknife, rtol=0.04)


def test_the_score_of_points_adds_up_and_says_what_it_costs(trained) -> None:
    bundle, results = trained
    points = written_model(results).points
    if len(results.classes) > 2:
        assert points is None
        return
    codes = bundle.background.codes
    low, high = points.range
    total = points.total(codes)
    assert low <= total.min() < total.max() <= high
    assert max(max(item.points) for item in points.items) == 10
    risk = points.risk(total)
    assert np.corrcoef(risk, bundle.risk(codes)[:, 1])[0, 1] > 0.8
    full, scored = points.full.metrics, points.evaluation.metrics
    assert scored["auroc"].value == pytest.approx(full["auroc"].value, abs=0.05)
    assert points.evaluation.n == results.cross_validated.n


def test_a_nomogram_read_with_a_ruler_gives_the_risk(trained) -> None:
    """Any patient at the marks: the points add up to the total that belongs to the model's risk."""
    _bundle, results = trained
    model = written_model(results)
    found = nomogram(model)
    if len(model.classes) > 2:
        assert found is None
        return
    rng = np.random.default_rng(3)
    assert max(scale.span[1] for scale in found.scales) == pytest.approx(100.0)
    at_risk, at_total = np.array(found.risks).T
    for _patient in range(50):
        marks = {scale.name: scale.marks[rng.integers(len(scale.marks))] for scale in found.scales}
        codes = np.array([[i.code(_answer(marks[i.name].value)) if i.name in marks else np.nan for i in model.inputs]])
        total = sum(mark.points for mark in marks.values())
        risk = model.risk(codes)[0, 1]
        if at_risk[0] < risk < at_risk[-1]:
            read = np.interp(total, at_total, np.log(at_risk / (1 - at_risk)))
            assert read == pytest.approx(np.log(risk / (1 - risk)), abs=0.02)
    figure = nomogram_chart(found, event=model.classes[-1])
    assert len(to_svg(figure)) > 10_000


def _answer(value: float | str | None) -> float | str | None:
    return "a category nobody had" if value == "" else value


def test_the_report_writes_the_model_down_and_answers_item_22(trained) -> None:
    _bundle, results = trained
    model = written_model(results)
    blocks = the_model(results)
    equations = [b for b in blocks if isinstance(b, Table) and b.caption.startswith("The equation")]
    ordered = results.model == "ordinal"
    assert len(equations) == 1  # of three classes too: their scores stand side by side
    column = 4 if len(model.classes) == 2 or ordered else -1
    n_intercepts = len(model.classes) - 1 if ordered else 1
    assert len(equations[0].rows) == n_intercepts + len(model.equation.terms)
    shown = float(equations[-1].rows[n_intercepts][column].split(" ")[0].replace("−", "-"))
    assert shown == pytest.approx(model.equation.terms[0].coefficients[-1], abs=1e-5)
    assert (
        any("or a higher one = 1 / (1 + exp(−score))" in b.items[0] for b in blocks if isinstance(b, Bullets))
        == ordered
    )
    assert any("λ = " in item for b in blocks if isinstance(b, Bullets) for item in b.items)
    assert the_model(replace(results, specification=None)) == []
    beside = the_model(replace(results, specification=replace(model, delivered=False)))
    assert "differ from the delivered model's" in beside[1].text


def test_every_word_of_the_calculator_is_there_in_chinese(trained) -> None:
    with language("zh_CN"):
        page = render_model(trained[1], "calculator.html").decode()
    assert '<html lang="zh-CN">' in page
    results = trained[1]
    what = results.classes[-1] if len(results.classes) == 2 else "outcome"
    assert f'"zh-CN": {{"title": "风险计算器：{what}"' in page


def with_sites(results: Results, sites: np.ndarray) -> Results:
    """Let a column say where each training patient was."""
    schema = Schema.from_dict(results.manifest["schema"])
    column = schema.predictors[0].name
    training = replace(results.training, sensitive=pd.DataFrame({column: sites}))
    return replace(
        results, training=training, manifest=results.manifest | {"schema": schema.change(column, role="site").to_dict()}
    )


def test_where_there_are_sites_the_calculator_quotes_the_mean_over_them(trained) -> None:
    results = trained[1]
    if len(results.classes) > 2:
        assert "AUROC" in caveats(results.specification, results)[1]
        return
    told = caveats(results.specification, with_sites(results, np.arange(len(results.training.outcome)) % 3))[1]
    assert "each site judged by itself" in told
    assert "on average over 3 sites; expected at another site" in told
    assert f"{results.cross_validated.metrics['auroc'].value:.3f}" not in told


def test_a_nomogram_writes_a_category_that_has_no_room_above_below_the_line() -> None:
    values = (("atypical", 0.0), ("non-anginal", 4.0), ("asymptomatic", 100.0), (None, 60.0))
    marks = tuple(ScaleMark(value, points) for value, points in values)
    figure = nomogram_chart(
        Nomogram((Scale("pain", marks, (0.0, 100.0)),), ((0.1, 20.0), (0.9, 80.0)), 100.0), event="x"
    )
    told = {text: trace.textposition for trace in figure.data if trace.text for text in trace.text}
    assert told["atypical"] == told["asymptomatic"] == "top center"
    assert told["non-anginal"] == told["missing"] == "bottom center"


def test_both_ends_of_a_short_line_of_a_nomogram_have_their_value() -> None:
    short = (ScaleMark(0.257, 8.0), ScaleMark(0.4, 5.0), ScaleMark(0.000685, 0.0))
    figure = nomogram_chart(Nomogram((Scale("rpde", short, (0.0, 8.0)),), ((0.1, 20.0), (0.9, 80.0)), 100.0), event="x")
    told = {text: trace.textposition for trace in figure.data if trace.text for text in trace.text}
    assert (told["0.257"], told["0.000685"]) == ("top center", "bottom center")
    assert "0.4" not in told
