from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from medcore.ui.kit.frame import turns
from medcore.ui.kit.frame.turns import turn, turn_passed_on


@pytest.fixture(autouse=True)
def endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 60.0)


def test_one_page_is_drawn_at_a_time() -> None:
    at_work, most = [], []

    def draw(page: int) -> None:
        with turn():
            at_work.append(page)
            with turn():  # a part of the page
                most.append(len(at_work))
            at_work.remove(page)

    with ThreadPoolExecutor(8) as people:
        list(people.map(draw, range(200)))
    assert most == [1] * 200


def test_a_page_that_waits_lets_others_be_drawn() -> None:
    drawn = Event()

    def other() -> None:
        with turn():
            drawn.set()

    with ThreadPoolExecutor(1) as people, turn(), turn_passed_on():
        people.submit(other)
        assert drawn.wait(60)


def test_a_page_that_ends_early_gives_its_turn_back() -> None:
    def fail() -> None:
        with turn(), turn_passed_on():
            raise KeyError

    def draw() -> int:
        with turn():
            return 1

    with ThreadPoolExecutor(1) as people:
        with pytest.raises(KeyError):
            fail()
        assert people.submit(draw).result(60) == 1


def test_nobody_waits_for_ever_for_a_page_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)

    def other() -> int:
        with turn(), turn_passed_on():
            return 1

    with ThreadPoolExecutor(1) as people, turn():
        assert people.submit(other).result(60) == 1
        assert turns._mine.held
