"""Many patients explained one piece after the other on the worker, with progress and a way to stop."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

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
"""About how long the worker is asked at a time; a stop is heeded after that."""
FIRST_PIECE, LARGEST_PIECE = 4, 500


@dataclass(slots=True)
class Batch:
    """A table on its way: what has been explained so far and how fast it goes. Kept for the session only."""

    model: jobs.ResultOf = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    class_name: str
    scale: Scale = "probability"
    piece_seconds: float = PIECE_SECONDS
    parts: list[Explanations] = field(default_factory=list, repr=False)
    done: int = 0
    seconds: float = 0.0
    started: bool = False
    stopped: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be done."""
        return self.stopped or self.done >= len(self.frame)

    @property
    def found(self) -> Explanations | None:
        """What there is so far."""
        return joined(self.parts) if self.parts else None

    @property
    def left(self) -> float | None:
        """About how many seconds it still takes, once that can be said."""
        return self.seconds / self.done * (len(self.frame) - self.done) if self.done else None

    def advance(self) -> None:
        """Have the next piece explained."""
        size = FIRST_PIECE
        if self.done:
            size = max(1, min(LARGEST_PIECE, int(self.piece_seconds * self.done / max(self.seconds, 1e-3))))
        begin = time.perf_counter()
        piece = self.frame.iloc[self.done : self.done + size]
        part = jobs.call(overview.explain_table, self.model, piece, class_name=self.class_name, scale=self.scale)
        self.parts.append(part)
        self.done += len(piece)
        self.seconds += time.perf_counter() - begin

    def start(self) -> None:
        """Begin, or go on after a stop."""
        self.started, self.stopped = True, False

    def stop(self) -> None:
        """Do nothing more after the present piece; what there is stays."""
        self.stopped = True


def follow(batch: Batch, *, key: str) -> None:
    """Show how far a batch is and have it go on; when it ends, draw the whole page once more."""
    components.fragment(_step, every=None if batch.finished else 0.3)(batch, key)


def _step(batch: Batch, key: str) -> None:
    total = len(batch.frame)
    if batch.finished:
        st.rerun()
    text = _("{n} of {total} patients; time left: {left}", n=batch.done, total=total, left=duration(batch.left))
    st.progress(batch.done / max(total, 1), text=text)
    st.button(_("Stop here"), key=f"{key}.stop", on_click=batch.stop, icon=":material/stop_circle:")
    batch.advance()
    if batch.finished:
        st.rerun()
