"""What a worker answers about a whole model; each function takes a bundle's folder, as in ``worker_queries``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from medcore.explanation.model.effects import Effect, effect
from medcore.explanation.model.tables import Explanations, explain_rows
from medcore.explanation.model.whole import ImportanceStability
from medcore.explanation.patient.changes.what_if import WhatIfMap, risk_map
from medcore.explanation.patient.patients import class_index
from medcore.explanation.patient.reference import Reference
from medcore.explanation.patient.worker_queries import Asked, drawn, opened
from medcore.explanation.shapley.explain import explain
from medcore.explanation.shapley.game import Floats, RiskFunction
from medcore.explanation.shapley.interactions import Interactions, pair_interactions
from medcore.explanation.shapley.results import Scale
from medcore.features import Rows

if TYPE_CHECKING:
    from medcore.models.bundle.bundle import Bundle

N_PAIRED = 20
"""Training patients whose pairs of columns are looked at."""
N_COMPARED, N_COMPARED_AGAINST = 12, 30
"""Training patients explained by each model of a bundle, and against how many others."""
COMPARED_EVALUATIONS = 8_000


def explain_table(folder: Asked, frame: pd.DataFrame, *, class_name: str, scale: Scale) -> Explanations:
    """Explain the rows of a table, or of a piece of one, as it was read."""
    return explain_rows(opened(folder), frame, class_name=class_name, scale=scale)


def interactions_of(folder: Asked, columns: tuple[str, ...], *, class_name: str) -> Interactions:
    """Return the interactions of every two of some columns, over training patients."""
    bundle = opened(folder)
    places = [bundle.predictors.index(c) for c in columns]
    return pair_interactions(
        bundle.risk_of_codes(bundle.background),
        drawn(bundle.background, N_PAIRED).codes,
        bundle.background.codes,
        [(a, b) for a, b in combinations(places, 2)],
        class_index=_class(bundle, class_name),
    )


def effect_of(folder: Asked, reference: Reference, column: str, *, class_name: str, unit: str | None) -> Effect:
    """Return the mean risk along a column."""
    bundle = opened(folder)
    return effect(
        bundle.risk_of_codes(reference.patients), reference, column, class_index=_class(bundle, class_name), unit=unit
    )


def map_of(
    folder: Asked, patient: Rows, reference: Reference, x_column: str, y_column: str, *, class_index: int
) -> WhatIfMap:
    """Return one patient's (1, P) risk over two columns."""
    return risk_map(
        opened(folder).risk_of_codes(patient, reference.patients),
        patient,
        reference,
        x_column,
        y_column,
        class_index=class_index,
    )


def stability_of(folder: Asked, *, class_name: str) -> ImportanceStability:
    """Return what each model of a bundle uses: members of the ensemble, and networks of each fold and seed."""
    bundle = opened(folder)
    index = _class(bundle, class_name)
    mixed = drawn(bundle.background, N_COMPARED + N_COMPARED_AGAINST)
    patients, others = mixed.codes[:N_COMPARED], mixed.codes[-N_COMPARED_AGAINST:]
    names, shares = [], []
    for name, part_risk in _voices(bundle):
        risk = partial(_risk_of_codes, part_risk, mixed)
        sizes = np.array([_sizes(risk, row, others, bundle.predictors, index) for row in patients]).mean(axis=0)
        names.append(name)
        shares.append(sizes / sizes.sum() if sizes.sum() > 0 else sizes)
    return ImportanceStability(columns=bundle.predictors, models=tuple(names), shares=np.array(shares))


def _sizes(risk: RiskFunction, row: Floats, others: Floats, columns: tuple[str, ...], index: int) -> list[float]:
    found = explain(
        risk, row, others, columns=columns, class_index=index, tolerance=0.1, max_evaluations=COMPARED_EVALUATIONS
    )
    return [abs(c.contribution) for c in found.contributions]


def _risk_of_codes(risk: Callable[[Rows], Floats], known: Rows, codes: Floats) -> Floats:
    return risk(known.with_codes(codes))


def _voices(bundle: Bundle) -> Iterator[tuple[str, Callable[[Rows], Floats]]]:
    """Name every model that has a say in a bundle; the networks of each fold speak for themselves."""
    for weight, part in bundle.parts:
        if weight <= 0:
            continue
        whole: Any = part
        folds: tuple[Any, ...] = getattr(part, "networks", ())
        if len(folds) > 1:
            for place, networks in enumerate(folds):
                one = replace(whole, makers=(whole.makers[place],), networks=(networks,))
                yield f"{part.kind} {place + 1}", one.risk
        else:
            yield part.kind, part.risk


def _class(bundle: Bundle, class_name: str) -> int:
    return class_index(bundle, bundle.background, class_name)
