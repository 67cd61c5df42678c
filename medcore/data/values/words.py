"""The words that cells are written in: yes and no, nothing measured, units, flags.

Every word is lower case and width-folded. The lists are this project's own,
gathered from exports of hospital systems in English and Chinese; a word that is
missing here costs a wrong first guess, which the person can overrule.
"""

from __future__ import annotations

import re

YES_WORDS = frozenset(
    [
        "yes",
        "y",
        "true",
        "t",
        "1",
        "on",
        "positive",
        "pos",
        "present",
        "detected",
        "abnormal",
        "checked",
        "done",
        "ja",
        "oui",
        "si",
        "sí",
        "是",
        "有",
        "阳性",
        "(+)",
        "真",
        "异常",
        "对",
        "已做",
        "wahr",
        "vrai",
        "vero",
        "verdadero",
        "sim",
        "sì",
        "да",
        "tak",
        "evet",
        "はい",
        "あり",
        "예",
        "√",
        "✓",
    ]
)
NO_WORDS = frozenset(
    [
        "no",
        "n",
        "false",
        "f",
        "0",
        "off",
        "negative",
        "neg",
        "absent",
        "notpresent",
        "undetected",
        "normal",
        "unchecked",
        "nein",
        "non",
        "否",
        "无",
        "阴性",
        "(-)",
        "假",
        "正常",
        "错",
        "没有",
        "未做",
        "falsch",
        "faux",
        "falso",
        "não",
        "nao",
        "nee",
        "нет",
        "nie",
        "hayır",
        "いいえ",
        "なし",
        "아니오",
    ]
) | {"not present", "not detected", "not done"}
"""Words of the two sides of a boolean; a pair must take one from each side."""

BOOLEAN_PAIRS: tuple[frozenset[str], ...] = tuple(
    frozenset(pair)
    for pair in (
        ("yes", "no"),
        ("y", "n"),
        ("true", "false"),
        ("t", "f"),
        ("1", "0"),
        ("on", "off"),
        ("positive", "negative"),
        ("pos", "neg"),
        ("present", "absent"),
        ("present", "notpresent"),
        ("present", "not present"),
        ("detected", "not detected"),
        ("detected", "undetected"),
        ("checked", "unchecked"),
        ("done", "not done"),
        ("ja", "nein"),
        ("oui", "non"),
        ("si", "no"),
        ("sí", "no"),
        ("sì", "no"),
        ("ja", "nee"),
        ("sim", "não"),
        ("sim", "nao"),
        ("wahr", "falsch"),
        ("vrai", "faux"),
        ("vero", "falso"),
        ("verdadero", "falso"),
        ("да", "нет"),
        ("tak", "nie"),
        ("evet", "hayır"),
        ("はい", "いいえ"),
        ("あり", "なし"),
        ("예", "아니오"),
        ("是", "否"),
        ("有", "无"),
        ("有", "没有"),
        ("阳性", "阴性"),
        ("(+)", "(-)"),
        ("真", "假"),
        ("对", "错"),
        ("已做", "未做"),
        ("正常", "异常"),
        ("normal", "abnormal"),
    )
)
"""Which words are each other's opposite."""

_SPELLINGS = (
    frozenset(["yes", "y", "true", "t", "1", "ja", "oui", "si", "sí", "是", "真", "对", "√", "✓"]),
    frozenset(["no", "n", "false", "f", "0", "nein", "non", "否", "假", "错"]),
)
"""Spellings of plain yes and plain no: they say the same whatever the question."""

_FAMILIES = (
    (
        frozenset(["positive", "pos", "(+)", "阳性", "detected"]),
        frozenset(["negative", "neg", "(-)", "阴性", "not detected", "undetected"]),
    ),
    (frozenset(["present", "有"]), frozenset(["absent", "notpresent", "not present", "无", "没有"])),
    (frozenset(["done", "已做"]), frozenset(["not done", "未做"])),
    (frozenset(["abnormal", "异常"]), frozenset(["normal", "正常"])),
    (frozenset(["checked", "on"]), frozenset(["unchecked", "off"])),
)
"""Words that answer one question: present or absent, done or not; words of two families never stand for each other."""


