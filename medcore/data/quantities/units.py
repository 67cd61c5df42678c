"""Units of measurement: which spelling is which, and the same value in another unit of its dimension.

Dimensions and factors are Pint's; what turns mass into amount of substance is in
``assets/molar_masses.csv``, each with its source.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from medcore.settings import ASSETS

if TYPE_CHECKING:
    import pint

# Hoelzel et al., Clin Chem 2004;50:166: IFCC (mmol/mol) = 10.93 · NGSP (%) − 23.50.
_HBA1C = (10.93, -23.50)
TIME_WORDS: Mapping[str, str] = {
    "year": "y yr yrs years yo 岁 周岁 年 jahr jahre jahren ans année années año años anni anos",
    "month": "mo mos mth mths months 月 个月 月龄 monat monate monaten mois mes meses mese mesi mês",
    "week": "w wk wks weeks 周 wo woche wochen semaine semaines semana semanas settimana settimane",
    "day": "d days 天 日 tag tage tagen jour jours día días dia dias giorno giorni",
    "hour": "h hr hrs hours 小时 时 std stunde stunden heure heures hora horas",
    "minute": "min mins minutes 分钟 分 minuten minuto minutos minuti",
    "second": "s sec secs seconds 秒 sek sekunde sekunden seconde secondes segundo segundos secondi",
}
"""How people write a unit of time, in lower case: English, Chinese, German, French, Spanish, Italian and Portuguese."""
_YEARS = frozenset(["y", "yr", "yrs", "year", "years", "岁", "jahre", "jahren", "años", "années"])
"""Of these, those by which a column's name says how old or for how long, and not in which year or by which answer (ans)."""
MEAN_MORE_IN_NAMES = frozenset(["std", "dia", "dias", "tag", "ans", "mes", "mese", "wo"])
"""Of these, those that stand in names for something else: a standard deviation, the diastole, a label, an answer."""
OF_TIME = {word: unit for unit, words in TIME_WORDS.items() for word in (unit, *words.split())}
"""The unit of time that each of these words is."""
_TOKENS = {
    **OF_TIME,
    "l": "L",
    "ml": "mL",
    "dl": "dL",
    "cl": "cL",
    "ul": "uL",
    "fl": "fL",
    "lt": "L",
    "cc": "mL",
    "mcg": "ug",
    "mcl": "uL",
    "gm": "g",
    "gms": "g",
    "gram": "g",
    "grams": "g",
    "kilogram": "kg",
    "kilograms": "kg",
    "kgs": "kg",
    "lbs": "lb",
    "pound": "lb",
    "pounds": "lb",
    "ounces": "oz",
    "inch": "inch",
    "inches": "inch",
    "in": "inch",
    "mmhg": "mmHg",
    "torr": "mmHg",
    "kpa": "kPa",
    "hpa": "hPa",
    "mbar": "mbar",
    "cmh2o": "cmH2O",
    "eq": "equivalent",
    "meq": "milliequivalent",
    "u": "activity_unit",
    "iu": "activity_unit",
    "ie": "activity_unit",
    "ui": "activity_unit",
    "mu": "milliactivity_unit",
    "miu": "milliactivity_unit",
    "uu": "microactivity_unit",
    "uiu": "microactivity_unit",
    "ku": "kiloactivity_unit",
    "kiu": "kiloactivity_unit",
    "%": "percent",
    "‰": "permille",
    "fraction": "dimensionless",
    "ratio": "dimensionless",
    "°c": "degC",
    "°f": "degF",
    "k": "kelvin",
    "bpm": "1/minute",
    "cells": "1",
    "cell": "1",
    "copies": "1",
    "beats": "1",
    "breaths": "1",
    "次": "1",
    "个": "1",
    "微克": "ug",
    "毫克": "mg",
    "克": "g",
    "千克": "kg",
    "公斤": "kg",
    "斤": "jin",
    "毫米": "mm",
    "厘米": "cm",
    "米": "m",
    "毫摩尔": "mmol",
    "微摩尔": "umol",
    "纳摩尔": "nmol",
    "皮摩尔": "pmol",
    "摩尔": "mol",
    "纳克": "ng",
    "分升": "dL",
    "国际单位": "activity_unit",
    "单位": "activity_unit",
    "毫米汞柱": "mmHg",
    "千帕": "kPa",
    "微升": "uL",
    "毫升": "mL",
    "升": "L",
}
SHORTEST_WORD, MOST_OF_PLURAL = 3, 2
"""Letters of a word that may have a plural, and of what a plural adds to it."""
_ONE_SPELLING: Mapping[str, str] = {
    "c": "°c",
    "℃": "°c",
    "f": "°f",
    "℉": "°f",
    **dict.fromkeys(
        ["packyears", "pack-year", "packyear", "pack-yr", "pack-yrs", "packyrs", "pkyr", "pkyrs", "py"], "pack-years"
    ),
    **dict.fromkeys(["p-y", "包年"], "pack-years"),
    **dict.fromkeys(
        ["packs/d", "pack/day", "pack/d", "packsperday", "packperday", "ppd", "包/天", "包/日"], "packs/day"
    ),
    **dict.fromkeys(["log", "lg"], "log10"),
}
"""Units that are written in several ways, none of them in parts."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A value in one unit, in another: ``scale`` · value + ``offset``."""

    scale: float = 1.0
    offset: float = 0.0

    def __call__(self, value: Any) -> Any:
        """Convert a number or an array."""
        return value if self == _SAME else _significant(value * self.scale + self.offset)


