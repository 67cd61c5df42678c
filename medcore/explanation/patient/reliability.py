"""How far to trust one prediction: what is unusual about the patient, and how the model did on patients alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from medcore.explanation.patient.reference import Measured, Reference, column_shares
from medcore.explanation.patient.wording import RISK, Measure
from medcore.explanation.shapley.game import Floats
from medcore.features import AnyRows, Rows, cautions
from medcore.i18n import N_, Message
from medcore.statistics.proportions import wilson_bounds
from medcore.statistics.survival.incidence import complementary_bounds

Level = Literal["usual", "caution", "abstain"]
N_SIMILAR = 50
DISAGREEMENT = 0.15
"""Two models differ when their risks are further apart than this."""
DISAGREEMENT_OF_NUMBERS = 0.5
"""The same for numbers, in standard deviations of what was measured: about the least difference that matters to patients
(Norman, Sloan & Wyrwich 2003, Med Care 41:582)."""
MISSING_WEIGHT = 0.25
"""Missing values call for caution when the model leans on them by more than this share."""
FAR, TOO_FAR = 0.99, 1.5
"""Far: beyond this quantile of training patients' own remoteness; too far: beyond this multiple of that quantile."""
_CAUTIONS: Mapping[str, str] = {
    "out_of_range": N_("Outside the range of the training patients: {columns}."),
    "unseen_category": N_("Values that no or hardly any training patient had: {columns}."),
}
HEADLINES: Mapping[Level, str] = {
    "usual": N_("This patient is like those the model learnt from."),
    "caution": N_("Read this risk with caution."),
    "abstain": N_("This patient is too unlike those the model learnt from: do not rely on this risk."),
}
OF_NUMBERS: Mapping[Level, str] = {
    "caution": N_("Read this prediction with caution."),
    "abstain": N_("This patient is too unlike those the model learnt from: do not rely on this prediction."),
}


