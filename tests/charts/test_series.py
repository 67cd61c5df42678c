"""A patient's measurements as small lines."""

from itertools import pairwise

import numpy as np
import pytest

from medcore.charts.drawing import static
from medcore.charts.drawing.numbers import numbers
from medcore.charts.patients.series import MOST_IN_ONE, side_by_side, small_lines, when_it_counted
from medcore.data.reading.long.measured import PatientSeries
from medcore.explanation.shapley.results import Contribution, PartContribution


@pytest.mark.parametrize("n", [1, 3])
def test_each_measurement_is_a_line_with_its_name_and_last_value(n):
    found = [
        PatientSeries(f"test {k} <b>", "mmol/L", np.array([0.0, 5.0, 30.0]), np.array([4.0, 4.5, 5.25 + k]))
        for k in range(n)
    ]
    figure = small_lines(found, who="Row 7")
    assert len(figure.data) == n and len(figure.layout.annotations) == n
    assert "5.25" in figure.layout.annotations[0].text and "&lt;b&gt;" in figure.layout.annotations[0].text
    domains = [figure.layout[f"yaxis{k + 1 if k else ''}"].domain for k in range(n)]
    assert all(low < high for low, high in domains) and all(a[0] >= b[1] for a, b in pairwise(domains))
    assert "Hours" in figure.layout.xaxis.title.text and len(numbers(figure)) == 3 * n
    assert static.to_png(figure)


def test_long_times_are_told_in_days():
    figure = small_lines([PatientSeries("bilirubin", "", np.array([0.0, 24 * 365.0]), np.array([1.0, 2.0]))], who="")
    assert "Days" in figure.layout.xaxis.title.text and figure.data[0].x[-1] == 365


def test_the_map_of_when_measurements_counted_has_a_row_for_each_and_names_the_largest():
    cells = np.array([[0.02, 0.03], [0.01, -0.2]])
    columns = [
        Contribution(f"<b> {k}", None, own.sum(), parts=tuple(map(PartContribution, ("0–24 h", "24–48 h"), own)))
        for k, own in enumerate(cells)
    ]
    figure = when_it_counted(columns, scale="probability")
    np.testing.assert_allclose(np.array(figure.data[0].z), 100 * cells)
    assert "24–48 h" in figure.layout.title.text and "&lt;b&gt; 1" in figure.layout.title.text
    assert len(numbers(figure)) == 4 and static.to_png(figure)


def test_many_lines_stand_in_two_charts_of_one_time():
    found = [PatientSeries(f"test {i}", "", np.array([float(i), 30.0 + i]), np.array([1.0, 2.0])) for i in range(13)]
    assert len(side_by_side(found[:MOST_IN_ONE], who="Row 7")) == 1
    left, right = side_by_side(found, who="Row 7")
    assert [len(chart.data) for chart in (left, right)] == [7, 6]
    assert left.layout.xaxis.range == right.layout.xaxis.range
    assert left.layout.xaxis.range[0] < 0 and left.layout.xaxis.range[1] > 42
