"""The trials of a search on disk: what an interrupted one goes on from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcore.models.contract.trials import Trial


@dataclass(frozen=True, slots=True)
class Kept:
    """A trial made before, and the seconds that went by for it (fewer than its own when others were made beside it)."""

    trial: Trial
    seconds: float


class Journal:
    """A line for each trial, in the order in which they were finished; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[tuple[int, int], Kept] = {}
        if path is not None and path.is_file():
            text = path.read_text(encoding="utf-8")
            for line in text.splitlines():
                self._read(line)
            if not text.endswith("\n"):  # cut off in the middle of writing: that trial is made again
                path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")

    def find(self, place: int, number: int) -> Kept | None:
        """Return a trial made before."""
        return self._known.get((place, number))

    def add(self, place: int, trial: Trial, seconds: float) -> None:
        """Keep a trial."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            line: dict[str, Any] = {"place": place, "seconds": seconds, "trial": trial.to_dict()}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def _read(self, line: str) -> None:
        try:
            data = json.loads(line)
        except ValueError:
            return
        trial = Trial.from_dict(data["trial"])
        # An older version kept no seconds: it made one trial after another.
        self._known[data["place"], trial.number] = Kept(trial, data.get("seconds", trial.seconds))
