"""How far to trust a risk: nearness, local calibration, prediction sets, words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, ttest_1samp

from medcore.errors import SettingsError
from medcore.explanation.patient import neighbours, wording
from medcore.explanation.patient.bands import incidence_band
from medcore.explanation.patient.conformal import ConformalSets
from medcore.explanation.patient.reference import Followed, Measured, Reference
from medcore.explanation.patient.reliability import assess, local_calibration
from medcore.features import UNSEEN, CodeBook, Rows
from medcore.statistics.survival.incidence import Incidence, complementary_bounds


@pytest.fixture
def reference(bundle, table):
    codes = bundle.encode(table)
    outcome = (table["disease"] == "yes").to_numpy().astype(int)
    return Reference.from_arrays(
        bundle.codebook, bundle.classes, codes, outcome, bundle.risk(codes), np.arange(len(table))
    )


def judged(reference, codes, risk=0.5, **options):
    return assess(reference, np.asarray(codes), risk, class_index=1, **options)


def usual_patient(reference):
    """The training patient whose values are nearest to the others'."""
    complete = np.flatnonzero(~np.isnan(reference.codes).any(axis=1))
    return reference.codes[min(complete, key=lambda i: reference.remoteness(reference.codes[i], without=int(i)))]


def test_a_patient_in_the_middle_of_the_others_is_usual(reference):
    found = judged(reference, usual_patient(reference))
    assert found.level == "usual"
    assert found.reasons == ()
    assert found.remoteness_quantile < 0.5


def test_a_value_outside_the_training_range_is_named(reference):
    codes = usual_patient(reference).copy()
    codes[0] = 119.0
    found = judged(reference, codes)
    assert found.level != "usual"
    assert any("age" in str(reason) for reason in found.reasons)


def test_an_unseen_category_is_named(reference):
    codes = usual_patient(reference).copy()
    codes[1] = UNSEEN
    found = judged(reference, codes)
    assert found.level == "caution"
    assert any("sex" in str(reason) for reason in found.reasons)


def test_a_missing_value_is_named_and_matters_when_the_model_leans_on_it(reference):
    codes = usual_patient(reference).copy()
    codes[2] = np.nan
    light = judged(reference, codes, weights=np.array([1.0, 1, 0.1, 1, 1]))
    heavy = judged(reference, codes, weights=np.array([0.1, 0.1, 1, 0.1, 0.1]))
    assert any("cholesterol" in str(reason) for reason in light.reasons)
    assert heavy.level == "caution"


def test_far_from_every_training_patient_the_model_abstains(reference):
    codes = usual_patient(reference).copy()
    codes[[0, 2, 3]] = 500.0, 5_000.0, 900.0
    assert judged(reference, codes).level == "abstain"


def test_with_nearly_everything_missing_the_model_abstains(reference):
    codes = np.full(5, np.nan)
    codes[0] = 55.0
    assert judged(reference, codes).level == "abstain"


def test_two_models_that_disagree_call_for_caution(reference):
    codes = usual_patient(reference)
    assert judged(reference, codes, 0.5, simple_risk=0.45).level == "usual"
    found = judged(reference, codes, 0.5, simple_risk=0.2)
    assert found.level == "caution"
    assert "20 of 100" in str(found.reasons[0])


def test_local_calibration_counts_outcomes_among_the_nearest(reference):
    codes = usual_patient(reference)
    found = local_calibration(reference, codes, class_index=1)
    places = np.argsort(reference.distances(codes), kind="stable")[:50]
    events = int(reference.outcome[places].sum())
    assert (found.n, found.n_events) == (50, events)
    interval = binomtest(events, 50).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.predicted == pytest.approx(reference.risk[places, 1].mean())


def test_a_model_wrong_among_similar_patients_calls_for_caution(bundle, reference):
    wrong = Reference.from_arrays(
        reference.codebook,
        reference.classes,
        reference.codes,
        reference.outcome,
        np.tile([0.02, 0.98], (len(reference.codes), 1)),
        reference.rows,
    )
    assert judged(wrong, usual_patient(reference)).level == "caution"


def test_distances_are_zero_to_oneself_and_count_missing_against_known(reference):
    assert reference.distances(reference.codes[7])[7] == 0.0
    codes = usual_patient(reference)
    place = int(np.flatnonzero((reference.codes == codes).all(axis=1))[0])
    lacking = codes.copy()
    lacking[3] = np.nan
    assert reference.differences(lacking)[place].tolist() == [0, 0, 0, 1, 0]


