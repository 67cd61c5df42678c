"""A risk in words that a patient and a physician read alike: so many of 100."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.i18n import N_, Message, number

NO_RISK = N_("No risk to rely on")
NO_NUMBER = N_("No number to rely on")


@dataclass(frozen=True, slots=True)
class Measure:
    """What a model predicts, as people read it: a risk in per cent, or a number of a ``name`` in its ``unit``.

    A number has the decimals that its standard deviation ``sd`` calls for, two figures of that; without one it is a risk.

    >>> RISK.write(0.183), Measure("Weight", "g", 729.0).write(3120.4), Measure("HbA1c", "%", 1.2).bare(6.53)
    ('18.3%', '3,120 g', '6.5')
    """

    name: str = ""
    unit: str = ""
    sd: float | None = None

    @property
    def of_number(self) -> bool:
        """Whether a number is predicted and no risk."""
        return self.sd is not None

    @property
    def times(self) -> float:
        """By what a prediction is multiplied to be drawn."""
        return 1.0 if self.of_number else 100.0

    @property
    def decimals(self) -> int:
        """How many decimals a prediction is written with."""
        if self.sd is None:
            return 1
        return max(0, 1 - int(np.floor(np.log10(self.sd)))) if self.sd > 0 else 2

    def bare(self, value: float, *, signed: bool = False, more: int = 0) -> str:
        """Write a prediction without its unit, or with ``more`` decimals and a sign what it changes by."""
        grouped = "," if self.of_number else ""
        return number(self.times * value, f"{'+' if signed else ''}{grouped}.{max(0, self.decimals + more)}f")

    def write(self, value: float, *, more: int = 0) -> str:
        """Write a prediction with its unit."""
        unit = self.unit if self.of_number else "%"
        return f"{self.bare(value, more=more)}{unit if unit == '%' else f' {unit}'}".strip()


RISK = Measure()


def frequency(risk: float) -> Message:
    """Say a risk (0–1) as a natural frequency, of 100 or, when it is rare or nearly certain, of 1,000.

    Natural frequencies are understood better than percentages or odds
    (Gigerenzer and Edwards, 2003, BMJ 327:741).

    >>> str(frequency(0.183))
    'About 18 of 100 patients with values like these'
    >>> str(frequency(0.004))
    'About 4 of 1,000 patients with values like these'
    """
    if 0.01 <= risk <= 0.99:
        return Message(N_("About {n} of 100 patients with values like these"), {"n": round(100 * risk)})
    if risk < 0.001:
        return Message(N_("Fewer than 1 of 1,000 patients with values like these"))
    if risk > 0.999:
        return Message(N_("More than 999 of 1,000 patients with values like these"))
    return Message(N_("About {n} of 1,000 patients with values like these"), {"n": round(1000 * risk)})


def percent(risk: float, *, digits: int = 0) -> str:
    """Write a risk (0–1) in per cent, never as a round 0 or 100.

    >>> percent(0.183), percent(0.9996), percent(0.0004), percent(0.0421, digits=1)
    ('18%', '>99%', '<1%', '4.2%')
    """
    least = 10.0**-digits
    if 100 * risk < least / 2:
        return f"<{least:.{digits}f}%"
    if 100 * risk > 100 - least / 2:
        return f">{100 - least:.{digits}f}%"
    return f"{100 * risk:.{digits}f}%"


def unreliable(risk: float, name: str) -> Message:
    """Say what the model gives a patient it should not be asked about: the risk (0–1) of an outcome's name."""
    return Message(
        N_("The model gives {risk} for {name}, but this patient is too unlike those it learnt from."),
        {"risk": percent(risk), "name": name},
    )


def unreliable_number(value: float, measure: Measure) -> Message:
    """Say what the model gives a patient it should not be asked about."""
    text = N_("The model gives {value}, but this patient is too unlike those it learnt from.")
    return Message(text, {"value": measure.write(value)})


def against_mean(value: float, mean: float, measure: Measure) -> Message:
    """Set a predicted number beside the mean of the training patients; within a tenth of a standard deviation it is about that."""
    near = abs(value - mean) <= 0.1 * (measure.sd or 0.0)
    text = (
        N_("That is about the mean of the training patients ({mean}).")
        if near
        else N_("That is above the mean of the training patients ({mean}).")
        if value > mean
        else N_("That is below the mean of the training patients ({mean}).")
    )
    return Message(text, {"mean": measure.write(mean)})


def against_base(risk: float, base: float) -> Message:
    """Set a risk beside the share of training patients with the outcome (both 0–1)."""
    values = {"base": f"{100 * base:.0f}"}
    if base <= 0 or 0.8 <= risk / base <= 1.25:
        return Message(N_("That is about the average of the training patients ({base} of 100)."), values)
    if risk > base:
        return Message(
            N_("That is {times} times the average of the training patients ({base} of 100)."),
            values | {"times": f"{risk / base:.1f}"},
        )
    return Message(N_("That is less than the average of the training patients ({base} of 100)."), values)
