"""Numbers made by other programs, with their provenance in tests/golden."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from medcore.evaluation.figures.event import auroc
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
    assert (found.low, found.high) == pytest.approx((golden["low"], golden["high"]), abs=1e-12)


def test_sample_size_is_rileys_example():
    size = riley_sample_size(24, 0.174, 0.288)
    assert (size.shrinkage, size.optimism, size.prevalence) == (623, 662, 221)