def test_a_converted_value_has_one_decimal_more_than_most_were_measured_with(reference):
    place = reference.columns.index("cholesterol")
    codes = reference.patients.codes.copy()
    codes[0, place] = 89.2857
    mixed = replace(reference, patients=Rows.of(codes))
    assert (mixed.decimals("cholesterol"), mixed.decimals("sex")) == (1, None)


def test_similar_patients_are_the_nearest_by_the_weighted_columns(reference):
    codes, weights = usual_patient(reference), np.array([1.0, 0, 0, 0, 0])
    found = neighbours.similar(reference, codes, class_index=1, weights=weights, n=4)
    ages = reference.codes[:, 0]
    nearest = np.sort(np.abs(ages - codes[0]) / np.nanstd(ages))[:4]
    assert [n.distance for n in found] == pytest.approx(nearest.tolist())
    assert found[0].outcome in reference.classes


def test_a_training_patient_is_held_against_the_others_only(reference):
    row, own = int(reference.rows[7]), reference.codes[7]
    others = reference.without(row)
    assert len(others.codes) == len(reference.codes) - 1 and row not in others.rows
    assert row in {n.row for n in neighbours.similar(reference, own, class_index=1)}
    assert row not in {n.row for n in neighbours.similar(others, own, class_index=1)}
    assert others.remoteness(own) == reference.remoteness(own, without=7)
    assert reference.without(None) is reference and reference.without(-1) is reference


@pytest.mark.parametrize("word", ["off", "0", "fo"])
def test_an_installation_that_shows_no_real_patients_answers_with_none(reference, monkeypatch, word):
    monkeypatch.setenv("MEDCORE_SIMILAR_PATIENTS", word)
    with pytest.raises(SettingsError, match="no real patients"):
        neighbours.similar(reference, usual_patient(reference), class_index=1)


def test_what_differs_is_named(reference):
    codes = usual_patient(reference).copy()
    changed = codes.copy()
    changed[1] = 1 - changed[1]
    found = neighbours.similar(reference, changed, class_index=1, weights=np.array([1.0, 0, 1, 1, 1]), n=1)
    assert found[0].differs == ("sex",)


def test_sets_hold_the_true_class_as_often_as_stated_in_every_class():
    rng = np.random.default_rng(0)
    covered = {0: [], 1: [], 2: []}
    for _ in range(40):
        outcome = rng.choice(3, 900, p=[0.7, 0.2, 0.1])
        scores = rng.normal(size=(900, 3)) + 1.5 * np.eye(3)[outcome]
        risk = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        sets = ConformalSets.fit(outcome[:450], risk[:450], ("a", "b", "c"), coverage=0.9)
        inside = sets.contains(risk[450:])
        for k in covered:
            covered[k] += inside[outcome[450:] == k, k].tolist()
    for k, there in covered.items():
        assert 0.88 < np.mean(there) < 0.93, k


def test_a_class_with_too_few_patients_is_never_ruled_out():
    outcome = np.array([0] * 50 + [1] * 5)
    risk = np.column_stack([np.linspace(0.4, 0.99, 55), 1 - np.linspace(0.4, 0.99, 55)])
    sets = ConformalSets.fit(outcome, risk, ("no", "yes"))
    assert sets.thresholds[1] == 0.0
    assert "yes" in sets.set_of(np.array([1.0, 0.0]))


@pytest.mark.parametrize(
    ("risk", "text"),
    [
        (0.183, "18 of 100"),
        (0.01, "1 of 100"),
        (0.004, "4 of 1,000"),
        (0.0001, "Fewer than 1 of 1,000"),
        (0.9999, "999"),
    ],
)
def test_a_risk_is_said_as_a_natural_frequency(risk, text):
    assert text in str(wording.frequency(risk))


def test_a_risk_is_set_beside_the_average():
    assert "2.0 times" in str(wording.against_base(0.4, 0.2))
    assert "less" in str(wording.against_base(0.05, 0.2))
    assert "about the average" in str(wording.against_base(0.21, 0.2))


def test_one_training_patient_is_enough_to_answer():
    book = CodeBook.fit(pd.DataFrame({"a": [1.0]}), {"a": "numeric"})
    lone = Reference.from_arrays(
        book, ("no", "yes"), np.array([[1.0]]), np.array([1]), np.array([[0.3, 0.7]]), np.array([0])
    )
    assert judged(lone, [1.0]).local.n == 1


