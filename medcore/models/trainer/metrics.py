"""The numbers that are watched while networks train, read off their logits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.models.network.parts import Floats

Floats64 = NDArray[np.float64]


def risk_of(logits: Floats) -> Floats:
    """Turn logits (…, k, C) into risks (…, C), the mean of the sub-models: of the positive class, or of every class."""
    with np.errstate(over="ignore"):
        if logits.shape[-1] == 1:
            each = 1.0 / (1.0 + np.exp(-logits))
        else:
            odds = np.exp(logits - logits.max(-1, keepdims=True))
            each = odds / odds.sum(-1, keepdims=True)
    risk: Floats = each.mean(-2)
    return risk


def log_loss_each(logits: Floats, target: NDArray[np.integer], *, focal_gamma: float = 0.0) -> Floats:
    """Return the cross-entropy (…, k) of every sub-model, or its focal form, for classes (…)."""
    log_p = _log_risk(logits, target)
    if focal_gamma:
        # Lin et al. 2017, Focal loss for dense object detection, equation 4
        return np.asarray(-log_p * np.maximum(1.0 - np.exp(log_p), 1e-6) ** focal_gamma)
    return -log_p


def ensemble_log_loss(logits: Floats, target: NDArray[np.integer]) -> Floats:
    """Return the cross-entropy (…) of the mean risk of the sub-models."""
    log_p = _log_risk(logits, target)
    highest = log_p.max(-1, keepdims=True)
    with np.errstate(invalid="ignore"):  # of a network that diverged; the trainer says so
        mean = np.exp(log_p - highest).mean(-1)
        loss: Floats = -(np.log(mean) + highest[..., 0])
    return loss


def squared_error(outputs: Floats, target: NDArray[np.floating]) -> Floats:
    """Return the squared error (…, k) of every sub-model's output (…, k, 1), for numbers (…)."""
    error: Floats = outputs[..., 0] - target[..., None]
    return error**2


def weighted_mean(loss: Floats, importance: Floats, n: NDArray[np.integer]) -> Floats64:
    """Return the mean (M,) of losses (S, M, B) that count differently, over ``n`` (M,) rows; NaN without any."""
    with np.errstate(invalid="ignore"):
        total = np.where(importance > 0.0, loss * importance, 0.0).sum((0, 2), dtype=np.float64)
        mean: Floats64 = total / n
    return mean


def _log_risk(logits: Floats, target: NDArray[np.integer]) -> Floats:
    """Return the logarithm (…, k) of the risk given to the class that came true."""
    with np.errstate(over="ignore", invalid="ignore"):
        if logits.shape[-1] == 1:
            against = np.where(target[..., None] == 1, -logits[..., 0], logits[..., 0])
            return np.asarray(-np.logaddexp(np.float32(0.0), against))
        chosen = np.take_along_axis(logits, target[..., None, None].astype(np.int64), -1)[..., 0]
        highest = logits.max(-1)
        spread = np.log(np.exp(logits - highest[..., None]).sum(-1))
        return np.asarray(chosen - highest - spread)


def batch_auroc(outcome: NDArray[np.integer], risk: NDArray[np.floating]) -> Floats64:
    """Return the AUROC (M,) of each member, macro-averaged one against the rest for more than two classes.

    ``outcome`` (M, n) holds class indices, −1 where there is no patient; ``risk`` is
    (M, n, C), with C = 1 the risk of the second class. Ties count half. NaN where a
    member has a single class. The number that ``statistics.ranking`` gives, counted for all
    members at once because every epoch asks for it.
    """
    if risk.shape[2] == 1:
        return _auroc(outcome == 1, outcome == 0, risk[:, :, 0])
    each = np.stack(
        [_auroc(outcome == c, (outcome != c) & (outcome >= 0), risk[:, :, c]) for c in range(risk.shape[2])]
    )
    known = np.isfinite(each)
    total = np.where(known, each, 0.0).sum(0)
    with np.errstate(invalid="ignore"):
        mean: Floats64 = total / known.sum(0)
    return mean


def _auroc(positive: NDArray[np.bool_], negative: NDArray[np.bool_], risk: NDArray[np.floating]) -> Floats64:
    """Count the pairs in order; sorting forwards and backwards gives a tied pair half in the mean."""
    pairs = np.zeros(len(risk))
    for way in (1, -1):
        order = np.argsort(risk[:, ::way], axis=1, kind="stable")
        below = np.cumsum(np.take_along_axis(negative[:, ::way], order, 1), axis=1)
        pairs += (below * np.take_along_axis(positive[:, ::way], order, 1)).sum(1)
    with np.errstate(invalid="ignore"):
        share: Floats64 = pairs / 2.0 / (positive.sum(1) * negative.sum(1))
    return share
