"""Membership model: whether new patients can be told from those of training by their predictors alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from medcore.data.splitting.allotment import Units, deal
from medcore.evaluation import Estimate
from medcore.evaluation.figures.auroc import auroc
from medcore.evaluation.figures.estimates import missing
from medcore.features import AnyRows, CodeBook, FeatureMaker, Rows, stack
from medcore.i18n import N_, Message

FOLDS = 5
MOST_PATIENTS = 2000
"""Further new patients are left out, chosen at random: the training sample is far smaller anyway."""
ALIKE, DIFFERENT = 0.6, 0.8
"""Where one word gives way to the next; Debray 2015 gives the scale (0.5 the same, 1 apart) but no bounds."""
_TOO_FEW = N_("Fewer than 10 new patients, or rows of training to compare them with: this cannot be computed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """How well new patients and training patients can be told apart.

    ``auroc`` (0.5: not at all, 1: perfectly) is of a cross-validated logistic
    regression of membership on the predictors and on what is missing (Debray 2015,
    J Clin Epidemiol 68:279). ``n_training`` are rows of the bundle's own sample.
    """

    auroc: Estimate
    n_new: int
    n_training: int

    @property
    def meaning(self) -> Message:
        """What that says about the validation."""
        value = self.auroc.value
        if not self.auroc.exists:
            return Message(_TOO_FEW)
        if value < ALIKE:
            return Message(
                N_(
                    "The new patients can hardly be told from those of training: this validation says whether the "
                    "model's performance can be reproduced, not whether it carries over to other kinds of patients."
                )
            )
        if value < DIFFERENT:
            return Message(
                N_(
                    "The new patients differ in part from those of training: this validation says something about "
                    "reproduction and something about carrying over to other patients."
                )
            )
        return Message(
            N_(
                "The new patients are of another kind than those of training: good performance here speaks for its "
                "carrying over to patients such as these; poor performance may come from the other mix of patients as much as from the model."
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "auroc": self.auroc.to_dict(),
            "n_new": self.n_new,
            "n_training": self.n_training,
            "meaning": str(self.meaning),
        }


def membership(
    codebook: CodeBook, training: AnyRows, new: AnyRows, *, groups: NDArray[np.int64] | None = None, seed: int = 0
) -> Membership:
    """Try to tell new patients (n, P) from training patients (m, P).

    ``groups`` (n,) are the new patients' codes where patients repeat: one patient
    is never on both sides of a fold.
    """
    training, new = Rows.of(training), Rows.of(new)
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.permutation(len(new))[:MOST_PATIENTS])
    n, m = len(kept), len(training)
    if min(n, m) < 2 * FOLDS:
        return Membership(auroc=missing(_TOO_FEW), n_new=n, n_training=m)
    rows = stack([training, new.take(kept)])
    is_new = np.repeat([0, 1], [m, n])
    unit = np.arange(m + n)
    if groups is not None:
        unit[m:] = m + groups[kept]
    units = Units.of(is_new, 2, unit)
    folds = deal(units, FOLDS, seed)[units.of_row]
    guess = np.empty(m + n)
    for fold in range(FOLDS):
        held = folds == fold
        guess[held] = _guess(codebook, rows.take(~held), is_new[~held], rows.take(held))
    return Membership(auroc=auroc(is_new.astype(np.float64), guess, groups=unit), n_new=n, n_training=m)


def _guess(codebook: CodeBook, rows: Rows, is_new: NDArray[np.int64], held: Rows) -> NDArray[np.float64]:
    maker = FeatureMaker(codebook.kinds).fit(rows)
    matrix = maker.transform(rows).astype(np.float64)
    if not matrix.shape[1] or len(np.unique(is_new)) < 2:
        return np.full(len(held), 0.5)
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=500).fit(matrix, is_new)
    return np.asarray(model.predict_proba(maker.transform(held).astype(np.float64))[:, 1])
