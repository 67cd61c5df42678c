"""What models are called: one name for one thing, on pages, in sentences and in reports."""

from __future__ import annotations

from collections.abc import Mapping

from medcore.i18n import N_, Message

TITLES: Mapping[str, str] = {
    "auto": N_("Automatic"),
    "network": N_("Neural network"),
    "seed": N_("Reference network"),
    "logistic": N_("Logistic regression"),
    "forest": N_("Random forest"),
    "boosting": N_("Gradient boosting"),
    "kernel": N_("Kernel logistic regression"),
    "extra_trees": N_("Extremely randomised trees"),
    "searched": N_("Searched settings"),
    "prevalence": N_("Prevalence alone"),
}

_EARLIER = (
    N_("automatic choice"),
    N_("prevalence"),
    N_("logistic regression"),
    N_("kernel logistic regression"),
    N_("random forest"),
    N_("extremely randomised trees"),
    N_("boosted trees"),
    N_("network"),
    N_("reference network"),
    N_("searched settings"),
)
"""What findings of earlier runs were stored with: still translated, no longer written."""


def title(model: str) -> Message:
    """Return a model's name; one without a word keeps its own.

    >>> str(title("boosting")), str(title("my_own"))
    ('Gradient boosting', 'my_own')
    """
    return Message(TITLES.get(model, model))