def boolean_side(word: str) -> bool | None:
    """Say whether a word means yes or no; ``None`` when it means neither.

    >>> boolean_side("阳性"), boolean_side("NO"), boolean_side("maybe")
    (True, False, None)
    """
    folded = word.casefold()
    if folded in YES_WORDS:
        return True
    return False if folded in NO_WORDS else None


def same_side(word: str, levels: tuple[str, ...]) -> bool | None:
    """Say which of a boolean's two levels (no, yes) a word spells in another way; None when it is neither.

    "Not done" is not the negative of "positive": only plain yes and no, and words that
    answer the same question, count.

    >>> same_side("1", ("False", "True")), same_side("阴性", ("Neg", "Pos")), same_side("not done", ("Neg", "Pos"))
    (True, False, None)
    """
    folded = word.casefold()
    known = tuple(level.casefold() for level in levels)
    for side in (False, True):
        if folded == known[side]:
            return side
    groups = (_SPELLINGS, *(f for f in _FAMILIES if known[0] in f[1] or known[1] in f[0]))
    for yes, no in groups:
        if folded in yes:
            return True
        if folded in no:
            return False
    return None


def boolean_levels(words: list[str]) -> bool:
    """Say whether words are the two answers of one question: two words that are opposites, or spellings of yes and no.

    >>> boolean_levels(["Yes", "no"]), boolean_levels(["Y", "yes", "N"]), boolean_levels(["positive", "negative", "not done"])
    (True, True, False)
    """
    folded = {w.casefold() for w in words}
    if len(folded) == 2 and folded in BOOLEAN_PAIRS:
        return True
    yes, no = _SPELLINGS
    return folded <= yes | no and bool(folded & yes) and bool(folded & no)


POSITIVE_WORDS: tuple[str, ...] = (
    "1",
    "yes",
    "y",
    "true",
    "t",
    "ja",
    "oui",
    "positive",
    "pos",
    "+",
    "(+)",
    "died",
    "die",
    "verstorben",
    "gestorben",
    "décédé",
    "décédée",
    "fallecido",
    "fallecida",
    "умер",
    "dead",
    "death",
    "deceased",
    "expired",
    "malignant",
    "case",
    "disease",
    "diseased",
    "event",
    "present",
    "abnormal",
    "relapse",
    "recurrence",
    "recurrence-events",
    "readmitted",
    "<30",
    "sick",
    "ckd",
    "failure",
    "progression",
    "metastasis",
    "severe",
    "critical",
    "detected",
    "是",
    "有",
    "阳性",
    "死亡",
    "恶性",
    "患病",
    "复发",
    "转移",
    "异常",
    "真",
    "重症",
    "再入院",
    "病死",
)
"""Words by which an outcome is said to have happened."""

NEGATIVE_WORDS: frozenset[str] = frozenset(
    [
        "0",
        "no",
        "n",
        "false",
        "f",
        "nein",
        "non",
        "negative",
        "neg",
        "-",
        "(-)",
        "alive",
        "lebend",
        "vivant",
        "vivo",
        "жив",
        "survived",
        "survive",
        "live",
        "living",
        "lived",
        "discharged",
        "benign",
        "control",
        "healthy",
        "absent",
        "normal",
        "none",
        "ckd-free",
        "否",
        "无",
        "阴性",
        "存活",
        "生存",
        "良性",
        "健康",
        "正常",
        "假",
        "好转",
        "治愈",
        "出院",
        "对照",
        "未复发",
    ]
)
"""Words by which an outcome is said not to have happened."""

