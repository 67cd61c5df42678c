"""How loops that numpy cannot express are compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call, without Python's lock; kept on disk where a folder can be written to."""
    decorate: Any = partial(numba.njit, nogil=True, fastmath={"reassoc", "nsz", "contract"})
    try:
        kept: Callable[..., Any] = decorate(cache=True)(function)
    except RuntimeError:
        kept = decorate()(function)
    return kept
