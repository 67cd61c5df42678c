"""No small count can be read from, or worked out of, what a report prints of groups, sites and classes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medcore.data.describe.small_cells import FEWEST_TOLD, HIDDEN
from medcore.models.run.results import read_results
from medcore.reporting import study_report
from medcore.reporting.formats.document import Table
from medcore.reporting.sample_size import n_parameters
from tests.reporting.test_reporting import subject_of


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return subject_of(folder, 2), folder


@pytest.fixture(scope="module")
def subject(kept):
    return kept[0]


def with_wards(subject, sizes):
    """Put the training patients into wards: ``sizes`` has how many with and without the outcome each takes; the rest go to another."""
    outcome = subject.results.training.outcome
    ward, left = np.full(len(outcome), "rest", dtype=object), {k: list(np.flatnonzero(outcome == k)) for k in (0, 1)}
    for name, (events, others) in sizes.items():
        for k, n in ((1, events), (0, others)):
            ward[[left[k].pop() for _ in range(n)]] = name
    training = replace(subject.results.training, sensitive=pd.DataFrame({"ward": ward}))
    return replace(subject, results=replace(subject.results, training=training))


def table(subject, title):
    return next(b for b in study_report(subject).blocks if isinstance(b, Table) and b.caption == title)


def test_a_groups_events_and_their_complement_are_never_small_where_they_are_told(subject):
    rows = table(with_wards(subject, {"A": (3, 30), "B": (20, 25), "C": (22, 2)}), "ward").rows
    told = [(row[1], row[2]) for row in rows]
    for n, events in told:
        if HIDDEN not in (n, events):
            others = int(n) - int(events)
            assert all(count == 0 or count >= FEWEST_TOLD for count in (int(events), others))
    hidden = [events for _n, events in told if events == HIDDEN]
    assert len(hidden) >= 2  # one alone would follow from all events


def test_a_group_too_small_to_be_shown_does_not_follow_from_the_others(subject):
    rows = table(with_wards(subject, {"A": (1, 2), "B": (20, 25)}), "ward").rows
    assert "A" not in [row[0].split(" ")[0] for row in rows]
    assert HIDDEN in [row[1] for row in rows]


def test_a_share_that_tells_a_small_count_is_hidden_with_another(subject):
    found = with_wards(subject, {"A": (6, 30), "B": (25, 25)})
    rows = table(replace(found, threshold=0.02), "ward").rows
    for row in rows:
        if HIDDEN not in (row[2], row[5]):
            share = float(row[5].split(" ")[0])
            missed = round(int(row[2]) * (1 - share))
            assert missed == 0 or missed >= FEWEST_TOLD
    assert [row[5] for row in rows].count(HIDDEN) != 1


def test_a_rare_class_is_not_counted_in_the_flow_of_patients(subject):
    results = subject.results
    rare = replace(results.tested, class_counts={results.classes[0]: results.tested.n - 2, results.classes[1]: 2})
    parts = replace(subject, results=replace(results, tested=rare))
    assert parts.class_counts(rare) == (HIDDEN, HIDDEN)
    assert set(parts.class_counts(results.cross_validated)) == {HIDDEN}
    assert HIDDEN not in subject.class_counts(results.cross_validated)


def test_the_parameters_of_the_sample_size_count_flags_and_curves(subject):
    specification = subject.results.specification
    by_kind = [t.kind for t in specification.equation.terms]
    levels = {t.place for t in specification.equation.terms if t.kind == "level"}
    redundant = [p for p in levels if sum(t.place == p for t in specification.equation.terms) > 1]
    assert n_parameters(subject.results) == len(by_kind) - len(redundant)
    without = replace(subject.results, specification=None)
    assert n_parameters(without) >= len(subject.results.manifest["predictors"])


def test_stability_is_printed_where_it_was_worked_out(kept):
    subject, folder = kept
    assert "not repeated on bootstrap samples" in str(study_report(subject).blocks)
    figure = {"apparent": 0.8, "optimism": 0.02, "standard_error": 0.001, "corrected": 0.78}
    refits = {
        "n_refits": 200,
        "figures": {"auroc": figure},
        "mean_absolute_error": 0.031,
        "absolute_error_90": 0.08,
        "median_interval_width": 0.2,
    }
    text = str(study_report(replace(subject, refits=refits)).blocks)
    assert "200 bootstrap samples" in text
    assert "0.020 (± 0.001)" in text
    assert read_results(folder).stability is None
