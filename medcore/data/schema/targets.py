"""Which column could be the outcome, and which of its classes is the event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.notation import Reading
from medcore.data.schema.names import says, spoken
from medcore.data.schema.ordered import order_asked, order_of_classes
from medcore.data.values.column import read_texts
from medcore.data.values.names import clean_name
from medcore.data.values.typed import Distinct, cells_of, fold_text, is_stated, read_values
from medcore.data.values.words import NEGATIVE_WORDS, POSITIVE_WORDS
from medcore.errors import MissingColumnsError, TargetError
from medcore.i18n import N_, Message
from medcore.targets import Target

MOST_CLASSES = 20
NO_OUTCOME_WORDS = frozenset(["none", "nil", "not done", "未做", "无"])
"""Words that may mean "not recorded" of a measurement, and are an answer where they are an outcome's."""
GLANCE = 2000
"""Rows whose variety already tells a measurement from classes."""
_STRONG = frozenset(
    [
        "outcome",
        "target",
        "label",
        "class",
        "y",
        "status",
        "disease",
        "diagnosis",
        "death",
        "died",
        "mortality",
        "classification",
        "结局",
        "转归",
        "预后",
        "死亡",
        "标签",
    ]
)


@dataclass(frozen=True, slots=True)
class TargetProposal:
    """A column that could be the outcome, the class that is the event, and why."""

    column: str
    positive: str | None
    confidence: float
    reason: Message

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the reason in the current language."""
        return {
            "column": self.column,
            "positive": self.positive,
            "confidence": self.confidence,
            "reason": str(self.reason),
        }


def propose_targets(
    frame: pd.DataFrame, schema: Schema, *, cells: Callable[[str], Distinct] | None = None
) -> tuple[TargetProposal, ...]:
    """Rank the columns that could be the outcome, best first: by name, by words, by place in the table.

    ``cells`` may give columns already read.
    """
    proposals = []
    n = len(schema.columns)
    for i, column in enumerate(schema.columns):
        classes = _possible_classes(frame, column, cells)
        if classes is None:
            continue
        score, reason = _score(column, classes, first=i == 0, last=i == n - 1)
        positive, _ = (
            (None, None) if Target(len(classes)).event is None else default_positive(classes, column.level_labels)
        )
        proposals.append((score, i, TargetProposal(column.name, positive, round(min(score, 0.99), 2), reason)))
    proposals.sort(key=lambda p: (-p[0], -p[1]))
    return tuple(p[2] for p in proposals)


def choose_target(
    schema: Schema,
    frame: pd.DataFrame,
    target: str,
    *,
    positive: str | None = None,
    order: Sequence[str] | None = None,
) -> Schema:
    """Make a column the outcome and settle which class is the event, or in which order the classes stand.

    Without ``positive`` the conventional word for an event is taken, else the
    rarer class, when there are two classes; with more there is no event unless
    ``positive`` names one, against which all others are one class. ``order`` names three or more
    classes, lowest first; without it the order is what the column, or else its name and words,
    say, and ``()`` is none. Raises MissingColumnsError for an unknown column, TargetError
    for one that cannot be predicted.
    """
    name = target if target in schema.names else clean_name(target)
    if name not in schema.names:
        raise MissingColumnsError.between(wanted=[target], got=schema.names)
    column = as_outcome(schema[name])
    counts = class_counts(frame, column)
    _check(name, counts, len(frame))
    event, reason = _event(column, counts, positive)
    levels = column.levels if positive is not None else _order(column, list(counts), order)
    if len(counts) > 2 and positive is None and levels:
        reason = Message(N_("Its classes stand in this order, lowest first: {order}."), {"order": " < ".join(levels)})
    for other in schema.with_role("outcome"):
        schema = schema.change(other.name, role="predictor")
    changed = schema.change(
        name,
        role="outcome",
        kind=column.kind,
        levels=levels,
        low=None,
        high=None,
        missing_codes=column.missing_codes,
        reading=replace(column.reading or Reading(), words=tuple(sorted(counts))),
        reason=reason or column.reason,
    )
    absent = schema.absence if schema.absence in counts else None
    return replace(changed, positive=event, absence=absent, follow_up=None, number=None)


def class_counts(frame: pd.DataFrame, column: Column, cells: Distinct | None = None) -> dict[str, int]:
    """Count the rows of each class of an outcome column, most frequent first; ``cells`` are its texts where known."""
    values = frame[column.name]
    if is_stated(values, column):
        counts = read_values(frame[[column.name]], Schema((column,))).frame[column.name].value_counts()
    else:
        found = cells if cells is not None else cells_of(values, column)
        read = read_texts(found.texts, column, frame.attrs.get("decimal")).value
        counts = pd.Series(found.counts).groupby(pd.Series(read), sort=False).sum()
        counts = counts.sort_values(ascending=False, kind="stable")
    return {str(k): int(v) for k, v in counts.items()}


def default_positive(counts: Mapping[str, int], labels: Mapping[str, str] | None = None) -> tuple[str, Message]:
    """Choose which of two classes is the event: by convention of words, else the rarer one; ``labels`` are words for codes.

    >>> default_positive({"LIVE": 123, "DIE": 32})[0], default_positive({"a": 5, "b": 9})[0]
    ('DIE', 'a')
    >>> default_positive({"1": 20, "2": 80}, {"1": "dead", "2": "alive"})[0]
    '1'
    """
    codes = {word: code for code, word in (labels or {}).items() if code in counts}
    if len(codes) == len(counts):
        word, reason = _by_words({word: counts[code] for word, code in codes.items()})
        return codes[word], reason
    return _by_words(counts)


def _by_words(counts: Mapping[str, int]) -> tuple[str, Message]:
    if sorted(counts) == ["1", "2"]:
        return "2", Message(
            N_("Of 1 and 2, 2 is taken as the event, as in survival data (1 censored, 2 dead). Check it: {positive}."),
            {"positive": "2"},
        )
    known = [c for c in counts if c.casefold() in POSITIVE_WORDS and c.casefold() not in NEGATIVE_WORDS]
    if len(known) == 1:
        return known[0], Message(N_("{positive} is by convention the event."), {"positive": known[0]})
    other = [c for c in counts if c.casefold() not in NEGATIVE_WORDS]
    if len(other) == 1:
        return other[0], Message(
            N_("The other class says that nothing happened, so {positive} is the event."), {"positive": other[0]}
        )
    if len(known) > 1:
        best = min(known, key=lambda c: POSITIVE_WORDS.index(c.casefold()))
        return best, Message(N_("{positive} is by convention the event."), {"positive": best})
    negated = _negation(list(counts))
    if negated:
        return negated, Message(
            N_("The other class is its negation, so {positive} is the event."), {"positive": negated}
        )
    rarer = min(counts, key=lambda c: counts[c])
    return rarer, Message(N_("{positive} is the rarer class, so it is taken as the event."), {"positive": rarer})


def against_event(classes: Sequence[str], event: str) -> tuple[str, str]:
    """Return the two classes when ``event`` is set against the others: their own name where it is one, then the event.

    >>> against_event(["0", "1"], "1"), against_event(["a", "b", "c"], "b")
    (('0', '1'), ('not b', 'b'))
    """
    others = [name for name in classes if name != event]
    return (others[0] if len(others) == 1 else f"not {event}", event)


def target_of(schema: Schema, classes: Sequence[str]) -> Target:
    """Return what a model of these classes predicts: an event with its time, a number, or the classes themselves."""
    if schema.follow_up is not None:
        return schema.follow_up.target
    if schema.number is not None:
        return schema.number
    return Target.of(classes, schema.outcome.levels if schema.outcome else ())


def absence(classes: Sequence[str], chosen: str | None = None) -> int | None:
    """Return the place of the class that says "none of these": the one chosen, else healthy, negative, none.

    None where nobody chose one and no word says so.

    >>> absence(["hypothyroid", "negative", "goitre"]), absence(["setosa", "virginica"])
    (1, None)
    """
    if chosen in classes:
        return list(classes).index(str(chosen))
    return next((k for k, name in enumerate(classes) if name.strip().casefold() in NEGATIVE_WORDS), None)


def diseases_first(sizes: Sequence[float], none: int | None) -> list[int]:
    """Rank classes by falling size, the one that means "none of these" last.

    >>> diseases_first([3, 900, 40], absence(["goitre", "negative", "hypothyroid"]))
    [2, 0, 1]
    """
    return sorted(range(len(sizes)), key=lambda k: (k == none, -float(sizes[k])))


def _negation(classes: list[str]) -> str | None:
    if sorted(c.casefold() for c in classes) == ["b", "m"]:  # benign and malignant
        return max(classes, key=str.casefold)
    for a, b in (classes, classes[::-1]):
        low_a, low_b = a.casefold().replace(" ", ""), b.casefold().replace(" ", "")
        if any(
            low_b == prefix + low_a
            for prefix in ("not", "non", "non-", "no", "no-", "not-", "un", "非", "无", "未", "不")
        ):
            return a
    return None


def as_outcome(column: Column) -> Column:
    """Read a column as classes: "None" is then one of them, for no outcome is missing by such a word alone."""
    kind = "category" if column.kind in ("numeric", "date") or column.free_text else column.kind
    codes = column.missing_codes
    if column.kind != "numeric":
        codes = tuple(c for c in codes if fold_text(c).casefold() not in NO_OUTCOME_WORDS)
    return replace(column, kind=kind, low=None, high=None, missing_codes=codes)


def _order(column: Column, classes: list[str], asked: Sequence[str] | None) -> tuple[str, ...]:
    """Return the order of the classes; two have none, and keep what the column knows of its words."""
    if not Target.of(classes).many:
        return order_asked(column.name, classes, asked) if asked else column.levels
    return order_of_classes(column, classes) if asked is None else order_asked(column.name, classes, asked)


def _check(name: str, counts: dict[str, int], n_rows: int) -> None:
    if not counts:
        raise TargetError(N_("The outcome {target} has no value in any row. Choose another column."), target=name)
    if len(counts) == 1 and sum(counts.values()) < n_rows:
        raise TargetError(
            N_(
                "The outcome {target} has one class only, and empty cells. If it was ticked or left empty, read an empty cell as no (on the Data page, or --empty-is-no); else choose another column."
            ),
            target=name,
        )
    if len(counts) == 1:
        raise TargetError(
            N_(
                "The outcome {target} has one class only, so there is nothing to tell apart. Choose another column, or add patients of another class."
            ),
            target=name,
        )
    if len(counts) > MOST_CLASSES:
        raise TargetError(
            N_(
                "The outcome {target} has {n} different values in {rows} rows, so it is probably a measurement or an identifier. "
                "Choose a column with at most {most} classes, or add a column that divides it into classes."
            ),
            target=name,
            n=len(counts),
            rows=n_rows,
            most=MOST_CLASSES,
        )


def _event(column: Column, counts: dict[str, int], positive: str | None) -> tuple[str | None, Message | None]:
    if positive is not None:
        codes = {word: code for code, word in column.level_labels.items() if code in counts}
        return class_named(column.name, counts, codes.get(positive, positive)), None
    return default_positive(counts, column.level_labels) if len(counts) == 2 else (None, None)


def class_named(name: str, counts: Mapping[str, int], positive: str) -> str:
    """Return the class of an outcome that a person's text means; raise TargetError when there is none."""
    wanted = fold_text(positive)
    if wanted in counts:
        return wanted
    alike = [c for c in counts if c.casefold() == wanted.casefold()]
    if alike:
        return alike[0]
    raise TargetError(
        N_("The outcome {target} has no class {positive}. Its classes are: {classes}."),
        target=name,
        positive=wanted,
        classes=list(counts),
    )


