"""A document as data: what every format of a report is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from medcore.charts.drawing.theme import Figure


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part; ``level`` 1 to 3."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; ``strong`` for what must not be overlooked."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """Short points."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a heading row; ``caption`` says what they are."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, caption: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
        """Build a table from anything that prints."""
        return cls(caption, tuple(header), tuple(tuple(str(cell) for cell in row) for row in rows))


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart; its title is the caption, its alternative text goes along."""

    figure: Figure = field(repr=False)


Block = Heading | Paragraph | Bullets | Table | Picture


@dataclass(frozen=True, slots=True)
class Document:
    """A report: title, subtitle, language, and its blocks in reading order.

    A ``compact`` one is set small, to fit on one page of paper.
    """

    title: str
    subtitle: str
    language: str
    blocks: tuple[Block, ...]
    footer: str = ""
    compact: bool = False