@dataclass(frozen=True, slots=True)
class LocalCalibration:
    """Among the most similar training patients: what was predicted, and how many had the outcome (95 % Wilson).

    Where they were ``followed`` for unequal time, ``observed`` is the incidence by the horizon (Kaplan–Meier, or
    Aalen–Johansen where events compete), NaN where none was followed so long, and ``n_events`` were seen by then.
    Of a number ``measure`` is set, and ``observed`` is the mean that was measured, with the interval of a mean.
    """

    n: int
    n_events: int
    predicted: float
    observed: float
    low: float
    high: float
    followed: bool = False
    measure: Measure = RISK

    @property
    def agrees(self) -> bool:
        """Whether the mean prediction lies inside the interval of what was observed, as far as that is known."""
        return not self.predicted < self.low and not self.predicted > self.high

    @property
    def told(self) -> Message | None:
        """What became of them beside what was expected, in words; None where nothing is known."""
        if not self.n or np.isnan(self.observed):
            return None
        if self.measure.of_number:
            text = N_("Of the {n} most similar patients the mean was {observed}; the model expected {predicted}.")
            return Message(text, {"n": self.n, **self.written})
        if self.followed:
            values = {"n": self.n, "k": f"{100 * self.observed:.0f}", "m": f"{100 * self.predicted:.0f}"}
            return Message(
                N_("Of the {n} most similar patients {k} of 100 had had it by then; the model expected {m} of 100."),
                values,
            )
        values = {"n": self.n, "k": f"{self.n_events}", "m": f"{self.n * self.predicted:.0f}"}
        return Message(N_("Of the {n} most similar patients {k} had it; the model expected {m}."), values)

    @property
    def written(self) -> dict[str, str]:
        """What was expected and what was observed, with its interval, as they are read."""
        return {name: self.measure.write(getattr(self, name)) for name in ("predicted", "observed", "low", "high")}

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        names = ("n", "n_events", "predicted", "observed", "low", "high")
        return {name: getattr(self, name) for name in names} | {"agrees": self.agrees}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """One level in words, and every reason for it.

    ``remoteness`` is the mean distance to the five nearest training patients and
    ``remoteness_quantile`` the share of training patients that are nearer to theirs.
    """

    level: Level
    reasons: tuple[Message, ...]
    remoteness: float
    remoteness_quantile: float
    local: LocalCalibration
    simple_risk: float | None = None

    @property
    def headline(self) -> Message:
        """The line to show at the top."""
        other = OF_NUMBERS if self.local.measure.of_number else {}
        return Message(other.get(self.level, HEADLINES[self.level]))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the sentences in the current language."""
        return {
            "level": self.level,
            "headline": str(self.headline),
            "reasons": [str(r) for r in self.reasons],
            "remoteness": self.remoteness,
            "remoteness_quantile": self.remoteness_quantile,
            "simple_risk": self.simple_risk,
            "local": self.local.to_dict(),
        }


def assess(
    reference: Reference,
    patient: AnyRows,
    risk: float,
    *,
    class_index: int,
    weights: Floats | None = None,
    simple_risk: float | None = None,
    usual: Floats | None = None,
) -> Reliability:
    """Judge how far one patient's risk (0–1) of a class, or a predicted number, can be trusted.

    ``weights`` (P,) is how much the model uses each column, ``simple_risk`` what
    the simple model says, ``usual`` the reference's ``usual_distances()`` if they
    are at hand.
    """
    usual = reference.usual_distances() if usual is None else usual
    patient = Rows.of(patient)
    remoteness = reference.remoteness(patient)
    limit = float(np.quantile(usual, FAR)) if len(usual) else np.inf
    local = local_calibration(reference, patient, class_index=class_index, weights=weights)
    doubts = [*_values(reference, patient), *_distance(remoteness, limit)]
    doubts += _disagreement(risk, simple_risk, reference) + _calibration(local)
    missing = np.isnan(patient.codes[0])
    absent, missing_values = _absence(reference, missing), _missing(reference, missing)
    much_missing = float(column_shares(weights, len(missing))[missing].sum()) > MISSING_WEIGHT
    too_far = remoteness > max(limit * TOO_FAR, 1e-9)
    return Reliability(
        level="abstain" if too_far or absent else "caution" if doubts or much_missing else "usual",
        reasons=(*absent, *doubts, *missing_values),
        remoteness=remoteness,
        remoteness_quantile=float(np.mean(usual <= remoteness)) if len(usual) else 0.0,
        local=local,
        simple_risk=simple_risk,
    )


def local_calibration(
    reference: Reference, patient: AnyRows, *, class_index: int, weights: Floats | None = None
) -> LocalCalibration:
    """Compare out-of-fold risks with outcomes among the 50 training patients most like this one."""
    places = reference.nearest(patient, min(N_SIMILAR, len(reference.codes)), weights=weights)
    if reference.followed is not None and len(places):
        return _by_then(reference, places, class_index, reference.followed.horizon)
    if reference.measured is not None and len(places):
        return _mean(reference.measured, reference.risk[:, class_index], places)
    events = int(np.sum(reference.outcome[places] == class_index))
    low, high = wilson_bounds(events, max(1, len(places)))
    return LocalCalibration(
        n=len(places),
        n_events=events,
        predicted=float(reference.risk[places, class_index].mean()) if len(places) else float("nan"),
        observed=events / max(1, len(places)),
        low=float(low),
        high=float(high),
    )


def _mean(measured: Measured, predicted: Floats, places: NDArray[np.integer]) -> LocalCalibration:
    """Compare the mean of what was predicted with the mean of what was measured; the interval is Student's."""
    value, n = measured.value[places], len(places)
    mean = float(value.mean())
    half = float(stdtrit(n - 1, 0.975) * value.std(ddof=1) / np.sqrt(n)) if n > 1 else np.inf
    return LocalCalibration(
        n=n,
        n_events=n,
        predicted=float(predicted[places].mean()),
        observed=mean,
        low=mean - half,
        high=mean + half,
        measure=measured.measure,
    )


