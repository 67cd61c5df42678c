"""Networks with a tower for measurements in the order of time, with a linear output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, Rows
from medcore.models.coalitions.tower import tower_coalitions
from medcore.models.contract.coalitions import Coalitions
from medcore.models.contract.number import InUnit, NumberScale, unbiased
from medcore.models.contract.task import Fitted, Part, ProgressReporter, Risk, Task
from medcore.models.learners.tower import (
    TOWER,
    TowerInputs,
    in_tiles,
    read_towers,
    tower_settings,
    train_towers,
    write_towers,
)
from medcore.models.numbers.network import numbers_out_of_fold
from medcore.models.trainer.predict import TrainedNetworks
from medcore.sealing import Folder


@dataclass(frozen=True, slots=True)
class NumberTowerPart(Part):
    """Networks whose outputs are averaged and read by the model's ``scale``; ``networks[i]`` read what ``inputs[i]`` writes."""

    kind: ClassVar[str] = "tower_of_numbers"
    inputs: tuple[TowerInputs, ...]
    networks: tuple[TrainedNetworks, ...]
    scale: NumberScale

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, 1)``."""

        def told(some: Rows) -> NDArray[np.float64]:
            each = [n.numbers(i.transform(some)) for i, n in zip(self.inputs, self.networks, strict=True)]
            return np.asarray(np.mean(each, axis=0))

        return self.scale.told(in_tiles(rows, told))

    def coalitions(self) -> Coalitions:
        """Return how the networks answer for coalitions: what their first kernels make of a row are sums."""
        return InUnit(tower_coalitions([(i.sequences, i.table) for i in self.inputs], self.networks), self.scale)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write the weights of every fold as arrays, without pickle."""
        return write_towers(folder, self.inputs, self.networks) | {"scale": self.scale.to_dict()}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        return cls(*read_towers(folder, data), NumberScale.from_dict(data["scale"]))


def fit_number_tower(task: Task, reporter: ProgressReporter) -> Fitted:
    """Train networks with a tower in every fold, all members together; these are the model, as for classes."""
    scale, settings = NumberScale.of(task), replace(tower_settings(task), number=True)
    found = train_towers(task, reporter, settings, target=scale.standard(task.value), n_codes=1)
    oof = numbers_out_of_fold(task, scale, found.networks, found.matrices)
    return unbiased(task, Fitted(oof, NumberTowerPart(found.inputs, found.networks, scale)))


CANDIDATES = (replace(TOWER, learner=fit_number_tower, part=NumberTowerPart, space=None),)
