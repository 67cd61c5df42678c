"""Networks as parts of a bundle: from a task to trained members, and their ``.keras`` files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker, Scaling
from medcore.i18n import N_
from medcore.models.bundle.files import inside
from medcore.models.coalitions.networks import network_coalitions
from medcore.models.contract.candidate import Candidate
from medcore.models.contract.coalitions import Coalitions, WrittenOut
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import (
    CandidateFollower,
    Fitted,
    Indices,
    Part,
    ProgressReporter,
    Risk,
    Task,
    clean,
    spread_of,
)
from medcore.models.network.keras_files import from_keras_files, to_keras_file
from medcore.models.network.settings import NetworkSettings
from medcore.models.trainer.predict import TrainedNetworks, filled_in_turn, mean_risk_of_all
from medcore.models.trainer.train import Member, members_for, train_networks
from medcore.sealing import Folder, put

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

TABLE_VALIDATION = 0.2
"""The share of a member's rows that chooses its best epoch, as in the ablation that chose the network."""
READ_BY_REFERENCE = frozenset(
    {
        "layers",
        "activation",
        "optimizer",
        "learning_rate",
        "epochs",
        "batch_size",
        "dropout",
        "weight_decay",
        "early_stopping",
        "validation_share",
        "n_seeds",
    }
)
"""The settings that the reference network reads."""


@dataclass(frozen=True, slots=True)
class NetworkPart(Part):
    """Networks whose risks are averaged; those of one fold share a maker.

    ``makers`` and ``networks`` go together: the members of ``networks[i]`` read the
    matrix of ``makers[i]``.
    """

    kind: ClassVar[str] = "network"
    makers: tuple[FeatureMaker, ...]
    networks: tuple[TrainedNetworks, ...]
    n_classes: int

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        return clean(mean_risk_of_all(self.networks, [m.transform(rows) for m in self.makers]), self.n_classes)

    def coalitions(self) -> Coalitions:
        """Return how the networks answer for coalitions: what their first kernels make of a row are sums."""
        return network_coalitions(self.makers, self.networks) or WrittenOut(self)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write every member as a ``.keras`` file that anyone can load."""
        return write_members(folder, self.makers, self.networks) | {"n_classes": self.n_classes}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote; a file with code in it is refused."""
        return cls(*read_members(folder, data), int(data["n_classes"]))


def write_members(
    folder: Folder, makers: Sequence[FeatureMaker], networks: Sequence[TrainedNetworks]
) -> dict[str, Any]:
    """Write every member of networks as a ``.keras`` file, and return the makers and the files' names as JSON."""
    names = [[f"network_{place}_{m}.keras" for m in range(n.n_members)] for place, n in enumerate(networks)]
    for name, model in zip(chain.from_iterable(names), filled_in_turn(networks), strict=True):
        put(folder / name, to_keras_file(model))
    return {"makers": [m.to_dict() for m in makers], "files": names}


def read_members(
    folder: Folder, data: Mapping[str, Any]
) -> tuple[tuple[FeatureMaker, ...], tuple[TrainedNetworks, ...]]:
    """Read what :func:`write_members` wrote; a file with code in it is refused."""
    files = (inside(folder, name).read_bytes() for names in data["files"] for name in names)
    models = from_keras_files(files)
    networks = tuple(TrainedNetworks.from_keras(islice(models, len(names))) for names in data["files"])
    return tuple(FeatureMaker.from_dict(m) for m in data["makers"]), networks


def fit_seed_network(task: Task, reporter: ProgressReporter) -> Fitted:
    """Train the reference network in every fold and on all rows, all of them together."""
    options: dict[str, Any] = {
        "n_seeds": task.settings.n_seeds,
        "seed": task.settings.seed,
        "validation_share": task.settings.validation_share,
        "groups": task.groups,
    }
    members = [*members_for(task.outcome, folds=task.folds, **options), *members_for(task.outcome, **options)]
    return _fit(task, reporter, members, replace(_reference_settings(task.settings), **task.tuned), refit=True)


def fit_network(task: Task, reporter: ProgressReporter) -> Fitted:
    """Train the network for clinical tables in every fold; these members together are the model.

    Each member keeps its best epoch by a fifth of its own training rows, so that its
    held-out fold has no say. Members of the folds are not trained again on all rows,
    since several that differ a little predict better than one.
    """
    return _fit(task, reporter, table_members(task), table_settings(task), refit=False)


def table_members(task: Task) -> tuple[Member, ...]:
    """Return the members of the network for tables, in order of fold and seed."""
    return members_for(
        task.outcome,
        folds=task.folds,
        n_seeds=max(task.settings.n_seeds, least_seeds(task)),
        seed=task.settings.seed,
        validation_share=TABLE_VALIDATION,
        groups=task.groups,
    )


@dataclass(frozen=True, slots=True)
class ByFold:
    """Networks by the rows they learnt from: each fold's, and all rows' where these were trained on too.

    ``makers`` make their matrix, ``matrices`` is each one's of all rows, ``networks`` their members.
    """

    makers: tuple[FeatureMaker, ...]
    matrices: tuple[NDArray[np.float32], ...]
    networks: tuple[TrainedNetworks, ...]


