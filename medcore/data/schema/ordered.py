"""In which order the classes of an outcome stand: as it was said, as their words or codes say, or in none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from medcore.data.cohort import Column
from medcore.data.schema.kinds import ordered_levels, rating_levels
from medcore.data.schema.names import spoken
from medcore.data.values.typed import fold_text
from medcore.errors import TargetError
from medcore.i18n import N_
from medcore.targets import Target

NO_ORDER = "none"
"""What is said in the place of an order where the classes have none."""
_SCALE = re.compile(
    r"\b(m ?rs(?![a-z])|rankin|stage|staging|grade|grading|severity|nyha|killip|asa|ecog|gose?|child pugh|ctcae|gleason|[bp]i ?rads"
    r"|fontaine|metavir|fibrosis|kellgren)\b|分期|分级|严重程度|等级|级别|分度|量表"
)
"""Names of columns whose codes are steps of a scale."""
_STEP = re.compile(r"^(?P<before>\D*?)\s*(?P<step>[0-9]{1,2}|[ivx]{1,4})\s*(?P<part>[a-d]?)\s*(?P<after>期|级|度)?$")
_ROMAN = {roman: i for i, roman in enumerate(("0", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"))}
MOST_STEPS = 16
"""Classes beyond which no order is guessed."""


def order_of_classes(column: Column, classes: Sequence[str]) -> tuple[str, ...]:
    """Return the order of three or more classes, lowest first: the column's, or what its name and they say; empty if none.

    >>> order_of_classes(Column(name="tumour_stage", kind="category"), ["II", "IIIA", "I", "IIIB", "IV"])
    ('I', 'II', 'IIIA', 'IIIB', 'IV')
    >>> order_of_classes(Column(name="mRS_90d", kind="numeric"), ["3", "0", "1"])
    ('0', '1', '3')
    >>> order_of_classes(Column(name="cell_type", kind="numeric"), ["3", "0", "1"])
    ()
    """
    target = Target.of(classes)
    if not target.many or target.n_scores > MOST_STEPS:
        return ()
    if set(classes) <= set(column.levels):
        return tuple(level for level in column.levels if level in classes)
    return rating_levels(classes) or ordered_levels(classes) or _steps(column.name, classes)


def order_asked(name: str, classes: Sequence[str], asked: Sequence[str]) -> tuple[str, ...]:
    """Return the classes in the order that was asked for; empty where it is that there is none.

    Raises:
        TargetError: a class is not in it, or it names none that is there.

    """
    if [a.casefold() for a in asked] in ([], [NO_ORDER]) and NO_ORDER not in {c.casefold() for c in classes}:
        return ()
    known = {c.casefold(): c for c in classes}
    wanted = [known.get(fold_text(a).casefold(), fold_text(a)) for a in asked]
    lacking = [c for c in classes if c not in wanted]
    if lacking or len(set(wanted)) < len(wanted):
        raise TargetError(
            N_(
                "The order of the outcome {target} must name each of its classes once, lowest first. Its classes are: {classes}; the order was: {asked}."
            ),
            target=name,
            asked=list(asked),
            classes=list(classes),
        )
    if not Target.of(classes).many:
        raise TargetError(
            N_("The outcome {target} has two classes only: an order says nothing there. Name the event instead."),
            target=name,
        )
    return tuple(wanted)


def _steps(name: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Put stages, grades and scores in order, where all are written alike and the name or the words before them say so."""
    found = {c: _STEP.match(c.casefold().strip()) for c in classes}
    if not all(found.values()):
        return ()
    parts = {c: (m["before"].strip(), m["after"], m["step"]) for c, m in found.items() if m}
    said = {(before, after) for before, after, _step in parts.values()}
    roman = {not step.isdigit() for _before, _after, step in parts.values() if step != "0"}
    if len(said) > 1 or len(roman) > 1:
        return ()
    before, after = said.pop()
    if not (_SCALE.search(spoken(name)) or _SCALE.search(spoken(before)) or after):
        return ()
    places = {c: (_number(step), found[c]["part"]) for c, (_b, _a, step) in parts.items()}  # type: ignore[index]
    if any(number is None for number, _part in places.values()) or len(set(places.values())) < len(places):
        return ()
    return tuple(sorted(classes, key=lambda c: (places[c][0] or 0, places[c][1])))


def _number(step: str) -> int | None:
    return int(step) if step.isdigit() else _ROMAN.get(step)
