"""The theme's colours are readable and tell classes apart, and its texts are harmless."""

import itertools
import json
import sys

import numpy as np
import pytest

from medcore.charts.drawing import theme

DATA_COLOURS = {theme.PRIMARY, theme.SECONDARY, theme.POSITIVE, theme.NEGATIVE, theme.MUTED} | {
    theme.class_colour(i) for i in range(8)
}
# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def linear_rgb(colour: str) -> np.ndarray:
    channel = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    weights = np.array([0.2126, 0.7152, 0.0722])
    light, dark = sorted((float(linear_rgb(c) @ weights) for c in (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = matrix @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("page", [theme.LIGHT_PAGE, theme.DARK_PAGE])
@pytest.mark.parametrize("colour", sorted(DATA_COLOURS))
def test_every_data_colour_stands_out_from_both_pages(colour, page):
    assert contrast(colour, page) >= 3.0


@pytest.mark.parametrize(("ink", "page"), [(theme.LIGHT_INK, theme.LIGHT_PAGE), (theme.DARK_INK, theme.DARK_PAGE)])
def test_text_is_readable_on_its_page(ink, page):
    assert contrast(ink, page) >= 7.0


def test_neutral_ink_is_readable_where_the_page_is_unknown():
    assert min(contrast(theme.INK, p) for p in (theme.LIGHT_PAGE, theme.DARK_PAGE)) >= 4.0


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_first_six_classes_stay_apart(sight):
    seen = [lab(SIGHTS[sight] @ linear_rgb(theme.class_colour(i))) for i in range(6)]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) >= 20
    raised, lowered = (lab(SIGHTS[sight] @ linear_rgb(c)) for c in (theme.POSITIVE, theme.NEGATIVE))
    assert np.linalg.norm(raised - lowered) >= 30


def test_dashes_repeat_with_another_period_than_colours():
    pairs = [(theme.class_colour(i), theme.class_dash(i)) for i in range(24)]
    assert len(set(pairs)) == 24


HOSTILE = '<a href="https://evil.example">x</a>\n<b>$\\alpha$ %{y}‮'


def test_escaped_text_holds_no_markup_link_formula_or_control():
    text = theme.escape(HOSTILE)
    assert not any(mark in text for mark in ("<", ">", "$", "%{", "\n", "\u202e"))


def test_long_names_are_cut_before_they_are_escaped():
    assert theme.escape("<" * 100, limit=10) == "&lt;" * 9 + "…"


def figure():
    return theme.new_figure(title="A finding", x_title="Risk (%)", y_title="Patients", alt="Bars", subtitle="All")


def test_a_link_that_slipped_into_a_figure_is_disarmed_on_the_page():
    chart = figure().add_bar(x=["<A HREF='https://evil.example'>x</A>"], y=[1], hovertext=np.array(["< a href=1>"]))
    text = json.dumps(theme.on_page(chart, dark=False).to_plotly_json()["data"], default=str).lower()
    assert "<a" not in text
    assert "< a" not in text
    assert "&lt;a" in text


def test_alt_text_and_headline_are_kept():
    for chart in (figure(), theme.on_page(figure(), dark=True, titled=False)):
        assert theme.alt_text(chart) == "Bars"
        assert theme.headline(chart) == ("A finding", "All")


def test_the_page_sets_ink_and_place_and_leaves_the_original():
    chart = figure()
    drawn = theme.on_page(chart, dark=True, key="train.loss", titled=False)
    assert drawn.layout.template.layout.font.color == theme.DARK_INK
    assert drawn.layout.uirevision == "train.loss"
    assert drawn.layout.title.text is None
    assert chart.layout.title.text == "A finding"
    assert chart.layout.template.layout.font.color == theme.INK


def test_long_titles_break_between_words_and_between_wide_characters():
    chart = theme.new_figure(title="word " * 40, x_title="", y_title="", alt="")
    assert all(len(line) <= 92 for line in chart.layout.title.text.split("<br>"))
    chart = theme.new_figure(title="校准" * 40, x_title="", y_title="", alt="")
    assert all(len(line) <= 46 for line in chart.layout.title.text.split("<br>"))
    assert chart.layout.title.text.replace("<br>", "") == "校准" * 40


def test_a_chart_that_nobody_sees_imports_what_the_first_one_would_wait_for():
    theme.draw_once()
    assert {"plotly.graph_objs._scatter", "plotly.graph_objs._bar"} <= set(sys.modules)
