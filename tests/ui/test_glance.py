"""What is said of one patient at a glance is no longer than a screen has room for."""

from medcore.i18n import N_, Message
from medcore.ui.patient.glance import CLASS_LINES, NAMED, _few_named, _fitting


def test_as_many_outcomes_stand_above_the_fold_as_there_are_lines_for():
    assert _fitting(["short"] * CLASS_LINES) == CLASS_LINES
    assert _fitting(["short"] * (CLASS_LINES + 1)) == CLASS_LINES - 1  # the fold takes a line itself
    assert _fitting(["an outcome whose name takes two lines"] * 8) == 3
    assert _fitting(["一种名称很长的疾病，需要两行才能写完"] * 8) == 3
    assert _fitting(["a name " * 40] * 3) == 2


def test_a_sentence_about_very_many_columns_names_a_few():
    missing = N_("Missing, so filled in from other patients: {columns}.")
    many = [f"c{number}" for number in range(40)]
    assert str(_few_named(Message(missing, {"columns": many}))).endswith(f"c{NAMED - 1}, {40 - NAMED} more.")
    few = Message(missing, {"columns": many[: NAMED + 1]})
    assert str(_few_named(few)) == str(few)
