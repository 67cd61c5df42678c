"""What follows the layers: a mean over a note's tokens and the table's other columns, each with a weight for every class.

The first weights are those of a penalised regression on what the layers give untrained: training all of it from
there keeps more of what the layers knew than training from nothing (Kumar et al., ICLR 2022).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.models.bert.segments import Notes
from medcore.models.contract.task import Indices, Risk, columns_of_present_classes
from medcore.statistics.scores import class_log_loss

Floats = NDArray[np.float32]
_STRENGTHS = (0.001, 0.003, 0.01, 0.03)
"""Inverse penalties that are tried on the rows that judge; of 384 columns of unit variance, larger ones were worse on abstracts."""
_NEVER = -10.0
"""The logit beside all others of a class that a member's rows do not have."""


@dataclass(frozen=True, slots=True, eq=False)
class NoteHead:
    """Weights for K classes: ``notes`` (C · H, K) of C columns' means in units of ``scale`` from ``centre`` (C, H), ``table`` (F, K), ``bias`` (K,)."""

    centre: Floats = field(repr=False)
    scale: Floats = field(repr=False)
    notes: Floats = field(repr=False)
    table: Floats = field(repr=False)
    bias: Floats = field(repr=False)

    def logits(self, means: Floats, there: NDArray[np.bool_], table: Floats) -> Floats:
        """Map the means (n, C, H) of notes that are ``there`` (n, C), and columns (n, F), to logits (n, K)."""
        return np.asarray(inputs(self, means, there) @ self.notes + table @ self.table + self.bias)

    @property
    def by_token(self) -> Floats:
        """What one unit of a mean adds to the logits, (C, H, K)."""
        return np.asarray(self.notes.reshape(*self.scale.shape, -1) / self.scale[:, :, None])

    @property
    def of_the_mean(self) -> Floats:
        """What the mean of the training notes would add, which is taken away where there is a note: (C, K)."""
        return np.asarray(np.einsum("ch,chk->ck", self.centre, self.by_token))


def inputs(head: NoteHead, means: Floats, there: NDArray[np.bool_]) -> Floats:
    """Write means (n, C, H) in their units, (n, C · H); 0 where there is no note."""
    scaled = (means - head.centre) / head.scale * there[:, :, None]
    return np.asarray(scaled.reshape(len(means), -1), np.float32)


def means_of(notes: Notes, totals: Floats, rows: Indices) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the means (n, C, H) over the tokens of some rows' notes, given the totals (S, H), and which notes there are (n, C)."""
    found = np.stack([np.asarray(shares[rows] @ totals, np.float32) for shares in notes.shares], axis=1)
    return found, notes.there[rows]


def first_head(
    means: Floats,
    there: NDArray[np.bool_],
    table: Floats,
    outcome: Indices,
    n_classes: int,
    *,
    rows: Indices,
    judging: Indices,
    weights: NDArray[np.float64] | None = None,
) -> NoteHead:
    """Fit a regression on ``rows`` of means (n, C, H) and columns (n, F), as penalised as is best for the rows that judge."""
    from sklearn.linear_model import LogisticRegression

    n_columns, width = means.shape[1:]
    centre, scale = np.zeros((n_columns, width), np.float32), np.ones((n_columns, width), np.float32)
    for c in range(n_columns):
        known = means[rows[there[rows, c]], c]
        if len(known) > 1:
            centre[c], scale[c] = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-6)
    empty = np.zeros((n_columns * width, n_classes), np.float32)
    begun = NoteHead(centre, scale, empty, np.zeros((table.shape[1], n_classes), np.float32), empty[0])
    x = np.concatenate([inputs(begun, means, there), table], axis=1)
    fitted = [
        LogisticRegression(C=c, max_iter=2_000).fit(x[rows], outcome[rows], sample_weight=weights) for c in _STRENGTHS
    ]
    judged = [_loss(one, x[judging], outcome[judging], n_classes) for one in fitted] if len(judging) else [0.0]
    return _written(begun, fitted[int(np.argmin(judged))])


def _loss(model: Any, x: Floats, outcome: Indices, n_classes: int) -> float:
    risk: Risk = columns_of_present_classes(model.predict_proba(x), model.classes_.tolist(), n_classes)
    return class_log_loss(outcome, risk)


def _written(begun: NoteHead, model: Any) -> NoteHead:
    """Write a regression's coefficients for every class; of two, it has those of the second alone."""
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        coefficients, intercepts = (np.concatenate([-half, half]) for half in (coefficients / 2, intercepts / 2))
    kernel = np.zeros((coefficients.shape[1], len(begun.bias)), np.float32)
    kernel[:, model.classes_] = coefficients.T
    bias = np.full(len(begun.bias), intercepts.min() + _NEVER, np.float32)
    bias[model.classes_] = intercepts
    of_notes = len(begun.notes)
    return NoteHead(begun.centre, begun.scale, kernel[:of_notes], kernel[of_notes:], bias)
