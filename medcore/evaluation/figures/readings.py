"""What each measure asks, what is good, and what its present value says, in one plain sentence each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from medcore.evaluation.figures.estimates import Estimate
from medcore.i18n import N_, Message

Reading = Callable[[Estimate], Message]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A measure explained: ``what`` it asks, what is ``good``, and how a value is ``read``."""

    what: str
    good: str
    read: Reading

    def sentences(self, estimate: Estimate) -> tuple[Message, ...]:
        """Say all three; without a value, why there is none."""
        if not estimate.exists:
            return (Message(self.what), Message(self.good), *([estimate.reason] if estimate.reason else []))
        return Message(self.what), Message(self.good), self.read(estimate)


def of_100(share: float) -> str:
    """Write a share (0–1) as a number of 100, never as a round 0 or 100 that it is not; a dash where there is none.

    >>> of_100(0.82), of_100(0.9962), of_100(1.0), of_100(0.001), of_100(float("nan"))
    ('82', '>99', '100', '<1', '–')
    """
    if share != share:
        return "–"
    n = round(100 * share)
    return ">99" if n == 100 and share < 1 else "<1" if n == 0 and share > 0 else str(n)


def _of_100(sentence: str) -> Reading:
    return lambda e: Message(sentence, {"n": of_100(e.value), "rest": of_100(1 - e.value)})


def _written(sentence: str, *, times: float = 1.0, digits: int = 1) -> Reading:
    return lambda e: Message(sentence, {"n": f"{times * e.value:.{digits}f}"})


def _beside(perfect: float, below: str, above: str) -> Reading:
    """Read a value by the side of the perfect one on which its whole interval lies, if on one."""

    def read(estimate: Estimate) -> Message:
        if estimate.high < perfect:
            return Message(below)
        return Message(
            above if estimate.low > perfect else N_("Here no departure from the perfect value can be shown.")
        )

    return read


_PAIRS = N_("Here {n} of 100 such pairs are put in the right order.")
_GOOD_AUROC = N_(
    "1 is perfect and 0.5 is chance; from 0.8 on it is commonly called excellent, below 0.7 poor (Hosmer 2013)."
)

