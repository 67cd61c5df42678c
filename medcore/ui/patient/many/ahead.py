"""The patients of a list who may be opened next are read before they are: twenty take a worker about as long as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from medcore import jobs
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.worker_queries import TOGETHER, PatientRisk
from medcore.i18n import _
from medcore.jobs.queries.first_patients import keep_first_patients
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.many.listing import Listing

KEEPING_SECONDS = 600.0
"""Within which a worker has answered the first patients of a list, giving way to everybody."""


def begin(explainer: Explainer, listing: Listing, order: np.ndarray, place: int) -> tuple[int, ...]:
    """Have a patient read, and those who follow in the list, unless that was done; return the places read together."""
    known: dict[int, tuple[int, ...]] = cache.once(dict, *_name(explainer, listing))
    if place not in known:
        n = 1 if explainer.reference.patients.payloads else TOGETHER  # what is beside the table takes its time
        start = np.flatnonzero(order == place)
        following = order[start[0] : start[0] + n].tolist() if len(start) else [place]
        at_hand = kept(explainer, listing, place) is not None
        alike = [p for p in following if (kept(explainer, listing, p) is not None) == at_hand]
        together = tuple(p for p in alike if p not in known)
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


def kept(explainer: Explainer, listing: Listing, place: int) -> PatientRisk | None:
    """Return what the model says of a patient, where that was answered and kept when training ended."""
    row = listing.row(place)
    return None if explainer.first is None or row is None else explainer.first.patients.get(row)


def keep_first(explainer: Explainer) -> None:
    """Have the first patients answered and kept where they are not: of a run brought here, or of other code.

    Nobody waits for it; a worker that is not there is not waited for either.
    """
    if explainer.first is None and jobs.worker_ready(explainer.model.settings):
        asked = (keep_first_patients, explainer.model.settings, explainer.run.owner, explainer.run.id)
        components.begun(
            lambda task: jobs.call(*asked, urgent=False, timeout=KEEPING_SECONDS, stop=task.stop),
            *("patient.first", explainer.run.id),
        )


def _read(
    explainer: Explainer, listing: Listing, places: tuple[int, ...]
) -> Callable[[components.SessionTask], list[PatientRisk]]:
    at_hand = [one for place in places if (one := kept(explainer, listing, place)) is not None]
    if len(at_hand) == len(places):
        return lambda _task: at_hand
    model, rows, call = explainer.model, listing.frame.iloc[list(places)], jobs.call
    return lambda task: call(worker_queries.read_risks, model, rows, stop=task.stop)


def _name(explainer: Explainer, listing: Listing) -> tuple[Any, ...]:
    return "patient.risk", explainer.identity, listing.identity
