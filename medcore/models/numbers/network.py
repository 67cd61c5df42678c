"""The network for tables with a linear output, all folds and seeds as one compiled program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker
from medcore.models.coalitions.networks import network_coalitions
from medcore.models.contract.coalitions import Coalitions, WrittenOut
from medcore.models.contract.number import InUnit, NumberScale, unbiased
from medcore.models.contract.task import Fitted, Part, ProgressReporter, Risk, Task
from medcore.models.learners.networks import (
    NETWORK,
    read_members,
    table_members,
    table_settings,
    train_by_fold,
    write_members,
)
from medcore.models.trainer.predict import TrainedNetworks, mean_numbers_of_all
from medcore.sealing import Folder


@dataclass(frozen=True, slots=True)
class NumberNetworkPart(Part):
    """Networks whose outputs are averaged and read by the model's ``scale``; those of one fold share a maker."""

    kind: ClassVar[str] = "network_of_numbers"
    makers: tuple[FeatureMaker, ...]
    networks: tuple[TrainedNetworks, ...]
    scale: NumberScale

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, 1)``."""
        return self.scale.told(mean_numbers_of_all(self.networks, [m.transform(rows) for m in self.makers]))

    def coalitions(self) -> Coalitions:
        """Return how the networks answer for coalitions: what their first kernels make of a row are sums."""
        inner = network_coalitions(self.makers, self.networks)
        return WrittenOut(self) if inner is None else InUnit(inner, self.scale)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write every member as a ``.keras`` file that anyone can load."""
        return write_members(folder, self.makers, self.networks) | {"scale": self.scale.to_dict()}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote; a file with code in it is refused."""
        return cls(*read_members(folder, data), NumberScale.from_dict(data["scale"]))


def fit_number_network(task: Task, reporter: ProgressReporter) -> Fitted:
    """Train the network for clinical tables in every fold; these members together are the model, as for classes."""
    scale, settings = NumberScale.of(task), replace(table_settings(task), number=True)
    learnt = scale.standard(task.value)
    found = train_by_fold(task, reporter, table_members(task), settings, target=learnt, n_codes=1)
    oof = numbers_out_of_fold(task, scale, found.networks, found.matrices)
    return unbiased(task, Fitted(oof, NumberNetworkPart(found.makers, found.networks, scale)))


def numbers_out_of_fold(
    task: Task, scale: NumberScale, networks: Sequence[TrainedNetworks], matrices: Sequence[NDArray[np.float32]]
) -> Risk:
    """Return each row's number (n, 1) by the networks of its own fold."""
    oof = np.empty((task.n, 1))
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        oof[held] = scale.told(networks[fold].numbers(matrices[fold][held]))
    return oof


CANDIDATES = (replace(NETWORK, learner=fit_number_network, part=NumberNetworkPart, space=None),)
