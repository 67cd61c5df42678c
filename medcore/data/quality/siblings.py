"""Checks for columns that belong to the outcome: the time until it, and other labels of the same disease."""

from __future__ import annotations

import re
from collections.abc import Iterator

from medcore.data.cohort import Column
from medcore.data.quality.checking.catalogue import Hit, check, ignore, named
from medcore.data.quality.checking.view import View
from medcore.data.quality.leakage import AFTER_WORDS, aurocs, words_of
from medcore.i18n import N_, Message

TELLING = 0.70
"""AUROC of a column alone from which on a number that shares the outcome's name is asked about."""
_TIME = re.compile(
    r"(?<![a-z])(time_?to_?[a-z]+|days?_?(to|until)_[a-z]+|months?_?to_[a-z]+|fu_?(time|days|months|years)|futime|tte|event_?time"
    r"|(os|pfs|dfs|rfs|efs)_?(time|days?|months?|years?|m|d)?(?![a-z])|person_?(years|days|time)|censor\w*|follow_?up\w*)"
    r"|随访(时间|月数|天数|时长)|生存(时间|期|月数|天数)|(至|到)(事件|死亡|复发)(时间|天数)|总生存|无进展生存",
    re.IGNORECASE,
)
_TESTS = re.compile(
    r"(?<![a-z])(pcr|antigen|culture|serology|ig[gm]|rapid|elisa|biopsy|pathology|histology|cytology|smear|qpcr|rt_?pcr)(?![a-z])"
    r"|核酸|抗原|培养|抗体|病理|活检|涂片",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?<![a-z])(family|history|prior|previous|past|fh|baseline|parent\w*|mother|father)(?![a-z])|家族|既往|病史|父|母"
)
_COMMON_WORDS = """
    result results test tests status flag outcome label class target yes no diag diagnosis positive negative final any
    binary type patient value level score group code the and for day days hour hours month months year years time date
    has had was new acute chronic blood serum total mean heart disease
    检测 结果 诊断 是否 阳性 阴性 分类 标签 类型 情况 患者 疾病
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@check(
    "leakage.follow_up",
    "warning",
    why=N_("How long a patient was followed is known only afterwards, and the time until an event tells the event."),
    remedy=N_(
        "Predict by when the event comes, with this time as part of the outcome (on the Data page, or --duration), or leave these columns out of the model."
    ),
)
def follow_up(view: View) -> Iterator[Hit]:
    """Numbers whose name says time until the outcome, or of follow-up, or goes with the outcome's as a time does."""
    outcome = view.schema.outcome
    goes_with = {p.duration for p in view.event_times if outcome and p.status == outcome.name}
    found = [
        c.name
        for c in view.predictors
        if c.kind == "numeric"
        and (_TIME.search(words_of(c.name)) or c.name in goes_with)
        and not AFTER_WORDS.search(words_of(c.name))
    ]
    if found:
        yield Hit(
            message=Message(
                N_("{n} predictor(s) are by name a time of follow-up or until the event: {columns}."),
                {"n": len(found), "columns": named(found)},
            ),
            columns=tuple(found),
            fix=ignore(found),
        )


@check(
    "leakage.sibling",
    "warning",
    why=N_("Another test or label of the same disease is mostly known no earlier than the outcome, and stands for it."),
    remedy=N_("Leave these columns out of the model unless they are known when the risk is asked for."),
)
def sibling(view: View) -> Iterator[Hit]:
    """Other labels of the chosen outcome's disease, by name and by what they tell."""
    outcome = view.outcome
    if outcome is None or not outcome.chosen:
        return
    found = [c.name for c in view.predictors if _is_sibling(view, c, outcome.name)]
    if found:
        yield Hit(
            message=Message(
                N_("{n} predictor(s) may be another test or label of what “{outcome}” says: {columns}."),
                {"n": len(found), "outcome": outcome.name, "columns": named(found)},
            ),
            columns=tuple(found),
            fix=ignore(found),
        )


def _is_sibling(view: View, column: Column, outcome: str) -> bool:
    if column.kind == "date" or column.free_text or _BEFORE.search(words_of(column.name)):
        return False
    telling = aurocs(view).get(column.name, 0.0) >= TELLING
    if _TESTS.search(words_of(outcome)) and _TESTS.search(words_of(column.name)) and column.kind != "numeric":
        return telling
    return telling and bool(_stems(outcome) & _stems(column.name))


def _stems(name: str) -> set[str]:
    """Return the words of a name that say what it is about; pairs of characters of a Chinese one."""
    words = {w for w in re.split(r"[^a-z]+", words_of(name)) if len(w) >= 3}
    hanzi = "".join(re.findall(r"[一-鿿]", name))
    return (words | {hanzi[i : i + 2] for i in range(len(hanzi) - 1)}) - _COMMON
