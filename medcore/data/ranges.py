"""What is plausible: ranges of vital signs and laboratory values, each with its source."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from medcore.settings import ASSETS

_BRACKETS = re.compile(r"[(\[（【](.*?)[)\]）】]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_QUALIFIERS = frozenset(
    [
        "admission",
        "admit",
        "baseline",
        "initial",
        "first",
        "last",
        "latest",
        "day1",
        "d1",
        "24h",
        "mean",
        "avg",
        "average",
        "median",
        "max",
        "maximum",
        "min",
        "minimum",
        "worst",
        "highest",
        "lowest",
        "value",
        "result",
        "level",
        "test",
        "serum",
        "plasma",
        "blood",
        "lab",
        "resting",
        "rest",
        "入院",
        "首次",
        "末次",
        "最高",
        "最低",
        "平均",
        "检测",
        "结果",
        "值",
        "水平",
        "血清",
        "血浆",
        "静息",
    ]
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured quantity in one unit: what is possible, and what is usual.

    Outside ``low``–``high`` a value is no patient's, whatever the disease;
    ``typical_low``–``typical_high`` hold most patients and tell one unit from another.
    """

    name: str
    unit: str
    low: float
    high: float
    typical_low: float
    typical_high: float
    zero_is_missing: bool
    source: str


def find_quantity(
    column: str, values: NDArray[np.float64] | None = None, *, unit: str | None = None
) -> Quantity | None:
    """Find the quantity that a column's name says it is, in the unit named or the one its values are in.

    >>> find_quantity("Age (years)").unit
    'years'
    >>> find_quantity("favourite colour") is None
    True
    """
    options = next((_by_name()[key] for key in _keys(column) if key in _by_name()), ())
    if not options:
        return None
    stated = unit or unit_in_name(column)
    if stated:
        same = [q for q in options if fold_unit(q.unit) == fold_unit(stated)]
        if same:
            return same[0]
    if values is None or len(values) == 0:
        return options[0]
    return max(options, key=lambda q: _fit(q, values))


def units_of(name: str) -> tuple[Quantity, ...]:
    """Return a quantity in every unit that is known for it."""
    return tuple(q for q in _table()[0] if q.name == name)


def unit_in_name(column: str) -> str | None:
    """Find the unit written in a column's name.

    >>> unit_in_name("Glucose [mg/dL]"), unit_in_name("weight_kg"), unit_in_name("WBC")
    ('mg/dL', 'kg', None)
    """
    known = _table()[1]
    text = unicodedata.normalize("NFKC", column).strip()
    for inside in _BRACKETS.findall(text):
        if fold_unit(inside) in known:
            return known[fold_unit(inside)]
    pieces = re.split(r"[\s_,:;-]+", text)
    for n in (2, 1):
        tail = " ".join(pieces[-n:])
        if len(pieces) > n and len(fold_unit(tail)) > 1 and fold_unit(tail) in known:
            return known[fold_unit(tail)]
    return None


def fold_unit(unit: str) -> str:
    """Write a unit so that spellings compare equal.

    >>> fold_unit("µmol / L") == fold_unit("umol/l"), fold_unit("×10^9/L") == fold_unit("10e9/L")
    (True, True)
    """
    text = unicodedata.normalize("NFKC", unit).replace("μ", "u").replace("µ", "u").lower()
    text = re.sub(r"[\s^*×·]|^x(?=10)", "", text).replace("10e", "10")
    return {
        "yrs": "years",
        "yr": "years",
        "year": "years",
        "y": "years",
        "岁": "years",
        "c": "°c",
        "℃": "°c",
        "f": "°f",
    }.get(text, text)


def _fit(quantity: Quantity, values: NDArray[np.float64]) -> float:
    inside = (values >= quantity.typical_low) & (values <= quantity.typical_high)
    possible = (values >= quantity.low) & (values <= quantity.high)
    return float(inside.mean() + 0.5 * possible.mean())


def _keys(column: str) -> list[str]:
    """Return the ways to look a name up: as it is, without brackets and unit, without qualifiers."""
    text = unicodedata.normalize("NFKC", column).strip()
    bare = _BRACKETS.sub(" ", text)
    unit = unit_in_name(text)
    if unit:
        tail = re.compile(r"[\s_,:;-]+" + r"[\s_]*".join(map(re.escape, re.split(r"[\s_]+", unit))) + r"\s*$", re.I)
        bare = tail.sub("", bare)
    tokens = _tokens(bare)
    plain = [t for t in tokens if t not in _QUALIFIERS]
    return [_squash(_tokens(text)), _squash(tokens), _squash(plain)] if plain else [_squash(tokens)]


def _tokens(text: str) -> list[str]:
    return [t for t in re.split(r"[\s_\-./:,;]+", _CAMEL.sub(" ", text).lower()) if t]


def _squash(tokens: list[str]) -> str:
    return "".join(tokens)


@cache
def _table() -> tuple[tuple[Quantity, ...], dict[str, str]]:
    quantities, units = [], {"years": "years", "%": "%"}
    with (ASSETS / "ranges.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            quantities.append(_quantity(row))
            units.setdefault(fold_unit(row["unit"]), row["unit"])
    return tuple(quantities), units


def _quantity(row: dict[str, str]) -> Quantity:
    return Quantity(
        row["quantity"],
        row["unit"],
        float(row["low"]),
        float(row["high"]),
        float(row["typical_low"]),
        float(row["typical_high"]),
        row["zero_is_missing"] == "yes",
        row["source"],
    )


@cache
def _by_name() -> dict[str, tuple[Quantity, ...]]:
    names: dict[str, tuple[Quantity, ...]] = {}
    with (ASSETS / "ranges.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name in row["names"].split("|"):
                if name:
                    names[_squash(_tokens(name))] = units_of(row["quantity"])
    return names
