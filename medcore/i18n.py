"""Every word a person sees, in that person's language.

Numbers have one form, too, whoever writes the sentence: a true minus sign, per cent
without a space, intervals as "0.80 (0.70 to 0.86)" or "0.80（0.70～0.86）".

The source text is English and is also the key; catalogues are gettext ``.po``
files under ``assets/locale/<language>/``, one for each room, read with Babel.
The language is a context variable, so that two sessions in one web process
never share it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

LOCALE_DIR = Path(__file__).resolve().parent.parent / "assets" / "locale"
LANGUAGES: Mapping[str, str] = {"en": "English", "zh_CN": "简体中文"}

MINUS = "−"
_NEGATIVE = re.compile(r"-(?=[\d.]+$)")
_QUOTED = re.compile(r"[“\"=:]\{(\w+)\}")
_AFTER_CHINESE, _BEFORE_CHINESE = re.compile(r"(?<=[一-鿿])\{(\w+)\}"), re.compile(r"\{(\w+)\}(?=[一-鿿])")
_LATIN_FIRST, _LATIN_LAST = re.compile(r"[A-Za-z0-9]"), re.compile(r".*[A-Za-z0-9]\Z", re.DOTALL)
_PER_CENT = re.compile(r"(?<=[\d}]) %(?!\w)")

_language: ContextVar[str] = ContextVar("medcore_language", default="en")


def N_(template: str, /) -> str:  # noqa: N802 - gettext's own name
    """Mark a sentence for the catalogue without translating it yet."""
    return template


def _(template: str, /, **values: Any) -> str:
    """Translate a sentence into the current language and fill its named places.

    >>> _("{n} patients", n=12)
    '12 patients'
    >>> _("a change of {change}, {share} % of all", change="-0.2", share=4)
    'a change of −0.2, 4% of all'
    """
    text = _catalogue(_language.get()).get(template, template)
    if values:
        spoken = _spoken(template, values)
        text = _apart(text, spoken).format(**spoken)
    return _PER_CENT.sub("%", text) if " %" in text else text


def number(value: float, spec: str = ".3f") -> str:
    """Write a number with a true minus sign, and no sign before a zero; a dash where there is none.

    >>> number(-0.12), number(-0.0001, ".2f"), number(0.5, "+.1f"), number(0.0001, "+.1f"), number(float("nan"))
    ('−0.120', '0.00', '+0.5', '0.0', '–')
    """
    if math.isnan(value):
        return "–"
    text = format(value, spec)
    if text[:1] in "+-" and not text.strip("+-0.,"):
        text = text[1:]
    return text.replace("-", MINUS)


def significant(value: float, digits: int = 4) -> str:
    """Write a number with so many figures that count, a true minus sign and never a power of ten.

    >>> significant(5390.12, 3), significant(-0.0000035482), significant(120.0)
    ('5390', '−0.000003548', '120')
    """
    return number(value) if math.isnan(value) else f"{Decimal(f'{value:.{digits}g}'):f}".replace("-", MINUS)


def percent(share: float, digits: int = 1, *, signed: bool = False) -> str:
    """Write a share (0–1) in per cent.

    >>> percent(0.183), percent(-0.02, 0, signed=True)
    ('18.3%', '−2%')
    """
    sign = "+" if signed else ""
    return "–" if math.isnan(share) else f"{number(100 * share, f'{sign}.{digits}f')}%"


def span(low: float, high: float, spec: str = ".3f") -> str:
    """Write a range of numbers.

    >>> span(-0.1, 0.25, ".1f")
    '−0.1 to 0.2'
    """
    return _("{low} to {high}", low=number(low, spec), high=number(high, spec))


def interval(value: float, low: float, high: float, spec: str = ".3f") -> str:
    """Write an estimate with its interval, or alone where it has none.

    >>> interval(0.8, 0.7, 0.86, ".2f"), interval(0.8, float("nan"), float("nan"))
    ('0.80 (0.70 to 0.86)', '0.800')
    """
    if math.isnan(value) or math.isnan(low) or math.isnan(high):
        return number(value, spec)
    return _("{value} ({span})", value=number(value, spec), span=span(low, high, spec))


def listed(words: Iterable[object]) -> str:
    """Write words one after the other, parted as the current language parts them.

    >>> listed(["age", "sex"])
    'age, sex'
    """
    return ("、" if current_language().startswith("zh") else ", ").join(map(str, words))


def parted(clauses: Iterable[object]) -> str:
    """Write clauses one after the other, which may hold lists themselves.

    >>> parted(["AUROC 0.80", "slope 0.9"])
    'AUROC 0.80; slope 0.9'
    """
    return ("；" if current_language().startswith("zh") else "; ").join(map(str, clauses))


def bracketed(words: object, aside: object) -> str:
    """Write words with an aside in brackets.

    >>> bracketed("AUROC", "locked test set")
    'AUROC (locked test set)'
    """
    return f"{words}（{aside}）" if current_language().startswith("zh") else f"{words} ({aside})"


def running(sentences: Iterable[object]) -> str:
    """Set sentences one after the other: with a space between, but none in Chinese; empty ones are left out.

    >>> running(["One.", "", "Two."])
    'One. Two.'
    """
    gap = "" if current_language().startswith("zh") else " "
    return gap.join(text for text in map(str, sentences) if text)


def current_language() -> str:
    """Return the language of this context: a key of :data:`LANGUAGES`."""
    return _language.get()


def use_language(language: str) -> None:
    """Set the language of this context; an unknown one means English."""
    _language.set(language if language in LANGUAGES else "en")


@contextmanager
def language(code: str) -> Iterator[None]:
    """Speak another language for the length of a ``with`` block."""
    token = _language.set(code if code in LANGUAGES else "en")
    try:
        yield
    finally:
        _language.reset(token)


def best_language(accepted: str | None) -> str:
    """Choose a language from an ``Accept-Language`` header or a locale name.

    >>> best_language("zh-TW,zh;q=0.9,en;q=0.8")
    'zh_CN'
    >>> best_language(None)
    'en'
    """
    for part in (accepted or "").replace("_", "-").split(","):
        prefix = part.split(";")[0].strip().lower().split("-")[0]
        for code in LANGUAGES:
            if prefix and code.lower().split("_")[0] == prefix:
                return code
    return "en"


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence with its values, translated only when it is shown.

    Results are computed once, perhaps by a worker that speaks English, and read
    by people who do not; so they carry messages, not strings.

    >>> str(Message(N_("{n} rows"), {"n": 3}))
    '3 rows'
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return _(self.template, **self.values)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {"template": self.template, "values": {k: _packed(v) for k, v in self.values.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """Read what :meth:`to_dict` wrote.

        Raises ValueError for a template with anything but names in its places: of a file that a stranger made, a width
        there would be as many letters.
        """
        places = _parsed(data["template"]) if data["values"] else ()
        if any(spec or conversion or not (name or "x").isidentifier() for _text, name, spec, conversion in places):
            raise ValueError("a template has names alone in its places")
        return cls(data["template"], {k: _unpacked(v) for k, v in data["values"].items()})


@lru_cache(maxsize=1024)
def _parsed(template: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    return tuple(Formatter().parse(template))


def _packed(value: Any) -> Any:
    """Write messages within a message's values as JSON, too."""
    if isinstance(value, (list, tuple)):
        return [_packed(v) for v in value]
    return value.to_dict() if isinstance(value, Message) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_unpacked(v) for v in value]
    return Message.from_dict(value) if isinstance(value, Mapping) and set(value) == {"template", "values"} else value


