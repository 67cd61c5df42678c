"""Durations and numbers said in words, written in figures: ``半年``, ``两年半``, ``a week and a half``, ``三十二``."""

from __future__ import annotations

import re

from medcore.data.quantities.units import TIME_WORDS

_ONES = {digit: n for n, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_CHINESE = re.compile(r"(?:[零〇一二两三四五六七八九]|[十百千])+")
_CHINESE_UNIT = r"(?:个月|年|岁|月|周|星期|礼拜|天|日|个?小时|个?钟头|分钟)"
_NUMERAL = re.compile(
    rf"(?:[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九]{{1,2}})(?=[余多来]?个?半?{_CHINESE_UNIT})(?!月(?![余多+]))"
)
"""In a duration; 三月 is March."""
_HALF_OF = re.compile(rf"(?<![0-9个])半个?(?={_CHINESE_UNIT})")
_AND_A_HALF = re.compile(
    rf"(?P<number>[0-9]+)(?:(?P<measure>个)半(?P<unit>{_CHINESE_UNIT})|(?P<behind>{_CHINESE_UNIT})半)"
)
_SOME_MORE = re.compile(
    rf"(?<=[0-9])(?:余|多|来|\+)(?=个?{_CHINESE_UNIT})|(?<=个)多(?=月|小时)|(?<=[年岁月周天日时钟])(?:余|多|\+)$"
)
"""Ten and some days (10余天), a month and some (1月余, 1个多月)."""
_ABOUT = re.compile(r"^(?:大?约|近|将近|不足|超过|[<>≤≥~∼≈]\s*=?)\s*|\s*(?:左右|上下)$")
_AGO = re.compile(r"(?<=[年月周天日时钟余半])(?:以?前|来)$")
_AND = re.compile(r"(?<=[年岁月周天时])[零又](?=[0-9])")
_SAME_UNIT = {
    "个星期": "周",
    "个礼拜": "周",
    "星期": "周",
    "礼拜": "周",
    "个小时": "小时",
    "个钟头": "小时",
    "钟头": "小时",
}
_LATIN_UNIT = "(?:{})".format(
    "|".join(
        sorted(
            {"an", "ano"} | {w for u, words in TIME_WORDS.items() for w in (u, *words.split()) if len(w) > 1}, key=len
        )[::-1]
    )
)
_WORDS = {
    word: str(n)
    for n, words in (
        (1, "a an one ein eine einem einen einer un une una uno um uma"),
        (2, "two zwei deux dos due dois duas"),
        (3, "three drei trois tres tre três"),
        (4, "four vier quatre cuatro quattro quatro"),
        (5, "five fünf cinq cinco cinque"),
        (6, "six sechs seis sei"),
        (7, "seven sieben sept siete sette sete"),
        (8, "eight acht huit ocho otto oito"),
        (9, "nine neun neuf nueve nove"),
        (10, "ten zehn dix diez dieci dez"),
        (11, "eleven elf onze once undici"),
        (12, "twelve zwölf douze doce dodici doze"),
        (14, "fourteen vierzehn quatorze catorce"),
        (15, "fifteen"),
        (20, "twenty zwanzig vingt veinte venti vinte"),
        (30, "thirty dreißig trente treinta trenta trinta"),
    )
    for word in words.split()
}
"""Numbers up to twelve, and the round ones by which people count days: English, German, French, Spanish, Italian, Portuguese."""
_LATIN_NUMBER = re.compile(rf"\b({'|'.join(sorted(_WORDS, key=len)[::-1])})(?=\s+(?:and a half\s+)?{_LATIN_UNIT}\b)")
_FILLED = re.compile(
    r"^(?:(?:for|since|within|over|in|during)\s+(?:the\s+)?(?:last|past)\s+|(?:for|since|past|last|seit|vor|depuis|il y a|pendant|(?:desde )?hace|da|há|[x×])\s*(?=[0-9a-z]))"
    r"|\s+(?:ago|back|earlier|previously|duration|now|fa|atrás)$"
)
_ROUGHLY = re.compile(
    r"^(?:about|approx(?:imately)?\.?|around|roughly|circa|ca\.?|nearly|almost|over|more than|at least|less than|under|up to"
    r"|etwa|ungefähr|über|environ|aproximadamente|unos|[<>≤≥~∼≈]\s*=?)\s*(?=[0-9a-z½])"
)
_PLUS = re.compile(r"(?<=[0-9])\s*\+(?=\s*[a-z])")
_HALF = re.compile(rf"\bhalf (?:an? )?(?={_LATIN_UNIT}\b)")
_BEFORE_HALF = re.compile(rf"\b([0-9]+) (?:and a half|1/2) (?={_LATIN_UNIT}\b)")
_BEHIND_HALF = re.compile(rf"\b([0-9]+) ({_LATIN_UNIT}) and a half$")
_SPOKEN = re.compile(r"^[^0-9]|[+]|half|1/2|(?:ago|back|earlier|previously|duration|now|fa|atrás)$", re.I)
"""What a duration in words has, and one in figures has not."""
LONGEST_IN_WORDS = 32
"""Characters of a duration in words; a note may have any number."""


def in_figures(word: str) -> tuple[str, bool]:
    """Write a duration in figures, without what says that it is about so or somewhat more; and say whether it did.

    >>> in_figures("两年半"), in_figures("半个月"), in_figures("1个半月"), in_figures("约三十天"), in_figures("三四天")
    (('2.5年', False), ('0.5月', False), ('1.5个月', False), ('30天', True), ('3.5天', True))
    >>> in_figures("10余年"), in_figures("1月余"), in_figures("2个多月前"), in_figures("3 days")
    (('10年', True), ('1月', True), ('2个月', True), ('3 days', False))
    >>> in_figures("half a year"), in_figures("A week and a half"), in_figures("about two weeks ago"), in_figures("5+ years")
    (('0.5 year', False), ('1.5 week', False), ('2 weeks', True), ('5 years', True))
    """
    if len(word) > LONGEST_IN_WORDS:
        return word, False
    if any("一" <= letter <= "鿿" for letter in word):
        return _from_chinese(word)
    return _from_latin(word) if _SPOKEN.search(word) else (word, False)


def numeral(word: str) -> int | None:
    """Read a number that is written in Chinese; None for what is none.

    >>> numeral("三十二"), numeral("十"), numeral("一百零五"), numeral("两百"), numeral("二三"), numeral("32")
    (32, 10, 105, 200, None, None)
    """
    if not _CHINESE.fullmatch(word):
        return None
    total = ones = 0
    place = 10_000
    for letter in word:
        if letter in _ONES:
            if ones:
                return None
            ones = _ONES[letter]
        else:
            if _PLACES[letter] >= place:
                return None
            place = _PLACES[letter]
            total, ones = total + (ones or 1) * place, 0
    return total + ones


def _from_chinese(word: str) -> tuple[str, bool]:
    written = _AGO.sub("", word.strip())
    plain = _ABOUT.sub("", written)
    between = any(len(said) == 2 and "十" not in said for said in _NUMERAL.findall(plain))
    plain = _NUMERAL.sub(_figures, plain)
    whole = _SOME_MORE.sub("", plain)
    told = _AND_A_HALF.sub(_with_half, _HALF_OF.sub("0.5", _AND.sub("", whole)))
    for other, usual in _SAME_UNIT.items():
        told = told.replace(other, usual)
    return told, between or plain != whole or _ABOUT.search(written) is not None


def _figures(found: re.Match[str]) -> str:
    said = found[0]
    if len(said) == 2 and "十" not in said:
        low, high = (_ONES[letter] for letter in said)
        return f"{low}.5" if high == low + 1 else said
    return str(numeral(said))


def _with_half(found: re.Match[str]) -> str:
    return f"{found['number']}.5{found['measure'] or ''}{found['unit'] or found['behind']}"


def _from_latin(word: str) -> tuple[str, bool]:
    plain = word.strip().casefold()
    bare = _FILLED.sub("", plain)
    whole = _PLUS.sub("", _ROUGHLY.sub("", bare))
    told = _LATIN_NUMBER.sub(lambda m: _WORDS[m[1]], _HALF.sub("0.5 ", whole))
    told = _BEHIND_HALF.sub(r"\1.5 \2", _BEFORE_HALF.sub(r"\1.5 ", told))
    return (word if told == plain else told), whole != bare
