"""The verdict says yes or no only where an interval bears it out, and names the next step."""

import numpy as np
import pytest

from medcore.evaluation import decision_curve, evaluate, net_benefit
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.readings import MEANINGS
from medcore.evaluation.figures.words import METRICS
from medcore.evaluation.verdict import calibration_finding, verdict


def judged(slope: float, *, n: int = 2000, noise: bool = False, threshold: float = 0.3):
    """Judge made-up risks: true ones at slope 1, too extreme at 2, or those of another patient."""
    rng = np.random.default_rng(0)
    score = rng.normal(-1, 1.3, n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(np.int64)
    risk = 1 / (1 + np.exp(-slope * (rng.permutation(score) if noise else score)))
    metrics = evaluate(outcome, np.column_stack([1 - risk, risk]), ["no", "yes"], n_boot=50).metrics
    event = outcome.astype(float)
    here = decision_curve(event, risk, thresholds=np.array([threshold]))
    return verdict(metrics, decision_curve(event, risk), threshold, locked=False, here=here), net_benefit(
        event, risk, threshold
    )


def test_true_risks_that_help_are_said_to_do_so() -> None:
    found, benefit = judged(1.0, threshold=0.396)  # between two points of the curve
    assert found.gain.value == pytest.approx(100 * benefit.value) and found.gain.low == pytest.approx(100 * benefit.low)
    assert (found.ranks, found.comes_true, found.helps, found.level) == ("yes", "yes", "yes", "success")
    assert "locked test set" in str(found.next_step)


def test_risks_are_not_said_to_come_true_because_few_patients_show_no_departure() -> None:
    found, _benefit = judged(1.0, n=300)
    assert found.comes_true == "unclear"
    assert found.level == "warning"
    assert "its risks come true, and" not in str(found.sentence)


def test_the_first_thing_amiss_decides_the_sentence() -> None:
    assert "too far apart" in str(judged(2.5)[0].sentence)
    assert "do not act" in str(judged(1.0, noise=True)[0].sentence)
    assert judged(1.0, noise=True)[0].level == "error"
    far, _benefit = judged(1.0, threshold=0.98)
    assert far.helps == "unclear" and "choose a threshold between" in str(far.next_step)


@pytest.mark.parametrize("name", METRICS)
def test_every_measure_says_what_it_asks(name: str) -> None:
    assert MEANINGS[name].what.endswith(("?", "averaged.", "most."))


@pytest.mark.parametrize(
    ("slope", "large", "words"),
    [
        ((0.6, 0.7, 0.8), (0.3, 0.4, 0.5), "too low on average, and too far apart"),
        ((0.6, 0.7, 0.8), (0.1, 0.2, 0.3), "too extreme: high ones too high"),
        ((1.2, 1.3, 1.4), (-0.5, -0.4, -0.3), "too high on average, and too much alike"),
        ((0.9, 1.0, 1.1), (0.3, 0.4, 0.5), "too low on average"),
        ((0.9, 1.0, 1.1), (-0.1, 0.0, 0.1), "No departure"),
    ],
)
def test_slope_and_calibration_in_the_large_are_told_together(slope, large, words) -> None:
    figures = {"calibration_slope": slope, "calibration_intercept": large}
    found = {name: Estimate(value, low, high) for name, (low, value, high) in figures.items()}
    assert words in str(calibration_finding(found))
