"""The target of a model that predicts a number: a length of stay, an HbA1c, a blood loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.targets.target import Floats, Target


@dataclass(frozen=True, slots=True)
class Number(Target):
    """A number in its own unit; what stands for a risk elsewhere is then that number, (n, 1).

    With ``log`` models learn its logarithm. ``low`` and ``high`` are the limits that no value
    of it passes, None where there is none.

    >>> Number(log=True).told, Number().event, Number(low=0.0).within(np.array([-1.0, 2.0])).tolist()
    ((0,), None, [0.0, 2.0])
    """

    n_classes: int = 1
    log: bool = False
    low: float | None = None
    high: float | None = None

    def within(self, value: Floats) -> Floats:
        """Return values (n,) brought to the nearest limit where they pass one."""
        return np.asarray(np.clip(value, self.low, self.high)) if self.limited else value

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """What no prediction interval passes: a number with a logarithm is above 0."""
        return (0.0 if self.log and self.low is None else self.low), self.high

    @property
    def limited(self) -> bool:
        """Whether it has a limit."""
        return self.low is not None or self.high is not None

    def alerts(
        self,
        risk: Floats,
        threshold: float,  # noqa: ARG002 - of a number there is no alert
        none: int | None,  # noqa: ARG002 - of a number there is no alert
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the one column, and that no number is an alert."""
        return np.zeros(len(risk), dtype=np.int64), np.zeros(len(risk), dtype=bool)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {"log": self.log, "low": self.low, "high": self.high}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Number:
        """Read what :meth:`to_dict` wrote."""
        return cls(log=bool(data["log"]), low=data["low"], high=data["high"])
