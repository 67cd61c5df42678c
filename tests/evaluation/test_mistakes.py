"""A kind of patient for whom the risks are wrong is found and named in words."""

import json

import numpy as np
import pandas as pd
import pytest

from medcore.evaluation.groups.mistakes import mistakes
from medcore.i18n import language


@pytest.fixture
def planted():
    rng = np.random.default_rng(7)
    n = 2000
    columns = pd.DataFrame(
        {
            "age": rng.uniform(20, 90, n),
            "sex": rng.choice(["F", "M"], n),
            "crp": np.where(rng.random(n) < 0.2, np.nan, rng.gamma(2, 10, n)),
        }
    )
    p = rng.uniform(0.05, 0.4, n)
    wrong = ((columns["age"] > 70) & (columns["sex"] == "F")).to_numpy()
    y = (rng.random(n) < np.where(wrong, 0.9, p)).astype(float)
    return y, p, columns, wrong


def test_the_planted_region_comes_first_with_its_words(planted):
    y, p, columns, wrong = planted
    worst = mistakes(y, p, columns).regions[0]
    words = " and ".join(map(str, worst.conditions))
    assert "age ≥ 7" in words or "age ≥ 69" in words
    assert "sex = F" in words or "sex ≠ M" in words
    assert worst.n == pytest.approx(wrong.sum(), rel=0.1)
    assert worst.gap.low > 0.4
    assert worst.observed == pytest.approx(0.9, abs=0.05)


def test_regions_part_all_patients(planted):
    y, p, columns, _ = planted
    found = mistakes(y, p, columns)
    assert sum(r.n for r in found.regions) == len(y)
    assert min(r.n for r in found.regions) >= 100
    assert np.average([r.loss for r in found.regions], weights=[r.n for r in found.regions]) == pytest.approx(
        found.mean_loss
    )
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_worst_patients_are_those_with_the_largest_loss():
    y, p = np.array([1, 0, 1, 0.0]), np.array([0.01, 0.6, 0.9, 0.1])
    assert mistakes(y, p, pd.DataFrame(index=range(4)), n_worst=2).worst == (0, 1)


def test_few_patients_or_no_columns_give_one_region():
    y, p = np.tile([0.0, 1.0], 10), np.full(20, 0.5)
    found = mistakes(y, p, pd.DataFrame({"x": np.arange(20.0)}))
    assert len(found.regions) == 1 and found.regions[0].conditions == ()


def test_the_result_is_the_same_whatever_language_it_is_computed_in(planted):
    y, p, columns, _ = planted
    with language("zh_CN"):
        chinese = mistakes(y, p, columns)
    assert chinese == mistakes(y, p, columns)
