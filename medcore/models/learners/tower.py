"""Networks with a tower for measurements in the order of time, as parts of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker, Rows
from medcore.i18n import N_
from medcore.models.bundle.files import inside
from medcore.models.coalitions.tower import tower_coalitions
from medcore.models.contract.candidate import Candidate
from medcore.models.contract.coalitions import Coalitions
from medcore.models.contract.task import Fitted, Indices, Part, ProgressReporter, Risk, Task, clean
from medcore.models.learners.networks import (
    maker_of,
    network_space,
    out_of_fold,
    table_members,
    table_settings,
    train_members,
)
from medcore.models.network.sequences import SequenceScaler
from medcore.models.network.settings import NetworkSettings
from medcore.models.network.tower import TowerNetwork
from medcore.models.trainer.predict import TrainedNetworks
from medcore.sealing import Folder, get_arrays, put_arrays

_RATES = (2e-3, 1e-2)
"""Learning rates of long and of short trainings: at the table network's, members on intensive care were best after few epochs."""
_STEPS = 160
"""Steps up to which a training is a short one; beyond, the rate falls as they grow."""
_EPOCHS = 40
_ROWS = 4_096
"""Rows told at a time: what a tower reads of one is some thousand numbers."""


@dataclass(frozen=True, slots=True)
class TowerInputs:
    """What a tower and the table network beside it read, as the training rows of one fold made it."""

    sequences: SequenceScaler
    table: FeatureMaker

    @classmethod
    def fit(cls, task: Task, rows: Indices) -> TowerInputs:
        """Learn from some rows of a task."""
        own = task.rows.take(rows)
        return cls(SequenceScaler.fit(own, task.in_order), maker_of(task, rows, "robust"))

    def transform(self, rows: AnyRows) -> NDArray[np.float32]:
        """Write rows (n, P) as a matrix (n, F): measurements first, then the table's columns."""
        rows = Rows.of(rows)
        return np.concatenate([self.sequences.transform(rows), self.table.transform(rows)], axis=1)


@dataclass(frozen=True, slots=True)
class TowerPart(Part):
    """Networks whose risks are averaged; the members of ``networks[i]`` read what ``inputs[i]`` writes."""

    kind: ClassVar[str] = "tower"
    inputs: tuple[TowerInputs, ...]
    networks: tuple[TrainedNetworks, ...]
    n_classes: int

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""

        def told(some: Rows) -> Risk:
            each = [n.risk(i.transform(some)) for i, n in zip(self.inputs, self.networks, strict=True)]
            return clean(np.mean(each, axis=0), self.n_classes)

        return in_tiles(rows, told)

    def coalitions(self) -> Coalitions:
        """Return how the networks answer for coalitions: what their first kernels make of a row are sums."""
        return tower_coalitions([(i.sequences, i.table) for i in self.inputs], self.networks)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write the weights of every fold as arrays, without pickle."""
        return write_towers(folder, self.inputs, self.networks) | {"n_classes": self.n_classes}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        return cls(*read_towers(folder, data), int(data["n_classes"]))


def write_towers(folder: Folder, inputs: Sequence[TowerInputs], networks: Sequence[TrainedNetworks]) -> dict[str, Any]:
    """Write the weights of every fold as arrays, and return what is small as JSON."""
    for place, members in enumerate(networks):
        put_arrays(folder / f"tower_{place}.npz", {"weights": members.weights, "fixed": members.fixed})
    return {
        "inputs": [{"sequences": i.sequences.to_dict(), "table": i.table.to_dict()} for i in inputs],
        "networks": [
            {"architecture": n.architecture.to_dict(), "n_features": n.n_features}
            for n in networks
            if isinstance(n.architecture, TowerNetwork)
        ],
    }


def read_towers(folder: Folder, data: Mapping[str, Any]) -> tuple[tuple[TowerInputs, ...], tuple[TrainedNetworks, ...]]:
    """Read what :func:`write_towers` wrote."""
    inputs = tuple(
        TowerInputs(SequenceScaler.from_dict(i["sequences"]), FeatureMaker.from_dict(i["table"]))
        for i in data["inputs"]
    )
    return inputs, tuple(
        _read(inside(folder, f"tower_{place}.npz"), network) for place, network in enumerate(data["networks"])
    )


def _read(file: Folder, data: Mapping[str, Any]) -> TrainedNetworks:
    """Read the members of one fold; weights that are not those of the network are refused."""
    network, arrays = TowerNetwork.from_dict(data["architecture"]), get_arrays(file)
    for name, parts in (("weights", network.parts), ("fixed", network.fixed)):
        if arrays[name].ndim != 2 or arrays[name].shape[1] != sum(part.size for part in parts):
            raise ValueError("a tower's weights are not as many as its shape says")
    return TrainedNetworks(network, arrays["weights"], arrays["fixed"], int(data["n_features"]))


@dataclass(frozen=True, slots=True)
class TowersByFold:
    """Each fold's networks, with what makes their ``inputs`` and the ``matrices`` that it makes of all rows."""

    inputs: tuple[TowerInputs, ...]
    matrices: tuple[NDArray[np.float32], ...]
    networks: tuple[TrainedNetworks, ...]


def fit_tower(task: Task, reporter: ProgressReporter) -> Fitted:
    """Train networks with a tower in every fold, all members together; these are the model."""
    found = train_towers(task, reporter, tower_settings(task), target=task.outcome, n_codes=task.n_classes)
    oof, spread = out_of_fold(task, found.networks, found.matrices)
    return Fitted(oof, TowerPart(found.inputs, found.networks, task.n_classes), spread)


def train_towers(
    task: Task, reporter: ProgressReporter, settings: NetworkSettings, *, target: NDArray[Any], n_codes: int
) -> TowersByFold:
    """Train the members of all folds as one program; ``target`` (n,) and ``n_codes`` are as for the table network."""
    inputs = tuple(TowerInputs.fit(task, task.training(fold)) for fold in range(task.n_folds))
    matrices = tuple(each.transform(task.rows) for each in inputs)
    networks = train_members(matrices, reporter, table_members(task), settings, target=target, n_codes=n_codes)
    return TowersByFold(inputs, matrices, networks)


def in_tiles(rows: AnyRows, told: Callable[[Rows], NDArray[np.float64]]) -> NDArray[np.float64]:
    """Ask about some rows at a time, and put the answers (n, …) together."""
    rows = Rows.of(rows)
    starts = range(0, max(len(rows), 1), _ROWS)
    return np.concatenate([told(rows.take(slice(start, start + _ROWS))) for start in starts])


def tower_settings(task: Task) -> NetworkSettings:
    """Return what suits the table and the measurements beside it; ``epochs`` of the settings is an upper bound."""
    suited = table_settings(task)
    epochs = min(suited.epochs, _EPOCHS)
    steps = epochs * max(1.0, task.n / suited.batch_size)
    rate = float(np.clip(_RATES[1] * _STEPS / steps, *_RATES))
    return replace(
        suited,
        architecture="tower",
        n_series=len(task.in_order),
        learning_rate=task.tuned.get("learning_rate", rate),
        epochs=epochs,
        n_bins=0,
    )


TOWER = Candidate(
    name="tower",
    title=N_("Network over time"),
    hint=N_("Reads the measurements themselves in their order, beside the table."),
    order=75,
    menu=2,
    share=5.0,
    learner=fit_tower,
    part=TowerPart,
    space=partial(network_space, 0.1, 20.0),
    missing="filled",
    reads=frozenset({"epochs", "n_seeds", "effort"}),
    in_order=True,
    automatic=True,
)
CANDIDATES = (TOWER,)
