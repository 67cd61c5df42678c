"""Bundle: a trained model ready to use, and the folder it is kept in (without pickle)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.cohort import Schema
from medcore.data.follow_up import span
from medcore.data.preparation.given import OUT_OF_RANGE, Unused, read_needed, unused_values
from medcore.data.preparation.recipe import Recipe
from medcore.data.preparation.replay import prepare_predictors
from medcore.data.schema.targets import target_of
from medcore.errors import BundleError, SettingsError
from medcore.evaluation.number.intervals import PredictionIntervals
from medcore.features import AnyRows, CodeBook, Codes, Rows, cautions
from medcore.i18n import N_, Message
from medcore.models.bundle.files import MANIFEST, check_seal, inside, read_json, replacing, seal, write_json
from medcore.models.contract.candidate import part_classes
from medcore.models.contract.task import Part, Risk, clean
from medcore.models.contract.timed import Curves, TimedPart
from medcore.models.selection.calibration import Calibrator
from medcore.notebook import NotebookTable, ShownInNotebooks
from medcore.sealing import Folder, as_folder
from medcore.statistics.arrays import Floats
from medcore.targets import EventTime, Number, Target

FORMAT = 2
FORMATS_READ = (1, FORMAT)
"""Format 1 wrote the code book and the matrices without kinds; they are read all the same."""
BLOCK = 64
"""In whole multiples of so many rows, parts are asked that do not answer row by row."""
LEEWAY = 1e-6
"""How far weights may sum from 1: what thirty roundings of float64 add up to, and a person's six decimals."""
GIVEN: Mapping[str, str] = {
    "imputed": N_("{column} is missing and was filled in"),
    "unreadable": N_("{column} was given and cannot be read; it was filled in"),
    "unknown_unit": N_("{column} was given in a unit that cannot be converted; it was filled in"),
    "not_used": N_("{column} was given with a value that no patient can have; it was filled in"),
}
"""What is said of a value that was filled in: missing is one thing, given and not used another."""


