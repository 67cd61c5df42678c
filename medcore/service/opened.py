"""Released models kept open: the version that answers now, read once and kept while it is asked for."""

from __future__ import annotations

import gc
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from medcore.errors import MedcoreError
from medcore.explanation.patient.released import ReleasedModel
from medcore.service.reading import CellReader
from medcore.studies import Store
from medcore.studies.use_records import Release

logger = logging.getLogger("medcore.service")
MOST_OPEN = 16
"""Models kept in memory; the one that was asked for longest ago makes room."""
SURE_SECONDS = 2.0
"""How long it is taken for granted that a version still answers: a withdrawal is heard of within that."""


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A version with its model, and what reads its patients' cells."""

    release: Release
    model: ReleasedModel
    reader: CellReader
    told: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False, compare=False)
    """What is said of it with every answer, by language: said once."""


class OpenModels:
    """Opens versions and keeps them; safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._models: dict[str, tuple[ReleasedModel, CellReader]] = {}
        self._sure: dict[tuple[str, str], tuple[float, OpenModel]] = {}
        self._opening = threading.Lock()
        self._asked_together: set[str] = set()
        self._warming = ThreadPoolExecutor(1, thread_name_prefix="warm")
        self.ready = threading.Event()
        """Set once what was in use at the start is open: answers are as quick as they get."""

    def in_use(self, person: str, name: str) -> OpenModel:
        """Return the version of a model that answers a person now.

        What it needs for several patients at once is prepared meanwhile.

        Raises:
            NotFoundError: there is none of this name, or it is not open to this person.
            SettingsError: it was withdrawn, or its validity is over.

        """
        known = self.known(person, name)
        if known is not None:
            return known
        release = self.store.model_in_use(person, name)
        found, moment = OpenModel(release, *self.open(release)), time.monotonic()
        # A model that made room is not held here any longer than it is sure.
        self._sure = {asked: sure for asked, sure in self._sure.items() if moment - sure[0] <= SURE_SECONDS}
        self._sure[person, name] = (moment, found)
        if release.id not in self._asked_together:
            self._asked_together.add(release.id)
            self._warming.submit(found.model.warm_together)
        return found

    def known(self, person: str, name: str) -> OpenModel | None:
        """Return the version if it is open and was found to answer this person a moment ago; this waits for nothing."""
        moment, found = self._sure.get((person, name), (0.0, None))
        if found is None or time.monotonic() - moment > SURE_SECONDS or found.release.state != "in use":
            return None
        return found

    def open_all(self) -> list[Release]:
        """Open what is in use and ask it, so that nobody waits for what is read and prepared once; return it."""
        found = []
        for owner, name in self.store.models_released():
            try:
                found.append(self.in_use(owner, name).release)
            except MedcoreError as error:  # told to whoever asks for it
                logger.warning("The model %s cannot be opened: %s", name, error)
        self._warming.submit(lambda: None).result()  # which comes after whatever was opened
        # What is there now stays: looking through it for cycles would stop all calls for a tenth of a second.
        gc.collect()
        gc.freeze()
        return found

    def close(self) -> None:
        """Prepare nothing any more."""
        self._warming.shutdown(wait=True, cancel_futures=True)

    def open(self, release: Release) -> tuple[ReleasedModel, CellReader]:
        """Return a version's model, read if it is not open already, and what reads its patients' cells."""
        found = self._models.get(release.id)
        if found is not None:
            return found
        with self._opening:
            if release.id not in self._models:
                folder = self.store.release_folder(release.owner, release.id)
                opened = ReleasedModel.open(folder, release.terms.threshold)
                opened.warm()
                while len(self._models) >= MOST_OPEN:
                    self._models.pop(next(iter(self._models)))
                self._models[release.id] = (opened, CellReader(opened.bundle))
            return self._models[release.id]