def _possible_classes(
    frame: pd.DataFrame, column: Column, cells: Callable[[str], Distinct] | None
) -> dict[str, int] | None:
    if column.role in ("identifier", "group", "site", "time") or column.kind == "date" or column.free_text:
        return None
    if frame[column.name].iloc[:GLANCE].nunique() > 4 * MOST_CLASSES:
        return None
    counts = class_counts(frame, as_outcome(column), cells(column.name) if cells else None)
    if not 2 <= len(counts) <= MOST_CLASSES or len(counts) > max(2, sum(counts.values()) / 5):
        return None
    return counts


def _score(column: Column, classes: dict[str, int], *, first: bool, last: bool) -> tuple[float, Message]:
    n_levels = len(classes)
    score, reason = 0.1, Message(N_("It has {n} classes."), {"n": n_levels})
    if Target(len(classes)).event is not None:
        score += 0.1
    if last:
        score += 0.25
        reason = Message(N_("It is the last column, where the outcome usually stands."), {})
    elif first:
        score += 0.1
    if _worded(classes):
        score += 0.15
    if says(column.name, "outcome"):
        score += 0.3
        reason = Message(N_("Its name speaks of an outcome."), {})
    if _STRONG & set(spoken(column.name).split()):
        score += 0.15
    if column.sensitive:
        score -= 0.3
    if column.kind == "numeric" and n_levels > 5:
        score -= 0.2
    return max(score, 0.01), reason


def _worded(classes: dict[str, int]) -> bool:
    telling = {w for w in POSITIVE_WORDS if len(w) > 3 and w not in {"true", "present", "abnormal", "case"}}
    return any(c.casefold() in telling for c in classes)
