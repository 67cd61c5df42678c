"""Results as a notebook shows them: a caption and a small table."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple


class NotebookTable(NamedTuple):
    """What a result shows of itself: a caption, headings, and rows of text."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class ShownInNotebooks(ABC):
    """Gives a result that has a ``notebook_table`` the form in which Jupyter shows it."""

    __slots__ = ()

    @abstractmethod
    def notebook_table(self) -> NotebookTable:
        """Return what to show."""

    def _repr_html_(self) -> str:
        caption, header, rows = self.notebook_table()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<table><caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
