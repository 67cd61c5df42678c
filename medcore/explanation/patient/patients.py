"""Explanations of patients as they stand in a table, by a trained bundle."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from medcore.errors import NotFoundError
from medcore.explanation.shapley.explain import refine
from medcore.explanation.shapley.inside import MOST_COMPOSITES, explain_inside
from medcore.explanation.shapley.results import Explanation, Scale
from medcore.features import Rows, kind_named
from medcore.features.kind import Encoder, Parts
from medcore.i18n import N_
from medcore.models.bundle.bundle import AsRead, Bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.targets import Number

MAX_BACKGROUND = 1_000
"""A longer background is sampled down to this many rows."""


MOST_INSIDE = 6
"""Columns, those that contribute most, whose parts are explained: as many as are read."""


class Options(TypedDict, total=False):
    """What :func:`medcore.explanation.shapley.explain` may also be told."""

    tolerance: float
    max_evaluations: int
    seed: int


@dataclass(frozen=True, slots=True)
class Patient:
    """One row of a table as a model reads it (1, P), and the values as they are shown."""

    rows: Rows
    values: tuple[str | None, ...]


def read_patient(bundle: Bundle, frame: pd.DataFrame, row_number: int) -> Patient:
    """Read one row, counted from 0, of a table in the bundle's columns.

    Raises:
        NotFoundError: the table has no such row.
        MissingColumnsError: the table lacks a column the model needs.

    """
    if not 0 <= row_number < len(frame):
        raise NotFoundError(
            N_("There is no row {row}: the table has the rows 0 to {last}."), row=row_number, last=len(frame) - 1
        )
    read = bundle.read(frame.iloc[[row_number]])
    return Patient(read.rows, shown_values(bundle, read)[0])


def shown_values(bundle: Bundle, read: AsRead) -> list[tuple[str | None, ...]]:
    """Return each row's values of the predictors as text, None where missing; what was given and not used, as given."""
    columns = [
        [read.unused.text(name, row) or shown(v) for row, v in enumerate(_readable(read.predictors[name], encoder))]
        for name, encoder in zip(bundle.predictors, bundle.codebook.encoders, strict=True)
    ]
    return list(zip(*columns, strict=True)) if columns else [()] * len(read.rows)


def _readable(values: pd.Series, encoder: Encoder) -> Iterable[Any]:
    """Return a column's values as a person can read them: of results over time what is most telling, not every step."""
    return encoder.values(encoder.encode(values)) if kind_named(encoder.kind).in_order else values


def shown(value: Any) -> str | None:
    """Write a value as it is shown: a number without needless decimals, None when missing.

    >>> shown(63.0), shown(0.1 + 0.2), shown("male"), shown(float("nan"))
    ('63', '0.3', 'male', None)
    """
    if value is None or value != value:
        return None
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)


def units_of(bundle: Bundle) -> tuple[str | None, ...]:
    """Return the unit of each predictor, None where it has none."""
    units: Mapping[str, str | None] = {c.name: c.unit for c in bundle.schema.columns}
    return tuple(units.get(name) for name in bundle.predictors)


def explain_row(
    bundle: Bundle,
    frame: pd.DataFrame,
    row_number: int,
    *,
    class_name: str | None = None,
    background: pd.DataFrame | None = None,
    scale: Scale = "probability",
    **options: Unpack[Options],
) -> Explanation:
    """Explain one row (counted from 0) of a table against other patients.

    ``background`` is a table of patients to compare with; without one it is the
    sample of training patients in the bundle. Without ``class_name`` the class
    is the positive one of two, or the likeliest of more.

    Raises:
        NotFoundError: the table has no such row, or the model no such class.
        MissingColumnsError: a table lacks a column the model needs.

    """
    *_, last = refine_row(
        bundle, frame, row_number, class_name=class_name, background=background, scale=scale, **options
    )
    return last


