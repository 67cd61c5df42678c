"""The chart of a patient's course."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from medcore.charts.drawing import theme
from medcore.charts.drawing.numbers import numbers
from medcore.charts.drawing.static import to_png
from medcore.charts.patients.course import course
from medcore.explanation.patient.wording import RISK, Measure

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


def drawn(risks, *, threshold=0.3, measure=RISK, versions=None):
    moments = [MONDAY + timedelta(days=7 * i) for i in range(len(risks))]
    versions = versions or [1] * len(risks)
    return course(moments, risks, versions, name="Sepsis", measure=measure, threshold=threshold)


@pytest.mark.parametrize(
    ("risks", "said"),
    [
        ([0.2, 0.5], "Sepsis rose across the threshold, from 20.0% to 50.0% in 7 days"),
        ([0.5, 0.2], "Sepsis fell across the threshold, from 50.0% to 20.0% in 7 days"),
        ([0.1, 0.2], "Sepsis rose from 10.0% to 20.0% in 7 days"),
        ([0.5, 0.4], "Sepsis fell from 50.0% to 40.0% in 7 days"),
        ([0.4, 0.4], "Sepsis stayed at 40.0% over 7 days"),
        ([0.4], "Sepsis: 40.0% at the one visit"),
    ],
)
def test_its_title_says_what_happened(risks, said):
    figure = drawn(risks)
    assert theme.headline(figure)[0] == said
    assert said in theme.alt_text(figure)


@pytest.mark.parametrize(
    ("between", "said"),
    [
        (timedelta(seconds=1), "less than two hours"),
        (timedelta(hours=5), "5 hours"),
        (timedelta(days=3), "3 days"),
        (timedelta(days=400), "400 days"),
    ],
)
def test_its_title_says_how_long_it_was_as_people_do(between, said):
    figure = course([MONDAY, MONDAY + between], [0.1, 0.2], [1, 1], name="Sepsis", measure=RISK, threshold=None)
    assert theme.headline(figure)[0] == f"Sepsis rose from 10.0% to 20.0% in {said}"


def test_it_has_the_threshold_units_and_days_and_can_be_printed():
    figure = drawn([0.2, 0.5, 0.6], versions=[1, 1, 2])
    (line,) = [t for t in figure.data if t.name == "Threshold 30.0%"]
    assert set(line.y) == {30}
    assert figure.layout.yaxis.title.text == "Sepsis (%)"
    assert list(figure.layout.xaxis.ticktext) == ["2026-03-02", "2026-03-09", "2026-03-16"]
    assert [t.name for t in figure.data if t.mode == "markers"] == ["Version 1", "Version 2"]
    assert len(numbers(figure)) == 3 + 3 + 2
    assert to_png(figure).startswith(b"\x89PNG")


def test_a_number_has_its_unit_and_no_threshold():
    figure = drawn([120.0, 131.0], threshold=None, measure=Measure("Heart rate", "/min", 20.0))
    assert theme.headline(figure)[0] == "Sepsis rose from 120 /min to 131 /min in 7 days"
    assert figure.layout.yaxis.title.text == "Sepsis (/min)"


def test_visits_of_one_minute_are_drawn_apart_and_named_once_where_they_are_near():
    moments = [MONDAY + timedelta(seconds=second) for second in (0, 1, 2, 60)]
    figure = course(moments, [0.1, 0.2, 0.2, 0.3], [1] * 4, name="Sepsis", measure=RISK, threshold=0.3)
    low, high = figure.layout.xaxis.range
    (threshold,) = [t for t in figure.data if t.name == "Threshold 30.0%"]
    (line,) = [t for t in figure.data if t.name == "Predicted"]
    assert list(threshold.x) == [low, high] and max(line.x) - min(line.x) > 0.8 * (high - low)
    assert list(figure.layout.xaxis.ticktext) == ["2026-03-02 08:00", "2026-03-02 08:01"]