@dataclass(frozen=True, slots=True)
class AsRead:
    """Rows of a table as a model reads them: ``rows`` (n, P), the ``predictors``' values, and what was given and not used."""

    rows: Rows
    predictors: pd.DataFrame = field(repr=False)
    unused: Unused = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bundle(ShownInNotebooks):
    """A trained model with everything needed to predict for new patients.

    ``parts`` are the models with their weights (summing to 1), whose mean risk is
    recalibrated; from outside they are one model. ``background`` are some
    training rows, for explanations. ``manifest`` says where all of it came from. Where the outcome
    comes with a time, every part is a :class:`TimedPart`, a risk is about one horizon, and
    ``times`` (T,) are those of a patient's curve. Where the outcome is a number there is one class,
    the number itself, and what stands for its risk is that number in its unit.
    """

    classes: tuple[str, ...]
    schema: Schema = field(repr=False)
    recipe: Recipe = field(repr=False)
    codebook: CodeBook = field(repr=False)
    parts: tuple[tuple[float, Part], ...] = field(repr=False)
    calibrator: Calibrator = field(repr=False)
    background: Rows = field(repr=False)
    manifest: Mapping[str, Any] = field(repr=False, default_factory=dict)
    times: Floats = field(repr=False, default_factory=lambda: np.zeros(0))

    @property
    def predictors(self) -> tuple[str, ...]:
        """The columns the model predicts from, in the order of the codes."""
        return self.codebook.columns

    @property
    def target(self) -> Target:
        """What is predicted."""
        return target_of(self.schema, self.classes)

    @property
    def threshold(self) -> float:
        """The risk from which a patient counts as positive unless a person says otherwise."""
        return float(self.manifest.get("threshold", 0.5))

    @property
    def shares(self) -> Risk | None:
        """The shares of the training patients in each class (K,); None of a bundle that does not say."""
        counts = self.manifest.get("class_counts", {})
        found = np.array([counts.get(name, 0) for name in self.classes], dtype=np.float64)
        return found / found.sum() if found.all() else None

    def notebook_table(self) -> NotebookTable:
        """Show what it predicts, from what, and what it is made of."""
        header = (str(Message(N_("Bundle"))), "")
        rows = [
            (str(Message(N_("Classes"))), ", ".join(self.classes)),
            (str(Message(N_("Predictors"))), ", ".join(self.predictors)),
            (str(Message(N_("Models"))), ", ".join(f"{part.kind} {weight:.0%}" for weight, part in self.parts)),
            (str(Message(N_("Training patients"))), str(self.manifest.get("n_train", "–"))),
            (str(Message(N_("Threshold"))), f"{self.threshold:.3f}"),
        ]
        return NotebookTable(str(self.manifest.get("intended_use", "")), header, rows)

    def encode(self, frame: pd.DataFrame) -> Rows:
        """Read rows of a table, as it was read, as the model does: ``(n, P)``.

        Raises:
            MissingColumnsError: the table lacks a predictor.

        """
        return self.codebook.transform(prepare_predictors(frame, self.schema, self.recipe))

    def risk(self, rows: AnyRows) -> Risk:
        """Predict from rows ``(n, P)``: risks ``(n, K)``, summing to 1 in every row.

        A patient's risk is the same to the last bit alone and among others: products of few rows are
        summed in another order than those of many, so that rows are filled up to whole blocks.
        """
        rows = Rows.of(rows)
        n = len(rows)
        if not n:
            return np.empty((0, len(self.classes)))
        whole = rows.take(np.minimum(np.arange(-(-n // BLOCK) * BLOCK), n - 1))
        asked = ((w, part.risk(rows) if part.row_by_row else part.risk(whole)[:n]) for w, part in self.parts)
        return self.settled(np.asarray(sum(weight * risk for weight, risk in asked)))

    def settled(self, pooled: Risk) -> Risk:
        """Make risks of what the parts predict on average ``(n, K)``: whole and recalibrated, or numbers within their limits."""
        target = self.target
        if isinstance(target, Number):
            return target.within(self.calibrator.apply(pooled))
        calibrator = self.calibrator.at(target.main) if isinstance(target, EventTime) else self.calibrator
        return calibrator.apply(clean(pooled, len(self.classes)))

    @property
    def is_mean(self) -> bool:
        """Whether its risks are the weighted mean of what its parts predict, as that is."""
        plain = self.calibrator.method == "none" and self.calibrator.then is None
        return plain and not isinstance(self.target, Number)

    @property
    def intervals(self) -> PredictionIntervals | None:
        """How far around a predicted number nine of ten patients are; None where no number is predicted."""
        known = self.manifest.get("intervals")
        return PredictionIntervals.from_dict(known) if known else None

    def curve(self, rows: AnyRows, times: Floats | None = None) -> Curves:
        """Return the cumulative incidence of each cause by ``times``, else by the bundle's own: ``(n, causes, T)``."""
        by, rows = self.times if times is None else times, Rows.of(rows)
        shape = (len(rows), len(self.classes) - 1, len(by))
        parts = [(weight, part) for weight, part in self.parts if isinstance(part, TimedPart)]
        pooled = sum((weight * part.curve(rows, by) for weight, part in parts), start=np.zeros(shape))
        return self.calibrator.curves(np.asarray(np.clip(pooled, 0.0, 1.0)), by)

    def at(self, horizon: float) -> Bundle:
        """Return the same model, whose risks are about another time.

        Raises:
            SettingsError: the model does not say by when, or nobody it learnt from was judged so late.

        """
        follow_up = self.schema.follow_up
        if follow_up is None:
            raise SettingsError(N_("This model does not say by when the event comes, so it has no horizon."))
        if not 0 < horizon <= self.times[-1]:
            raise SettingsError(
                N_(
                    "The model says what comes within {longest}; it was asked about {horizon}. Name an earlier horizon."
                ),
                longest=span(float(self.times[-1]), follow_up.unit),
                horizon=span(horizon, follow_up.unit),
            )
        parts = tuple((w, part.at(horizon) if isinstance(part, TimedPart) else part) for w, part in self.parts)
        schema = replace(self.schema, follow_up=replace(follow_up, main=horizon))
        return replace(self, parts=parts, schema=schema)

    def risk_of_codes(self, *known: Rows) -> Callable[[Codes], Risk]:
        """Return the risk as a function of codes ``(n, P)`` alone, which stand for values of the ``known`` rows."""
        rows = known[0].knowing(*known[1:])
        return lambda codes: self.risk(rows.with_codes(np.ascontiguousarray(codes, dtype=np.float64)))

    def predict(self, frame: pd.DataFrame) -> Risk:
        """Predict for rows of a table as it was read: risks ``(n, K)``."""
        return self.risk(self.encode(frame))

    def encode_flagged(self, frame: pd.DataFrame) -> tuple[Rows, list[tuple[str, ...]]]:
        """Do what :meth:`encode` and :meth:`flags` do, reading the cells once."""
        read = self.read(frame)
        return read.rows, self.flags_of(read.rows, read.unused)

    def read(self, frame: pd.DataFrame) -> AsRead:
        """Read rows of a table, as it was read, as the model does: as :meth:`encode`, with all that is known of them."""
        cells = read_needed(frame, self.schema, self.recipe)
        prepared = prepare_predictors(frame, self.schema, self.recipe, read=cells)
        unused = unused_values(frame, self.schema, self.recipe, read=cells)
        return AsRead(self.codebook.transform(prepared), prepared, unused)

    def flags(self, frame: pd.DataFrame) -> list[tuple[str, ...]]:
        """Say of every row what to be careful about: ``imputed:age``, ``unreadable:age``, ``unseen_category:sex``.

        What was given and not used is flagged by its reason, and never as missing; an
        ``out_of_range`` value that was filled in is also ``not_used``.
        """
        return self.encode_flagged(frame)[1]

    def flags_of(self, rows: Rows, unused: Unused) -> list[tuple[str, ...]]:
        """Return the :meth:`flags` of rows that were read, of which it is known what was given and not used."""
        found = self.code_flags(rows)
        return [_with_reasons(flags, unused, row) for row, flags in enumerate(found)] if unused.reasons else found

    def code_flags(self, rows: AnyRows) -> list[tuple[str, ...]]:
        """Return the flags of rows that were read already, of which nothing is known but whether a value is there."""
        rows = Rows.of(rows)
        seen = {"imputed": np.isnan(rows.codes)} | self.codebook.cautions(rows)
        flags: list[list[str]] = [[] for _ in range(len(rows))]
        for name, where in seen.items():
            for row, column in zip(*np.nonzero(where), strict=True):
                flags[row].append(f"{name}:{self.codebook.columns[column]}")
        return [tuple(f) for f in flags]


def flag_message(flag: str) -> Message:
    """Say one of :meth:`Bundle.flags` in words."""
    name, _colon, column = flag.partition(":")
    return Message((dict(GIVEN) | cautions())[name], {"column": column})


def _with_reasons(flags: tuple[str, ...], unused: Unused, row: int) -> tuple[str, ...]:
    """Say of values that were given and not used why, in the place of saying that they are missing."""
    why = {name: unused.reason(name, row) for name in unused.reasons}
    kept = [flag for flag in flags if not (flag.startswith("imputed:") and why.get(flag.partition(":")[2]))]
    told = [f"{reason}:{name}" for name, reason in why.items() if reason]
    return (*kept, *told, *(f"not_used:{name}" for name, reason in why.items() if reason == OUT_OF_RANGE))


def save_bundle(bundle: Bundle, folder: Folder) -> None:
    """Keep a bundle in a folder (what an earlier bundle left there is replaced) and seal it."""
    with replacing(as_folder(folder)) as new:
        write_bundle(bundle, new)
        seal(new)


def write_bundle(bundle: Bundle, folder: Folder) -> None:
    """Write a bundle's files into an empty folder without sealing it, so that more can be put beside them."""
    parts = []
    for place, (weight, part) in enumerate(bundle.parts):
        name = f"parts/{place}"
        write_json(folder / name / "part.json", part.save(folder / name))
        parts.append({"kind": part.kind, "weight": weight, "folder": name})
    bundle.background.save(folder, "background")
    write_json(
        folder / MANIFEST,
        {
            **bundle.manifest,
            "format": FORMAT,
            "classes": list(bundle.classes),
            "predictors": list(bundle.predictors),
            "parts": parts,
            "calibrator": bundle.calibrator.to_dict(),
            "schema": bundle.schema.to_dict(),
            "recipe": bundle.recipe.to_dict(),
            "codebook": bundle.codebook.to_dict(),
        }
        | ({"times": bundle.times.tolist()} if len(bundle.times) else {}),
    )


def read_manifest(folder: Folder) -> dict[str, Any]:
    """Read what a bundle says of itself, after checking every file; needs no TensorFlow.

    Raises:
        BundleError: not a bundle, of another version, or a file was changed; it is named.

    """
    folder = as_folder(folder)
    check_seal(folder)
    manifest: dict[str, Any] = read_json(folder / MANIFEST)
    if manifest.get("format") not in FORMATS_READ:
        raise BundleError(
            N_("The bundle has format {got}; this version of medcore reads format {expected}. Train the model again."),
            got=str(manifest.get("format")),
            expected=FORMAT,
        )
    return manifest


def load_bundle(folder: Folder) -> Bundle:
    """Read a bundle back, after checking every file.

    Raises:
        BundleError: not a bundle, of another version, or a file was changed; it is named.

    """
    folder = as_folder(folder)
    manifest = read_manifest(folder)
    try:
        parts = tuple(
            (float(p["weight"]), _load_part(inside(folder, p["folder"]), p["kind"])) for p in manifest["parts"]
        )
        _check_numbers(manifest, [weight for weight, _part in parts])
        return Bundle(
            classes=tuple(manifest["classes"]),
            schema=Schema.from_dict(manifest["schema"]),
            recipe=Recipe.from_dict(manifest["recipe"]),
            codebook=CodeBook.from_dict(manifest["codebook"]),
            parts=parts,
            calibrator=Calibrator.from_dict(manifest["calibrator"]),
            background=Rows.load(folder, "background"),
            manifest=manifest,
            times=np.asarray(manifest.get("times", []), dtype=np.float64),
        )
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise BundleError(
            N_("The bundle {folder} is incomplete or of another version. Train the model again."), folder=folder.name
        ) from error


def _check_numbers(manifest: Mapping[str, Any], weights: Sequence[float]) -> None:
    """Refuse numbers that no training writes: a threshold that is no risk, weights that are no shares.

    Raises:
        BundleError: there is one.

    """
    threshold = manifest.get("threshold", 0.5)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0.0 <= threshold <= 1.0:
        raise BundleError(
            N_("The bundle's threshold is {value}; it must be a risk between 0 and 1. Train the model again."),
            value=str(threshold),
        )
    if not all(0.0 <= weight <= 1.0 for weight in weights) or abs(sum(weights) - 1.0) > LEEWAY:
        raise BundleError(
            N_("The weights of the bundle's models do not sum to 1, so it is not opened. Train the model again.")
        )
    classes = manifest["classes"]
    fewest = 1 if manifest["schema"].get("number") else 2
    if len(set(classes)) < max(fewest, len(classes)):
        raise BundleError(N_("The bundle's outcome has no two different classes. Train the model again."))


def _load_part(folder: Folder, kind: str) -> Part:
    return part_classes()[kind].load(folder, read_json(folder / "part.json"))