_SAME = Conversion()
DIGITS = 12
"""Digits of a converted value: more than any laboratory measures, fewer than binary noise shows."""


def _significant(value: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(value == 0, 0, np.floor(np.log10(np.abs(value))))
    scale = 10.0 ** (DIGITS - 1 - size)
    return np.round(value * scale) / scale


def names_time(word: str) -> bool:
    """Say whether a word is a unit of time.

    >>> names_time("Jahre"), names_time("Std."), names_time("días"), names_time("tablets")
    (True, True, True, False)
    """
    return unicodedata.normalize("NFKC", word).lower().removesuffix(".") in OF_TIME


def same_word(one: str, other: str) -> bool:
    """Say whether two words are one, or its singular and plural: a word of letters with up to two more at its end.

    >>> same_word("Episode", "episodes"), same_word("Tag", "Tage"), same_word("mg", "mg/L"), same_word("J", "J")
    (True, True, False, True)
    """
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    plural = len(short) >= SHORTEST_WORD and len(long) - len(short) <= MOST_OF_PLURAL and long.isalpha()
    return short == long or (plural and long.startswith(short))


@lru_cache(maxsize=4096)
def fold_unit(unit: str) -> str:
    """Write a unit so that spellings compare equal.

    >>> fold_unit("µmol / L") == fold_unit("umol/l"), fold_unit("×10^9/L") == fold_unit("10e9/L")
    (True, True)
    """
    text = unicodedata.normalize("NFKC", unit).replace("μ", "u").replace("µ", "u").lower()
    text = re.sub(r"[\s^*×·]|^x(?=10)", "", text).replace("10e", "10")
    return "years" if text in _YEARS else _ONE_SPELLING.get(text, text)


def spelled(unit: str) -> str:
    """Write a unit with the words of its tokens, by which two ways to say the same unit compare equal.

    >>> spelled("bpm") == spelled("/min") == spelled("次/分"), spelled("mg/dl") == spelled("mg / dL")
    (True, True)
    """
    tokens = [_TOKENS.get(token, token or "1") for token in fold_unit(unit).split("/")]
    return "/".join(tokens)


@cache
def conversion(unit: str, into: str, analyte: str = "") -> Conversion | None:
    """Find how a value in one unit is written in another; None when the two measure different things.

    ``analyte`` is the quantity measured, by which mass and amount of substance convert.

    >>> conversion("g", "mg"), conversion("mg", "mmHg") is None
    (Conversion(scale=1000.0, offset=0.0), True)
    >>> float(conversion("mg/dL", "µmol/L", "creatinine")(1.0)), float(conversion("°F", "°C")(212.0))
    (88.4016973126, 100.0)
    >>> fold_unit("pack years") == fold_unit("py"), conversion("ppd", "packs/day"), conversion("度", "℃")
    (True, Conversion(scale=1.0, offset=0.0), Conversion(scale=1.0, offset=0.0))
    """
    if fold_unit(unit) == fold_unit(into) or (unit == "度" and fold_unit(into) in ("°c", "°")):
        return _SAME
    if analyte == "HbA1c" and {fold_unit(unit), fold_unit(into)} == {"%", "mmol/mol"}:
        scale, offset = _HBA1C
        return Conversion(scale, offset) if fold_unit(unit) == "%" else Conversion(1 / scale, -offset / scale)
    substance = _substances().get(analyte)
    one, other = _expression(unit, substance), _expression(into, substance)
    if one is None or other is None:
        return None
    try:
        at = [_converted(x, one, other, substance) for x in (0.0, 1.0)]
    except Exception:  # Pint has several errors for "these are not the same dimension", some of them plain ones
        return None
    return Conversion(_round(at[1] - at[0]), _round(at[0]))


def analyte_named(column: str) -> str:
    """Find the substance that a column's name says, among those only the molar masses know; empty if none.

    >>> analyte_named("Vitamin D"), analyte_named("serum iron"), analyte_named("sodium")
    ('25-hydroxyvitamin D', 'iron', '')
    """
    squashed = re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", column).lower())
    return _substance_names().get(squashed, "")


def known_unit(unit: str) -> bool:
    """Say whether a text is a unit of measurement that can be calculated with.

    >>> known_unit("mg/dL"), known_unit("毫克"), known_unit("tablets")
    (True, True, False)
    """
    return _expression(unit, None) is not None


def _converted(
    value: float, one: pint.Quantity[float], other: pint.Quantity[float], substance: _Substance | None
) -> float:
    registry = _registry()
    quantity = registry.Quantity(value * one.magnitude, one.units)
    if substance is None:
        return float(quantity.to(other.units).magnitude / other.magnitude)
    mass = registry.Quantity(substance.molar_mass, "g/mol")
    return float(quantity.to(other.units, "chemistry", mw=mass).magnitude / other.magnitude)


def _round(value: float) -> float:
    """Take away the noise of multiplication where it shows: 999.9999999999999 is 1000, and so is 1 over it."""
    if abs(value) < 1e-15:
        return 0.0
    for plain in (float(round(value)), 1 / round(1 / value) if abs(value) < 1 else 0.0):
        if plain and abs(value / plain - 1) < 1e-12:
            return plain
    return value


def _expression(unit: str, substance: _Substance | None) -> pint.Quantity[float] | None:
    """Write a unit as Pint's quantity: ``×10^9/L`` is 1e9 / L."""
    text = _spelled(unit)
    factors, below = [], False
    for piece in re.split(r"([/.])", text):
        if piece in ("/", "."):
            below = piece == "/" or below
            continue
        factor = _factor(piece)
        if factor is None:
            return None
        factors.append(f"1/({factor})" if below else f"({factor})")
    try:
        found = _registry().parse_expression(factors[0] if len(factors) == 1 else "*".join(factors))
    except Exception:  # what Pint does not know it says in several ways
        return None
    found = _registry().Quantity(found) if isinstance(found, (int, float)) else found
    if substance is not None and "equivalent" in str(found.units):
        found = (found * _registry().Quantity(1 / substance.valence, "mol/equivalent")).to_base_units()
    quantity: pint.Quantity[float] = found
    return quantity


def _spelled(unit: str) -> str:
    text = unicodedata.normalize("NFKC", unit).replace("μ", "u").replace("µ", "u").lower().strip()
    text = re.sub(r"^(?:x|×|\*)\s*(?=10)", "", text)
    text = re.sub(r"10\s*(?:\^|\*\*|\*|e)?\s*([0-9]{1,2})(?=\s*(?:/|$))", r"1e\1", text)
    text = re.sub(r"\s*/\s*", "/", text).replace("·", ".")
    text = re.sub(r"\s+per\s+", "/", text)
    return {"c": "°c", "℃": "°c", "f": "°f", "℉": "°f", "k/ul": "1e3/ul", "": "fraction"}.get(text, text).replace(
        " ", ""
    )


def _factor(piece: str) -> str | None:
    if piece in ("", "1") or re.fullmatch(r"1e[0-9]{1,2}", piece):
        return piece or "1"
    if piece in _TOKENS:
        return _TOKENS[piece]
    squared = re.fullmatch(r"(mm|cm|dm|m)([23])", piece)
    if squared:
        return f"{squared[1]}**{squared[2]}"
    counted = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ml|dl|l|g|h|min|d)", piece)
    if counted:
        return f"{counted[1]}*{_TOKENS.get(counted[2], counted[2])}"
    if re.fullmatch(r"[kmunpfcd]?(?:g|mol|m)", piece) or piece in ("day", "week", "month", "year", "hour", "minute"):
        return piece
    return piece if piece in ("lb", "jin", "degc", "kcal", "kj", "mosm", "ft", "oz", "ms") else None


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=True, cache_folder=None)
    registry.define("activity_unit = [activity]")
    registry.define("equivalent = [charge]")
    registry.define("osm = mol")
    registry.define("jin = 0.5 * kg")
    return registry


@dataclass(frozen=True, slots=True)
class _Substance:
    molar_mass: float
    valence: int


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with (ASSETS / "molar_masses.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def _substances() -> dict[str, _Substance]:
    return {row["quantity"]: _Substance(float(row["molar_mass"]), int(row["valence"])) for row in _rows()}


@cache
def _substance_names() -> dict[str, str]:
    return {
        re.sub(r"[\s_\-.]+", "", name): row["quantity"] for row in _rows() for name in row["names"].split("|") if name
    }
