"""Work over a second says how long it takes and can be stopped; what is quick is simply there."""

from __future__ import annotations

import re
import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from medcore import jobs
from medcore.errors import WorkerError
from medcore.ui.kit.shown import waiting

go = threading.Event()
asked = []
number = 0
"""Of the test: sessions of tests share what is kept of a session."""


def work(task):
    """Wait until told to go on, or to stop."""
    asked.append(task)
    with task.stop.ends(go.set):
        task.tell(0.25)
        go.wait(20)
        if task.stop.asked:
            raise WorkerError("the work was ended in its midst")
    return 42


@pytest.fixture
def app(monkeypatch):
    global number
    number += 1
    go.clear()
    asked.clear()
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("medcore.ui.kit.shown.fragments.still_in", lambda touch: True)

    def page():
        import streamlit as st

        from medcore.ui.kit import links
        from medcore.ui.kit.shown.waiting import waited
        from tests.ui import test_waiting as test

        links.begin("patient")
        found = waited(test.work, "tried", test.number, key="page.work", doing="It is computed.")
        if found is not None:
            st.write(f"found {found}")
            links.keep("part", links.asked("part", "why") or "", "why")
        links.finish()

    test = AppTest.from_function(page, default_timeout=180)
    test.query_params["part"], test.query_params["nonsense"] = "similar", "1"
    yield test.run()
    go.set()


def ended(app):
    """Wait until the work has ended, and look at the page."""
    latest = time.monotonic() + 120
    while not asked[-1].done and time.monotonic() < latest:
        time.sleep(0.01)
    return app.run()


def shown(app):
    return [*(e.value for e in app.markdown), *(e.proto.body for e in app.get("html"))]


def test_it_says_how_far_it_is_and_shows_what_was_found(app):
    (bar,) = app.get("progress")
    assert "It is computed." in bar.proto.text and "so far; time left: " in bar.proto.text
    assert bar.proto.value == 25
    go.set()
    ended(app)
    assert "found 42" in shown(app)
    assert len(asked) == 1


def test_the_address_is_left_as_it_is_while_a_page_waits_and_is_put_right_afterwards(app):
    assert set(app.query_params) == {"part", "nonsense"}
    go.set()
    assert set(ended(app).query_params) == {"part"}


def test_it_is_stopped_and_begun_again(app):
    app.button(key="page.work.stop").click().run()
    ended(app)
    assert any("Stopped as you asked" in text for text in shown(app))
    go.clear()
    app.button(key="page.work.again").click().run()
    assert app.get("progress") and len(asked) == 2
    go.set()
    ended(app)
    assert "found 42" in shown(app)


def test_work_of_a_worker_that_starts_says_so_and_when_it_is_ready(app, monkeypatch):
    monkeypatch.setattr(jobs, "worker_status", lambda _settings: jobs.WorkerStatus("starting", left=7.0))
    app.run()
    assert "gets ready" not in app.get("progress")[0].proto.text  # no worker was asked
    asked[-1].stop.of_worker = True
    app.run()
    said = app.get("progress")[0].proto.text
    assert "First the part of medcore that computes gets ready." in said
    assert re.search(r"time left: ([78]) s", said)  # and as long as such work takes, which here is no second


def test_an_error_is_raised_and_the_next_look_tries_anew(app, monkeypatch):
    def fails(task):
        asked.append(task)
        raise WorkerError("It did not work")

    monkeypatch.setattr("tests.ui.test_waiting.work", fails)
    app.button(key="page.work.stop").click().run()
    ended(app)
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 20)
    app.button(key="page.work.again").click().run()
    app.run()
    assert app.exception and len(asked) == 3
