"""The patients of a list who may be opened next are read before they are: twenty take a worker about as long as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from medcore import jobs
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.worker_queries import TOGETHER, PatientRisk
from medcore.i18n import _
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.many.listing import Listing


def begin(explainer: Explainer, listing: Listing, order: np.ndarray, place: int) -> tuple[int, ...]:
    """Have a patient read, and those who follow in the list, unless that was done; return the places read together."""
    known: dict[int, tuple[int, ...]] = cache.once(dict, *_name(explainer, listing))
    if place not in known:
        n = 1 if explainer.reference.patients.payloads else TOGETHER  # what is beside the table takes its time
        start = np.flatnonzero(order == place)
        following = order[start[0] : start[0] + n].tolist() if len(start) else [place]
        together = tuple(p for p in following if p not in known)
        known |= dict.fromkeys(together, together)
    together = known[place]
    components.begun(_read(explainer, listing, together), *_name(explainer, listing), together)
    return together


def risk_of(explainer: Explainer, listing: Listing, order: np.ndarray, place: int) -> PatientRisk | None:
    """Return what the model says of a patient of a list; ``None`` as yet."""
    together = begin(explainer, listing, order, place)
    found = components.waited(
        _read(explainer, listing, together),
        *(*_name(explainer, listing), together),
        key="patient.risk",
        doing=_("The model is asked for its prediction."),
    )
    return None if found is None else found[together.index(place)]


def _read(
    explainer: Explainer, listing: Listing, places: tuple[int, ...]
) -> Callable[[components.SessionTask], list[PatientRisk]]:
    model, rows, call = explainer.model, listing.frame.iloc[list(places)], jobs.call
    return lambda task: call(worker_queries.read_risks, model, rows, stop=task.stop)


def _name(explainer: Explainer, listing: Listing) -> tuple[Any, ...]:
    return "patient.risk", explainer.identity, listing.identity
