"""What is plausible: ranges of vital signs and laboratory values, each with its source."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from medcore.data.quantities.units import fold_unit, spelled
from medcore.data.scripts import simplified
from medcore.i18n import N_, Message
from medcore.settings import ASSETS

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
SOME_INSIDE, MOST_INSIDE = 0.6, 0.9
"""Share of the values that must be possible for a name to be believed: a telling one, and a short one."""
CLUSTER_GAP = 1.5
"""How far apart, as a factor, values in two units must lie: units differ by 2 (°C, °F) to 1000 (g, mg)."""
_PACK_YEARS = "pack-years"
"""Years of a packet of cigarettes a day, which are no years."""
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

UNIT_WORDS = (N_("years"), N_("points"), N_("ratio"), N_("fraction"))
"""Units that are words, and so are said in the reader's language."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured quantity in one unit: what is possible, and what is usual.

    Outside ``low``–``high`` a value is no patient's, whatever the disease;
    ``typical_low``–``typical_high`` hold most patients, and ``usual`` is near
    their middle; these tell one unit from another.
    """

    name: str
    unit: str
    low: float
    high: float
    typical_low: float
    typical_high: float
    usual: float
    zero_is_missing: bool
    source: str


def find_quantity(column: str, values: Floats | None = None, *, unit: str | None = None) -> Quantity | None:
    """Find the quantity that a column's name says it is, in the unit named or the one its values are in.

    ``values`` are the column's numbers without missing ones. None when the name
    says nothing, or when the values are nowhere near it (standardised ones, say).

    >>> find_quantity("Age (years)").unit, find_quantity("葡萄糖", np.array([5.1, 6.0, 7.2])).unit
    ('years', 'mmol/L')
    >>> find_quantity("favourite colour") is None, find_quantity("glucose", np.array([-1.2, 0.3])) is None
    (True, True)
    """
    options = next((_by_name()[key] for key in _keys(column) if key in _by_name()), ())
    stated = unit or unit_in_name(column)
    if stated and any(fold_unit(q.unit) == fold_unit(stated) for q in options):
        options = tuple(q for q in options if fold_unit(q.unit) == fold_unit(stated))
    if not options:
        return None
    if values is None or len(values) == 0:
        return options[0]
    best = min(options, key=lambda q: _distance(q, values))
    return best if _inside(best, values) >= (MOST_INSIDE if _is_short(column) else SOME_INSIDE) else None


@dataclass(frozen=True, slots=True)
class MixedUnits:
    """Values of a column that seem to be in another unit than the rest.

    ``main`` is the quantity in the column's unit, ``other`` in the foreign one,
    ``mask`` marks the foreign values.
    """

    main: Quantity
    other: Quantity
    mask: Mask

    def converted(self, values: Floats) -> Floats:
        """Return the values with the foreign ones turned into the column's unit."""
        foreign = values[self.mask]
        if self.main.unit == "°C":
            foreign = (foreign - 32) / 1.8
        elif self.main.unit == "°F":
            foreign = foreign * 1.8 + 32
        else:
            foreign = foreign * (self.main.usual / self.other.usual)
        out = values.copy()
        out[self.mask] = foreign
        return out


def mixed_units(column: str, values: Floats, *, unit: str | None = None) -> MixedUnits | None:
    """Find values in another unit: a cluster apart from the rest, usual in the other unit and not in the column's.

    ``values`` may hold NaN. The cluster has at least five values and at most
    half of all, and lies a factor of :data:`CLUSTER_GAP` away from the rest, so
    that the sickest patients are not taken for another unit.

    >>> glucose = np.append(np.full(60, 110.0), np.full(20, 5.6))
    >>> found = mixed_units("glucose", glucose)
    >>> found.other.unit, int(found.mask.sum())
    ('mmol/L', 20)
    """
    known = values[values > 0]
    main = find_quantity(column, known, unit=unit) if len(known) else None
    if main is None:
        return None
    found = [m for m in (_foreign(main, other, values) for other in units_of(main.name)) if m is not None]
    return max(found, key=lambda m: int(m.mask.sum()), default=None)