def test_the_band_of_a_risk_by_a_horizon_is_what_became_of_patients_of_like_risk() -> None:
    rng = np.random.default_rng(4)
    expected = rng.uniform(0.05, 0.9, 2000)
    death, out = -np.log(rng.random(2000)) / -np.log1p(-expected), rng.uniform(0, 3, 2000)
    duration, event = np.minimum(death, out), (death <= out).astype(np.int64)
    risk = np.array([0.2, 0.5, 0.8])
    low, high = incidence_band(duration, event, expected, risk, 1.0)
    assert ((low < risk) & (risk < high)).all() and (high - low < 0.25).all()
    many = rng.uniform(0.05, 0.9, 1500)  # share windows with their neighbours
    lows, highs = incidence_band(duration, event, expected, np.concatenate([risk, many]), 1.0)
    assert lows[:3] == pytest.approx(low, abs=0.03) and highs[:3] == pytest.approx(high, abs=0.03)
    inside = np.argsort(expected)[:200]
    found = Incidence.of(duration[inside], event[inside])
    first = incidence_band(duration, event, expected, np.array([0.0]), 1.0)
    bounds = complementary_bounds(found.at(1.0), float(np.sqrt(found.variance_at(1.0))))
    assert (first[0][0], first[1][0]) == pytest.approx(bounds)
    assert np.isnan(incidence_band(duration, event, expected, risk, 5.0)).all()


def test_trust_in_a_risk_by_a_horizon_counts_nobody_who_left_early() -> None:
    """Of 50 alike, 20 had it at once and 20 left at once: by the horizon it is 20 of 50, then none of those left."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(50, 2))
    outcome = np.repeat([1, 0, 0], [20, 20, 10])
    risk = np.tile([0.6, 0.4], (50, 1))
    frame = pd.DataFrame(rows, columns=["a", "b"])
    book = CodeBook.fit(frame, {"a": "numeric", "b": "numeric"})
    plain = Reference.from_arrays(book, ("no", "yes"), book.transform(frame), outcome, risk, np.arange(50))
    duration = np.repeat([1.0, 1.5, 9.0], [20, 20, 10])
    timed = replace(plain, followed=Followed(duration, 5.0))
    local = local_calibration(timed, plain.patients.take([0]), class_index=1)
    assert (local.n, local.n_events, local.observed) == (50, 20, pytest.approx(0.4))
    assert local.low < 0.4 < local.high and local.agrees
    assert timed.base(1) == pytest.approx(0.4) and plain.base(1) == pytest.approx(0.4)
    left_first = replace(timed, followed=Followed(np.repeat([2.0, 1.5, 9.0], [20, 20, 10]), 5.0))
    assert local_calibration(left_first, plain.patients.take([0]), class_index=1).observed == pytest.approx(20 / 30)
    beyond = replace(timed, followed=Followed(duration, 10.0))
    unknown = local_calibration(beyond, plain.patients.take([0]), class_index=1)
    assert np.isnan(unknown.observed) and unknown.told is None and unknown.agrees
    assert "of 100 had had it by then" in str(local.told)


def test_a_number_is_held_against_the_mean_of_patients_alike(reference):
    rng = np.random.default_rng(0)
    value = rng.normal(140.0, 20.0, len(reference.codes))
    measure = wording.Measure("Heart rate", "/min", float(value.std(ddof=1)))
    numbers = replace(reference, risk=value[:, None] + 1.0, classes=("rate",), measured=Measured(value, measure))
    patient = usual_patient(reference)
    found = assess(numbers, patient, 140.0, class_index=0, simple_risk=140.0)
    places = reference.nearest(patient, 50)
    interval = ttest_1samp(value[places], 0.0).confidence_interval(0.95)
    assert found.local.observed == value[places].mean()
    np.testing.assert_allclose([found.local.low, found.local.high], interval, rtol=1e-12)
    assert found.level == "usual" and "/min" in str(found.local.told)
    doubted = assess(numbers, patient, 140.0, class_index=0, simple_risk=140.0 + 0.51 * value.std(ddof=1))
    assert doubted.level == "caution" and str(doubted.headline) == "Read this prediction with caution."
    off = assess(replace(numbers, risk=value[:, None] + 30.0), patient, 140.0, class_index=0)
    assert "was measured" in str(off.reasons[0])