def _spoken(template: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give numbers their form; what is quoted stays as it was written, to be found or typed again."""
    quoted = set(_QUOTED.findall(template))
    return {k: v if k in quoted and isinstance(v, str) else _spoken_value(v) for k, v in values.items()}


def _apart(template: str, values: Mapping[str, Any]) -> str:
    """Set a blank where a value in Latin letters or digits is to stand beside Chinese, as Chinese typography asks."""
    if not _AFTER_CHINESE.search(template) and not _BEFORE_CHINESE.search(template):
        return template

    def blank(place: re.Match[str], latin: re.Pattern[str]) -> str:
        return " " if latin.match(str(values.get(place[1], ""))) else ""

    template = _AFTER_CHINESE.sub(lambda place: f"{blank(place, _LATIN_FIRST)}{place[0]}", template)
    return _BEFORE_CHINESE.sub(lambda place: f"{place[0]}{blank(place, _LATIN_LAST)}", template)


def _spoken_value(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return listed(value)
    return _NEGATIVE.sub(MINUS, value) if isinstance(value, str) and value.startswith("-") else value


@cache
def _catalogue(code: str) -> Mapping[str, str]:
    folder = LOCALE_DIR / code
    if code == "en" or not folder.is_dir():
        return {}
    from babel.messages.pofile import read_po

    words: dict[str, str] = {}
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code):
                if isinstance(message.id, str) and message.id and isinstance(message.string, str) and message.string:
                    words[message.id] = message.string
    return words
