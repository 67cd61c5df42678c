"""Prediction sets with a stated coverage: which outcomes cannot be ruled out for a patient.

Class-conditional (Mondrian) conformal prediction (Vovk, 2012; Angelopoulos and
Bates, 2023): of the patients who truly have a class, at least the stated share
has it in their set, for every class on its own, however rare it is. The
thresholds come from out-of-fold risks, so no patient is judged by a model that
has seen it (Barber et al., 2021, on cross-conformal sets).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import Floats

COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class ConformalSets:
    """The smallest risk of each class at which it stays in the set; 0 where there are too few patients to say."""

    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    coverage: float
    counts: tuple[int, ...]

    @classmethod
    def fit(
        cls, outcome: NDArray[np.int64], risk: Floats, classes: tuple[str, ...], *, coverage: float = COVERAGE
    ) -> ConformalSets:
        """Fit from out-of-fold risks (n, K) and outcomes (n,), class indices; −1 marks an unknown one."""
        own = [np.sort(risk[outcome == k, k]) for k in range(len(classes))]
        return cls(
            classes=tuple(classes),
            thresholds=tuple(_threshold(values, coverage) for values in own),
            coverage=coverage,
            counts=tuple(len(values) for values in own),
        )

    def named(self, names: Sequence[str]) -> ConformalSets:
        """Return the same sets of classes that are called so."""
        return replace(self, classes=tuple(names))

    def contains(self, risk: Floats) -> NDArray[np.bool_]:
        """Say which classes are in the set of each patient; risks (n, K) to (n, K)."""
        return np.asarray(risk >= np.asarray(self.thresholds))

    def set_of(self, risk: Floats) -> tuple[str, ...]:
        """Name the classes in the set of one patient with risks (K,); empty when none fits."""
        inside = self.contains(np.asarray(risk)[None])[0]
        return tuple(name for name, there in zip(self.classes, inside, strict=True) if there)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "classes": list(self.classes),
            "thresholds": list(self.thresholds),
            "coverage": self.coverage,
            "counts": list(self.counts),
        }


def _threshold(own: Floats, coverage: float) -> float:
    """Return the largest threshold that leaves out at most floor((n + 1)(1 − coverage)) − 1 patients of the class."""
    left_out = int(np.floor((len(own) + 1) * (1 - coverage) + 1e-9)) - 1
    return float(own[left_out]) if left_out >= 0 else 0.0
