"""What the classes of an outcome are called: "heart disease" and "no heart disease", never "1" and "0"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.schema.names import spoken
from medcore.data.schema.targets import against_event, class_counts, class_named
from medcore.data.scripts import in_both
from medcore.data.values.booleans import boolean_side
from medcore.data.values.names import clean_name
from medcore.errors import SettingsError, TargetError
from medcore.i18n import N_, Message
from medcore.targets import Target

_NAMELESS = frozenset(
    [
        "outcome",
        "outcomes",
        "target",
        "label",
        "class",
        "classification",
        "y",
        "status",
        "result",
        "event",
        "response",
        "diagnosis",
        "结局",
        "转归",
        "预后",
        "标签",
        "分类",
        "结果",
        "目标",
    ]
)
"""Names of columns that say that something is predicted, not what."""
NAMELESS_EVENT = N_("the event")
"""What an event is called where nothing says what it is."""
_TRAILING = re.compile(
    r"\s+(flag|event|status|indicator|outcome|yn|y n|0 1|01)$|(结局|标志|标识|与否)$|^(is|has|had|if)\s+|^是否(有|发生|患)?"
)
_FINDINGS = frozenset(
    in_both(
        [
            "positive",
            "pos",
            "negative",
            "neg",
            "detected",
            "undetected",
            "normal",
            "abnormal",
            "阳性",
            "阴性",
            "正常",
            "异常",
            "(+)",
            "(-)",
        ]
    )
) | {"not detected"}
"""Words that say how a test came out, not whether the patient has what the column is named after."""


def class_names(classes: Sequence[str], column: Column | None) -> tuple[Message, ...]:
    """Return what each class of an outcome is called, in the order of ``classes``.

    A name given by a person or a dictionary (``level_labels``) is taken; words such
    as "malignant" are names already; codes (0 and 1) and bare answers (yes and no)
    are named after the column, by its label where it has one. Two classes never share a name.

    >>> named = lambda column, *classes: [str(n) for n in class_names(classes, Column(name=column, kind="category"))]
    >>> named("heart_disease", "0", "1"), named("Outcome", "no", "yes"), named("ECG", "normal", "abnormal")
    (['no heart disease', 'heart disease'], ['no event', 'the event'], ['normal ECG', 'abnormal ECG'])
    >>> named("diagnosis", "benign", "malignant"), named("grade", "0", "1", "2")
    (['benign', 'malignant'], ['grade 0', 'grade 1', 'grade 2'])
    """
    given = given_names(classes, column.level_labels if column else {})
    proposed = _proposed(list(classes), column)
    names = [_plain(name) if name else usual for name, usual in zip(given, proposed, strict=True)]
    if len(set(map(str, names))) < len(names):
        return tuple(_raw(classes))
    return tuple(names)


def event_name(schema: Schema) -> str:
    """Say what the event is called, in the current language; empty where every class is predicted."""
    if schema.positive is None or schema.outcome is None:
        return ""
    words = schema.outcome.reading.words if schema.outcome.reading else ()
    return str(class_names(against_event(words, schema.positive), schema.outcome)[1])


def name_classes(
    schema: Schema, frame: pd.DataFrame, names: Mapping[str, str], *, absence: str | None = None
) -> Schema:
    """Return a schema whose outcome's classes are called so; ``absence`` is the one that means "none of these".

    A class without a name in ``names`` keeps the one it had. Raises TargetError when no outcome is chosen or a
    class is none of its own, SettingsError when two classes would have one name.
    """
    column = schema.outcome
    if column is None:
        raise TargetError(N_("No outcome is chosen. Choose the column to be predicted."))
    counts = class_counts(frame, column)
    counts |= {f"not {schema.positive}": 0} if schema.positive and Target.of(tuple(counts)).many else {}
    given = {class_named(column.name, counts, code): clean_name(name) for code, name in names.items()}
    labels = {k: name for k, name in ({**column.level_labels, **given}).items() if name}
    if len(set(given.values())) < len(given):
        raise SettingsError(N_("Two classes of {column} cannot have the same name."), column=column.name)
    none = class_named(column.name, counts, absence) if absence else None
    return replace(schema.change(column.name, level_labels=labels), absence=none)


def given_names(classes: Sequence[str], labels: Mapping[str, str]) -> list[str]:
    """Return the name that ``labels`` gives each class; empty where it gives none.

    A class is found by its text, without regard to case, or as the same number.
    """
    folded = {_folded(code): name.strip() for code, name in labels.items()}
    return [folded.get(_folded(name), "") for name in classes]


def _proposed(classes: list[str], column: Column | None) -> list[Message]:
    two = Target.of(classes).event is not None
    if two and classes[0] == f"not {classes[1]}":
        return [_no(str(class_names(classes[1:], column)[0])), *_proposed(classes[1:], column)]
    subject = _subject(column)
    if all(map(_is_number, classes)) and not two:
        what = column.label or column.name if column else ""
        return (
            [Message(N_("{column} {level}"), {"column": what, "level": c}) for c in classes] if what else _raw(classes)
        )
    sides = [boolean_side(name) for name in classes]
    if not two or not (all(map(_is_number, classes)) or set(sides) == {True, False}):
        return _raw(classes)
    if not {name.casefold() for name in classes}.isdisjoint(_FINDINGS):
        what = column.label or column.name if column else ""
        return (
            [Message(N_("{finding} {test}"), {"finding": c, "test": what}) for c in classes] if what else _raw(classes)
        )
    names = [_no(subject), _plain(subject) if subject else Message(NAMELESS_EVENT)]
    return names[::-1] if sides == [True, False] else names


def _subject(column: Column | None) -> str:
    """Return what a column's "yes" means, from its label or its name; empty where neither says it."""
    if column is None:
        return ""
    if column.label:  # in the midst of a sentence, but ECG stays ECG
        return column.label[:1].lower() + column.label[1:] if column.label[1:2].islower() else column.label
    words = spoken(column.name)
    shorter = _TRAILING.sub("", words).strip()
    while shorter != words:
        words, shorter = shorter, _TRAILING.sub("", shorter).strip()
    return "" if words in _NAMELESS or _is_number(words) or len(words) < 2 else words


def _no(event: str) -> Message:
    """Name the absence of an event; a participle such as "died" is negated by "not"."""
    if not event:
        return Message(N_("no event"))
    if not event.isascii():
        return Message(N_("no “{event}”"), {"event": event})
    template = N_("not {event}") if event.endswith("ed") else N_("no {event}")
    return Message(template, {"event": event})


def _raw(classes: Sequence[str]) -> list[Message]:
    return [_plain(name) for name in classes]


def _plain(name: str) -> Message:
    return Message("{name}", {"name": name})


def _folded(text: str) -> str:
    tidy = text.strip().casefold()
    return f"{float(tidy):g}" if _is_number(tidy) else tidy


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
