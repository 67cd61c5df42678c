"""What came of patients, as a table tells it: classes by their names, days of their own, nobody with two different ones."""

from datetime import date
from types import SimpleNamespace

import pytest

from medcore.data.reading.table import read_table
from medcore.errors import InputError
from medcore.targets import EventTime, Target
from medcore.ui.patients.outcomes import OutcomeColumns, by_name, outcomes_of
from medcore.ui.patients.worklist import answers_of, outcome_words

GRADES = SimpleNamespace(names=("none", "mild", "severe"), classes=("0", "1", "2"), target=Target(3), of_number=False)
LIVER = SimpleNamespace(
    names=("no event", "death", "transplant"),
    classes=("no event", "death", "transplant"),
    target=EventTime(3, horizons=(5.0,), main=5.0, unit="years"),
    of_number=False,
)


def test_a_class_is_known_by_its_name_in_training_and_by_that_shown() -> None:
    answers = answers_of(GRADES)
    assert by_name(GRADES, ["Mild", "2"], answers, "grade") == {"Mild": 1.0, "2": 2.0}
    with pytest.raises(InputError, match="1 of the answers in grade are none of the model's: none, mild, severe"):
        by_name(GRADES, ["mild", "worse"], answers, "grade")
    assert outcome_words(GRADES, 2.0) == "severe"
    assert answers_of(LIVER) == {0.0: "no event", 1.0: "death", 2.0: "transplant"}


def test_a_table_tells_who_what_and_when() -> None:
    table = b"who,grade,on\nA,mild,2026-03-01\nB,severe,\nC,,2026-03-02\nA,mild,\n"
    columns = OutcomeColumns("who", "grade", "on", {"mild": 1.0, "severe": 2.0})
    told, days = outcomes_of(read_table(("outcomes.csv", table)), columns, of_number=False)
    assert told == {"A": 1.0, "B": 2.0}
    assert days == {"A": date(2026, 3, 1)}
    twice = table.replace(b"A,mild,\n", b"A,mild,2026-03-05\n")
    with pytest.raises(InputError, match="two different outcomes"):
        outcomes_of(read_table(("outcomes.csv", twice)), columns, of_number=False)
