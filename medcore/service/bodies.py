"""What may be sent and what comes back: the forms of the service, which its OpenAPI description is made of."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_PATIENTS = 100_000
Value = str | float | int | bool | None | dict[str, Any]
Values = Annotated[
    dict[str, Value],
    Field(
        description="Values by column: text, a number, true or false, null where not known, or "
        '{"value": 7.1, "unit": "mmol/L"}. Columns left out are filled in and flagged.'
    ),
]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class PatientForm(_Form):
    """One patient. ``id`` enters the patient in the register, where later visits and outcomes find them."""

    id: Annotated[str | None, Field(max_length=200)] = None
    at: datetime | None = None
    """When the patient was as the values say; now, where it is left out."""
    values: Values


class PredictForm(_Form):
    """Patients to be predicted for."""

    patients: Annotated[list[PatientForm], Field(min_length=1, max_length=MOST_PATIENTS)]
    record: bool = True
    """Whether the answers are kept, for the register and for watching."""


class ExplainForm(_Form):
    """One patient to be explained."""

    patient: PatientForm
    class_name: str | None = None
    top: Annotated[int, Field(ge=1, le=1000)] = 1000
    record: bool = True


class JudgedForm(_Form):
    """A patient whose outcome is known: a class by its name as in training."""

    values: Values
    outcome: str


class EvaluateForm(_Form):
    """Patients to judge the model by."""

    patients: Annotated[list[JudgedForm], Field(min_length=1, max_length=MOST_PATIENTS)]
    threshold: Annotated[float | None, Field(ge=0, le=1)] = None


class OutcomeForm(_Form):
    """What came of a patient: 1 or 0 for the event and its absence, the number itself, null to take it back.

    Of several classes, and of what competes with an event, the place of the class among the model's ``classes``. ``on`` is the day
    of the outcome itself, of an event by a time also that on which the patient was last seen without it; else that of entry counts.
    """

    id: Annotated[str, Field(max_length=200)]
    outcome: float | None
    on: date | None = None


class OutcomesForm(_Form):
    """What came of patients of the register."""

    outcomes: Annotated[list[OutcomeForm], Field(min_length=1, max_length=MOST_PATIENTS)]


class Caution(BaseModel):
    """What to be careful about."""

    code: str
    column: str
    message: str


class PredictionReply(BaseModel):
    """What the model says of one patient. ``low`` and ``high``: how often the outcome came at such risks (95 %)."""

    number: int | None
    """Under which the answer is kept; none where it is not."""
    id: str | None
    patient: str | None = None
    """The patient's number in the register, by which the page Patient list opens (``?patient=``); it tells nobody who it is."""
    risk: float
    low: float | None
    high: float | None
    called: bool
    risks: dict[str, float]
    flags: list[Caution]
    again: bool = False
    """Whether this very request had been answered before."""


class ModelReply(BaseModel):
    """Which model answered, on what terms, and what must be known of it."""

    model: str
    version: int
    event: str
    scale: Literal["risk", "value"]
    unit: str | None
    threshold: float | None
    intended_use: str
    for_whom: str
    valid_until: str | None
    caveats: list[str]


class PredictReply(ModelReply):
    """Answers, in the order of the patients."""

    predictions: list[PredictionReply]


class ContributionReply(BaseModel):
    """How much one column adds to or takes from the risk."""

    column: str
    label: str
    value: str | None
    contribution: float
    standard_error: float


class ExplainReply(ModelReply):
    """Why one patient has this risk."""

    prediction: PredictionReply
    class_name: str
    base_value: float
    contributions: list[ContributionReply]
    additivity_residual: float
    method: str
    n_background: int
    n_evaluations: int
    caption: str


class OutcomesReply(BaseModel):
    """How many patients had their outcome entered, and which are not in the register."""

    n: int
    unknown: list[str]
