"""A file that a page offered can be had for a while after the page was drawn again."""

import asyncio
import time
import weakref

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from medcore.ui.kit import downloads
from tests.aside import run_aside


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> MediaFileManager:
    for name in ("remove_orphaned_files", "_remove_orphaned_deferred_callables"):
        monkeypatch.setattr(MediaFileManager, name, getattr(MediaFileManager, name))
    downloads.keep_downloads_a_while()
    return MediaFileManager(MemoryMediaFileStorage("/media"))


def drawn_again(files: MediaFileManager) -> None:
    files.clear_session_refs()
    files.remove_orphaned_files()


def test_a_click_on_a_page_that_was_drawn_again_gets_its_file(files: MediaFileManager) -> None:
    name = files.add_deferred(lambda: b"row,risk\n", "text/csv", "0.1", "list.csv")
    for _times in range(3):
        drawn_again(files)
    address = files.execute_deferred(name)
    for _times in range(3):
        drawn_again(files)
    assert files._storage.get_file(address.rsplit("/", 1)[-1]).content == b"row,risk\n"  # type: ignore[attr-defined]


def test_what_nobody_offers_is_forgotten_at_the_second_look(
    files: MediaFileManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "KEPT_SECONDS", 0.0)
    name = files.add_deferred(lambda: b"row,risk\n", "text/csv", "0.1", "list.csv")
    drawn_again(files)
    drawn_again(files)
    with pytest.raises(MediaFileStorageError, match="not found"):
        files.execute_deferred(name)
    assert not files._deferred_callables


class Table:
    """What a page has read."""

    rows = b"row,risk\n"


def test_what_the_last_page_offered_is_forgotten_also_where_no_other_is_opened(
    files: MediaFileManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the table that the page had read, which may have been removed for good since."""
    monkeypatch.setattr(downloads, "KEPT_SECONDS", 0.05)
    table = Table()
    gone = weakref.ref(table)
    files.add_deferred(lambda table=table: table.rows, "text/csv", "0.1", "list.csv")
    drawn_again(files)
    del table
    end = time.monotonic() + 180
    while gone() is not None and time.monotonic() < end:
        time.sleep(0.05)
    assert gone() is None


def test_a_closed_tab_is_forgotten_where_nobody_closes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebsocketSessionManager, "disconnect_session", WebsocketSessionManager.disconnect_session)
    downloads.forget_closed_tabs()
    storage = MemorySessionStorage(ttl_seconds=1)  # type: ignore[arg-type]
    manager = WebsocketSessionManager(storage, MemoryUploadedFileManager("/upload"), ScriptCache(), None)
    table = Table()
    held = weakref.ref(table)
    storage._cache["closed"] = table  # type: ignore[assignment]
    del table

    async def close_and_wait() -> None:
        manager.disconnect_session("closed")
        assert held() is not None
        for _ in range(200):
            if held() is None:
                break
            await asyncio.sleep(0.1)

    run_aside(close_and_wait())
    assert held() is None
