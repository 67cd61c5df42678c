"""Members and the order of their rows: what is trained on what, padded to few shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import pi

import numpy as np
from numpy.typing import NDArray

from medcore.models.network.parts import Floats, bucket
from medcore.models.network.settings import NetworkSettings

RowNumbers = NDArray[np.int64]
_VALIDATION_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Member:
    """One network to train: its rows, the rows that judge it, its seed.

    ``rows`` and ``validation`` are row numbers (or boolean masks) of the features;
    ``features`` (n, F) is given when this member has a preparation of its own, fitted
    on its own training rows, and replaces the shared features then.
    """

    rows: RowNumbers
    validation: RowNumbers = field(default_factory=lambda: np.zeros(0, np.int64))
    seed: int = 0
    features: Floats | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("rows", "validation"):
            value = np.asarray(getattr(self, name))
            rows = np.flatnonzero(value) if value.dtype == bool else value
            object.__setattr__(self, name, rows.astype(np.int64))


def members_for(
    outcome: NDArray[np.int64],
    *,
    folds: NDArray[np.int64] | None = None,
    n_seeds: int = 1,
    seed: int = 0,
    validation_share: float = 0.1,
    groups: NDArray[np.int64] | None = None,
) -> tuple[Member, ...]:
    """Return the members of every fold (all rows as one when ``folds`` is ``None``) and seed.

    A member of fold f trains on the rows outside f, less a share drawn by its seed,
    by class, and by whole groups where there are groups, that judges it. RowNumbers whose
    fold is negative belong to nobody. Members are ordered by fold, then seed.
    """
    inside = np.ones(len(outcome), bool) if folds is None else folds >= 0
    held_out = [np.zeros(len(outcome), bool)] if folds is None else [folds == f for f in np.unique(folds[folds >= 0])]
    members = []
    for f, out in enumerate(held_out):
        candidates = np.flatnonzero(inside & ~out)
        for s in range(n_seeds):
            rng = np.random.default_rng([seed, f, s])
            aside = _validation_rows(
                rng, outcome[candidates], validation_share, None if groups is None else groups[candidates]
            )
            members.append(
                Member(
                    rows=candidates[~aside],
                    validation=candidates[aside],
                    seed=int(np.random.SeedSequence([seed, f, s]).generate_state(1)[0]),
                )
            )
    return tuple(members)


def _validation_rows(
    rng: np.random.Generator, outcome: NDArray[np.int64], share: float, groups: NDArray[np.int64] | None
) -> NDArray[np.bool_]:
    aside = np.zeros(len(outcome), bool)
    if groups is None:
        for c in np.unique(outcome):
            rows = rng.permutation(np.flatnonzero(outcome == c))
            aside[rows[: round(share * len(rows))]] = True
        return aside
    names, code = np.unique(groups, return_inverse=True)
    has_event = np.zeros(len(names), np.int64)
    np.maximum.at(has_event, code, outcome)
    chosen = np.zeros(len(names), bool)
    for c in np.unique(has_event):
        who = rng.permutation(np.flatnonzero(has_event == c))
        chosen[who[: round(share * len(who))]] = True
    return chosen[code]


@dataclass(frozen=True, slots=True)
class Shapes:
    """The padded sizes of one batch of members."""

    n_steps: int  # the most steps any member does in an epoch
    slots: int
    batch: int
    validation_slots: int
    validation_batch: int

    @classmethod
    def of(cls, members: Sequence[Member], settings: NetworkSettings) -> Shapes:
        """Round the sizes of these members up."""
        longest = max(len(m.rows) for m in members)
        judged = max(len(m.validation) for m in members)
        batch = min(settings.batch_size, bucket(longest))  # a batch beyond the table is the whole table
        n_steps = -(-longest // batch)
        validation_batch = min(bucket(judged), _VALIDATION_BATCH)
        return cls(
            n_steps=n_steps,
            slots=bucket(n_steps),
            batch=batch,
            validation_slots=max(1, bucket(-(-judged // validation_batch), least=1)),
            validation_batch=validation_batch,
        )


def epoch_rows(
    members: Sequence[Member], offsets: Sequence[int], epoch: int, shapes: Shapes, *, even: bool
) -> NDArray[np.int32]:
    """Return every member's rows of one epoch in an order drawn by its seed, (slots, M, batch).

    ``even`` spreads the rows evenly over the batches; else the last batch is what is left over.
    """
    rows = np.full((shapes.slots, len(members), shapes.batch), -1, np.int32)
    for m, (member, offset) in enumerate(zip(members, offsets, strict=True)):
        order = np.random.default_rng([member.seed, epoch]).permutation(member.rows) + offset
        n_steps = -(-len(order) // shapes.batch)
        if even:
            for s, piece in enumerate(np.array_split(order, n_steps)):
                rows[s, m, : len(piece)] = piece
        else:
            place = np.arange(len(order))
            rows[place // shapes.batch, m, place % shapes.batch] = order
    return rows


def validation_rows(members: Sequence[Member], offsets: Sequence[int], shapes: Shapes) -> NDArray[np.int32]:
    """Return every member's validation rows, (slots, M, batch)."""
    rows = np.full((shapes.validation_slots, len(members), shapes.validation_batch), -1, np.int32)
    for m, (member, offset) in enumerate(zip(members, offsets, strict=True)):
        place = np.arange(len(member.validation))
        rows[place // shapes.validation_batch, m, place % shapes.validation_batch] = member.validation + offset
    return rows


def learning_rates(settings: NetworkSettings, epoch: int, shapes: Shapes) -> Floats:
    """Return the learning rate of each step of an epoch, (slots,)."""
    step = np.arange(shapes.slots) + epoch * shapes.n_steps
    t = np.minimum((step + 0.5) / (settings.epochs * shapes.n_steps), 1.0)
    shape = np.ones(shapes.slots)
    if settings.schedule == "cosine":
        shape = 0.5 * (1.0 + np.cos(pi * t))
    elif settings.schedule == "flat_cosine":
        shape = np.where(t < 0.5, 1.0, 0.5 * (1.0 + np.cos(pi * (2.0 * t - 1.0))))
    if settings.warmup > 0.0:
        shape = shape * np.minimum(t / settings.warmup, 1.0)
    rates: Floats = (settings.learning_rate * shape).astype(np.float32)
    return rates


def stack(features: Floats | None, members: Sequence[Member]) -> tuple[Floats, list[int], list[int]]:
    """Lay the different feature arrays under one another, padded; return each member's first row and width."""
    own = [own_features(features, member) for member in members]
    distinct = {id(array): array for array in own}
    begins = dict(zip(distinct, np.cumsum([0, *(len(array) for array in distinct.values())]).tolist(), strict=False))
    widths = [array.shape[1] for array in own]
    stacked = np.zeros((bucket(sum(len(array) for array in distinct.values())), bucket(max(widths))), np.float32)
    for key, array in distinct.items():
        stacked[begins[key] : begins[key] + len(array), : array.shape[1]] = array
    return stacked, [begins[id(array)] for array in own], widths


def own_features(features: Floats | None, member: Member) -> Floats:
    """Return a member's own feature array, or the shared one."""
    own = features if member.features is None else member.features
    if own is None:
        raise ValueError("features are needed unless every member has its own")
    return own
