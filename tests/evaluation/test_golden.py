"""Numbers made by other programs, with their provenance in tests/golden."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit, stdtrit

from medcore.evaluation import evaluate
from medcore.evaluation.figures.auroc import auroc
from medcore.evaluation.figures.weighting import degrees_of_freedom
from medcore.models.learners.splines import spline_term
from medcore.models.run.stability import _corrected
from medcore.statistics.logistic import fit_logistic
from medcore.statistics.many_classes import hand_till, polytomous_discrimination
from medcore.statistics.proportions import Z95
from medcore.statistics.ranking import auroc_with_influence
from medcore.statistics.sample_size.development import riley_sample_size

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_files_say_where_their_numbers_come_from(path):
    golden = json.loads(path.read_text())
    for key in ("source", "licence", "version", "date", "provenance"):
        assert golden[key], key
    assert date.fromisoformat(golden["date"])


def test_auroc_and_delong_interval_are_those_of_r_proc():
    golden = json.loads((GOLDEN / "proc_asah_ndka.json").read_text())
    value, outcome = [], []
    for place, (events, others) in enumerate(zip(golden["events"], golden["non_events"], strict=True)):
        value += [float(place)] * (events + others)
        outcome += [1.0] * events + [0.0] * others
    found = auroc(np.array(outcome), np.array(value))
    assert found.value == pytest.approx(golden["auroc"], abs=1e-12)
    # pROC's interval is DeLong's on the AUROC's own scale; ours has the same variance on the log-odds scale.
    error = (golden["high"] - golden["low"]) / (2 * Z95)
    _area, influence = auroc_with_influence(np.array(outcome), np.array(value))
    assert np.sqrt(influence @ influence) == pytest.approx(error, abs=1e-12)
    half = stdtrit(degrees_of_freedom(influence), 0.975) * error / (found.value * (1 - found.value))
    assert logit([found.low, found.high]) == pytest.approx([logit(found.value) - half, logit(found.value) + half])


def test_sample_size_is_rileys_example():
    size = riley_sample_size(24, 0.174, 0.288)
    assert (size.shrinkage, size.optimism, size.prevalence) == (623, 662, 221)


@pytest.fixture(scope="module")
def judged():
    return json.loads((GOLDEN / "judged.json").read_text())


def test_figures_are_those_of_rs_val_prob(judged):
    y, p = np.array(judged["outcome"]), np.array(judged["risk"])
    found = evaluate(y, np.column_stack([1 - p, p]), ("no", "yes"), n_boot=20).metrics
    for name, key in (("auroc", "c"), ("brier", "brier"), ("calibration_slope", "slope")):
        assert found[name].value == pytest.approx(judged[key], abs=1e-7), name
    assert found["calibration_intercept"].value == pytest.approx(judged["in_the_large"], abs=1e-9)
    # R's lowess fits no line at risks nearer than a hundredth of their range to the last, and interpolates.
    assert found["ici"].value == pytest.approx(judged["ici"], abs=1e-3)
    assert found["e90"].value == pytest.approx(judged["e90"], abs=2e-3)


def test_the_polytomous_index_is_that_of_r_mcca_with_and_without_ties(judged):
    golden = json.loads((GOLDEN / "stability.json").read_text())
    classes, risks = np.array(judged["class"]), np.array(judged["risks"])
    assert polytomous_discrimination(classes, risks)[0] == pytest.approx(golden["pdi"], abs=1e-9)
    ties = np.round(risks * 4) / 4
    assert polytomous_discrimination(classes, ties)[0] == pytest.approx(golden["pdi_with_ties"], abs=1e-9)
    of_four = polytomous_discrimination(np.array(golden["four"]), np.array(golden["four_risks"]))[0]
    assert of_four == pytest.approx(golden["pdi_of_four"], abs=1e-9)


def test_hand_and_tills_auroc_is_that_of_r_proc(judged):
    assert hand_till(np.array(judged["class"]), np.array(judged["risks"]))[0] == pytest.approx(
        judged["hand_till"], abs=1e-9
    )


def test_curves_are_those_of_rcspline_eval(judged):
    x, theirs = np.array(judged["predictors"])[:, 0], np.array(judged["spline"])
    ours = np.column_stack([spline_term(x, tuple(judged["knots"]), term) for term in (0, 1)])
    np.testing.assert_allclose(ours, theirs[:, -2:], atol=1e-9)


def test_optimism_is_harrells_over_samples_fitted_by_lrm(judged):
    """The same ten samples, fitted here by medcore's own likelihood, and corrected as a report does."""
    y, x = np.array(judged["outcome"], float), np.array(judged["predictors"])
    design, areas, errors = np.column_stack([np.ones(len(y)), x]), [], []
    for rows in judged["samples"]:
        p = expit(design @ fit_logistic(y[rows], design[rows]).coefficients)
        areas.append((auroc(y[rows], p[rows]).value, auroc(y, p).value))
        errors.append((np.mean((p[rows] - y[rows]) ** 2), np.mean((p - y) ** 2)))
    for pairs, expected in zip((areas, errors), judged["optimism"], strict=True):
        found = _corrected(0.8, pairs)
        assert found.optimism == pytest.approx(expected, abs=1e-7)
        assert found.corrected == pytest.approx(0.8 - expected, abs=1e-7)