def refine_row(
    bundle: Bundle,
    frame: pd.DataFrame,
    row_number: int,
    *,
    class_name: str | None = None,
    background: pd.DataFrame | None = None,
    scale: Scale = "probability",
    **options: Unpack[Options],
) -> Iterator[Explanation]:
    """Yield ever better explanations of one row; the last one is that of :func:`explain_row`."""
    patient = read_patient(bundle, frame, row_number)
    scale = scale_for(bundle, scale)
    others = background_rows(bundle, background, seed=options.get("seed", 0))
    index = class_index(bundle, patient.rows, class_name)
    explanation: Explanation | None = None
    risk = BundleRisk(bundle)
    for explanation in refine(
        risk.knowing(patient.rows, others),
        patient.rows.codes[0],
        others.codes,
        columns=bundle.predictors,
        class_index=index,
        scale=scale,
        **options,
    ):
        yield explained_in_words(bundle, explanation, patient.values, index)
    if explanation is not None and has_inside(bundle):
        found = explained_in_words(bundle, explanation, patient.values, index)
        yield explained_inside(risk, found, patient.rows, others, index, seed=options.get("seed", 0))


def has_inside(bundle: Bundle) -> bool:
    """Whether any of a bundle's columns holds contents that an explanation may go into."""
    return any(not kind_named(name).scalar for name in bundle.codebook.kinds)


def explained_inside(
    risk: BundleRisk, explanation: Explanation, patient: Rows, background: Rows, index: int, *, seed: int = 0
) -> Explanation:
    """Return the explanation of a patient (1, P) with what each part of a value contributes, where a value has parts.

    Of many columns with parts inside, it goes into the ``MOST_INSIDE`` that contribute most, and into none that no model reads.
    """
    started = time.perf_counter()
    contributions, inside = list(explanation.contributions), dict[int, Parts]()
    for place in sorted(range(len(contributions)), key=lambda p: -abs(contributions[p].contribution)):
        own = patient.column(place)
        known = own.payload is not None and not np.isnan(own.codes[0]) and contributions[place].contribution != 0
        parts = risk.bundle.codebook.encoders[place].parts(own, contributions[place].value) if known else None
        if parts is not None and len(inside) < MOST_INSIDE:
            inside[place] = parts
    for place, parts in inside.items():
        of = contributions[place]
        found = explain_inside(
            *(risk.inside(place), patient, background, parts, place),
            of=of,
            class_index=index,
            scale=explanation.scale,
            max_evaluations=MOST_COMPOSITES // len(inside),
            seed=seed,
        )
        contributions[place] = replace(of, parts=found)
    seconds = explanation.seconds + time.perf_counter() - started
    return replace(explanation, contributions=tuple(contributions), seconds=seconds)


def scale_for(bundle: Bundle, scale: Scale) -> Scale:
    """Return the scale of a bundle's explanations: that which is asked for, or a predicted number in its own unit."""
    return "value" if isinstance(bundle.target, Number) else scale


def explained_in_words(
    bundle: Bundle, explanation: Explanation, values: Sequence[str | None], index: int
) -> Explanation:
    """Return an explanation of one of a bundle's classes, or its number, with the texts and units a person reads."""
    outcome = bundle.schema.outcome
    unit = (outcome.unit or "") if outcome and explanation.scale == "value" else ""
    return explanation.shown_as(values, units=units_of(bundle), class_name=bundle.classes[index], unit=unit)


def background_rows(bundle: Bundle, background: pd.DataFrame | None, *, seed: int = 0) -> Rows:
    """Return the rows (m, P) of the patients to compare with, at most ``MAX_BACKGROUND`` of them.

    Raises:
        NotFoundError: the table of patients to compare with is empty.

    """
    rows = bundle.background if background is None else bundle.encode(background)
    if not len(rows):
        raise NotFoundError(N_("The table of patients to compare with has no rows. Give one with at least one row."))
    if len(rows) <= MAX_BACKGROUND:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), MAX_BACKGROUND, replace=False)
    return rows.take(np.sort(chosen))


def class_index(bundle: Bundle, rows: Rows, class_name: str | None) -> int:
    """Return the place of a class: the named one, else the positive of two or the first row's likeliest of more.

    Raises:
        NotFoundError: the model has no class of that name.

    """
    classes: Sequence[str] = bundle.classes
    if class_name is not None:
        if class_name not in classes:
            raise NotFoundError(
                N_("The model has no class {got}; its classes are: {classes}."), got=class_name, classes=list(classes)
            )
        return list(classes).index(class_name)
    event = bundle.target.event
    return int(np.argmax(np.asarray(bundle.risk(rows.take(0)))[0])) if event is None else event
