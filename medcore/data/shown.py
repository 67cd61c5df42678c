"""How a column and its values are shown to people: in words where there are some, with the name of the file beside."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from medcore.data.quantities.ranges import says_unit, unit_message
from medcore.i18n import MINUS, Message, number


@dataclass(frozen=True, slots=True)
class Shown:
    """A column as people read it: ``label`` is empty where the name is all there is.

    ``str`` gives the label with the name behind it; a page and a chart set the name small, but not one that
    is in no file (``made``). ``decimals`` are those a computed number is shown with; None as it is written.

    >>> str(Shown("cp", "Chest pain type")), str(Shown("age"))
    ('Chest pain type (cp)', 'age')
    """

    name: str
    label: str = ""
    unit: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    decimals: int | None = None
    made: bool = False

    @property
    def words(self) -> str:
        """The label, or the name where there is none."""
        return self.label or self.name

    @property
    def aside(self) -> str:
        """The name, where a label is shown in its place."""
        return self.name if self.label and not self.made else ""

    @property
    def beside(self) -> str:
        """The unit as it stands beside a value or the words; empty where the words say it already.

        >>> Shown("sbp", unit="mmHg").beside, Shown("heart rate (bpm)", unit="/min").beside
        ('mmHg', '')
        """
        return "" if self.unit and says_unit(self.words, self.unit) else str(unit_message(self.unit, self.name))

    def value(self, cell: str | None) -> str | None:
        """Return a cell as its label, with the code behind where several codes share the label.

        >>> sex = Shown("sex", levels={"1": "male", "2": "female", "3": "not known", "9": "not known"})
        >>> sex.value("1"), sex.value("9"), sex.value("7"), sex.value(None)
        ('male', 'not known (9)', '7', None)
        """
        label = self.levels.get(cell) if cell is not None else None
        if label is None:
            return cell if cell is None or self.decimals is None else _rounded(cell, self.decimals)
        shared = sum(other == label for other in self.levels.values()) > 1
        return f"{label} ({cell})" if shared else label

    def measured(self, cell: str | None, *, unit: str | None = None) -> str | None:
        """Return a value with its unit, None where it is missing; ``unit`` where a result knows another than the schema.

        >>> Shown("weight").measured("70", unit="kg"), Shown("weight_kg", unit="kg").measured("70")
        ('70 kg', '70')
        """
        column = self if unit is None else replace(self, unit=unit)
        value = column.value(cell)
        return None if value is None else f"{value} {column.beside}".strip()

    def __str__(self) -> str:
        return f"{self.label} ({self.aside})" if self.aside else self.words


def _rounded(cell: str, decimals: int) -> str:
    """Write a computed number with so many decimals, a smaller one with its first two figures; any other cell as it is.

    >>> _rounded("94.83333", 1), _rounded("0.000417", 2), _rounded("95", 1), _rounded("about 4", 1)
    ('94.8', '0.00042', '95', 'about 4')
    """
    try:
        value = float(cell.replace(MINUS, "-"))
    except ValueError:
        return cell
    if not math.isfinite(value):
        return cell
    return number(round(value, decimals) or float(f"{value:.2g}"), ".12g")


Naming = Callable[[str], Shown]
"""What says how a column is shown, by its name: :meth:`Schema.shown`, or :class:`Shown` itself for bare names."""


def named(message: Message, naming: Naming, columns: Iterable[str]) -> Message:
    """Return a sentence about columns in which they are called as they are shown."""
    known = set(columns)

    def spoken(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [spoken(v) for v in value]
        if isinstance(value, Message):
            return named(value, naming, known)
        return str(naming(value)) if isinstance(value, str) and value in known else value

    return replace(message, values={k: spoken(v) for k, v in message.values.items()})


def with_code(cell: str, labels: Mapping[str, str]) -> str:
    """Write a code behind the word that it stands for.

    >>> with_code("1", {"1": "male"}), with_code("m", {}), with_code("dead", {"dead": "dead"})
    ('male (1)', 'm', 'dead')
    """
    label = labels.get(cell, cell)
    return cell if label == cell else f"{label} ({cell})"
