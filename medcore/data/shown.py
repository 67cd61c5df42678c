"""How a column and its values are shown to people: in words where there are some, with the name of the file beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from medcore.i18n import Message


@dataclass(frozen=True, slots=True)
class Shown:
    """A column as people read it: ``label`` is empty where the name is all there is.

    ``str`` gives the label with the name behind it; a page and a chart set the name small.

    >>> str(Shown("cp", "Chest pain type")), str(Shown("age"))
    ('Chest pain type (cp)', 'age')
    """

    name: str
    label: str = ""
    unit: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The label, or the name where there is none."""
        return self.label or self.name

    @property
    def aside(self) -> str:
        """The name, where a label is shown in its place."""
        return self.name if self.label else ""

    def value(self, cell: str | None) -> str | None:
        """Return a cell as its label, with the code behind where several codes share the label.

        >>> sex = Shown("sex", levels={"1": "male", "2": "female", "3": "not known", "9": "not known"})
        >>> sex.value("1"), sex.value("9"), sex.value("7"), sex.value(None)
        ('male', 'not known (9)', '7', None)
        """
        label = self.levels.get(cell) if cell is not None else None
        if label is None:
            return cell
        shared = sum(other == label for other in self.levels.values()) > 1
        return f"{label} ({cell})" if shared else label

    def __str__(self) -> str:
        return f"{self.label} ({self.name})" if self.label else self.name


Naming = Callable[[str], Shown]
"""What says how a column is shown, by its name: :meth:`Schema.shown`, or :class:`Shown` itself for bare names."""


def named(message: Message, naming: Naming, columns: Iterable[str]) -> Message:
    """Return a sentence about columns in which they are called as they are shown."""
    known = set(columns)

    def spoken(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [spoken(v) for v in value]
        return str(naming(value)) if isinstance(value, str) and value in known else value

    return replace(message, values={k: spoken(v) for k, v in message.values.items()})
