"""The network for tables with a hazard for each interval and cause, all folds and seeds as one compiled program.

Sources: Gensheimer & Narasimhan 2019 (a discrete-time model for neural networks), with a softmax over the causes of
each interval where events compete (Tutz & Schmid 2016, § 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker
from medcore.models.coalitions.after_sums import HazardsPutTogether
from medcore.models.coalitions.networks import network_coalitions
from medcore.models.contract.coalitions import Coalitions, WrittenOut
from medcore.models.contract.task import Fitted, ProgressReporter, Task
from medcore.models.contract.timed import Curves, TimedPart, risk_of_curve
from medcore.models.learners.networks import (
    NETWORK,
    read_members,
    table_members,
    table_settings,
    train_by_fold,
    write_members,
)
from medcore.models.survival.intervals import cut_points, entered, incidence_of
from medcore.models.trainer.hazards import coded
from medcore.models.trainer.predict import TrainedNetworks
from medcore.sealing import Folder

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HazardNetworkPart(TimedPart):
    """Networks whose hazards in the intervals that end at ``ends`` (J,) are averaged; those of one fold share a maker."""

    kind: ClassVar[str] = "hazard_network"
    horizon: float
    ends: Floats
    makers: tuple[FeatureMaker, ...]
    networks: tuple[TrainedNetworks, ...]

    def curve(self, rows: AnyRows, times: Floats, /) -> Curves:
        """Return each row's cumulative incidence of every cause by ``times``."""
        pairs = zip(self.makers, self.networks, strict=True)
        hazards = np.mean([network.hazards(maker.transform(rows)) for maker, network in pairs], axis=0)
        return incidence_of(hazards, self.ends, times)

    def coalitions(self) -> Coalitions:
        """Return how the networks answer for coalitions: what their first kernels make of a row are sums."""
        inner = network_coalitions(self.makers, self.networks)
        if inner is None:
            return WrittenOut(self)
        starts = np.concatenate([[0.0], self.ends[:-1]])
        spent = np.clip((self.horizon - starts) / (self.ends - starts), 0.0, 1.0).astype(np.float32)
        after = HazardsPutTogether(inner.after, self.networks[0].architecture.n_causes)
        return replace(inner, weights={**inner.weights, "spent": spent}, after=after)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write every member as a ``.keras`` file that anyone can load."""
        members = write_members(folder, self.makers, self.networks)
        return {"horizon": self.horizon, "ends": self.ends.tolist(), **members}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote; a file with code in it is refused."""
        ends = np.asarray(data["ends"], dtype=np.float64)
        return cls(float(data["horizon"]), ends, *read_members(folder, data))


def fit_hazard_network(task: Task, reporter: ProgressReporter) -> Fitted:
    """Train the network for clinical tables in every fold; these members together are the model, as for classes."""
    assert task.by is not None
    ends, n_causes = cut_points(task), task.by.n_causes
    target = coded(*entered(task.duration, task.outcome, ends), n_causes)
    settings = replace(table_settings(task), n_causes=n_causes, n_intervals=len(ends))
    n_codes = (len(ends) + 1) * (n_causes + 1)
    found = train_by_fold(task, reporter, table_members(task), settings, target=target, n_codes=n_codes)
    curves = np.empty((task.n, n_causes, len(task.times)))
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        curves[held] = incidence_of(found.networks[fold].hazards(found.matrices[fold][held]), ends, task.times)
    at = int(np.searchsorted(task.times, task.by.main))
    part = HazardNetworkPart(task.by.main, ends, found.makers, found.networks)
    return Fitted(risk_of_curve(curves[:, :, at]), part, curves=curves)


CANDIDATES = (replace(NETWORK, learner=fit_hazard_network, part=HazardNetworkPart, space=None),)
