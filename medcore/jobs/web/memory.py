"""The web server keeps to its memory, however many pages' threads have come and gone."""

from __future__ import annotations

import ctypes

ARENAS = 2
"""From how many places memory is given out: the pages take turns, so that hardly two threads ask at once (decision 0087)."""
_M_ARENA_MAX = -8
"""What mallopt calls their number (malloc.h of the GNU C library)."""


def share_memory_between_threads() -> None:
    """Let all threads of this process take memory from the same few places.

    Each run of a page is a thread, and the GNU C library gives threads up to eight places a core: what one had
    freed was not used by the next, and 167 of 261 MB lay about between what the open tabs hold, after 30 studies.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # the GNU C library's
    if set_option is not None:
        set_option(_M_ARENA_MAX, ARENAS)
