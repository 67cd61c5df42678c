"""The learning curve's charts show the numbers and their finding."""

import pytest

from medcore.charts.drawing import theme
from medcore.charts.model.learning import learning_auroc, learning_loss
from medcore.evaluation import Estimate
from medcore.models.run.learning import LearningCurve, LearningGain, LearningPoint


def made(*models: str) -> LearningCurve:
    def estimate(value: float) -> Estimate:
        return Estimate(value, value - 0.05, value + 0.05, "normal")

    points = [
        LearningPoint(m, n, estimate(0.7 + n / 1000), estimate(0.6 - n / 1000)) for m in models for n in (20, 100)
    ]
    return LearningCurve(tuple(points), tuple(LearningGain(m, 50, 100, 0.02, 0.01, 0.03) for m in models))


def test_the_loss_is_drawn_with_its_interval_under_the_finding():
    figure = learning_loss(made("logistic"))
    (line,) = figure.data
    assert list(line.x) == [20, 100]
    assert line.y == pytest.approx([0.58, 0.5])
    assert line.error_y.array == pytest.approx([0.05, 0.05])
    assert "More patients would probably help" in figure.layout.meta["title"]
    assert "0.500 with 100" in theme.alt_text(figure)


def test_each_model_has_a_line_by_its_name():
    figure = learning_auroc(made("logistic", "boosting"), name=str.upper)
    assert [line.name for line in figure.data] == ["LOGISTIC", "BOOSTING"]
    assert "BOOSTING" in theme.alt_text(figure)
