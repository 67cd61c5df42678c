"""What models are called: one name for one thing, on pages, in sentences and in reports."""

from __future__ import annotations

from medcore.i18n import N_, Message
from medcore.models.contract.candidate import AUTO, AUTO_TITLE, known

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
    if model == AUTO:
        return Message(AUTO_TITLE)
    found = known(model)
    return Message(found.title if found else model)
