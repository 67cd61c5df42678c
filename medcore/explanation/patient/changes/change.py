"""What a change of a patient's values does to the contributions, at once.

The contributions of the patient as they are were found with care. Those of the
patient as changed are these plus a difference, and the difference is a game of its
own: the value of a coalition is what the change makes of the composite row, which is
nothing as long as no changed column is in it. Permutations evaluated for both versions
at the same time, the same order and its reverse for each background row, find the
difference from few rows, because what both versions have in common cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medcore.explanation.shapley.game import CoalitionRisk, Floats, on_scale
from medcore.explanation.shapley.results import Explanation, Scale


def differences(
    before: CoalitionRisk,
    after: CoalitionRisk,
    row: Floats,
    changed: Floats,
    background: Floats,
    *,
    class_index: int,
    scale: Scale,
    seed: int = 0,
) -> Floats:
    """Return what the change from ``row`` to ``changed`` (P,) does to each contribution against each background row.

    ``before`` and ``after`` know the patient as they are and as changed, both with
    the ``background`` (n, P). The result is (n, P); a line sums up to what the
    change does to the prediction.
    """
    n, n_columns = background.shape
    moved = ~_same(row, changed)
    if not moved.any() or not n:
        return np.zeros((n, n_columns))
    one = np.random.default_rng(seed).permuted(np.tile(np.arange(n_columns), (n, 1)), axis=1)
    orders = np.concatenate([one, one[:, ::-1]])
    position = np.argsort(orders, axis=1)
    rows = np.tile(np.arange(n), 2)
    outputs = np.zeros((2 * n, n_columns + 1))
    # What differs from neither version cannot matter; after the last column that does, the end is known.
    idle = _same(background, row) & _same(background, changed)
    last = np.where(idle[rows], -1, position).max(axis=1)
    first = np.where(moved, position, n_columns).min(axis=1)
    place = np.arange(n_columns + 1)
    permutation, step = np.nonzero((place > first[:, None]) & (place <= last[:, None]))
    present = position[permutation] < step[:, None]
    answers = [on_scale(np.asarray(m.risk(rows[permutation], present))[:, class_index], scale) for m in (before, after)]
    outputs[permutation, step] = answers[1] - answers[0]
    ends = [float(on_scale(m.grand_and_empty()[0][[class_index]], scale)[0]) for m in (before, after)]
    outputs = np.where(place > last[:, None], ends[1] - ends[0], outputs)
    found = np.empty((2 * n, n_columns))
    np.put_along_axis(found, orders, np.diff(outputs, axis=1), axis=1)
    return np.asarray((found[:n] + found[n:]) / 2)


def changed_explanation(
    known: Explanation, found: Floats, prediction: float, values: Sequence[str | None]
) -> Explanation:
    """Return the explanation of the changed patient from the known one and the differences found (n, P).

    ``prediction`` is that of the changed patient on the scale of the explanation,
    ``values`` are theirs as shown. The standard errors are those of the known
    contributions and of the differences' mean together; the latter count the
    background rows as a sample, so that fewer rows show larger errors.
    """
    n = len(found)
    means = found.mean(axis=0)
    errors = found.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(found.shape[1], np.inf)
    contributions = tuple(
        replace(
            c,
            value=value,
            contribution=c.contribution + float(m),
            standard_error=float(np.hypot(c.standard_error, e)),
            parts=(),
        )
        for c, value, m, e in zip(known.contributions, values, means, errors, strict=True)
    )
    total = sum(c.contribution for c in contributions)
    return replace(
        known,
        prediction=prediction,
        contributions=contributions,
        additivity_residual=abs(prediction - known.base_value - total),
        method="sampled",
    )


def _same(a: Floats, b: Floats) -> np.ndarray:
    return np.asarray((a == b) | (np.isnan(a) & np.isnan(b)))
