"""The trials of a search on disk: what an interrupted one goes on from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from medcore.models.contract.trials import Trial
from medcore.sealing import Folder, put


@dataclass(frozen=True, slots=True)
class Kept:
    """A trial made before, and the seconds that went by for it (fewer than its own when others were made beside it)."""

    trial: Trial
    seconds: float


class Journal:
    """A line for each trial, in the order in which they were finished; without a path nothing is kept."""

    def __init__(self, path: Folder | None) -> None:
        self._path = path
        self._known: dict[tuple[int, int], Kept] = {}
        self._text = path.read_bytes().decode() if path is not None and path.is_file() else ""
        self._text = self._text[: self._text.rfind("\n") + 1]  # cut off in the middle of writing: made again
        for line in self._text.splitlines():
            self._read(line)

    def find(self, place: int, number: int) -> Kept | None:
        """Return a trial made before."""
        return self._known.get((place, number))

    def add(self, place: int, trial: Trial, seconds: float) -> None:
        """Keep a trial."""
        if self._path is not None:
            line: dict[str, Any] = {"place": place, "seconds": seconds, "trial": trial.to_dict()}
            self._text += json.dumps(line) + "\n"
            put(self._path, self._text.encode())

    def _read(self, line: str) -> None:
        try:
            data = json.loads(line)
        except ValueError:
            return
        trial = Trial.from_dict(data["trial"])
        # An older version kept no seconds: it made one trial after another.
        self._known[data["place"], trial.number] = Kept(trial, data.get("seconds", trial.seconds))
