import numpy as np
import pytest

from medcore.charts.stability import MOST_POINTS, calibration_instability, risk_instability
from medcore.explanation.patient.wording import Measure
from medcore.models.run.stability import Corrected, Stability


@pytest.fixture
def stable():
    risk = np.linspace(0.01, 0.99, 1000)
    curve = (np.array([0.1, 0.9]), np.array([0.2, 0.8]))
    figures = {"calibration_slope": Corrected(1.2, 0.35, 0.02)}
    low, high, error = risk * 0.8, 1 - 0.8 * (1 - risk), np.full(1000, 0.034)
    return Stability(n_refits=20, figures=figures, risk=risk, low=low, high=high, error=error, curves=(curve,) * 20)


def test_the_headline_says_how_far_refits_are_from_the_model(stable):
    assert "3.4 percentage points" in risk_instability(stable).layout.title.text


def test_bars_join_the_bounds_of_a_patient_and_a_page_stays_light(stable):
    bars = risk_instability(stable).data[-1]
    assert len(bars.x) == 3 * MOST_POINTS
    assert bars.x[0] == bars.x[1]
    assert (bars.y[0], bars.y[1]) == pytest.approx((stable.low[0], stable.high[0]), abs=1e-4)


def test_every_refit_has_its_curve_and_the_headline_the_corrected_slope(stable):
    chart = calibration_instability(stable)
    assert len(chart.data) == 21
    assert "0.85" in chart.layout.title.text


def test_of_a_number_they_speak_its_unit_and_their_axes_are_no_shares(stable):
    days = Measure("Length of stay", "days", 4.0)
    chart, calibration = risk_instability(stable, measure=days), calibration_instability(stable, measure=days)
    assert "0.03 days" in chart.layout.title.text and "%" not in chart.data[-1].hovertemplate.replace("%{", "")
    assert chart.layout.yaxis.tickformat is None and calibration.layout.xaxis.tickformat is None
    assert calibration.data[0].x.tolist() == pytest.approx([0.1, 0.9])
