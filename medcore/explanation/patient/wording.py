"""A risk in words that a patient and a physician read alike: so many of 100."""

from __future__ import annotations

from medcore.i18n import N_, Message

NO_RISK = N_("No risk to rely on")


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
