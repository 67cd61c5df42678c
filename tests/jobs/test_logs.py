import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from medcore.jobs.cluster.answer import answer
from medcore.jobs.logs import keep_values_out_of_logs, note, place_of, write_json_lines


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


@pytest.fixture
def json_lines(log: StringIO) -> Iterator[StringIO]:
    """Logs as JSON lines, and every formatter and level as it was afterwards."""
    loggers = [
        logging.getLogger(),
        *(o for o in logging.Logger.manager.loggerDict.values() if isinstance(o, logging.Logger)),
    ]
    handlers = [(handler, handler.formatter) for one in loggers for handler in one.handlers]
    added, ours, level = logging.StreamHandler(log), logging.getLogger("medcore"), logging.getLogger("medcore").level
    ours.addHandler(added)
    write_json_lines()
    yield log
    ours.removeHandler(added)
    ours.setLevel(level)
    for handler, formatter in handlers:
        handler.setFormatter(formatter)


def test_json_lines_tell_what_happened_and_hold_no_value_of_an_error(json_lines: StringIO) -> None:
    keep_values_out_of_logs()
    note("run begun", run="ab12", attempt=2)
    try:
        stumble()
    except ValueError:
        logging.getLogger("somebody.elses.library").exception("It failed")
    begun, failed = map(json.loads, json_lines.getvalue().splitlines())
    assert (begun["message"], begun["run"], begun["attempt"], begun["level"]) == ("run begun", "ab12", 2, "info")
    assert failed["message"].startswith("It failed (ValueError at test_logs.py")
    assert "Miller" not in json_lines.getvalue()


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


def test_a_question_that_met_another_thread_in_the_parser_is_asked_once_more() -> None:
    """Another library's thread in the parser at the same moment is no fault of the question (CPython issue 106905)."""
    asked: list[str] = []

    def work(words: str, times: int) -> int:
        asked.append(words)
        if len(asked) <= times:
            raise SystemError(words)
        return len(asked)

    by_chance = "AST constructor recursion depth mismatch (before=17, after=14)"
    assert answer(work, (by_chance, 1), {}) == (2, None)
    asked.clear()
    result, error = answer(work, (by_chance, 9), {})
    assert result is None and "SystemError" in str(error) and len(asked) == 2
    asked.clear()
    result, error = answer(work, ("another one", 1), {})
    assert result is None and "SystemError" in str(error) and len(asked) == 1
