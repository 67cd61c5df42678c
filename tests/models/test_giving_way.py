"""Work that nobody waits for stands still while somebody waits for another answer of the same worker."""

import threading
from contextvars import copy_context

import numpy as np
import pytest

from medcore.jobs.cluster.answer import answer
from medcore.models.contract import giving_way


def work(done):
    """Count steps, giving way before each."""
    while len(done) < 3:
        giving_way.give_way()
        done.append(len(done))
    return len(done)


@pytest.fixture
def long_patience(monkeypatch):
    monkeypatch.setattr(giving_way, "MOST_SECONDS", 60.0)


def test_what_nobody_waits_for_goes_on_when_the_question_is_answered(long_patience):
    done, ended = [], threading.Event()

    def asked():
        answer(work, (done,), {}, urgent=False)
        ended.set()

    with giving_way.waited_for():
        thread = threading.Thread(target=asked)
        thread.start()
        assert not ended.wait(0.1) and not done
    assert ended.wait(30) and done == [0, 1, 2]
    thread.join()


def test_a_question_that_somebody_waits_for_gives_way_to_none(long_patience):
    with giving_way.waited_for():
        assert answer(work, ([],), {}) == (3, None)


def test_it_does_not_stand_still_for_ever(monkeypatch):
    monkeypatch.setattr(giving_way, "MOST_SECONDS", 0.001)
    with giving_way.waited_for():
        assert answer(work, ([],), {}, urgent=False) == (3, None)


def test_the_threads_of_a_table_give_way_as_their_question_does(long_patience, monkeypatch):
    from medcore.explanation.model.tables import _side_by_side

    seen = []
    monkeypatch.setattr(giving_way, "give_way", lambda: seen.append(giving_way._nobody_waits.get()))
    with giving_way.nobody_waits():
        _side_by_side(lambda row: giving_way.give_way(), np.zeros((3, 1)), None)
    assert seen == [True] * 3
    assert not copy_context().run(giving_way._nobody_waits.get)
