"""What models and the parts of a run are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from unicodedata import east_asian_width

from medcore.data.follow_up import about
from medcore.evaluation.figures.estimates import Floats
from medcore.evaluation.figures.resampling import Ints
from medcore.i18n import N_, _
from medcore.models.contract.titles import title
from medcore.targets.event_time import TimeUnit

RUN_STATES: Mapping[str, tuple[str, str]] = {
    "queued": (N_("Waiting"), "queued"),
    "running": (N_("Training"), "running"),
    "done": (N_("Done"), "done"),
    "failed": (N_("Failed"), "failed"),
    "cancelled": (N_("Cancelled"), "stale"),
}

SPLIT_KINDS: Mapping[str, str] = {
    "random": N_("at random, with equal shares of events"),
    "group": N_("at random, whole patients"),
    "time": N_("by time: test on the latest patients"),
    "site": N_("by site: test on sites left out"),
    "column": N_("by a column that says who is tested"),
}


def model_name(model: str) -> str:
    """Return what a model is called; a model without a word keeps its own name."""
    return str(title(model))


def row_name(row: int) -> str:
    """Name a row by its number in the file as a spreadsheet shows it (:meth:`Source.rows_in_file`)."""
    return _("Row {row}", row=row)


def duration(seconds: float | None) -> str:
    """Write a length of time as a person says it."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return _("{n} s", n=max(1, round(seconds)))
    return _("{n} min", n=round(seconds / 60)) if seconds < 5400 else _("{n} h", n=f"{seconds / 3600:.1f}")


def endings(event: Ints, duration: Floats, names: Sequence[str], unit: TimeUnit) -> list[str]:
    """Say of each patient (n,) what ended the follow-up, by the ``names`` of the events, and when."""
    return [
        _("{event} after {time}", event=names[k], time=str(about(t, unit)))
        if k
        else _("none in {time}", time=str(about(t, unit)))
        for k, t in zip(event, duration.tolist(), strict=True)
    ]


def width_of(text: str) -> int:
    """Return how many letters a text is wide; one of Chinese counts as two.

    >>> width_of("age"), width_of("年龄")
    (3, 4)
    """
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
