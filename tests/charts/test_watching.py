"""Charts of a model in use say in their title what they show, and draw nothing that is not in the result."""

from dataclasses import replace

import numpy as np
import pytest

from medcore.charts.drawing.theme import alt_text, headline
from medcore.charts.watching import AXES, control_chart, cusum_chart, expected_chart
from medcore.monitoring.chart import FIGURES
from medcore.monitoring.watch import Watch, WatchPlan, watch
from medcore.monitoring.watched import WatchedPlace
from tests.monitoring.years import month_of, with_odds, year

MONTHS = [f"2025-{m:02d}" for m in range(1, 13)]


@pytest.fixture(scope="module")
def found() -> Watch:
    made = year(0, 6_000)
    return watch(with_odds(made, month_of(made) == 8, 3.0), WatchPlan(threshold=0.2))


def test_a_month_beyond_its_limits_is_named_and_marked(found: Watch) -> None:
    chart = found.chart("calibration_intercept")
    assert chart is not None
    figure = control_chart(chart, MONTHS)
    assert headline(figure)[0] == "Calibration in the large: beyond its limits in 2025-08"
    assert "chance alone passes a limit in" in headline(figure)[1]
    assert figure.data[-1].marker.symbol[7] == "diamond"
    assert figure.data[-1].marker.symbol[0] == "circle-open"
    assert "2025-08" in alt_text(figure)


def test_a_month_far_out_leaves_the_others_apart_and_keeps_its_value(found: Watch) -> None:
    chart = found.chart("calibration_intercept")
    assert chart is not None
    value = chart.value.copy()
    value[7] = -40.0
    figure = control_chart(replace(chart, value=value), MONTHS)
    assert min(figure.data[-1].y) > -4
    assert figure.data[-1].customdata[7][0] == "−40"


def test_every_figure_can_be_drawn(found: Watch) -> None:
    drawn = {c.figure for c in found.charts if control_chart(c, MONTHS).layout.yaxis.title.text}
    assert drawn == {c.figure for c in found.charts}
    assert set(AXES) == {name for name in FIGURES if not name.startswith("cusum")}


def test_cusums_run_up_and_down_from_the_first_judged_month(found: Watch) -> None:
    both = [one for one in found.running if one.place == WatchedPlace()]
    figure = cusum_chart(both, MONTHS)
    assert "alarms in 2025-08" in headline(figure)[0]
    more, fewer = (trace for trace in figure.data if trace.mode == "lines" and trace.customdata is not None)
    assert (np.array(more.y) >= 0).all()
    assert (np.array(fewer.y) <= 0).all()
    assert 2.4 < more.x[0] < 2.6


def test_the_expected_auroc_is_called_an_estimate(found: Watch) -> None:
    figure = expected_chart(found.expected[0], found.chart("auroc"), MONTHS)
    assert "an estimate" in headline(figure)[0]
    assert [trace.name for trace in figure.data] == ["Expected from the risks", "Came true"]
