"""Groups are judged as fairlearn judges them, and groups too small are named."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import roc_auc_score

from medcore.evaluation.curves.utility import decision_curve
from medcore.evaluation.groups.grouping import MISSING, REST, Level, grouping, levels
from medcore.evaluation.groups.subgroups import breakdown
from medcore.i18n import language


@pytest.fixture
def patients():
    rng = np.random.default_rng(3)
    n = 1500
    sex = rng.choice(["F", "M"], n)
    site = rng.choice(["A", "B", "C"], n, p=[0.5, 0.3, 0.2])
    x = rng.normal(size=n) + 0.4 * (sex == "M")
    y = (rng.random(n) < 1 / (1 + np.exp(-(x - 0.5)))).astype(float)
    p = 1 / (1 + np.exp(-(1.3 * x - 0.8 + 0.3 * (site == "C"))))
    return y, p, pd.DataFrame({"sex": sex, "site": site, "age": rng.uniform(20, 90, n)})


@pytest.mark.parametrize("columns", [["sex"], ["site"], ["sex", "site"]])
def test_rates_and_gaps_are_fairlearns(patients, columns):
    y, p, sensitive = patients
    found = breakdown(y, p, sensitive, columns, threshold=0.4)
    called, features = (p >= 0.4).astype(int), sensitive[columns].agg(" · ".join, axis=1)
    kwargs = {"y_true": y, "y_pred": called, "sensitive_features": features}
    assert found.fairness.demographic_parity.value == pytest.approx(demographic_parity_difference(**kwargs), abs=1e-12)
    assert found.fairness.equalised_odds.value == pytest.approx(equalized_odds_difference(**kwargs), abs=1e-12)
    metrics = {"alerts": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate}
    frame = MetricFrame(metrics=metrics, **kwargs).by_group
    for group in found.groups:
        row = frame.loc[group.name]
        assert group.confusion.alert_rate.value == pytest.approx(row["alerts"])
        assert group.confusion.sensitivity.value == pytest.approx(row["tpr"])
        assert 1 - group.confusion.specificity.value == pytest.approx(row["fpr"])
        mask = (features == group.name).to_numpy()
        assert group.auroc.value == pytest.approx(roc_auc_score(y[mask], p[mask]))
        curve = decision_curve(y[mask], p[mask], thresholds=np.array([0.4]))
        assert group.net_benefit.value == pytest.approx(curve.net_benefit[0])
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_model_that_overestimates_in_one_site_shows_it(patients):
    y, p, sensitive = patients
    groups = {g.name: g for g in breakdown(y, p, sensitive, ["site"], threshold=0.4).groups}
    assert groups["C"].calibration_intercept.value < groups["A"].calibration_intercept.value
    assert groups["C"].o_e_ratio < groups["A"].o_e_ratio


def test_ages_are_cut_where_clinicians_cut_them(patients):
    names = {level.name for level in levels(patients[2]["age"])}
    assert names == {"< 40", "40 – < 65", "65 – < 80", "≥ 80"}


def test_other_numbers_are_cut_in_thirds_and_missing_is_a_group():
    found = levels(pd.Series([*np.arange(30.0), np.nan], name="crp"))
    sizes = Counter(found)
    assert len(sizes) == 4 and min(sizes.values()) == 1 and sizes[MISSING] == 1


def test_small_groups_are_named_and_tiny_ones_hidden():
    rng = np.random.default_rng(0)
    group = np.repeat(["big", "small", "tiny"], [400, 30, 3])
    y, p = (rng.random(433) < 0.4).astype(float), rng.random(433)
    found = breakdown(y, p, pd.DataFrame({"g": group}), ["g"], threshold=0.5)
    assert [g.name for g in found.groups] == ["big", "small"]
    assert found.n_too_small == 3
    assert {g.name: g.judgeable for g in found.groups} == {"big": "yes", "small": "no"}
    text = " ".join(str(w) for w in found.warnings())
    assert "small" in text and "not shown: 3" in text
    assert not found.fairness.demographic_parity.exists


def test_a_group_with_one_outcome_only_has_no_auroc_and_says_why():
    y, p = np.concatenate([np.zeros(10), np.tile([0.0, 1.0], 10)]), np.linspace(0.1, 0.9, 30)
    found = breakdown(y, p, pd.DataFrame({"g": ["a"] * 10 + ["b"] * 20}), ["g"], threshold=0.5)
    group = next(g for g in found.groups if g.name == "a")
    assert group.auroc.reason is not None and group.calibration_slope.reason is not None
    json.dumps(found.to_dict(), allow_nan=False)


def test_bands_of_a_number_come_in_their_order_and_categories_by_size(patients):
    y, p, table = patients
    age = np.random.default_rng(0).normal(55, 14, len(y)).round()
    age[:30] = np.nan
    found = breakdown(y, p, table.assign(age=age), ["age"], threshold=0.4)
    assert [g.name for g in found.groups] == ["< 40", "40 – < 65", "65 – < 80", "≥ 80", "not known"]
    sites = breakdown(y, p, table, ["site"], threshold=0.4)
    assert [g.n for g in sites.groups] == sorted((g.n for g in sites.groups), reverse=True)


@pytest.mark.parametrize("code", ["en", "zh_CN"])
def test_a_category_called_other_stays_apart_from_the_rarest_in_every_language(code):
    race = [*np.repeat([f"race {k}" for k in range(11)], 40), *["other"] * 30, *(f"rare {k}" for k in range(14)), None]
    with language(code):
        parted = grouping(pd.DataFrame({"race": race}), ["race"])
    sizes = {key.levels[0]: int((parted.codes == place).sum()) for place, key in enumerate(parted.keys)}
    assert sizes[Level("level", "other")] == 30 and sizes[REST] == 14 and sizes[MISSING] == 1
    with language("zh_CN"):
        assert "未知" in {str(key) for key in parted.keys}


def test_intersections_whose_names_read_alike_are_different_groups():
    table = pd.DataFrame({"a": ["x · y", "x"], "b": ["z", "y · z"]})
    found = grouping(table, ["a", "b"])
    assert len(found.keys) == 2 and str(found.keys[0]) == str(found.keys[1])


def test_bands_of_a_number_stand_from_low_to_high_and_the_unknown_last() -> None:
    ages = pd.DataFrame({"age": [85.0, 70.0, 50.0, 30.0, np.nan, *range(31, 49)]})
    assert [str(key) for key in grouping(ages, ["age"]).keys] == [
        "< 40",
        "40 – < 65",
        "65 – < 80",
        "≥ 80",
        "not known",
    ]
