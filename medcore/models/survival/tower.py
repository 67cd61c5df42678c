"""Networks with a tower for measurements in the order of time, with a hazard for each interval and cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, Rows
from medcore.models.coalitions.layers import LayeredCoalitions
from medcore.models.coalitions.tower import tower_coalitions
from medcore.models.contract.task import Fitted, ProgressReporter, Task
from medcore.models.contract.timed import Curves, TimedPart
from medcore.models.learners.tower import (
    TOWER,
    TowerInputs,
    in_tiles,
    read_towers,
    tower_settings,
    train_towers,
    write_towers,
)
from medcore.models.survival.intervals import incidence_of
from medcore.models.survival.network import HazardsAsked, put_together
from medcore.models.trainer.predict import TrainedNetworks
from medcore.sealing import Folder

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HazardTowerPart(TimedPart):
    """Networks whose hazards in the intervals that end at ``ends`` (J,) are averaged; ``networks[i]`` read what ``inputs[i]`` writes."""

    kind: ClassVar[str] = "hazard_tower"
    horizon: float
    ends: Floats
    inputs: tuple[TowerInputs, ...]
    networks: tuple[TrainedNetworks, ...]

    def curve(self, rows: AnyRows, times: Floats, /) -> Curves:
        """Return each row's cumulative incidence of every cause by ``times``."""

        def told(some: Rows) -> Floats:
            each = [n.hazards(i.transform(some)) for i, n in zip(self.inputs, self.networks, strict=True)]
            return np.asarray(np.mean(each, axis=0))

        return incidence_of(in_tiles(rows, told), self.ends, times)

    def coalitions(self) -> LayeredCoalitions:
        """Return how the networks answer for coalitions: what their first kernels make of a row are sums."""
        inner = tower_coalitions([(i.sequences, i.table) for i in self.inputs], self.networks)
        return put_together(inner, self.horizon, self.ends, self.networks[0].architecture.n_causes)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write the weights of every fold as arrays, without pickle."""
        kept = write_towers(folder, self.inputs, self.networks)
        return {"horizon": self.horizon, "ends": self.ends.tolist(), **kept}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        ends = np.asarray(data["ends"], dtype=np.float64)
        return cls(float(data["horizon"]), ends, *read_towers(folder, data))


def fit_hazard_tower(task: Task, reporter: ProgressReporter) -> Fitted:
    """Train networks with a tower in every fold, all members together; these are the model, as for classes."""
    asked = HazardsAsked.of(task)
    settings = asked.settings(tower_settings(task))
    found = train_towers(task, reporter, settings, target=asked.target, n_codes=asked.n_codes)
    part = HazardTowerPart(asked.horizon, asked.ends, found.inputs, found.networks)
    return asked.fitted(task, part, found.networks, found.matrices)


CANDIDATES = (replace(TOWER, learner=fit_hazard_tower, part=HazardTowerPart, space=None),)
