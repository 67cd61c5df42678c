"""The curves of an epoch: the loss, and of classes the AUROC, on training and on validation rows, a value a member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.models.network.parts import Floats
from medcore.models.network.settings import NetworkSettings
from medcore.models.trainer.epoch import EpochLogits
from medcore.models.trainer.hazards import hazard_loss_each, mean_hazard_loss
from medcore.models.trainer.metrics import (
    batch_auroc,
    ensemble_log_loss,
    log_loss_each,
    risk_of,
    squared_error,
    weighted_mean,
)
from medcore.models.trainer.plan import Shapes

CURVES = ("loss", "val_loss", "auroc", "val_auroc")
_MOST_WATCHED = 20_000  # rows a member from which the AUROC of an epoch is taken
Losses = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Counted:
    """Classes or numbers (S, M, B), −1 where there is no row, what each row counts (0 there), and the number of rows (M,)."""

    target: NDArray[Any]
    importance: Floats
    n: NDArray[np.int64]


def curves_of(
    told: EpochLogits, counted: Counted, judged: Counted, shapes: Shapes, settings: NetworkSettings
) -> dict[str, NDArray[np.float64]]:
    """Return each of :data:`CURVES` (M,) from an epoch's logits of the training rows and of the validation rows.

    Only classes have an AUROC: numbers know none, and that of hazards would need a horizon and weights for the censored.
    """
    used, logits, val_logits = shapes.n_steps, told.logits.numpy(), told.val_logits.numpy()
    logits, target, importance = logits[:used], counted.target[:used], counted.importance[:used]
    each, val_each = _losses(logits, target, val_logits, judged.target, settings)
    auroc = val_auroc = np.full(len(counted.n), np.nan)
    if not (settings.n_causes or settings.number):
        watched = min(used, -(-_MOST_WATCHED // shapes.batch))
        auroc = batch_auroc(_by_member(target[:watched]), _by_member(risk_of(logits[:watched])))
        val_auroc = batch_auroc(_by_member(judged.target), _by_member(risk_of(val_logits)))
    loss, val_loss = weighted_mean(each, importance, counted.n), weighted_mean(val_each, judged.importance, judged.n)
    return dict(zip(CURVES, (loss, val_loss, auroc, val_auroc), strict=True))


def _losses(
    logits: Floats, target: NDArray[Any], val_logits: Floats, judged: NDArray[Any], settings: NetworkSettings
) -> Losses:
    """Return the loss (S, M, B) of each training row, the mean over sub-models, and of each validation row, of their mean."""
    if settings.number:
        each = squared_error(logits, target).mean(-1)
        return each, squared_error(val_logits.mean(-2, keepdims=True), judged)[..., 0]
    known, judged = np.maximum(target, 0), np.maximum(judged, 0)
    if settings.n_causes:
        each = hazard_loss_each(logits, known, settings.n_causes).mean(-1)
        return each, mean_hazard_loss(val_logits, judged, settings.n_causes)
    each = log_loss_each(logits, known, focal_gamma=settings.focal_gamma).mean(-1)
    return each, ensemble_log_loss(val_logits, judged)


def _by_member(values: NDArray[Any]) -> NDArray[Any]:
    """Lay the steps of an epoch (S, M, B, …) side by side, (M, S·B, …)."""
    slots, members, batch, *rest = values.shape
    return np.moveaxis(values, 1, 0).reshape(members, slots * batch, *rest)
