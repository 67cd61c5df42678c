"""Labels of two lines in a chart on paper: they keep off each other, however narrow the picture."""

from itertools import pairwise

import pytest

from medcore.charts.drawing.static import WIDTH_INCHES, _picture
from medcore.charts.patients.explanation import waterfall
from medcore.explanation.shapley.results import Contribution, Explanation

NAMES = ("静息心电图结果（由两名心脏科医生独立判读）", "Chest_pain_type_according_to_the_physician", "age")


def explanation() -> Explanation:
    contributions = tuple(
        Contribution(f"{name} {i}", "左心室肥厚（按标准可能或确定）", 0.05 - 0.01 * i, 0.001, None)
        for i, name in enumerate(NAMES * 2)
    )
    return Explanation(
        prediction=0.3 + sum(c.contribution for c in contributions),
        base_value=0.3,
        scale="probability",
        contributions=contributions,
        additivity_residual=0.0,
        method="exact",
        n_background=100,
        n_evaluations=64,
        seconds=0.1,
        class_name="1",
    )


@pytest.mark.parametrize("width", [WIDTH_INCHES, 5.6, 4.48])
def test_labels_of_a_waterfall_do_not_meet(width) -> None:
    picture = _picture(waterfall(explanation(), n_shown=6), width)
    (panel,) = picture.axes
    boxes = sorted((t.get_window_extent() for t in panel.get_yticklabels() if t.get_text()), key=lambda box: box.y0)
    assert len(boxes) >= 7
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))


def test_the_two_lines_of_a_label_keep_off_each_other() -> None:
    """A Chinese letter is as high as the font's size; the line below must begin under it."""
    picture = _picture(waterfall(explanation(), n_shown=6), 4.48)
    labels = [t for t in picture.axes[0].get_yticklabels() if "\n" in t.get_text()]
    assert labels
    for label in labels:
        size = label.get_fontsize() * picture.dpi / 72
        assert label.get_window_extent().height > 2.4 * size
