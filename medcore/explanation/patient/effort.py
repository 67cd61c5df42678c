"""How much an explanation that somebody waits for may ask of a model, on a page or of the service."""

from __future__ import annotations

import numpy as np

from medcore.explanation.patient.patients import Options
from medcore.explanation.shapley import pairs
from medcore.explanation.shapley.explain import TOLERANCE
from medcore.explanation.shapley.regression_adjusted import MOST_PLAYERS
from medcore.explanation.shapley.sampling import most_sweep_cost
from medcore.models.bundle.bundle import Bundle
from medcore.models.bundle.coalitions import BundleRisk, n_sums

LIVE_SUMS, LIVE_EVALUATIONS = 3 * 2**32, (2**13, 2**20)
"""How much it may cost, in multiplications, and how many composite rows at least and at most.

Numbers of sums, not seconds, so that the same patient has the same figures on every machine.
"""
WIDE_TOLERANCE, WIDE_ROUNDS = 0.02, 12
"""Where a table is so wide that coalitions tell of every column: what is promised, and in how many rounds at most."""


def live_evaluations(bundle: Bundle) -> int:
    """Return how many composite rows an explanation may ask this model about."""
    fewest, most = LIVE_EVALUATIONS
    return int(np.clip(LIVE_SUMS // max(1, n_sums(bundle)), fewest, most))


def patient_effort(risk: BundleRisk, n_background: int) -> Options:
    """Return what an explanation of one patient against so many rows may take.

    At least two sweeps, however wide the table: with less, error bars would say more than the contributions.
    """
    n_columns = len(risk.bundle.predictors)
    if n_columns > MOST_PLAYERS and risk.can_pair:
        return {"max_evaluations": pairs.cost(n_background, WIDE_ROUNDS), "tolerance": WIDE_TOLERANCE}
    least = 2 * most_sweep_cost(n_background, n_columns)
    return {"max_evaluations": max(live_evaluations(risk.bundle), least), "tolerance": TOLERANCE}
