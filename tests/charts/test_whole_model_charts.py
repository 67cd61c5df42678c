"""Charts of a whole model say what the numbers say, draw no more dots than they promise, and escape names."""

import numpy as np
import pandas as pd
import pytest

from medcore.charts.drawing import theme
from medcore.charts.drawing.static import to_png
from medcore.charts.model import whole_model
from medcore.data.shown import Shown
from medcore.explanation.model.effects import Effect
from medcore.explanation.model.tables import Explanations
from medcore.explanation.model.whole import ImportanceStability, importance
from medcore.features import CodeBook

COLUMNS = ("age", "sex", '<a href="x">weight')


def many(n=30, scale="probability"):
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.normal(60, 10, n), rng.integers(0, 2, n), rng.normal(70, 9, n)]).astype(float)
    codes[0, 0] = np.nan
    return Explanations(
        columns=COLUMNS,
        class_name="yes",
        scale=scale,
        base_value=0.3,
        prediction=np.full(n, 0.3),
        contributions=rng.normal(size=(n, 3)) * [0.1, 0.02, 0.2],
        standard_errors=np.zeros((n, 3)),
        codes=codes,
        values=(("1",) * 3,) * n,
        rows=np.arange(n),
    )


@pytest.fixture(scope="module")
def codebook():
    frame = pd.DataFrame({"age": [50.0, 60.0], "sex": ["f", "m"], COLUMNS[2]: [60.0, 80.0]})
    return CodeBook.fit(frame, {"age": "numeric", "sex": "category", COLUMNS[2]: "numeric"})


def test_importance_is_in_percentage_points_with_intervals_largest_first():
    found = importance(many())
    bar = whole_model.importance_chart(found).data[0]
    np.testing.assert_allclose(bar.x, 100 * found.mean[found.order])
    np.testing.assert_allclose(bar.x + bar.error_x.array, 100 * found.high[found.order])
    assert list(bar.x) == sorted(bar.x, reverse=True)


def test_a_swarm_draws_at_most_five_hundred_patients_and_greys_categories(codebook):
    figure = whole_model.beeswarm(many(900), codebook)
    assert {len(t.x) for t in figure.data} == {500}
    by_name = dict(zip(figure.layout.yaxis.ticktext, figure.data, strict=True))
    assert set(by_name["sex"].marker.color) == {theme.MUTED}
    assert len(set(by_name["age"].marker.color)) > 50


def test_high_values_are_red_and_low_ones_blue(codebook):
    found = many()
    trace = dict(zip(*[(f := whole_model.beeswarm(found, codebook)).layout.yaxis.ticktext, f.data], strict=True))["age"]
    ages = found.codes[:, 0]
    red = [int(c[1:3], 16) for c in trace.marker.color]
    assert red[int(np.nanargmax(ages))] > red[int(np.nanargmin(ages))]
    assert trace.marker.color[0] == theme.MUTED


@pytest.mark.parametrize("column", [0, 1])
def test_dependence_draws_each_known_value(codebook, column):
    figure = whole_model.dependence(many(), codebook, column, 2, naming=lambda name: Shown(name, "", "years"))
    assert len(figure.data[0].x) == (29 if column == 0 else 30)
    assert "<a" not in figure.layout.meta["subtitle"]


def test_an_effect_has_both_curves_and_the_support():
    found = Effect(
        column="age",
        values=tuple(np.linspace(40, 80, 31)),
        partial=np.linspace(0.1, 0.4, 31),
        edges=np.array([40.0, 60.0, 80.0]),
        accumulated=np.array([0.1, 0.2, 0.3]),
        support=np.full(31, 1 / 31),
        n=100,
        unit="years",
    )
    figure = whole_model.effect_chart(found)
    assert len(figure.data) == 3
    assert "10% to 40%" in theme.headline(figure)[0]


def test_disagreement_is_in_the_headline():
    found = ImportanceStability(columns=COLUMNS, models=("a", "b"), shares=np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]))
    assert "disagree" in theme.headline(whole_model.stability_chart(found, ["Forest", "Network"]))[0]


def test_nothing_of_a_table_is_markup_and_every_chart_prints(codebook):
    found = many()
    figures = [
        whole_model.importance_chart(importance(found)),
        whole_model.beeswarm(found, codebook),
        whole_model.dependence(found, codebook, 2),
    ]
    for figure in figures:
        assert "<a " not in figure.to_json().replace("\\u003c", "<")
        assert to_png(figure, dpi=40).startswith(b"\x89PNG")
        assert theme.alt_text(figure)
