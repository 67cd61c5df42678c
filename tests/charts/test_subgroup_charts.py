"""The forest of groups names the extremes and marks groups that are too small."""

import numpy as np
import pandas as pd
import pytest

from medcore.charts import subgroups
from medcore.charts.drawing import theme
from medcore.evaluation.groups.subgroups import breakdown


@pytest.fixture
def found():
    rng = np.random.default_rng(5)
    group = np.repeat(["<b>A</b>", "B", "small"], [400, 300, 30])
    p = rng.uniform(0.05, 0.95, 730)
    y = (rng.random(730) < p).astype(float)
    return breakdown(y, p, pd.DataFrame({"site": group}), ["site"], threshold=0.5)


@pytest.mark.parametrize("measure", list(subgroups.MEASURES))
def test_each_measure_is_drawn_with_extremes_in_the_title(found, measure):
    figure = subgroups.forest(found, measure=measure)
    title, _ = theme.headline(figure)
    assert "&lt;b&gt;A" in title and "B" in title and "small" not in title
    assert "small" in theme.alt_text(figure)
    assert {trace.name for trace in figure.data} == {"Enough patients", "Too few to judge"}