def _by_then(reference: Reference, places: NDArray[np.integer], class_index: int, horizon: float) -> LocalCalibration:
    """Compare risks by a horizon with the incidence among patients who were followed for unequal time."""
    found = reference.incidence(class_index, places)
    observed, table = found.at(horizon), found.table
    low, high = complementary_bounds(observed, float(np.sqrt(found.variance_at(horizon))))
    if observed in (0.0, 1.0):
        n = len(places) if observed else max(1, int((table.at_risk[table.times >= horizon]).max(initial=0)))
        low, high = (float(bound) for bound in wilson_bounds(n * observed, n))
    return LocalCalibration(
        n=len(places),
        n_events=int(table.events[table.times <= horizon].sum()),
        predicted=float(reference.risk[places, class_index].mean()),
        observed=observed,
        low=low,
        high=high,
        followed=True,
    )


def _values(reference: Reference, patient: Rows) -> list[Message]:
    """Say which values are outside the training range, or were never seen in training."""
    found: list[Message] = []
    for flag, where in reference.codebook.cautions(patient).items():
        columns = [name for name, here in zip(reference.columns, where[0], strict=True) if here]
        if columns:
            found.append(Message(_CAUTIONS.get(flag, cautions()[flag]), {"columns": columns, "column": columns}))
    return found


def _missing(reference: Reference, missing: NDArray[np.bool_]) -> list[Message]:
    columns = [name for name, absent in zip(reference.columns, missing, strict=True) if absent]
    return (
        [Message(N_("Missing, so filled in from other patients: {columns}."), {"columns": columns})] if columns else []
    )


def _absence(reference: Reference, missing: NDArray[np.bool_]) -> list[Message]:
    """Say that more than half is missing, and more than in almost any training patient."""
    share = float(missing.mean()) if len(missing) else 0.0
    usual = np.isnan(reference.codes).mean(axis=1)
    if share <= 0.5 or share <= np.quantile(usual, FAR):
        return []
    values = {"n": int(missing.sum()), "total": len(missing)}
    return [Message(N_("{n} of {total} values are missing, more than in almost all training patients."), values)]


def _distance(remoteness: float, limit: float) -> list[Message]:
    if remoteness <= limit:
        return []
    return [
        Message(
            N_("The combination of values is further from the training patients than 99 % of them are from another.")
        )
    ]


def _disagreement(risk: float, simple: float | None, reference: Reference) -> list[Message]:
    measured = reference.measured
    limit = DISAGREEMENT if measured is None else DISAGREEMENT_OF_NUMBERS * (measured.measure.sd or 0.0)
    if simple is None or abs(risk - simple) <= limit:
        return []
    if measured is not None:
        written = {"simple": measured.measure.write(simple), "risk": measured.measure.write(risk)}
        return [Message(N_("The simple model (linear regression) says {simple}, this one {risk}."), written)]
    values = {"simple": f"{100 * simple:.0f}", "risk": f"{100 * risk:.0f}"}
    if reference.followed is not None:
        return [Message(N_("The simple model (Cox regression) says {simple} of 100, this one {risk} of 100."), values)]
    return [Message(N_("The simple model (logistic regression) says {simple} of 100, this one {risk} of 100."), values)]


def _calibration(local: LocalCalibration) -> list[Message]:
    if local.n < N_SIMILAR or local.agrees:
        return []
    if local.measure.of_number:
        text = N_(
            "Among the {n} most similar training patients the model expected {predicted} on average, and {observed} was measured."
        )
        return [Message(text, {"n": local.n, **local.written})]
    if local.followed:
        values = {"n": local.n, "predicted": f"{100 * local.predicted:.0f}", "observed": f"{100 * local.observed:.0f}"}
        return [
            Message(
                N_(
                    "Among the {n} most similar training patients the model expected {predicted} of 100 to have it by then, and {observed} of 100 had."
                ),
                values,
            )
        ]
    values = {"n": local.n, "predicted": f"{local.n * local.predicted:.0f}", "observed": local.n_events}
    return [
        Message(
            N_(
                "Among the {n} most similar training patients the model expected {predicted} with this outcome, and {observed} had it."
            ),
            values,
        )
    ]
