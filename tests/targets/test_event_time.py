"""An event with a time asks for one risk, whatever competes with it."""

import numpy as np

from medcore.targets import EventTime, Target


def test_one_event_is_in_question_even_where_others_compete() -> None:
    target = EventTime(3, horizons=(365.0, 730.0), main=730.0)
    assert (target.event, target.told, target.n_causes, target.many, target.n_scores) == (1, (1,), 2, False, 1)
    assert target.in_question(0) == 1
    assert Target(3).event is None


def test_a_threshold_decides_about_the_event_in_question() -> None:
    risk = np.array([[0.5, 0.2, 0.3], [0.3, 0.6, 0.1]])
    assert EventTime(3, horizons=(1.0,), main=1.0).called(risk, 0.3).tolist() == [0, 1]
