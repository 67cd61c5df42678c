"""Numbers made by other programs, with their provenance in tests/golden."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit, stdtrit

from medcore.evaluation.figures.auroc import auroc
from medcore.evaluation.figures.weighting import degrees_of_freedom
from medcore.statistics.proportions import Z95
from medcore.statistics.ranking import auroc_with_influence
from medcore.statistics.sample_size import riley_sample_size

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