def _foreign(main: Quantity, other: Quantity, values: Floats) -> MixedUnits | None:
    if {main.unit, other.unit} == {"s", "%"}:  # seconds and activity do not convert by a factor
        return None
    if other.unit == main.unit or _distance(main, np.array([other.usual])) < np.log10(2):
        return None
    known = np.sort(values[values > 0])
    below = other.usual < main.usual
    ordered = np.log10(known if below else known[::-1])
    between = (known if below else known[::-1])[: len(known) // 2 + 1]
    if len(between) < 6:
        return None
    gaps = np.abs(np.diff(ordered[: len(between)]))
    gaps[:4] = 0
    at = int(gaps.argmax())
    edge, rest = between[at], between[at + 1]
    mask = (values > 0) & ((values <= edge) if below else (values >= edge))
    cluster = values[mask]
    usual = (cluster >= other.typical_low) & (cluster <= other.typical_high)
    strange = (cluster < main.typical_low) | (cluster > main.typical_high)
    apart = max(edge / rest, rest / edge) >= CLUSTER_GAP
    return MixedUnits(main, other, mask) if apart and (usual & strange).mean() >= 0.9 else None


def units_of(name: str) -> tuple[Quantity, ...]:
    """Return a quantity in every unit that is known for it."""
    return tuple(q for q in _table()[0] if q.name == name)


def unit_in_name(column: str) -> str | None:
    """Find the unit written in a column's name; "points" at its end are what is counted, unless in brackets.

    >>> unit_in_name("Glucose [mg/dL]"), unit_in_name("weight_kg"), unit_in_name("WBC"), unit_in_name("concave points")
    ('mg/dL', 'kg', None, None)
    >>> unit_in_name("smoking_pack_years"), unit_in_name("years")
    ('pack-years', None)
    """
    known = _table()[1]
    text = unicodedata.normalize("NFKC", column).strip()
    for inside in _BRACKETS.findall(text):
        if fold_unit(inside) in known:
            return known[fold_unit(inside)]
    pieces = re.split(r"[\s_,:;-]+", text)
    if len(pieces) > 1 and fold_unit("".join(pieces[-2:])) == _PACK_YEARS:
        return _PACK_YEARS
    for n in (2, 1):
        tail = " ".join(pieces[-n:])
        if len(pieces) > n and len(fold_unit(tail)) > 1 and known.get(fold_unit(tail), "points") != "points":
            return known[fold_unit(tail)]
    return None


def unit_message(unit: str | None, column: str) -> Message:
    """Return a column's unit, translated when shown; years of age have a word of their own in some languages.

    >>> [str(unit_message(u, c)) for u, c in [("mmHg", "rr"), ("years", "age"), ("years", "smoking"), (None, "sex")]]
    ['mmHg', 'years of age', 'years', '']
    """
    if unit == "years" and find_quantity(column, unit=unit) is not None:
        return Message(N_("years of age"))
    return Message(unit or "")


def says_unit(words: str, unit: str) -> bool:
    """Say whether words about a column name its unit already, in brackets or at their end.

    >>> says_unit("heart rate (bpm)", "/min"), says_unit("sbp_mmHg_mean", "mmHg"), says_unit("vitamin D", "ng/mL")
    (True, True, False)
    """
    text = unicodedata.normalize("NFKC", words).strip().lower()
    pieces = [t for t in re.split(r"[\s_,:;-]+", _BRACKETS.sub(" ", text)) if t and t not in _QUALIFIERS]
    tails = ["/".join(pieces[-n:]) for n in (1, 2, 3) if len(pieces) > n]
    said = {spelled(piece) for piece in [*_BRACKETS.findall(text), *tails]}
    return spelled(unit) in said


def _distance(quantity: Quantity, values: Floats) -> float:
    """Say how far the middle of the values is from the usual one, in orders of magnitude."""
    middle = float(np.median(values))
    return abs(np.log10(middle / quantity.usual)) if middle > 0 else 99.0 - _inside(quantity, values)


def _inside(quantity: Quantity, values: Floats) -> float:
    return float(((values >= quantity.low) & (values <= quantity.high)).mean())


def _is_short(column: str) -> bool:
    """Say whether a name is so short that it may mean anything: it needs its values' support."""
    return len(_squash(_tokens(column))) <= 3 and column.isascii()


def _keys(column: str) -> list[str]:
    """Return the ways to look a name up: as it is, without brackets and unit, without qualifiers."""
    text = simplified(unicodedata.normalize("NFKC", column)).strip()
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
        float(row["usual"]),
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
