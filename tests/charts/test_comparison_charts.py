"""Charts that compare models say which is better, and how far risks move."""

import numpy as np
import pytest

from medcore.charts import comparison
from medcore.charts.drawing import theme
from medcore.evaluation.comparison.instability import instability
from medcore.evaluation.comparison.paired import benefit_difference


@pytest.fixture
def pair():
    rng = np.random.default_rng(4)
    x = rng.normal(size=3000)
    y = (rng.random(3000) < 1 / (1 + np.exp(-x))).astype(float)
    return y, 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-(0.3 * x + rng.normal(size=3000))))


def test_the_better_model_is_named(pair):
    y, a, b = pair
    title, _ = theme.headline(comparison.benefit_difference(benefit_difference(y, a, b), name_a="<i>A</i>", name_b="B"))
    assert title.startswith("&lt;i&gt;A") and "shown to be better" in title
    same = comparison.benefit_difference(benefit_difference(y, a, a), name_a="A", name_b="A")
    assert theme.headline(same)[0].startswith("At hardly any threshold")


def test_the_agreement_counts_patients_far_apart_and_draws_few_points(pair):
    y, a, b = pair
    figure = comparison.agreement(y, a, b, name_a="A", name_b="B")
    assert f"For {100 * np.mean(np.abs(a - b) > 0.1):.0f} of 100" in theme.headline(figure)[0]
    assert sum(len(trace.x) for trace in figure.data[1:]) <= 1500


def test_instability_states_mean_and_ninth_decile(pair):
    _y, a, _b = pair
    figure = comparison.instability(instability(a, np.full(3000, 0.03)), name="Network")
    assert "moves by 3.0 points" in theme.headline(figure)[0]
    assert theme.alt_text(figure)
