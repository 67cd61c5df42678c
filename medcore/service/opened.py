"""Released models kept open: the version that answers now, read once and kept while it is asked for."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from medcore.errors import MedcoreError
from medcore.explanation.patient.released import ReleasedModel
from medcore.studies import Store
from medcore.studies.use_records import Release

logger = logging.getLogger("medcore.service")
MOST_OPEN = 16
"""Models kept in memory; the one that was asked for longest ago makes room."""
SURE_SECONDS = 2.0
"""How long it is taken for granted that a version still answers: a withdrawal is heard of within that."""


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A version with its model."""

    release: Release
    model: ReleasedModel


class OpenModels:
    """Opens versions and keeps them; safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._models: dict[str, ReleasedModel] = {}
        self._sure: dict[tuple[str, str], tuple[float, Release]] = {}
        self._opening = threading.Lock()

    def in_use(self, person: str, name: str) -> OpenModel:
        """Return the version of a model that answers a person now.

        Raises:
            NotFoundError: there is none of this name, or it is not open to this person.
            SettingsError: it was withdrawn, or its validity is over.

        """
        moment, kept = time.monotonic(), self._sure.get((person, name))
        if kept is None or moment - kept[0] > SURE_SECONDS or kept[1].state != "in use":
            kept = (moment, self.store.model_in_use(person, name))
            if len(self._sure) > 10_000:
                self._sure.clear()
            self._sure[person, name] = kept
        return OpenModel(kept[1], self._model(kept[1]))

    def open_all(self) -> None:
        """Open what is in use and ask it once, so that nobody waits for what is read and prepared once."""
        for owner, name in self.store.models_released():
            try:
                self.in_use(owner, name).model.warm_explaining()
            except MedcoreError as error:  # told to whoever asks for it
                logger.warning("The model %s cannot be opened: %s", name, error)

    def _model(self, release: Release) -> ReleasedModel:
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
                self._models[release.id] = opened
            return self._models[release.id]
