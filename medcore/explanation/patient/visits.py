"""What moved a patient's risk between two visits: contributions of the difference, value by value.

The game of :mod:`medcore.explanation.shapley` with the first visit as its only background row: a
coalition's value is the model's answer for the patient of the first visit in whom the columns of the
coalition are as they were at the second. The base value is then f(first), the contributions add up to
f(second) − f(first), and a column that did not change contributes nothing (Shapley, 1953; the
interventional value function of Lundberg and Lee, 2017, with one background row).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from medcore.explanation.patient.effort import live_evaluations
from medcore.explanation.patient.patients import explained_in_words, scale_for, shown_values
from medcore.explanation.patient.worker_queries import Asked, bundle_risk, opened
from medcore.explanation.shapley.exact import MAX_PLAYERS
from medcore.explanation.shapley.explain import explain
from medcore.explanation.shapley.results import Contribution, Explanation


@dataclass(frozen=True, slots=True)
class Moved:
    """What led from a first visit to a second: base value f(first), prediction f(second), a contribution a column.

    ``before`` (P,) are the values at the first visit as they are shown; those at the second are the explanation's.
    """

    explanation: Explanation
    before: tuple[str | None, ...] = field(repr=False)

    @property
    def change(self) -> float:
        """How far the prediction moved."""
        return self.explanation.prediction - self.explanation.base_value

    @property
    def largest(self) -> tuple[tuple[str | None, Contribution], ...]:
        """The values that changed or contributed, the largest contribution first, each after its value before."""
        pairs = zip(self.before, self.explanation.contributions, strict=True)
        moved = [(was, now) for was, now in pairs if was != now.value or now.contribution != 0]
        return tuple(sorted(moved, key=lambda pair: -abs(pair[1].contribution)))


def between_visits(folder: Asked, visits: pd.DataFrame, *, class_index: int) -> Moved:
    """Explain the second of two rows of a table, as it was read, against the first.

    It is exact as long as at most :data:`~medcore.explanation.shapley.exact.MAX_PLAYERS` columns changed.
    """
    bundle = opened(folder)
    read = bundle.read(visits)
    first, second = read.rows.take(slice(0, 1)), read.rows.take(slice(1, 2))
    found = explain(
        bundle_risk(folder).knowing(second, first),
        second.codes[0],
        first.codes,
        columns=bundle.predictors,
        class_index=class_index,
        scale=scale_for(bundle, "probability"),
        max_evaluations=max(live_evaluations(opened(folder)), 2**MAX_PLAYERS),
    )
    before, after = shown_values(bundle, read)
    return Moved(explained_in_words(bundle, found, after, class_index), before)