def train_by_fold(
    task: Task,
    reporter: ProgressReporter,
    members: Sequence[Member],
    settings: NetworkSettings,
    *,
    target: NDArray[Any],
    n_codes: int,
    refit: bool = False,
) -> ByFold:
    """Train members in order of fold and seed as one program; with ``refit`` the last ones learn from all rows.

    ``target`` (n,) is what they learn: a class, what an interval ended with, or a number; ``n_codes`` how many there are.
    """
    scaling: Scaling = "standard" if settings.architecture == "seed" else "robust"
    makers = [maker_of(task, task.training(fold), scaling) for fold in range(task.n_folds)]
    if refit:
        makers.append(maker_of(task, np.arange(task.n), scaling))
    matrices = [maker.transform(task.rows) for maker in makers]
    networks = train_members(matrices, reporter, members, settings, target=target, n_codes=n_codes)
    return ByFold(tuple(makers), tuple(matrices), networks)


def train_members(
    matrices: Sequence[NDArray[np.float32]],
    reporter: ProgressReporter,
    members: Sequence[Member],
    settings: NetworkSettings,
    *,
    target: NDArray[Any],
    n_codes: int,
) -> tuple[TrainedNetworks, ...]:
    """Train members, as many for each of the ``matrices`` of all rows, as one program; return them by matrix."""
    n_seeds = len(members) // len(matrices)
    members = [replace(m, features=matrices[place // n_seeds]) for place, m in enumerate(members)]
    trained = train_networks(None, target, n_codes, members, settings, follower=CandidateFollower(reporter))
    return tuple(trained.choose(range(place * n_seeds, (place + 1) * n_seeds)) for place in range(len(matrices)))


def _fit(
    task: Task, reporter: ProgressReporter, members: Sequence[Member], settings: NetworkSettings, *, refit: bool
) -> Fitted:
    """Train networks for classes; with ``refit`` those that learnt from all rows are kept."""
    found = train_by_fold(task, reporter, members, settings, target=task.outcome, n_codes=task.n_classes, refit=refit)
    oof, spread = out_of_fold(task, found.networks, found.matrices)
    kept = slice(task.n_folds, None) if refit else slice(None)
    return Fitted(oof, NetworkPart(found.makers[kept], found.networks[kept], task.n_classes), spread)


def out_of_fold(
    task: Task, networks: Sequence[TrainedNetworks], matrices: Sequence[NDArray[np.float32]]
) -> tuple[Risk, NDArray[np.float64] | None]:
    """Return each row's risks (n, K) by the networks of its own fold, and how far their members differ, where there are several."""
    oof, spread = np.empty((task.n, task.n_classes)), np.zeros(task.n)
    several = networks[0].n_members > 1
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        risks = networks[fold].member_risk(matrices[fold][held])
        oof[held] = clean(risks.mean(axis=0), task.n_classes)
        members = spread_of(list(risks))
        spread[held] = 0.0 if members is None else members
    return oof, spread if several else None


def maker_of(task: Task, rows: Indices, scaling: Scaling) -> FeatureMaker:
    """Fit the maker of the networks' matrix on some rows."""
    maker = FeatureMaker(task.kinds, scaling=scaling)
    return maker.fit(task.rows.take(rows), layout=task.layout)


def least_seeds(task: Task) -> int:
    """Small studies need several members a fold to be judged as the ensemble that is kept, and can afford them."""
    quick = 3 if task.n < 2_000 else 2 if task.n < 10_000 else 1
    return 2 * quick if task.settings.effort == "thorough" else quick


def table_settings(task: Task) -> NetworkSettings:
    """Return what suits the table; ``epochs`` of the settings is an upper bound.

    With more columns than rows a straight line fits all patients: pieces would cost much and bring nothing.
    """
    wide = {"n_bins": 0} if len(task.kinds) > task.n else {}
    suited = NetworkSettings.for_table(task.n, **wide)
    return replace(
        suited,
        epochs=min(task.settings.epochs, suited.epochs),
        class_weight="balanced" if task.settings.class_weight == "balanced" else None,
        focal_gamma=2.0 if task.settings.class_weight == "focal" else 0.0,
        **task.tuned,
    )


def _reference_settings(settings: TrainSettings) -> NetworkSettings:
    own = {name: getattr(settings, name) for name in READ_BY_REFERENCE - {"validation_share", "n_seeds"}}
    return NetworkSettings(
        architecture="seed",
        class_weight="balanced" if settings.class_weight == "balanced" else None,
        focal_gamma=2.0 if settings.class_weight == "focal" else 0.0,
        **own,
    )


_LAYERS = ("64", "128 64", "64 64", "128 128", "256 128 64")


def network_space(least_decay: float, most_decay: float) -> Mapping[str, BaseDistribution]:
    """Return the settings of a network that are searched, with their limits."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        "learning_rate": FloatDistribution(1e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.6),
        "layers": CategoricalDistribution(_LAYERS),
        "weight_decay": FloatDistribution(least_decay, most_decay, log=True),
    }


NETWORK = Candidate(
    name="network",
    title=N_("Neural network"),
    hint=N_("An ensemble of deep networks made for tables."),
    order=70,
    menu=1,
    share=4.0,
    learner=fit_network,
    part=NetworkPart,
    space=partial(network_space, 0.1, 20.0),
    missing="filled",
    reads=frozenset({"epochs", "n_seeds", "effort"}),
    automatic=True,
)
CANDIDATES = (
    NETWORK,
    Candidate(
        name="seed",
        title=N_("Reference network"),
        hint=N_("A plain network of dense layers: the baseline that everything else must beat."),
        order=80,
        menu=2,
        share=5.0,
        learner=fit_seed_network,
        part=NetworkPart,
        space=partial(network_space, 1e-6, 1e-1),
        missing="filled",
        reads=READ_BY_REFERENCE,
        restarted=True,
    ),
)
