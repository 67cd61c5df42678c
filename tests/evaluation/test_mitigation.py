"""Remedies close the gap they are for, and say what they cost."""

import json

import numpy as np
import pandas as pd
import pytest

from medcore.evaluation import net_benefit
from medcore.evaluation.groups.grouping import Grouping, GroupKey, Level, grouping
from medcore.evaluation.groups.mitigation import equal_sensitivity, recalibrated


def grouped(names):
    return grouping(pd.DataFrame({"g": names}), ["g"])


A, B, FEW = (GroupKey((Level("level", name),)) for name in ("A", "B", "few"))


@pytest.fixture
def unequal():
    rng = np.random.default_rng(6)
    names = np.repeat(["A", "B", "few"], [1500, 1000, 15])
    x = rng.normal(size=len(names))
    y = (rng.random(len(names)) < 1 / (1 + np.exp(-(x - 0.5)))).astype(float)
    return y, 1 / (1 + np.exp(-(x - 0.5 - 1.0 * (names == "B")))), grouped(names)


def test_thresholds_by_group_close_the_gap_in_sensitivity(unequal):
    y, p, groups = unequal
    many = groups.codes != groups.keys.index(FEW)
    found = equal_sensitivity(y[many], p[many], Grouping((A, B), groups.codes[many]), threshold=0.4)
    assert found.gap("before") > 0.15 and found.gap("after") < 0.01
    assert found.thresholds[B] < found.thresholds[A]
    json.dumps(found.to_dict(), allow_nan=False)


def test_recalibration_by_group_makes_each_right_on_average(unequal):
    y, p, groups = unequal
    found = recalibrated(y, p, groups, threshold=0.4)
    assert found.updates[B].intercept == pytest.approx(1.0, abs=0.2)
    assert found.updates[A].intercept == pytest.approx(0.0, abs=0.2)
    assert found.net_benefit_after > found.net_benefit_before
    assert "net benefit from" in str(found.price())


def test_groups_too_small_are_left_as_they_were(unequal):
    y, p, groups = unequal
    found = equal_sensitivity(y, p, groups, threshold=0.4)
    assert FEW not in found.thresholds
    told = [found.before[key].sensitivity.value for key in (A, B)]
    assert found.gap("before") == max(told) - min(told)  # as the gaps between groups are told
    assert found.before[FEW] == found.after[FEW]


def test_the_net_benefit_before_is_that_of_the_curve(unequal):
    y, p, groups = unequal
    found = recalibrated(y, p, groups, threshold=0.4)
    assert found.net_benefit_before == pytest.approx(net_benefit(y, p, 0.4).value)
