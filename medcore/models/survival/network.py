"""The network for tables with a hazard for each interval and cause, all folds and seeds as one compiled program.

Sources: Gensheimer & Narasimhan 2019 (a discrete-time model for neural networks), with a softmax over the causes of
each interval where events compete (Tutz & Schmid 2016, § 8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker
from medcore.models.coalitions.after_sums import HazardsPutTogether
from medcore.models.coalitions.layers import LayeredCoalitions
from medcore.models.coalitions.networks import AfterFirstKernel, network_coalitions
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
from medcore.models.network.settings import NetworkSettings
from medcore.models.survival.intervals import cut_points, entered, incidence_of
from medcore.models.trainer.hazards import coded
from medcore.models.trainer.predict import TrainedNetworks, mean_hazards_of_all
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
        hazards = mean_hazards_of_all(self.networks, [maker.transform(rows) for maker in self.makers])
        return incidence_of(hazards, self.ends, times)

    def coalitions(self) -> Coalitions:
        """Return how the networks answer for coalitions: what their first kernels make of a row are sums."""
        inner = network_coalitions(self.makers, self.networks)
        if inner is None:
            return WrittenOut(self)
        return put_together(inner, self.horizon, self.ends, self.networks[0].architecture.n_causes)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write every member as a ``.keras`` file that anyone can load."""
        members = write_members(folder, self.makers, self.networks)
        return {"horizon": self.horizon, "ends": self.ends.tolist(), **members}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote; a file with code in it is refused."""
        ends = np.asarray(data["ends"], dtype=np.float64)
        return cls(float(data["horizon"]), ends, *read_members(folder, data))


def put_together(inner: LayeredCoalitions, horizon: float, ends: Floats, n_causes: int) -> LayeredCoalitions:
    """Let networks of hazards in intervals answer for coalitions by a time."""
    starts = np.concatenate([[0.0], ends[:-1]])
    spent = np.clip((horizon - starts) / (ends - starts), 0.0, 1.0).astype(np.float32)
    hazards = inner.after
    if isinstance(hazards, AfterFirstKernel):  # what comes later is not asked about
        spent = spent[: max(1, np.count_nonzero(spent))]
        hazards = replace(hazards, n_intervals=len(spent))
    return replace(inner, weights={**inner.weights, "spent": spent}, after=HazardsPutTogether(hazards, n_causes))


def fit_hazard_network(task: Task, reporter: ProgressReporter) -> Fitted:
    """Train the network for clinical tables in every fold; these members together are the model, as for classes."""
    asked = HazardsAsked.of(task)
    settings, members = asked.settings(table_settings(task)), table_members(task)
    found = train_by_fold(task, reporter, members, settings, target=asked.target, n_codes=asked.n_codes)
    part = HazardNetworkPart(asked.horizon, asked.ends, found.makers, found.networks)
    return asked.fitted(task, part, found.networks, found.matrices)


@dataclass(frozen=True, slots=True)
class HazardsAsked:
    """What networks of hazards learn of a task: what each patient's last interval, of those that end at ``ends``, ended with."""

    horizon: float
    ends: Floats
    target: NDArray[np.int64]
    n_causes: int

    @classmethod
    def of(cls, task: Task) -> HazardsAsked:
        """Cut a task's follow-up into intervals."""
        assert task.by is not None
        ends, n_causes = cut_points(task), task.by.n_causes
        target = coded(*entered(task.duration, task.outcome, ends), n_causes)
        return cls(task.by.main, ends, target, n_causes)

    @property
    def n_codes(self) -> int:
        """How many codes ``target`` has."""
        return (len(self.ends) + 1) * (self.n_causes + 1)

    def settings(self, suited: NetworkSettings) -> NetworkSettings:
        """Return the settings of a network that predicts these hazards."""
        return replace(suited, n_causes=self.n_causes, n_intervals=len(self.ends))

    def fitted(
        self, task: Task, part: TimedPart, networks: Sequence[TrainedNetworks], matrices: Sequence[NDArray[np.float32]]
    ) -> Fitted:
        """Return a part with the curves of each row by the networks of its own fold."""
        curves = np.empty((task.n, self.n_causes, len(task.times)))
        for fold in range(task.n_folds):
            held = task.held_out(fold)
            curves[held] = incidence_of(networks[fold].hazards(matrices[fold][held]), self.ends, task.times)
        at = int(np.searchsorted(task.times, self.horizon))
        return Fitted(risk_of_curve(curves[:, :, at]), part, curves=curves)


CANDIDATES = (replace(NETWORK, learner=fit_hazard_network, part=HazardNetworkPart, space=None),)
