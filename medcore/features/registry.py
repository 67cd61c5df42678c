"""The kinds of columns there are, by name; a further one is registered here, and nothing else is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medcore.data.preparation import predictors
from medcore.features.category import CATEGORY
from medcore.features.numeric import NUMERIC
from medcore.features.series import SERIES
from medcore.features.text import NOTE

if TYPE_CHECKING:
    from medcore.features.kind import Kind

_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind of column known; the same kind may be registered again."""
    known = _KINDS.setdefault(kind.name, kind)
    if known is not kind or kind.reading.name != kind.name:
        raise ValueError(f"there is another kind of column called {kind.name!r}")
    predictors.register(kind.reading)


def kind_named(name: str) -> Kind:
    """Return a kind by its name.

    Raises:
        ValueError: no such kind is registered here.

    """
    if name not in _KINDS:
        raise ValueError(f"got the kind of column {name!r}, expected one of {', '.join(_KINDS)}")
    return _KINDS[name]


def kinds() -> tuple[Kind, ...]:
    """Return every kind that is registered."""
    return tuple(_KINDS.values())


def cautions() -> dict[str, str]:
    """Return the sentence (``{column}``) of every flag that some kind may raise, by the flag's name."""
    return {name: sentence for kind in kinds() for name, sentence in kind.cautions.items()}


register(NUMERIC)
register(CATEGORY)
register(NOTE)
register(SERIES)
