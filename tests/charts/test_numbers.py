"""The table behind a chart: every number that is drawn, by the names on its axes."""

import pickle

import numpy as np
import pandas as pd
import pytest

from medcore.charts import discrimination
from medcore.charts.drawing import static, theme
from medcore.charts.drawing.numbers import numbers
from medcore.charts.patients.explanation import waterfall
from medcore.evaluation import roc
from tests.charts.test_static_labels import explanation


def chart(**layout):
    figure = theme.new_figure(title="t", x_title="Age (years)", y_title="Risk (%)", alt="a")
    return figure.update_layout(**layout)


def test_series_points_and_intervals_stand_under_the_titles_of_the_axes():
    figure = chart()
    figure.add_scatter(
        x=[1, 2], y=[0.1234567, 3], name="<b>A</b> &lt; B", error_y={"array": [1, 1], "arrayminus": [0, 2]}
    )
    figure.add_scatter(x=[1], y=[5], name="C")
    found = numbers(figure)
    assert list(found.columns) == ["Series", "Age (years)", "Risk (%)", "Risk (%): from", "Risk (%): to"]
    assert found.iloc[0].tolist() == ["A < B", 1, 0.123457, 0.123457, 1.12346]
    assert found.iloc[1, 3:].tolist() == [1, 4]
    assert pd.isna(found.iloc[2, 3])


def test_one_series_needs_no_name_and_a_map_gives_its_cells():
    figure = chart()
    figure.add_heatmap(x=["a", "b"], y=["c"], z=[[1, 2]])
    assert numbers(figure).to_numpy().tolist() == [["a", "c", 1], ["b", "c", 2]]
    assert numbers(chart()).empty


def test_a_waterfall_says_by_name_from_where_to_where_each_bar_goes():
    found = numbers(waterfall(explanation()))
    assert any("age" in str(name) for name in found.iloc[:, 0])
    bars = found.dropna()
    assert bars.iloc[:, -1].to_numpy() - bars.iloc[:, -2].to_numpy() == pytest.approx(
        bars.iloc[:, 1].to_numpy(float), rel=1e-3
    )


def test_a_curve_is_there_point_by_point():
    rng = np.random.default_rng(0)
    event = rng.integers(0, 2, 200).astype(float)
    curve = roc(event, rng.random(200))
    found = numbers(discrimination.roc({"Model": curve}))
    assert len(found) > len(np.unique(curve.fpr))


def test_a_chart_from_another_process_gives_the_same_picture():
    figure = chart()
    figure.add_scatter(x=np.array([1.0, 2.0]), y=np.array([3, 4]), error_y={"array": np.array([0.5, 0.5])})
    figure.add_bar(x=np.array([1.0, 2.0]), y=np.array([3, 4]), base=np.array([1.0, 1.0]))
    assert static.to_svg(pickle.loads(pickle.dumps(figure))) == static.to_svg(figure)
    colours = chart()
    colours.add_heatmap(z=np.arange(6.0).reshape(2, 3))
    assert static.to_svg(pickle.loads(pickle.dumps(colours))) == static.to_svg(colours)
