"""Many patients explained in pieces on all workers, with progress and a way to stop."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import InitVar, dataclass, field

import pandas as pd
import streamlit as st

from medcore import jobs
from medcore.explanation.model import overview
from medcore.explanation.model.batch import joined
from medcore.explanation.model.tables import Explanations
from medcore.explanation.shapley.results import Scale
from medcore.i18n import _
from medcore.ui.kit.shown import components
from medcore.ui.kit.words import duration

PIECE_SECONDS = 1.5
"""About how long a worker is asked at a time; a stop is heeded after that."""
FIRST_PIECE, LARGEST_PIECE = 4, 500
UNSEEN_SECONDS = 1.5
"""Nothing more is asked for when no page has looked for so long: the person has left, or opened a patient, who goes before."""
_lanes = ThreadPoolExecutor(64, "medcore-pieces")
"""They wait for workers and do nothing themselves."""


@dataclass(slots=True, eq=False)
class Batch:
    """A table on its way: what has been explained so far and how fast it goes. Kept for the session only.

    As many pieces are asked for at a time as there are workers. No page waits for them: it looks
    at what has come, which also keeps the batch going.
    """

    model: jobs.ResultOf = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    class_name: str
    scale: Scale = "probability"
    piece_seconds: float = PIECE_SECONDS
    known: InitVar[Explanations | None] = None
    """All of them, where they were explained before."""
    started: bool = False
    stopped: bool = False
    _parts: list[Explanations] = field(default_factory=list, repr=False)
    _early: dict[int, Explanations] = field(default_factory=dict, repr=False)
    _asked: int = 0
    _failed: list[slice] = field(default_factory=list)
    _rows: int = 0
    _seconds: float = 0.0
    _n_lanes: int = 0
    _error: Exception | None = None
    _looked: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self, known: Explanations | None) -> None:
        if known is not None:
            self._parts.append(known)

    @property
    def done(self) -> int:
        """How many patients from the first on are explained."""
        return sum(len(part.rows) for part in self._parts)

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be done."""
        return self.stopped or self.done >= len(self.frame)

    @property
    def found(self) -> Explanations | None:
        """What there is so far."""
        parts = list(self._parts)
        return joined(parts) if parts else None

    @property
    def left(self) -> float | None:
        """About how many seconds it still takes, once that can be said."""
        with self._lock:
            if not self._rows:
                return None
            return self._seconds / self._rows * (len(self.frame) - self._rows) / max(1, self._n_lanes)

    def start(self) -> None:
        """Begin, or go on after a stop."""
        self.started, self.stopped = True, False
        self._fill()

    def stop(self) -> None:
        """Do nothing more after the present pieces; what there is stays."""
        self.stopped = True

    def rest(self) -> None:
        """Ask for nothing more until the next look: a patient was opened, who goes before."""
        self._looked = float("-inf")

    def look(self) -> None:
        """Keep it going; never waits.

        Raises:
            MedcoreError: a piece failed; it is asked for again at the next look.

        """
        error, self._error = self._error, None
        if error is not None:
            raise error
        self._fill()

    def _fill(self) -> None:
        """Keep every worker busy."""
        n = max(1, jobs.n_workers())
        with self._lock:
            self._looked = time.monotonic()
            new = 0 if self._error or self.finished else max(0, n - self._n_lanes)
            self._n_lanes += new
        for _lane in range(new):
            _lanes.submit(self._ask)

    def _ask(self) -> None:
        """Have one piece after the other explained."""
        piece, began = None, 0.0
        try:
            while (piece := self._next()) is not None:
                began = time.monotonic()
                found = jobs.call(
                    overview.explain_table,
                    self.model,
                    self.frame.iloc[piece],
                    class_name=self.class_name,
                    scale=self.scale,
                    urgent=False,
                )
                self._keep(piece, found, time.monotonic() - began)
        except Exception as error:  # raised where the page looks
            with self._lock:
                self._error, self._n_lanes = error, self._n_lanes - 1
                if piece is not None:
                    self._failed.append(piece)

    def _next(self) -> slice | None:
        """Return the rows of the next piece; ``None`` ends the lane."""
        with self._lock:
            unseen = time.monotonic() - self._looked > UNSEEN_SECONDS
            if not (self.finished or unseen or self._error):
                if self._failed:
                    return self._failed.pop()
                if self._asked < len(self.frame):
                    size = FIRST_PIECE
                    if self._rows:
                        size = int(self.piece_seconds * self._rows / max(self._seconds, 1e-3))
                    begin, self._asked = self._asked, self._asked + max(1, min(LARGEST_PIECE, size))
                    return slice(begin, self._asked)
            self._n_lanes -= 1
            return None

    def _keep(self, piece: slice, found: Explanations, seconds: float) -> None:
        """Put a piece where it belongs; those after one that is not there yet wait for it."""
        with self._lock:
            self._rows += len(found.rows)
            self._seconds += seconds
            self._early[piece.start] = found
            while self.done in self._early:
                self._parts.append(self._early.pop(self.done))


def follow(batch: Batch, *, key: str) -> None:
    """Show how far a batch is and have it go on; when it ends, draw the whole page once more."""
    components.fragment(_step, every=None if batch.finished else 0.5)(batch, key)


def _step(batch: Batch, key: str) -> None:
    batch.look()
    if batch.finished:
        st.rerun()
    done, total = batch.done, len(batch.frame)
    text = _("{n} of {total} patients; time left: {left}", n=done, total=total, left=duration(batch.left))
    st.progress(done / max(total, 1), text=text)
    st.button(_("Stop here"), key=f"{key}.stop", on_click=batch.stop, icon=":material/stop_circle:")
