"""How wide the columns of a table on paper are."""

from __future__ import annotations

import re

from medcore.reporting.document import Table

LETTERS = 105
"""As many letters of a table stand side by side on a page."""
_PIECE = re.compile(
    r"[\u3000-\u9fff\uff00-\uffef]|[^\s_\u3000-\u9fff\uff00-\uffef]*_+|[^\s_\u3000-\u9fff\uff00-\uffef]+"
)
"""What stays on one line: a word, a part of a name up to its underscore, a Chinese character."""
_LONGEST_WORD, _LONGEST_TEXT, _GAP = 24, 40, 3


def widths(table: Table) -> tuple[float, ...]:
    """Return every column's width in letters, :data:`LETTERS` together.

    Every column gets its longest word, as far as lines may not end inside it, and a share of the rest by the length of what stands in it, within bounds.
    """
    columns = list(zip(table.header, *table.rows, strict=True))
    words = [max((width_of(word) for cell in column for word in _PIECE.findall(cell)), default=0) for column in columns]
    least = [min(word, _LONGEST_WORD) + _GAP for word in words]
    wanted = [
        max(1, min(_LONGEST_TEXT, max(map(width_of, column))) - least_one)
        for column, least_one in zip(columns, least, strict=True)
    ]
    spare = max(0, LETTERS - sum(least)) / sum(wanted)
    given = [few + spare * more for few, more in zip(least, wanted, strict=True)]
    return tuple(LETTERS * width / sum(given) for width in given)


def width_of(text: str) -> int:
    """Count letters, a Chinese one as two.

    >>> width_of("age 年龄")
    8
    """
    return len(text.encode("gb18030", "replace"))
