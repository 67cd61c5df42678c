"""Networks as parts of a bundle: from a task to trained members, and their ``.keras`` files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from medcore.features import Codes, FeatureMaker
from medcore.models.network import NetworkSettings
from medcore.models.settings import TrainSettings
from medcore.models.task import Fitted, Pulse, Relay, Risk, Task, clean, spread_of
from medcore.models.trainer_predict import TrainedNetworks


@dataclass(frozen=True, slots=True)
class NetworkPart:
    """Networks whose risks are averaged; those of one fold share a maker.

    ``makers`` and ``networks`` go together: the members of ``networks[i]`` read the
    matrix of ``makers[i]``.
    """

    kind: ClassVar[str] = "network"
    makers: tuple[FeatureMaker, ...]
    networks: tuple[TrainedNetworks, ...]
    n_classes: int

    def risk(self, codes: Codes, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        pairs = zip(self.makers, self.networks, strict=True)
        return clean(np.mean([n.risk(m.transform(codes)) for m, n in pairs], axis=0), self.n_classes)

    def save(self, folder: Path, /) -> dict[str, Any]:
        """Write every member as a ``.keras`` file that anyone can load."""
        folder.mkdir(parents=True, exist_ok=True)
        names = []
        for place, networks in enumerate(self.networks):
            names.append([f"network_{place}_{m}.keras" for m in range(networks.n_members)])
            for name, model in zip(names[-1], networks.keras_models(), strict=True):
                model.save(folder / name)
        return {"makers": [m.to_dict() for m in self.makers], "files": names, "n_classes": self.n_classes}

    @classmethod
    def load(cls, folder: Path, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote; a file with code in it is refused."""
        from keras.saving import load_model

        networks = tuple(
            TrainedNetworks.from_keras([load_model(folder / name, compile=False, safe_mode=True) for name in names])
            for names in data["files"]
        )
        return cls(tuple(FeatureMaker.from_dict(m) for m in data["makers"]), networks, int(data["n_classes"]))


def fit_seed_network(task: Task, pulse: Pulse) -> Fitted:
    """Train the reference network in every fold and on all rows, all of them together."""
    return _fit(task, pulse, _reference_settings(task.settings), refit=True)


def _fit(task: Task, pulse: Pulse, settings: NetworkSettings, *, refit: bool) -> Fitted:
    """Train fold and seed members; keep members refitted on all rows, or those of the folds as an ensemble."""
    from medcore.models.trainer import members_for, train_networks

    options: dict[str, Any] = {
        "n_seeds": task.settings.n_seeds,
        "seed": task.settings.seed,
        "validation_share": task.settings.validation_share,
        "groups": task.groups,
    }
    makers = [_maker(task, task.codes[task.training(fold)]) for fold in range(task.n_folds)]
    matrices = [maker.transform(task.codes) for maker in makers]
    members = list(members_for(task.outcome, folds=task.folds, **options))
    members = [replace(m, features=matrices[place // task.settings.n_seeds]) for place, m in enumerate(members)]
    if refit:
        makers.append(_maker(task, task.codes))
        matrices.append(makers[-1].transform(task.codes))
        members += [replace(m, features=matrices[-1]) for m in members_for(task.outcome, **options)]
    trained = train_networks(None, task.outcome, task.n_classes, members, settings, follower=Relay(pulse))
    groups = [_of(trained, place, task.settings.n_seeds) for place in range(len(makers))]
    oof, spread = np.empty((task.n, task.n_classes)), np.zeros(task.n)
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        risks = groups[fold].member_risk(matrices[fold][held])
        oof[held] = clean(risks.mean(axis=0), task.n_classes)
        several = spread_of(list(risks))
        spread[held] = 0.0 if several is None else several
    kept = slice(task.n_folds, None) if refit else slice(None)
    part = NetworkPart(tuple(makers[kept]), tuple(groups[kept]), task.n_classes)
    return Fitted(oof, part, spread if task.settings.n_seeds > 1 else None)


def _of(trained: TrainedNetworks, place: int, n_seeds: int) -> TrainedNetworks:
    return trained.choose(range(place * n_seeds, (place + 1) * n_seeds))


def _maker(task: Task, codes: Codes) -> FeatureMaker:
    return FeatureMaker(task.kinds, task.n_categories).fit(codes, layout=task.layout)


def _reference_settings(settings: TrainSettings) -> NetworkSettings:
    return NetworkSettings(
        architecture="seed",
        layers=settings.layers,
        activation=settings.activation,
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        dropout=settings.dropout,
        weight_decay=settings.weight_decay,
        early_stopping=settings.early_stopping,
        class_weight="balanced" if settings.class_weight == "balanced" else None,
        focal_gamma=2.0 if settings.class_weight == "focal" else 0.0,
    )
