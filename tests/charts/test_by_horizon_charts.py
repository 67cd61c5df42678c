"""Charts of risks by a horizon state their finding, count who is still followed, and stay drawable where nothing is known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from medcore.charts.drawing import theme
from medcore.charts.survival import horizons as charts
from medcore.charts.survival.curves import follow_up, patient_curve
from medcore.evaluation import (
    calibration_curve_at_horizon,
    decision_curve_at_horizon,
    evaluate_at_horizons,
    incidence_by_risk,
)
from medcore.explanation.patient.over_time import PatientCurve
from medcore.i18n import language
from medcore.statistics.survival.censoring import Censoring

HORIZONS = [1.0, 3.0, 5.0]


def patients(n=300, seed=0, last=20.0):
    rng = np.random.default_rng(seed)
    hazard = 0.1 * np.exp(rng.normal(size=n))
    times = np.column_stack(
        [rng.exponential(1 / hazard), rng.exponential(30, n), np.minimum(rng.exponential(12, n), last)]
    )
    return (
        times.min(1),
        np.array([1, 2, 0])[times.argmin(1)],
        np.column_stack([-np.expm1(-hazard * h) for h in HORIZONS]),
    )


def all_charts(duration, event, risk, name="<b>Cox</b>"):
    found = evaluate_at_horizons(duration, event, risk, HORIZONS)
    last = duration, event, risk[:, 2], 5.0
    curve = calibration_curve_at_horizon(*last, n_boot=40)
    return {
        "incidence": charts.incidence_by_risk(incidence_by_risk(*last), when="5 years", unit="years", competing=True),
        "calibration": charts.calibration_at_horizon({name: curve}, {name: found.by(5.0).metrics}, when="5 years"),
        "decision": charts.decision_at_horizon({name: decision_curve_at_horizon(*last)}, when="5 years", threshold=0.3),
        "auroc": charts.auroc_over_time({name: found}, measured_in="years"),
    }


@pytest.mark.parametrize("tongue", ["en", "zh_CN"])
def test_every_chart_states_a_finding_and_has_words_for_who_cannot_see_it(tongue):
    with language(tongue):
        for chart, figure in all_charts(*patients()).items():
            title, _subtitle = theme.headline(figure)
            assert len(title) > 10 and title.rstrip(".。") in theme.alt_text(figure), chart
            assert "<b>Cox" not in json.dumps(figure.to_dict(), default=str), chart


def test_those_still_followed_stand_under_the_curves_of_their_group():
    duration, event, risk = patients()
    curves = incidence_by_risk(duration, event, risk[:, 2], 5.0, ticks=np.array([0.0, 5.0, 10.0]))
    figure = charts.incidence_by_risk(curves, when="5 years", unit="years", competing=True)
    tables = [trace for trace in figure.data if trace.mode == "text"]
    assert [list(t.text) for t in tables] == [[str(n) for n in c.at_risk] for c in curves]
    assert tables[0].text[0] == "75"
    high, low = (f"{100 * c.by_horizon.value:.0f}" for c in (curves[-1], curves[0]))
    assert f"{high} of 100 patients with the highest risks" in theme.headline(figure)[0]
    assert f"{low} of 100 with the lowest" in theme.headline(figure)[0]


def test_the_areas_are_drawn_with_their_intervals():
    duration, event, risk = patients()
    found = evaluate_at_horizons(duration, event, risk, HORIZONS)
    figure = charts.auroc_over_time({"Cox": found}, measured_in="years")
    areas = [h.metrics["auroc"] for h in found.at]
    assert figure.data[0].y == pytest.approx([a.value for a in areas], abs=1e-4)
    assert figure.data[0].error_y.array == pytest.approx([a.high - a.value for a in areas], abs=2e-4)


def test_horizons_are_told_in_a_unit_of_which_they_are_whole_numbers():
    found = evaluate_at_horizons(*patients(), HORIZONS)

    def axis_of(*horizons):
        moved = replace(found, at=tuple(replace(h, horizon=t) for h, t in zip(found.at, horizons, strict=True)))
        return charts.auroc_over_time({"Cox": moved}, measured_in="days").layout.xaxis

    axis = axis_of(30.0, 90.0, 180.0)
    assert (axis.title.text, axis.ticktext) == ("Horizon (days)", ("30", "90", "180"))
    axis = axis_of(365.25, 730.5, 1826.25)
    assert (axis.title.text, axis.ticktext) == ("Horizon (years)", ("1", "2", "5"))
    axis = axis_of(30.0, 90.0, 182.625)
    assert (axis.title.text, axis.ticktext) == ("Horizon", ("30 days", "90 days", "6 months"))


def test_a_horizon_beyond_the_follow_up_is_drawn_without_a_curve():
    charts = all_charts(*patients(last=4.0))
    assert "–" in theme.headline(charts["incidence"])[0]
    assert all(json.dumps(figure.to_json()) for figure in charts.values())


def test_one_risk_for_all_is_one_group():
    duration, event, _risk = patients()
    curves = incidence_by_risk(duration, event, np.full(300, 0.3), 5.0)
    title, _ = theme.headline(charts.incidence_by_risk(curves, when="5 years", unit="years", competing=False))
    assert len(curves) == 1 and title == "Only one group of risk can be told apart"


def test_the_chart_of_follow_up_is_the_reverse_of_kaplan_meier() -> None:
    duration, event = np.array([1.0, 2.0, 3.0, 4.0]) * 12, np.array([0, 1, 0, 0])
    drawn = follow_up(Censoring.of(duration, event), horizons=[24.0], unit="years", per=12.0)
    line = next(trace for trace in drawn.data if trace.mode == "lines")
    assert list(line.x) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert list(line.y) == pytest.approx([1.0, 0.75, 0.75, 0.375, 0.0])
    assert "75 were followed for 2 years" in drawn.layout.title.text.replace("<br>", " ")


def test_a_curve_in_days_is_drawn_in_years_with_its_horizons_in_a_colour_of_the_theme():
    days = np.array([0.0, 365.25, 1826.25])
    shares = dict.fromkeys(("risk", "risk_low", "risk_high", "similar", "low", "high", "everybody"), days / 3000)
    figure = patient_curve(
        PatientCurve(times=days, n_similar=50, **shares), name="death", horizons=[730.5], unit="years", per=365.25
    )
    assert [list(t.x) for t in figure.data if t.name == "This patient"] == [[0.0, 1.0, 5.0]]
    (line,) = figure.layout.shapes
    assert (line.x0, line.line.color) == (2.0, theme.MUTED)
