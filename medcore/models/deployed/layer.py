"""What all recalibrations to new patients have in common, whatever is predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from medcore.i18n import Message
from medcore.models.contract.settings import Strength
from medcore.models.selection.calibration import Calibrator


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalibrationLayer:
    """A layer over a frozen model, fitted to all new patients, which is what is kept.

    What is judged are predictions in which each patient's layer was fitted to others only, in
    cross-validation of ``n_folds`` that keeps a patient's rows together.
    """

    titles: ClassVar[Mapping[str, str]]
    meanings: ClassVar[Mapping[str, str]]

    strength: Strength
    layer: Calibrator
    n_folds: int

    @property
    def title(self) -> Message:
        """What it is called."""
        return Message(self.titles[self.strength])

    @property
    def meaning(self) -> Message:
        """What it does to the predictions."""
        return Message(self.meanings[self.strength])

    def told(self, judged: Mapping[str, Any]) -> dict[str, Any]:
        """Return a JSON-ready form without any row; ``judged`` is that of the cross-validated figures."""
        return {
            "strength": self.strength,
            "meaning": str(self.meaning),
            "layer": self.layer.to_dict(),
            "n_folds": self.n_folds,
            "cross_validated": judged,
        }
