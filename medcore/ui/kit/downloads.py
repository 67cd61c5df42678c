"""Files that a page offers live on for a click that comes late, and for a fetch that takes its time; closed tabs do not."""

from __future__ import annotations

import asyncio
import threading
import time
from weakref import WeakKeyDictionary, WeakSet

from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

KEPT_SECONDS = 60.0
"""How long a file that no page offers any more can still be had, at least."""

_MARGIN_SECONDS = 0.1
_disconnect_session = WebsocketSessionManager.disconnect_session
_remove_orphaned_files = MediaFileManager.remove_orphaned_files
_looked: WeakKeyDictionary[MediaFileManager, float] = WeakKeyDictionary()
_orphans: WeakKeyDictionary[MediaFileManager, set[str]] = WeakKeyDictionary()
_later: WeakSet[MediaFileManager] = WeakSet()
"""Those that are going to be looked at again, whether or not anybody opens a page until then."""


def keep_downloads_a_while() -> None:
    """Let Streamlit forget what nobody offers any more at the second look, looks being a minute apart.

    Each run of a page names its files anew, and the end of anybody's run makes forget whatever is not
    offered at that moment: what another page is just drawing again, what was clicked on a screen that does
    not show the new names yet, and a file made a moment ago that the browser is about to fetch. What makes a file
    holds what its page had read; so the looks go on where nobody opens a page any more, until nothing is left.
    """
    MediaFileManager.remove_orphaned_files = _look  # type: ignore[method-assign]
    MediaFileManager._remove_orphaned_deferred_callables = _forget  # type: ignore[method-assign]


def _look(self: MediaFileManager) -> None:
    now = time.monotonic()
    if now - _looked.get(self, -KEPT_SECONDS) >= KEPT_SECONDS:
        _looked[self] = now
        _remove_orphaned_files(self)
    if self._deferred_callables and self not in _later:
        _later.add(self)
        timer = threading.Timer(KEPT_SECONDS, _look_later, (self,))
        timer.daemon = True
        timer.start()


def _look_later(self: MediaFileManager) -> None:
    _later.discard(self)
    _look(self)


def _forget(self: MediaFileManager) -> None:
    """Forget what makes a file if nobody offered it at the last look either; the caller holds the lock."""
    offered = {name for names in self._files_by_session_and_coord.values() for name in names.values()}
    orphans = {name for name in self._deferred_callables if name not in offered}
    for name in orphans & _orphans.get(self, set()):
        self._drop_deferred_id(name)
    _orphans[self] = orphans


def forget_closed_tabs() -> None:
    """Let the session of a closed tab go when its time to come back is over.

    Streamlit looks for sessions whose time is over only when the next tab is closed: where nobody comes
    any more, what the last ones had read, patients' values too, stayed in memory for ever.
    """
    WebsocketSessionManager.disconnect_session = _disconnect  # type: ignore[method-assign]


def _disconnect(self: WebsocketSessionManager, session_id: str) -> None:
    _disconnect_session(self, session_id)
    closed = self._session_storage._cache  # type: ignore[attr-defined]
    asyncio.get_running_loop().call_later(closed.ttl + _MARGIN_SECONDS, _let_go, self)


def _let_go(self: WebsocketSessionManager) -> None:
    """Forget sessions whose time is over: each shuts itself down, and with it what it offered, when nobody holds it."""
    with self._storage_lock:
        gone = self._session_storage._cache.expire()  # type: ignore[attr-defined]
    del gone
