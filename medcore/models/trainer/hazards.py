"""What is watched while networks learn the hazards of intervals: the negative log likelihood of the times of events."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.models.network.parts import Floats

Ints = NDArray[np.integer]


def coded(entered: NDArray[np.int64], what: NDArray[np.int64], n_causes: int) -> NDArray[np.int64]:
    """Write how many intervals each patient entered, and what happened in the last (0 nothing), as one number.

    >>> coded(np.array([3, 1]), np.array([0, 2]), 2).tolist()
    [9, 5]
    """
    return entered * (n_causes + 1) + what


def first_biases(target: Ints, n_causes: int, n_intervals: int) -> Floats:
    """Return the log odds (J · C,) of what happened to these patients (n,) in each interval, half a patient added to each count.

    Hazards of intervals are small; biases that began at 0 would spend most of a small study's steps on the way there.

    >>> [round(float(b), 2) for b in first_biases(coded(np.array([2, 1, 2]), np.array([1, 1, 0]), 1), 1, 2)]
    [-0.51, 0.0]
    """
    entered, what = target // (n_causes + 1), target % (n_causes + 1)
    places = np.arange(1, n_intervals + 1)
    n = (entered[:, None] >= places).sum(0)
    happened = (entered[:, None, None] == places[:, None]) & (what[:, None, None] == np.arange(1, n_causes + 1))
    counts = happened.sum(0)
    odds = (counts + 0.5) / (n - counts.sum(1) + 0.5)[:, None]
    return np.asarray(np.log(odds).reshape(-1), dtype=np.float32)


def hazard_loss_each(logits: Floats, target: Ints, n_causes: int) -> Floats:
    """Return the negative log likelihood (…, k) of every sub-model, of logits (…, k, J · C) and coded outcomes (…)."""
    each = logits.reshape(*logits.shape[:-1], -1, n_causes)
    return _loss(each - _log_total(each)[..., None], -_log_total(each), target, n_causes)


def mean_hazard_loss(logits: Floats, target: Ints, n_causes: int) -> Floats:
    """Return that (…) of the mean hazards of the sub-models."""
    each = logits.reshape(*logits.shape[:-1], -1, n_causes)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        hazards = np.exp(each - _log_total(each)[..., None]).mean(-3, keepdims=True)
        return _loss(np.log(hazards), np.log1p(-hazards.sum(-1)), target, n_causes)[..., 0]


def _log_total(each: Floats) -> Floats:
    """Return log(1 + Σ exp(logit)) over the causes of each interval."""
    highest = np.maximum(each.max(-1), 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        total: Floats = highest + np.log(np.exp(-highest) + np.exp(each - highest[..., None]).sum(-1))
    return total


def _loss(log_hazard: Floats, log_free: Floats, target: Ints, n_causes: int) -> Floats:
    """Add up what was survived and what happened: log hazards (…, k, J, C), log 1 − Σ hazards (…, k, J)."""
    entered, what = target // (n_causes + 1), target % (n_causes + 1)
    survived = np.arange(log_free.shape[-1]) < (entered - (what > 0))[..., None]
    loss = -np.where(survived[..., None, :], log_free, 0.0).sum(-1)
    last, cause = np.maximum(entered - 1, 0), np.maximum(what - 1, 0)
    own = np.take_along_axis(log_hazard, last[..., None, None, None], -2)[..., 0, :]
    own = np.take_along_axis(own, cause[..., None, None], -1)[..., 0]
    return np.asarray(loss - np.where((what > 0)[..., None], own, 0.0), dtype=np.float32)
