"""The target alone knows how many classes there are."""

import re
from pathlib import Path

import numpy as np

from medcore.targets import Target

ROOT = Path(__file__).parents[2]
COUNTED = re.compile(r"len\(([\w.]*classes)\) *(==|!=|>|<)|n_classes *(==|!=|>|<)")


def test_with_two_classes_the_last_is_the_event_and_a_threshold_decides() -> None:
    target = Target.of(["alive", "died"])
    assert (target.event, target.many, target.n_scores, target.in_question(0)) == (1, False, 1, 1)
    risk = np.array([[0.7, 0.3], [0.2, 0.8]])
    assert target.called(risk, 0.3).tolist() == [1, 1]
    assert target.called(risk, 0.31).tolist() == [0, 1]


def test_with_more_every_class_is_told_and_the_likeliest_is_called() -> None:
    target = Target.of(["a", "b", "c"])
    assert (target.event, target.many, target.told, target.in_question(2)) == (None, True, (0, 1, 2), 2)
    assert target.called(np.array([[0.2, 0.5, 0.3]]), 0.9).tolist() == [1]


def test_nobody_else_counts_the_classes() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("medcore", "pages")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "targets" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
        if COUNTED.search(line)
    ]
    assert found == []
