"""Names of a package that are imported when they are first used, so that who needs one waits for no other (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def imported_when_used(package: str, home: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package whose public names live in the modules ``home`` says.

    >>> imported_when_used("medcore", {"sqrt": "math"})("sqrt")(9.0)
    3.0
    """

    def found(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(home[name]), name)

    return found