MISSING_WORDS: frozenset[str] = frozenset(
    [
        "?",
        "??",
        "na",
        "n/a",
        "#n/a",
        "#na",
        "<na>",
        "nan",
        "null",
        "#null!",
        "none",
        "nil",
        "nd",
        "n.d.",
        "\\n",
        "missing",
        "unknown",
        "unk",
        "unspecified",
        "undetermined",
        "unrecorded",
        "unmeasured",
        "#value!",
        "#div/0!",
        "#ref!",
        "#name?",
        "#num!",
        "未查",
        "未测",
        "未做",
        "未检",
        "未检测",
        "未记录",
        "未知",
        "不详",
        "不明",
        "缺失",
        "无数据",
        "空",
        "未填",
        "未采集",
        "不清楚",
        "待查",
        "暂无",
    ]
) | {
    "not available",
    "not measured",
    "not recorded",
    "not done",
    "not known",
    "not tested",
    "unknown/invalid",
    "no data",
}
"""Words that say nothing was recorded."""

AMBIGUOUS_MISSING: frozenset[str] = frozenset(
    ["-", "--", "---", ".", "/", "*", "x", "none", "nil", "未做", "not done", "na", "nd"]
)
"""Marks that say nothing was recorded, unless the column's other words give them a meaning."""

RATINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(words)
    for words in (
        ("-", "(-)", "neg", "neg.", "negative", "nil", "阴性", "未检出", "0"),
        ("±", "+-", "+/-", "-/+", "(±)", "trace", "tr", "tr.", "traces", "微量", "弱阳性", "可疑", "临界"),
        ("+", "(+)", "1+", "+1", "pos", "pos.", "positive", "阳性", "small"),
        ("++", "(++)", "2+", "+2", "moderate", "中阳性"),
        ("+++", "(+++)", "3+", "+3", "large", "强阳性"),
        ("++++", "(++++)", "4+", "+4"),
    )
)
"""What a strip or a stain shows, weakest first; words of one strength stand together."""

SEVERITY_WORDS: tuple[tuple[str, ...], ...] = (
    ("-", "±", "+", "++", "+++", "++++"),
    ("negative", "trace", "1+", "2+", "3+", "4+"),
    ("none", "absent", "no", "mild", "moderate", "severe", "very severe", "critical"),
    ("very low", "low", "norm", "normal", "medium", "high", "very high"),
    ("down", "steady", "up"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("never", "former", "current"),
    ("poor", "fair", "good", "very good", "excellent"),
    ("i", "ii", "iii", "iv", "v"),
    ("stage 0", "stage i", "stage ii", "stage iii", "stage iv"),
    ("无", "轻", "轻度", "中", "中度", "重", "重度", "极重度", "危重"),
    ("低", "正常", "高"),
    ("差", "一般", "良", "良好", "优"),
    ("ⅰ", "ⅱ", "ⅲ", "ⅳ"),
    ("一级", "二级", "三级", "四级"),
    ("阴性", "弱阳性", "阳性", "强阳性"),
)
"""Scales of words, lowest first."""

UNIT_SUFFIX = re.compile(
    r"""(?ix) ^ (?:
      % | ‰ | ° | °?[cf] | ℃ | ℉ | [hl]
    | [€$£¥] | eur | usd | rmb | cny | 元
    | pack[-\ ]?years?
    | (?:x|×|\*)?\s*10\s*[\^*e]*\s*\d{1,2}\s*/\s*[µμmunpf]?l
    | (?:[kmµμunpfcd]?(?:g|mol|eq|iu|u|l|m)|mmhg|kpa|cmh2o|bpm|iu|years?|yrs?|y|yo|months?|mo|weeks?|wks?|w|days?|d
        |hours?|hrs?|minutes?|mins?|seconds?|secs?|s|ms|cm|mm|kg|lbs?|in(?:ch(?:es)?)?|ft|oz|ounces?|pounds?|grams?|gms?|kilograms?|torr|hpa|mbar|mc[gl]|m?iu|k|cells?|copies|cc|kcal|kj|mosm|score|points?
        |tab(?:let)?s?|caps?(?:ules?)?|puffs?|drops?|packs?|units?|doses?
        |次|岁|周岁|个?月|天|日|周|年|小时|分钟|分|秒|微克|毫克|克|千克|公斤|斤|毫米|厘米|米|微升|毫升|升|个|人|支|包|片|粒)
      (?:\s*[/.·]\s*[a-z0-9µμ%^().·*²³]+){0,3}
    ) $
    """
)
"""What may follow a number in its cell: a unit."""