MEANINGS: Mapping[str, Meaning] = {
    "r2": Meaning(
        N_("How much of the differences between patients do the predictions account for?"),
        N_("1 is perfect, 0 no better than giving everybody the mean, below 0 worse."),
        _of_100(N_("Here {n} of 100 parts.")),
    ),
    "rmse": Meaning(
        N_("How far off are predictions, large errors counting most?"),
        N_("0 is perfect; it is in the outcome’s own unit, and what is good depends on its use."),
        _written(N_("Here by {n}, typically."), digits=2),
    ),
    "mae": Meaning(
        N_("How far off are predictions on average?"),
        N_("0 is perfect; it is in the outcome’s own unit, and what is good depends on its use."),
        _written(N_("Here by {n}."), digits=2),
    ),
    "median_ae": Meaning(
        N_("How far off is the prediction of half of the patients at most?"),
        N_("0 is perfect; it is in the outcome’s own unit, and what is good depends on its use."),
        _written(N_("Here half are off by {n} or less."), digits=2),
    ),
    "mean_calibration_error": Meaning(
        N_("By how much are patients of like predictions off, on average?"),
        N_("0 is perfect; it is in the outcome’s own unit."),
        _written(N_("Here by {n}."), digits=2),
    ),
    "coverage": Meaning(
        N_("How many patients lie within the interval that was predicted for them?"),
        N_("90 of 100 is what the intervals promise."),
        _of_100(N_("Here {n} of 100 do.")),
    ),
    "interval_width": Meaning(
        N_("How wide are the predicted intervals on average?"),
        N_("The narrower the better, as long as they hold 90 of 100 patients."),
        _written(N_("Here {n} in the outcome’s own unit."), digits=2),
    ),
    "auroc": Meaning(
        N_("How often is a patient with the outcome given a higher risk than one without?"),
        _GOOD_AUROC,
        _of_100(_PAIRS),
    ),
    "auroc_mean_of_folds": Meaning(
        N_("The same, asked within the patients of each fold's model and averaged."), _GOOD_AUROC, _of_100(_PAIRS)
    ),
    "hand_till": Meaning(
        N_("How often are patients of two outcomes told apart, averaged over all pairs of outcomes?"),
        _GOOD_AUROC,
        _of_100(_PAIRS),
    ),
    "pdi": Meaning(
        N_("Of one patient of each outcome, how often does the right one get the highest risk of an outcome?"),
        N_("1 is perfect; chance is 1 over the number of outcomes."),
        _of_100(N_("Here in {n} of 100 such sets of patients.")),
    ),
    "orc": Meaning(
        N_("How often are patients of two classes put in their order, averaged over all pairs of classes?"),
        _GOOD_AUROC,
        _of_100(_PAIRS),
    ),
    "generalised_c": Meaning(
        N_("Of two patients of different classes, how often does the one of the higher class get the higher risk?"),
        _GOOD_AUROC,
        _of_100(_PAIRS),
    ),
    "uno_c": Meaning(
        N_("Of two patients, how often does the one with the higher risk have the event first?"),
        N_(
            "1 is perfect and 0.5 is chance. It is weighted so that it does not depend on how long patients were followed."
        ),
        _of_100(_PAIRS),
    ),
    "harrell_c": Meaning(
        N_("Of two patients whose order was seen, how often does the one with the higher risk have the event first?"),
        N_("1 is perfect and 0.5 is chance. It depends on how long patients were followed: prefer Uno’s."),
        _of_100(_PAIRS),
    ),
    "integrated_brier": Meaning(
        N_("How far are risks from what happened, squared and averaged over time?"),
        N_("0 is perfect. What is good depends on how common the event is: look at the scaled score."),
        lambda e: Message(
            N_("Here a risk is about {n} points off, typically."), {"n": round(100 * math.sqrt(e.value))}
        ),
    ),
    "integrated_scaled_brier": Meaning(
        N_("How much better are the risks than giving everybody the average, over the whole time?"),
        N_("1 is perfect, 0 no better than the average, below 0 worse."),
        _of_100(N_("Here they take away {n} of 100 parts of that error.")),
    ),
    "rps": Meaning(
        N_("How far are the risks from the class that came, counted in steps of the order?"),
        N_("0 is perfect, 1 the worst there is."),
        _of_100(N_("Here {n} of 100 parts of the way.")),
    ),
    "auprc": Meaning(
        N_("Which share of alerts is true, averaged over every sensitivity?"),
        N_("1 is perfect; chance is the share of patients with the outcome."),
        _of_100(N_("Here {n} of 100 alerts are true on average.")),
    ),
    "brier": Meaning(
        N_("How far are risks from what happened, on average and squared?"),
        N_("0 is perfect. What is good depends on how common the outcome is: look at the scaled score."),
        lambda e: Message(
            N_("Here a risk is about {n} points off, typically."), {"n": round(100 * math.sqrt(e.value))}
        ),
    ),
    "scaled_brier": Meaning(
        N_("How much better are the risks than giving everybody the average?"),
        N_("1 is perfect, 0 no better than the average, below 0 worse."),
        _of_100(N_("Here they take away {n} of 100 parts of that error.")),
    ),
    "log_loss": Meaning(
        N_("How surprising is what happened under the risks? False certainty costs most."),
        N_("0 is perfect; 0.69 is a coin tossed between two outcomes."),
        lambda e: Message(
            N_("Here what happened had been given a probability of about {n} %, typically."),
            {"n": round(100 * math.exp(-e.value))},
        ),
    ),
    "calibration_slope": Meaning(
        N_("Are high risks high enough and low ones low enough?"),
        N_("1 is perfect; below 1 risks are too extreme, above 1 too close to the average."),
        _beside(
            1.0,
            N_("Here risks are too extreme: high ones too high, low ones too low."),
            N_("Here risks are too timid."),
        ),
    ),
    "calibration_intercept": Meaning(
        N_("Are risks too high or too low on the whole?"),
        N_("0 is perfect; below 0 risks are too high, above 0 too low."),
        _beside(0.0, N_("Here risks are too high on average."), N_("Here risks are too low on average.")),
    ),
    "o_e_ratio": Meaning(
        N_("How many patients had the outcome for each that was expected?"),
        N_("1 is perfect; below 1 risks are too high, above 1 too low."),
        _written(N_("Here {n} had it for every 100 expected."), times=100, digits=0),
    ),
    "ici": Meaning(
        N_("By how much is a risk off, on average over the patients?"),
        N_("0 is perfect; what chance alone gives stands in the line below."),
        _written(N_("Here by {n} percentage points."), times=100),
    ),
    "ici_chance": Meaning(
        N_("How far off would a perfect model look on so few patients, by chance?"),
        N_("A mean error below this is no sign of bad calibration."),
        _written(N_("Here up to {n} percentage points."), times=100),
    ),
    "sensitivity": Meaning(
        N_("Of those with the outcome, how many are found?"),
        N_("100 is perfect; it rises as the threshold falls, at the price of false alarms."),
        _of_100(N_("Here {n} of 100 are found and {rest} missed.")),
    ),
    "specificity": Meaning(
        N_("Of those without the outcome, how many are left alone?"),
        N_("100 is perfect; it rises with the threshold, at the price of missed patients."),
        _of_100(N_("Here {n} of 100 are left alone and {rest} alarmed for nothing.")),
    ),
    "ppv": Meaning(
        N_("Of the alerts, how many are true?"),
        N_("100 is perfect; it falls where the outcome is rarer."),
        _of_100(N_("Here {n} of 100 alerts are true.")),
    ),
    "npv": Meaning(
        N_("Of those without an alert, how many rightly so?"),
        N_("100 is perfect; where the outcome is rare it is high for any model."),
        _of_100(N_("Here {rest} of 100 without an alert have the outcome after all.")),
    ),
    "alert_rate": Meaning(
        N_("How many patients would be alerted about?"),
        N_("As many as those who act on alerts can look after."),
        _of_100(N_("Here {n} of 100 patients.")),
    ),
    "number_needed_to_evaluate": Meaning(
        N_("How many alerts are looked into for each true one?"),
        N_("1 is perfect."),
        _written(N_("Here {n} alerts.")),
    ),
    "net_benefit": Meaning(
        N_("What is acting on the model worth, missed patients and false alarms weighed by the threshold?"),
        N_("More than 0 and more than treating everyone; the decision curve shows both."),
        _written(N_("Here as much as finding {n} of 100 patients without any false alarm."), times=100),
    ),
    "accuracy": Meaning(
        N_("How many calls are right?"),
        N_("More than calling everybody what is commonest, which needs no model."),
        _of_100(N_("Here {n} of 100 calls are right.")),
    ),
}
"""The measures that pages show; one without an entry has no “?”."""
