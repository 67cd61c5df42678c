"""Marks lie over a chart where they would be drawn into it."""

import numpy as np
import pytest

from medcore.charts import discrimination, utility
from medcore.charts.drawing.marks import LEFT, RIGHT, TOP, Frame, Mark, framed
from medcore.evaluation import decision_curve, roc


@pytest.fixture
def curves():
    rng = np.random.default_rng(2)
    y = rng.random(300) < 0.4
    risk = np.clip(0.4 * y + 0.6 * rng.random(300), 0, 1)
    return {"Network": roc(y.astype(float), risk)}, {"Network": decision_curve(y.astype(float), risk)}


def test_the_frame_is_fixed_whatever_the_data(curves):
    for figure in (discrimination.roc(curves[0]), utility.decision_curve(curves[1])):
        fixed = framed(figure)
        margin = fixed.layout.margin
        assert (margin.l, margin.r, margin.t, margin.autoexpand) == (LEFT, RIGHT, TOP, False)
        assert fixed.layout.xaxis.fixedrange and not fixed.layout.yaxis.automargin
        assert figure.layout.margin.l is None


def test_places_follow_from_ranges_and_margins(curves):
    frame = Frame.of(framed(discrimination.roc(curves[0])))
    assert frame.across(-0.01) == 0 and frame.across(1.01) == 1
    assert frame.down(1.01) == pytest.approx(TOP)
    assert frame.down(-0.01) == pytest.approx(frame.height - frame.bottom)


def test_marks_on_the_page_are_those_drawn_into_a_report(curves):
    figure = discrimination.roc(curves[0], threshold=0.5)
    drawn = [(t.x[0], t.y[0]) for t in figure.data if t.mode == "markers"]
    found = discrimination.roc_marks(curves[0], 0.5)
    assert drawn == [(m.x, m.y) for m in found]
    curve = next(iter(curves[0].values()))
    at = np.flatnonzero(curve.thresholds >= 0.5)[-1]
    assert found == [Mark(float(curve.fpr[at]), float(curve.tpr[at]), 0)]


def test_a_longer_legend_below_the_plot_has_more_room():
    rng = np.random.default_rng(0)
    y = (rng.random(50) < 0.5).astype(float)

    def below(names):
        figure = discrimination.roc({name: roc(y, rng.random(50)) for name in names})
        return framed(figure.update_layout(legend={"orientation": "h", "yanchor": "top", "y": -0.22}))

    one, many = below(["A"]), below([f"model with a long name {i}" for i in range(4)])
    assert many.layout.margin.b > one.layout.margin.b
    assert many.layout.height - many.layout.margin.b == one.layout.height - one.layout.margin.b


def test_a_legend_inside_the_plot_takes_no_room_below_it(curves):
    figure = discrimination.roc(curves[0])
    assert 0 < figure.layout.legend.y < 1
    assert framed(figure).layout.margin.b < framed(figure.update_layout(legend={"y": -0.22})).layout.margin.b
