"""What an explanation says: one contribution a column, with its error and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from medcore.i18n import N_, Message
from medcore.notebook import NotebookTable, ShownInNotebooks

if TYPE_CHECKING:
    import shap

Scale = Literal["probability", "log_odds", "value"]
Method = Literal["exact", "sampled"]
SCALES: tuple[Scale, ...] = get_args(Scale)

CAPTION = N_(
    "These contributions say what the model used to arrive at this risk, not why the patient is ill. "
    "They are associations in the training data, not causes, and changing a value need not change the patient's risk. "
    "A value is weighed by putting comparison patients' values in its place, one column at a time and as if columns did "
    "not depend on each other: some of the combinations may belong to no real patient."
)
"""The fixed sentence that stands under every explanation of a risk."""
CAPTION_OF_NUMBERS = N_(
    "These contributions say what the model used to arrive at this number, not why the patient has it. "
    "They are associations in the training data, not causes, and changing a value need not change what is measured. "
    "A value is weighed by putting comparison patients' values in its place, one column at a time and as if columns did "
    "not depend on each other: some of the combinations may belong to no real patient."
)
"""The same under one of a predicted number."""


def caption_of(scale: Scale) -> str:
    """Return the fixed sentence for explanations on a scale."""
    return CAPTION_OF_NUMBERS if scale == "value" else CAPTION


@dataclass(frozen=True, slots=True)
class PartContribution:
    """What one part of a value contributed: a phrase of a note, one of two numbers."""

    part: str
    contribution: float
    standard_error: float = 0.0


@dataclass(frozen=True, slots=True)
class Contribution:
    """How far one column moved one patient's prediction away from the base value.

    ``value`` is the patient's value as it is shown, ``None`` when it is missing.
    ``contribution`` and ``standard_error`` are on the scale of the explanation;
    the standard error is that of the sampling, and 0 for an exact result. Of a value
    that has ``parts`` inside, such as a note, their contributions add up to that of the column.
    """

    column: str
    value: str | None
    contribution: float
    standard_error: float = 0.0
    unit: str | None = None
    parts: tuple[PartContribution, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Contribution:
        """Read what ``dataclasses.asdict`` wrote."""
        parts = tuple(PartContribution(**part) for part in data.get("parts", ()))
        return cls(**{**data, "parts": parts})


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(ShownInNotebooks):
    """Why a model gave one patient this risk: base value + contributions = prediction.

    On the scale ``probability`` the numbers are risks (0–1), on ``log_odds`` they
    are natural logarithms of odds, on ``value`` what is predicted, in its ``unit``. Contributions keep the order of the columns.
    """

    prediction: float
    base_value: float
    scale: Scale
    contributions: tuple[Contribution, ...]
    additivity_residual: float
    method: Method
    n_background: int
    n_evaluations: int
    seconds: float
    class_name: str = ""
    tolerance: float = 0.0
    unit: str = ""

    @property
    def caption(self) -> str:
        """The fixed sentence that stands under it."""
        return caption_of(self.scale)

    @property
    def relative_error(self) -> float:
        """Return the sum of the standard errors over the sum of the absolute contributions."""
        size = sum(abs(c.contribution) for c in self.contributions)
        error = sum(c.standard_error for c in self.contributions)
        return error / size if size > 0 else 0.0

    @property
    def converged(self) -> bool:
        """Say whether the stated tolerance was reached; an exact explanation always did."""
        return self.method == "exact" or self.relative_error <= self.tolerance

    def largest(self, n: int) -> tuple[Contribution, ...]:
        """Return the n contributions that are largest in absolute value, largest first."""
        return tuple(sorted(self.contributions, key=lambda c: -abs(c.contribution))[:n])

    def shown_as(
        self, values: Sequence[str | None], *, units: Sequence[str | None], class_name: str, unit: str = ""
    ) -> Explanation:
        """Return the same explanation with the texts and units a person reads; ``unit`` is that of a predicted number."""
        shown = zip(self.contributions, values, units, strict=True)
        contributions = tuple(replace(c, value=value, unit=unit) for c, value, unit in shown)
        return replace(self, contributions=contributions, class_name=class_name, unit=unit)

    def notebook_table(self) -> NotebookTable:
        """Show what each column contributed, the largest first."""
        told = {"risk": f"{self.prediction:.3f}", "base": f"{self.base_value:.3f}", "scale": self.scale}
        caption = str(Message(N_("{risk} against {base} on average ({scale})"), told))
        header = tuple(str(Message(word)) for word in (N_("Column"), N_("Value"), N_("Contribution")))
        largest = self.largest(len(self.contributions))
        rows = [(c.column, "–" if c.value is None else str(c.value), f"{c.contribution:+.3f}") for c in largest]
        return NotebookTable(caption, header, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        data = asdict(self)
        data["contributions"] = [asdict(c) for c in self.contributions]
        return data | {"relative_error": self.relative_error, "converged": self.converged}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Explanation:
        """Read what :meth:`to_dict` wrote."""
        kept = {k: v for k, v in data.items() if k in cls.__dataclass_fields__}
        return cls(**kept | {"contributions": tuple(Contribution.from_dict(c) for c in data["contributions"])})

    def to_shap(self) -> shap.Explanation:
        """Return the same numbers as a ``shap.Explanation`` of one row.

        The data are the values as shown; the standard errors become ``error_std``.
        """
        import shap

        return shap.Explanation(
            values=np.array([c.contribution for c in self.contributions]),
            base_values=self.base_value,
            data=np.array([c.value for c in self.contributions], dtype=object),
            feature_names=[c.column for c in self.contributions],
            error_std=np.array([c.standard_error for c in self.contributions]),
        )

    @classmethod
    def from_shap(cls, values: shap.Explanation, *, scale: Scale = "probability") -> Explanation:
        """Read one row of a ``shap.Explanation``, whichever explainer of shap made it.

        What shap does not record (background size, evaluations, seconds) is 0, and
        the prediction is what its values add up to.
        """
        numbers = np.asarray(values.values, dtype=float)
        if numbers.ndim != 1:
            raise ValueError(f"got values of shape {numbers.shape}, expected one row of one class; index them first")
        names = values.feature_names or [f"column {i}" for i in range(len(numbers))]
        data = values.data if values.data is not None else [None] * len(numbers)
        errors = values.error_std if values.error_std is not None else np.zeros(len(numbers))
        base = float(np.ravel(values.base_values)[0])
        return cls(
            prediction=base + float(numbers.sum()),
            base_value=base,
            scale=scale,
            contributions=tuple(
                Contribution(str(n), None if v is None else str(v), float(c), float(e))
                for n, v, c, e in zip(names, data, numbers, errors, strict=True)
            ),
            additivity_residual=0.0,
            method="sampled",
            n_background=0,
            n_evaluations=0,
            seconds=0.0,
        )
