"""The waterfall says what the explanation says, and its texts are harmless."""

import numpy as np
import pytest

from medcore.charts.drawing import theme
from medcore.charts.patients import explanation as charts
from medcore.charts.patients import what_if
from medcore.explanation.patient.changes.what_if import WhatIfCurve, WhatIfMap
from medcore.explanation.patient.wording import Measure
from medcore.explanation.shapley.results import Contribution, Explanation


def explained(*changes, scale="probability", errors=0.0, names=None):
    names = names or [f"column {i}" for i in range(len(changes))]
    contributions = tuple(Contribution(n, "1", c, errors, "mg") for n, c in zip(names, changes, strict=True))
    return Explanation(
        prediction=0.3 + sum(changes),
        base_value=0.3,
        scale=scale,
        contributions=contributions,
        additivity_residual=0.0,
        method="sampled" if errors else "exact",
        n_background=100,
        n_evaluations=10,
        seconds=0.1,
        class_name="yes",
    )


def bars(figure):
    return next(t for t in figure.data if t.type == "bar")


def test_bars_lead_from_the_average_to_the_patient():
    found = bars(charts.waterfall(explained(0.1, -0.05, 0.2)))
    assert found.base[0] == pytest.approx(30)
    ends = np.array(found.base) + np.array(found.x)
    np.testing.assert_allclose(found.base[1:], ends[:-1])
    assert ends[-1] == pytest.approx(55)


def test_the_largest_come_first_and_others_are_folded_into_one():
    changes = [0.01 * (i + 1) for i in range(12)]
    found = bars(charts.waterfall(explained(*changes), n_shown=5))
    np.testing.assert_allclose(found.x, [12, 11, 10, 9, 8, sum(range(1, 8))])
    everything = bars(charts.waterfall(explained(*changes), n_shown=12))
    assert len(everything.x) == 12


def test_raising_and_lowering_differ_in_colour_and_sign():
    found = bars(charts.waterfall(explained(0.1, -0.05)))
    assert list(found.marker.color) == [theme.POSITIVE, theme.NEGATIVE]
    assert [c[1] for c in found.customdata] == ["+10.0", "−5.0"]


def test_figures_stand_beyond_the_error_bars():
    figure = charts.waterfall(explained(0.1, -0.05, errors=0.01))
    texts = next(t for t in figure.select_traces({"type": "scatter"}) if t.mode == "text")
    found = bars(figure)
    ends = np.asarray(found.base) + np.asarray(found.x)
    np.testing.assert_allclose(texts.x, ends + np.sign(found.x) * np.asarray(found.error_x.array))
    assert list(texts.textposition) == ["middle right", "middle left"]


def test_error_bars_are_95_percent_and_only_for_sampled_values():
    found = bars(charts.waterfall(explained(0.1, 0.05, errors=0.01)))
    assert found.error_x.array[0] == pytest.approx(1.96)
    assert found.error_x.visible
    assert not bars(charts.waterfall(explained(0.1, 0.05))).error_x.visible


def test_hostile_names_are_escaped():
    figure = charts.waterfall(explained(0.1, names=['<a href="https://x.org">age</a>']))
    assert "<a" not in figure.to_json()
    assert "<a" not in theme.alt_text(figure)


def test_the_axis_never_promises_more_than_100_percent():
    figure = charts.waterfall(explained(0.4, 0.29))
    assert max(figure.layout.xaxis.tickvals) <= 100


def test_log_odds_are_not_per_cent():
    figure = charts.waterfall(explained(0.4, scale="log_odds"))
    assert bars(figure).x[0] == pytest.approx(0.4)
    assert "%" not in figure.layout.xaxis.title.text


def test_a_patient_without_contributions_is_drawn():
    figure = charts.waterfall(explained(0.0, 0.0))
    assert list(figure.layout.yaxis.ticktext)[-1] == "This patient"


def test_a_curve_marks_the_patients_own_value():
    curve = WhatIfCurve(
        column="age",
        values=tuple(float(v) for v in range(40, 80)),
        risk=np.linspace(0.1, 0.6, 40),
        support=np.ones(40) / 40,
        current=50.0,
        current_risk=0.23,
        unit="years",
    )
    figure = what_if.what_if_curve(curve, threshold=0.5)
    own = next(t for t in figure.data if t.name == "This patient")
    assert (own.x[0], own.y[0]) == (50.0, pytest.approx(23))
    assert "years" in figure.layout.xaxis.title.text


def test_a_category_without_own_value_is_drawn():
    curve = WhatIfCurve(
        column="<b>x</b>",
        values=("a", "<i>b</i>"),
        risk=np.array([0.1, 0.2]),
        support=np.zeros(2),
        current=None,
        current_risk=0.1,
    )
    figure = what_if.what_if_curve(curve)
    assert "<i>" not in figure.to_json()
    assert all(t.name != "This patient" for t in figure.data)


def test_a_map_is_empty_where_nobody_is():
    found = WhatIfMap(
        x_column="age",
        y_column="bp",
        x_values=(1.0, 2.0),
        y_values=(3.0, 4.0),
        risk=np.array([[0.1, 0.2], [0.3, 0.4]]),
        near=np.array([[True, False], [True, True]]),
        current=(1.0, 3.0),
    )
    z = np.array(what_if.what_if_map(found).data[0].z, dtype=float)
    assert np.isnan(z[0, 1])
    assert z[1, 1] == pytest.approx(40)


def test_a_predicted_number_is_drawn_in_its_unit_and_not_from_zero():
    measure = Measure("Heart rate", "/min", 20.0)
    curve = WhatIfCurve(
        column="age",
        values=tuple(float(v) for v in range(30, 60)),
        risk=np.linspace(150.0, 130.0, 30),
        support=np.ones(30) / 30,
        current=40.0,
        current_risk=143.0,
    )
    figure = what_if.what_if_curve(curve, threshold=140.0, measure=measure)
    low, high = figure.layout.yaxis.range
    assert 100 < low < 130 < 150 < high < 180
    assert "Heart rate is predicted from 130 /min to 150 /min" in figure.layout.title.text
    assert min(np.min(trace.y) for trace in figure.data) >= low
    found = WhatIfMap(
        x_column="age",
        y_column="bmi",
        x_values=(30.0, 40.0),
        y_values=(20.0, 30.0),
        risk=np.array([[150.0, 140.0], [145.0, 135.0]]),
        near=np.ones((2, 2), dtype=bool),
        current=(30.0, 20.0),
    )
    heat = what_if.what_if_map(found, measure=measure).data[0]
    assert heat.zmax is None and np.nanmax(heat.z) == 150.0
