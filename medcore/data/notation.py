"""Reading: how the cells of one column are written, learnt once and kept with the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Notation = Literal["number", "clock", "span", "titre"]
DateOrder = Literal["dmy", "mdy", "ymd"]
Zones = Literal["none", "all", "mixed"]
Calendar = Literal["roc", "buddhist"]
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "decimal": (".", ","),
    "thousands": ("", ".", ","),
    "notation": get_args(Notation),
    "dates": get_args(DateOrder),
    "zones": get_args(Zones),
    "calendar": ("", *get_args(Calendar)),
}
_LATER = ("part_name", "before", "litres", "fractions", "calendar", "months", "empty_is_no")
"""What a column's cells were not asked for at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the cells of one column are read: what was guessed from the table a schema was learnt from.

    New patients are read by it alone, so that one row means the same by itself as among a
    thousand; a cell that contradicts it is reported and never read another way.

    ``decimal`` is the decimal mark and ``thousands`` the mark that groups digits, empty where
    the table showed none: ``1,234`` is then no number. ``notation`` says what a number is
    written as: a plain one, hours and minutes, a span such as ``65y 3m``, or a titre ``1:80``.
    Values come out in ``unit``; a number without a unit is in ``bare``, or in ``unit`` if that is
    empty. ``analyte`` is the substance by which mass and amount convert. ``trailing_minus``
    says that ``5.2-`` is negative. ``dates`` is the order of day and month in ``3/4/2020``,
    or ``ymd`` where the year comes first in every cell, ``zones`` whether times carry a time zone. Of categories, ``exact`` keeps ``250.0`` apart from
    ``250``, and ``width`` is the number of digits to which codes are filled with zeros.
    ``words`` are the classes that an outcome had: another word is not one of them, and not their opposite.
    ``before`` is the word that stands before the numbers, as EF in "EF 45%".
    ``litres`` says that an L behind a number is its unit and not a laboratory's flag for low, ``fractions`` that 1/2 is a half,
    and ``calendar`` in which years are counted where it is not from the birth of Christ: ``roc`` from 1912 on, ``buddhist`` from 543 BC.
    ``months`` says that the dates are months, as 05/2022, which among days are incomplete.
    ``empty_is_no`` says of a column of yes and no that it was ticked or left empty: an empty cell is its no.
    ``part_of`` names the column of which this one is a part, ``part`` its place (from 0) and ``part_name`` its letters, if it has any (the E of E4V5M6).
    """

    decimal: str = "."
    thousands: str = ""
    notation: Notation = "number"
    unit: str = ""
    bare: str = ""
    analyte: str = ""
    trailing_minus: bool = False
    dates: DateOrder = "dmy"
    zones: Zones = "none"
    exact: bool = False
    width: int = 0
    words: tuple[str, ...] = ()
    part_of: str = ""
    part: int = 0
    part_name: str = ""
    before: str = ""
    litres: bool = False
    fractions: bool = False
    calendar: Calendar | Literal[""] = ""
    months: bool = False
    empty_is_no: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back.

        What came later is written only where there is such: runs that were trained before it stay up to date.
        """
        data = asdict(self) | {"words": list(self.words)}
        return {name: value for name, value in data.items() if value or name not in _LATER}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reading:
        """Read what :meth:`to_dict` wrote; fields that this version does not know are passed over."""
        known = {f.name for f in fields(cls)}
        return cls(
            **{name: value for name, value in data.items() if name in known} | {"words": tuple(data.get("words", ()))}
        )

    def to_text(self) -> str:
        """Write what differs from the plainest reading, for a cell of the data dictionary.

        >>> Reading(decimal=",", dates="mdy").to_text(), Reading().to_text()
        ('decimal=,; dates=mdy', 'plain')
        """
        plain = Reading()
        said = [
            f"{f.name}={getattr(self, f.name)}"
            for f in fields(self)
            if f.name != "words" and getattr(self, f.name) != getattr(plain, f.name)
        ]
        return "; ".join(said) or "plain"

    @classmethod
    def from_text(cls, text: str) -> Reading:
        """Read what :meth:`to_text` wrote; raises ValueError when it is not understood.

        >>> Reading.from_text("decimal=,; width=4")
        Reading(decimal=',', thousands='', notation='number', unit='', bare='', analyte='', trailing_minus=False, dates='dmy', zones='none', exact=False, width=4, words=(), part_of='', part=0, part_name='', before='', litres=False, fractions=False, calendar='', months=False, empty_is_no=False)
        """
        if text.strip() == "plain":
            return cls()
        kinds = {f.name: type(getattr(cls(), f.name)) for f in fields(cls) if f.name != "words"}
        said: dict[str, Any] = {}
        for piece in text.split(";"):
            name, equals, value = piece.strip().partition("=")
            if not equals or name not in kinds or value not in _CHOICES.get(name, (value,)):
                raise ValueError(name)
            said[name] = value == "True" if kinds[name] is bool else kinds[name](value)
        return cls(**said)
