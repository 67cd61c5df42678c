"""Charts of evaluation state their finding, carry words for screen readers, and stay light."""

import json

import numpy as np
import pytest

from medcore.charts import calibration, discrimination, utility
from medcore.charts.drawing import theme
from medcore.charts.drawing.static import WIDTH_INCHES, _picture
from medcore.evaluation import (
    calibration_curve,
    confusion,
    decision_curve,
    evaluate,
    gain,
    precision_recall,
    risk_distribution,
    roc,
)
from medcore.i18n import language


def patients(n=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(1.2 * x - 1)))).astype(float)
    return y, 1 / (1 + np.exp(-(1.9 * x - 1))), 1 / (1 + np.exp(-(x - 1)))


def metrics(y, p):
    return evaluate(y.astype(np.int64), np.column_stack([1 - p, p]), ["no", "yes"], n_boot=40).metrics


def all_charts(y, risks, threshold=0.3):
    first = next(iter(risks.values()))
    return {
        "roc": discrimination.roc({k: roc(y, p) for k, p in risks.items()}, threshold=threshold),
        "precision_recall": discrimination.precision_recall(
            {k: precision_recall(y, p) for k, p in risks.items()}, threshold=threshold
        ),
        "gain": discrimination.gain({k: gain(y, p) for k, p in risks.items()}),
        "distribution": discrimination.risk_distribution(
            risk_distribution(y, first), positive="<b>ill</b>", threshold=threshold
        ),
        "calibration": calibration.calibration(
            {k: calibration_curve(y, p, n_boot=40) for k, p in risks.items()},
            {k: metrics(y, p) for k, p in risks.items()},
        ),
        "decision": utility.decision_curve({k: decision_curve(y, p) for k, p in risks.items()}, threshold=threshold),
        "confusion": utility.confusion_matrix(confusion(y, first, threshold), positive="<b>ill</b>", negative="well"),
    }


@pytest.mark.parametrize("tongue", ["en", "zh_CN"])
def test_every_chart_has_a_finding_and_words_and_escapes_names(tongue):
    y, a, b = patients()
    with language(tongue):
        charts = all_charts(y, {"<b>Network</b>": a, "Logistic": b})
        for name, figure in charts.items():
            title, subtitle = theme.headline(figure)
            assert title, name
            assert theme.alt_text(figure), name
            assert "<b>Network" not in title + subtitle
            assert "<b>ill" not in json.dumps(figure.to_plotly_json(), default=str), name


def test_a_hundred_thousand_patients_make_light_charts():
    y, a, _ = patients(100_000)
    size = sum(len(figure.to_json()) for figure in all_charts(y, {"Network": a}).values())
    assert size < 300_000


@pytest.mark.parametrize("y", [np.zeros(12), np.ones(12), np.eye(1, 12, 3)[0]])
def test_charts_of_awkward_patients_can_be_drawn(y):
    for figure in all_charts(y, {"Network": np.linspace(0.1, 0.9, 12)}).values():
        assert figure.to_json()
        assert theme.headline(figure)[0]


def test_the_roc_title_is_the_auroc_in_words():
    y, p = np.array([0, 0, 1, 1.0]), np.array([0.1, 0.6, 0.4, 0.9])
    title, subtitle = theme.headline(discrimination.roc({"Network": roc(y, p)}))
    assert title.startswith("75 of 100 times")
    assert "AUROC 0.750" in subtitle


@pytest.mark.parametrize(
    ("slope", "shift", "words"),
    [
        (2.0, 0.0, "too extreme"),
        (1.0, 1.0, "too high on average"),
        (1.0, -1.0, "too low on average"),
        (0.5, 0, "timid"),
    ],
)
def test_the_calibration_title_names_what_is_wrong(slope, shift, words):
    rng = np.random.default_rng(1)
    x = rng.normal(size=4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(-x))).astype(float)
    assert words in calibration.finding(metrics(y, 1 / (1 + np.exp(-(slope * x + shift)))))


def test_a_well_calibrated_model_is_not_accused():
    rng = np.random.default_rng(2)
    p = rng.uniform(0.05, 0.95, 4000)
    y = (rng.random(4000) < p).astype(float)
    assert calibration.finding(metrics(y, p)).startswith("No departure")


def test_legends_lie_where_their_curves_are_not():
    y, a, _b = patients()
    rare = utility.decision_curve({"a": decision_curve(y, a)}).layout.legend
    common = utility.decision_curve({"a": decision_curve(1 - y, (1 - a) ** 0.3)}).layout.legend
    assert (rare.xanchor, rare.yanchor) == ("right", "top")
    assert (common.xanchor, common.yanchor) == ("left", "bottom")  # worth acting on also at high thresholds


def test_a_headline_never_says_0_or_100_per_cent_of_what_is_neither():
    rare = discrimination.risk_distribution(
        risk_distribution(np.repeat([1.0, 0.0], 50), np.repeat([0.9993, 0.0004], 50)), positive="yes"
    )
    assert "above 99.93%; half of those without, above 0.04%" in theme.headline(rare)[0].replace(" %", "%")


def test_the_decision_curve_title_names_the_useful_thresholds():
    y, a, _ = patients(2000)
    curve = decision_curve(y, a)
    low, high = curve.useful_range()
    title, subtitle = theme.headline(utility.decision_curve({"Network": curve}, threshold=0.3))
    assert f"{100 * low:.0f}% and {100 * high:.0f}%" in title
    assert subtitle == str(curve.reading(0.3))


def test_the_table_of_classes_counts_every_patient():
    figure = utility.class_table([[5, 1, 0], [2, 6, 1], [0, 0, 9]], ["a", "b", "c"])
    assert theme.headline(figure)[0].startswith("For 83 of 100 patients")
    assert len(figure.layout.annotations) == 9


def test_classes_called_by_numbers_are_names_on_the_axes_of_the_confusion_matrix():
    found = confusion(np.array([0, 1, 1.0]), np.array([0.1, 0.6, 0.4]), 0.5)
    matrices = (utility.confusion_matrix(found, positive="1", negative="0"), utility.class_table([[1, 0]] * 2, "01"))
    for matrix in matrices:
        assert (matrix.layout.xaxis.type, matrix.layout.yaxis.type) == ("category", "category")


def test_a_matrix_on_paper_has_each_cells_words_once():
    matrix = utility.class_table([[5, 1], [2, 6]], ["a", "b"])
    (panel,) = _picture(matrix, WIDTH_INCHES).axes
    assert len(panel.texts) == len(matrix.layout.annotations) == 4
