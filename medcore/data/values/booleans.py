"""The words for yes and no, in lower case and width-folded, and which of them answer one question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from medcore.data.scripts import in_both, pairs_in_both

YES_WORDS = frozenset(
    in_both(
        [
            "yes",
            "y",
            "true",
            "t",
            "1",
            "on",
            "positive",
            "pos",
            "pos.",
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
            "✔",
            "☑",
        ]
    )
)
NO_WORDS = frozenset(
    in_both(
        [
            "no",
            "n",
            "false",
            "f",
            "0",
            "off",
            "negative",
            "neg",
            "neg.",
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
            "×",
            "✗",
            "✘",
            "☐",
        ]
    )
) | {"not present", "not detected", "not done"}
"""Words of the two sides of a boolean; a pair must take one from each side."""

BOOLEAN_PAIRS: tuple[frozenset[str], ...] = tuple(
    frozenset(pair)
    for pair in pairs_in_both(
        (
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
)
"""Which words are each other's opposite."""

_SPELLINGS = (
    frozenset(in_both(["yes", "y", "true", "t", "1", "ja", "oui", "si", "sí", "是", "真", "对", "√", "✓", "✔", "☑"])),
    frozenset(in_both(["no", "n", "false", "f", "0", "nein", "non", "否", "假", "错", "×", "✗", "✘", "☐"])),
)
"""Spellings of plain yes and plain no: they say the same whatever the question."""

_FAMILIES = (
    (
        frozenset(in_both(["positive", "pos", "pos.", "(+)", "阳性", "detected"])),
        frozenset(in_both(["negative", "neg", "neg.", "(-)", "阴性", "not detected", "undetected"])),
    ),
    (frozenset(["present", "有"]), frozenset(in_both(["absent", "notpresent", "not present", "无", "没有"]))),
    (frozenset(["done", "已做"]), frozenset(["not done", "未做"])),
    (frozenset(in_both(["abnormal", "异常"])), frozenset(["normal", "正常"])),
    (frozenset(["checked", "on"]), frozenset(["unchecked", "off"])),
)
"""Words that answer one question: present or absent, done or not; words of two families never stand for each other."""

_SEXES = (
    frozenset(["male", "m", "m.", "man", "boy", "homme", "hombre", "männlich", "mann", "masculino", "男", "男性"]),
    frozenset(
        [
            "female",
            "f",
            "f.",
            "fem",
            "fem.",
            "w",
            "woman",
            "girl",
            "femme",
            "mujer",
            "weiblich",
            "frau",
            "vrouw",
            "v",
            "femenino",
            "feminino",
            "女",
            "女性",
        ]
    ),
)


SEXES = ("female", "male")


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
    answer the same question, count; of two sexes only words of the sexes do.

    >>> same_side("1", ("False", "True")), same_side("阴性", ("Neg", "Pos")), same_side("not done", ("Neg", "Pos"))
    (True, False, None)
    >>> same_side("M", ("female", "Male")), same_side("1", ("female", "Male"))
    (True, None)
    """
    folded = word.casefold()
    known = tuple(level.casefold() for level in levels)
    for side in (False, True):
        if folded == known[side]:
            return side
    plain = (_SPELLINGS, *(f for f in _FAMILIES if known[0] in f[1] or known[1] in f[0]))
    groups = (_SEXES,) if are_sexes(known) else plain
    for yes, no in groups:
        if folded in yes:
            return True
        if folded in no:
            return False
    return None


def boolean_levels(words: list[str]) -> bool:
    """Say whether words are the two answers of one question: two words that are opposites, or spellings of the two.

    >>> boolean_levels(["Yes", "no"]), boolean_levels(["Y", "yes", "N"]), boolean_levels(["positive", "negative", "not done"])
    (True, True, False)
    >>> boolean_levels(["POS", "positive", "neg", "negative"]), boolean_levels(["positive", "pos"])
    (True, False)
    """
    folded = {w.casefold() for w in words}
    if len(folded) == 2 and folded in BOOLEAN_PAIRS:
        return True
    return any(folded <= yes | no and bool(folded & yes) and bool(folded & no) for yes, no in (_SPELLINGS, *_FAMILIES))


def opposite(word: str) -> str:
    """Return what a box says that is not ticked with a word: its opposite, or no in the word's script.

    >>> opposite("Yes"), opposite("有"), opposite("1"), opposite("X"), opposite("糖尿病"), opposite("POSITIVE")
    ('No', '无', '0', 'no', '否', 'NEGATIVE')
    """
    for pair in BOOLEAN_PAIRS:
        if word.casefold() in pair and boolean_side(word):
            other = next(iter(pair - {word.casefold()}))
            return other.upper() if word.isupper() and len(word) > 1 else other.title() if word.istitle() else other
    return "否" if any("一" <= letter <= "鿿" for letter in word) else "no"


def are_sexes(words: Iterable[str]) -> bool:
    """Say whether words name the two sexes and nothing else, in whichever spellings.

    >>> are_sexes(["Male", "F", "M"]), are_sexes(["M", "m"]), are_sexes(["M", "F", "unknown"])
    (True, False, False)
    """
    male, female = _SEXES
    folded = {w.casefold() for w in words}
    return folded <= male | female and bool(folded & male) and bool(folded & female)


def sexes_in_one_spelling(words: Sequence[str], counts: Sequence[int]) -> tuple[str, ...]:
    """Return the commonest word for female and for male where one of them is written in several ways; else nothing.

    >>> sexes_in_one_spelling(["Male", "F", "M", "female"], [9, 7, 2, 3]), sexes_in_one_spelling(["M", "F"], [4, 4])
    (('F', 'Male'), ())
    """
    if len({w.casefold() for w in words}) <= 2 or not are_sexes(words):
        return ()
    each = [(int(n), w) for w, n in zip(words, counts, strict=True)]
    return tuple(max(pair for pair in each if pair[1].casefold() in side)[1] for side in reversed(_SEXES))
