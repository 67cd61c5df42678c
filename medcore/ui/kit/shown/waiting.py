"""Work that may take more than a second: how long it has gone on, how long it still takes, and a way to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as StillWorking
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import streamlit as st

from medcore import jobs
from medcore.errors import CancelledError
from medcore.i18n import _
from medcore.jobs.stop import Stop
from medcore.ui.kit import layout, links
from medcore.ui.kit.cache import once, store
from medcore.ui.kit.frame.turns import turn_passed_on
from medcore.ui.kit.shown.fragments import fragment
from medcore.ui.kit.words import duration

T = TypeVar("T")
PATIENCE_SECONDS = 1.0
"""What takes no longer is simply waited for."""
LOOK_SECONDS, WATCH_SECONDS = 0.5, 0.3
"""How often it is said how far the work is, and how long of that its end is watched for, so that it is seen at once."""
_threads = ThreadPoolExecutor(64, "medcore-waiting")
"""They wait for workers and do nothing themselves."""
_took: dict[str, float] = {}
"""How many seconds work of a kind took last in this process."""


@dataclass(slots=True, eq=False)
class SessionTask:
    """One piece of work of a session. The work is given its task: it passes ``stop`` on and may ``tell`` how far it is."""

    kind: str
    stop: Stop = field(default_factory=Stop)
    share: float = 0.0
    _began: float = 0.0
    _future: Future[Any] | None = field(default=None, repr=False)

    def begin(self, work: Callable[[SessionTask], Any]) -> None:
        """Start the work, unless that was done before or somebody stopped it."""
        if self._future is None:
            self._began = time.monotonic()
            self._future = _threads.submit(self._work, work)

    def _work(self, work: Callable[[SessionTask], T]) -> T:
        found = work(self)
        _took[self.kind] = self.seconds
        return found

    def tell(self, share: float) -> None:
        """Say what share of the work is done."""
        self.share = share

    @property
    def begun(self) -> bool:
        """Whether it was begun, and not forgotten since."""
        return self._future is not None

    @property
    def done(self) -> bool:
        """Whether it ended in some way."""
        return self._future is not None and self._future.done()

    def ends_within(self, seconds: float) -> bool:
        """Wait so long for its end, however it ends; say whether it came."""
        assert self._future is not None
        with turn_passed_on():
            wait([self._future], seconds)
        return self.done

    @property
    def seconds(self) -> float:
        """How long it has gone on."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float | None:
        """About how many seconds it still takes, by how far it is or by how long such work took last."""
        if self.share:
            return self.seconds * (1 - self.share) / self.share
        usual = _took.get(self.kind)
        return None if usual is None or usual <= self.seconds else usual - self.seconds

    def result(self, seconds: float) -> Any:
        """Return what was found within some seconds; raises its error, or TimeoutError."""
        assert self._future is not None
        self.ends_within(seconds)
        return self._future.result(0)

    def again(self) -> None:
        """Forget how it ended, so that it begins anew."""
        self.stop, self.share, self._future = Stop(), 0.0, None


def begun(work: Callable[[SessionTask], Any], *identity: object) -> SessionTask:
    """Begin work that :func:`waited` is going to ask for, unless that was done before."""
    task = once(lambda: SessionTask(str(identity[0])), "waited", *identity)
    task.begin(work)
    return task


def under_way(*identity: object) -> bool:
    """Whether work that :func:`waited` asked for goes on, or its outcome was not taken yet."""
    return once(lambda: SessionTask(str(identity[0])), "waited", *identity).begun


def waited(work: Callable[[SessionTask], T], *identity: object, key: str, doing: str, keep: bool = True) -> T | None:
    """Return what the work found, or ``None`` while it goes on or once it was stopped; the page then says so.

    It goes on when the page is left, and is done once a session for an ``identity``, whose first
    part names its kind; what is large is not kept (``keep=False``). Errors of the work are raised here.
    """
    return cast(T | None, awaited(begun(work, *identity), key=key, doing=doing, keep=keep))


def awaited(task: SessionTask, *, key: str, doing: str, keep: bool = True) -> Any:
    """Do what :func:`waited` does for a task that was begun and is kept elsewhere."""
    try:
        found = task.result(PATIENCE_SECONDS)
    except StillWorking:
        links.wait()
        fragment(_follow, every=LOOK_SECONDS)(task, key, doing)
    except CancelledError as ended:
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-stopped".replace(".", "-")):
            layout.note(str(ended), look="warning")
            st.button(_("Start again"), key=f"{key}.again", on_click=task.again)
    except BaseException:
        task.again()  # the next look at the page tries anew
        raise
    else:
        if not keep:
            task.again()
        return found
    return None


def _follow(task: SessionTask, key: str, doing: str) -> None:
    """Say how far it is; as soon as it ends, draw the page again."""
    if task.ends_within(WATCH_SECONDS):
        st.rerun()
    left, seconds = task.left, task.seconds
    if task.stop.of_worker and (status := jobs.worker_status(store().settings)).state == "starting":
        doing = _("{doing} First the part of medcore that computes gets ready.", doing=doing)
        left = None if status.left is None else status.left + _took.get(task.kind, 0.0)
    text = (
        _("{doing} {elapsed} so far; time left: {left}", doing=doing, elapsed=duration(seconds), left=duration(left))
        if left is not None
        else _("{doing} {elapsed} so far", doing=doing, elapsed=duration(seconds))
    )
    share = task.share or (0.0 if left is None else seconds / (seconds + left))
    with st.container(key=f"{key}-waiting".replace(".", "-")):
        st.progress(min(share, 1.0), text=text)
        st.button(_("Stop"), key=f"{key}.stop", on_click=task.stop.ask, icon=":material/stop_circle:")
