import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from medcore.jobs.logs import keep_values_out_of_logs, place_of


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What a logger of somebody else's library writes in a process of ours."""
    monkeypatch.delenv("MEDCORE_DEBUG", raising=False)
    before = logging.getLogRecordFactory()
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    other = logging.getLogger("somebody.elses.library")
    other.addHandler(handler)
    yield stream
    other.removeHandler(handler)
    logging.setLogRecordFactory(before)


def stumble() -> None:
    float("Mrs Miller, 1948")


@pytest.mark.parametrize("way", ["exception", "error with the error in it"])
def test_a_library_that_logs_an_error_names_its_kind_and_place_and_no_value(log: StringIO, way: str) -> None:
    keep_values_out_of_logs()
    keep_values_out_of_logs()
    other = logging.getLogger("somebody.elses.library")
    try:
        stumble()
    except ValueError as error:
        if way == "exception":
            other.exception("Uncaught app execution, 100%% of %s", "it")
        else:
            other.error("Failed: %s", error)
    assert "Miller" not in log.getvalue()
    assert "ValueError at test_logs.py" in log.getvalue()
    assert "stumble" in log.getvalue()
    assert "%%" not in log.getvalue()


def test_a_message_without_an_error_is_left_as_it_is(log: StringIO) -> None:
    keep_values_out_of_logs()
    logging.getLogger("somebody.elses.library").warning("%d rows at 100%%", 12)
    assert log.getvalue() == "12 rows at 100%\n"


def test_an_error_that_was_never_raised_has_a_kind_only() -> None:
    assert place_of(KeyError("Miller")) == "KeyError"
