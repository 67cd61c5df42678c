"""How much an explanation that somebody waits for may ask of a model, on a page or of the service."""

from __future__ import annotations

import numpy as np

from medcore.explanation.shapley.sampling import most_sweep_cost
from medcore.models.bundle.bundle import Bundle
from medcore.models.bundle.coalitions import n_sums

LIVE_SUMS, LIVE_EVALUATIONS = 2**34, (2**13, 2**20)
"""How much it may cost, in multiplications, and how many composite rows at least and at most.

Numbers of sums, not seconds, so that the same patient has the same figures on every machine.
"""


def live_evaluations(bundle: Bundle) -> int:
    """Return how many composite rows an explanation may ask this model about."""
    fewest, most = LIVE_EVALUATIONS
    return int(np.clip(LIVE_SUMS // max(1, n_sums(bundle)), fewest, most))


def patient_evaluations(bundle: Bundle, n_background: int) -> int:
    """Return the same against so many rows: at least two sweeps, however wide the table.

    With less, error bars would say more than the contributions.
    """
    return max(live_evaluations(bundle), 2 * most_sweep_cost(n_background, len(bundle.predictors)))
