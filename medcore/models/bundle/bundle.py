"""Bundle: a trained model ready to use, and the folder it is kept in (without pickle)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.cohort import Schema
from medcore.data.preparation.given import OUT_OF_RANGE, Unused, unused_values
from medcore.data.preparation.recipe import Recipe
from medcore.data.preparation.replay import prepare_predictors
from medcore.errors import BundleError
from medcore.features import CodeBook, Codes, Rows, cautions
from medcore.i18n import N_, Message
from medcore.models.bundle.files import MANIFEST, check_seal, read_json, seal, write_json
from medcore.models.contract.candidate import part_classes
from medcore.models.contract.task import Part, Risk, clean
from medcore.models.selection.calibration import Calibrator

FORMAT = 2
FORMATS_READ = (1, FORMAT)
"""Format 1 wrote the code book and the matrices without kinds; they are read all the same."""
GIVEN: Mapping[str, str] = {
    "imputed": N_("{column} is missing and was filled in"),
    "unreadable": N_("{column} was given and cannot be read; it was filled in"),
    "unknown_unit": N_("{column} was given in a unit that cannot be converted; it was filled in"),
    "not_used": N_("{column} was given with a value that no patient can have; it was filled in"),
}
"""What is said of a value that was filled in: missing is one thing, given and not used another."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trained model with everything needed to predict for new patients.

    ``parts`` are the models with their weights (summing to 1), whose mean risk is
    recalibrated; from outside they are one model. ``background`` are codes of some
    training rows, for explanations. ``manifest`` says where all of it came from.
    """

    classes: tuple[str, ...]
    schema: Schema = field(repr=False)
    recipe: Recipe = field(repr=False)
    codebook: CodeBook = field(repr=False)
    parts: tuple[tuple[float, Part], ...] = field(repr=False)
    calibrator: Calibrator = field(repr=False)
    background: Codes = field(repr=False)
    manifest: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def predictors(self) -> tuple[str, ...]:
        """The columns the model predicts from, in the order of the codes."""
        return self.codebook.columns

    @property
    def threshold(self) -> float:
        """The risk from which a patient counts as positive unless a person says otherwise."""
        return float(self.manifest.get("threshold", 0.5))

    def encode(self, frame: pd.DataFrame) -> Codes:
        """Write rows of a table, as it was read, as codes ``(n, P)``.

        Raises:
            MissingColumnsError: the table lacks a predictor.

        """
        return self.codebook.transform(prepare_predictors(frame, self.schema, self.recipe)).codes

    def risk(self, codes: Codes) -> Risk:
        """Predict from codes ``(n, P)``: risks ``(n, K)``, rows summing to 1."""
        codes = np.ascontiguousarray(codes, dtype=np.float64)
        if not len(codes):
            return np.empty((0, len(self.classes)))
        pooled = sum(weight * part.risk(codes) for weight, part in self.parts)
        return self.calibrator.apply(clean(pooled, len(self.classes)))

    def predict(self, frame: pd.DataFrame) -> Risk:
        """Predict for rows of a table as it was read: risks ``(n, K)``."""
        return self.risk(self.encode(frame))

    def flags(self, frame: pd.DataFrame) -> list[tuple[str, ...]]:
        """Say of every row what to be careful about: ``imputed:age``, ``unreadable:age``, ``unseen_category:sex``.

        What was given and not used is flagged by its reason, and never as missing; an
        ``out_of_range`` value that was filled in is also ``not_used``.
        """
        found = self.code_flags(self.encode(frame))
        unused = unused_values(frame, self.schema, self.recipe)
        return [_with_reasons(flags, unused, row) for row, flags in enumerate(found)] if unused.reasons else found

    def code_flags(self, codes: Codes) -> list[tuple[str, ...]]:
        """Return the flags of rows given as codes, of which nothing is known but whether a value is there."""
        seen = {"imputed": np.isnan(codes)} | self.codebook.cautions(Rows.of(codes))
        flags: list[list[str]] = [[] for _ in range(len(codes))]
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


def save_bundle(bundle: Bundle, folder: Path) -> None:
    """Keep a bundle in a folder (what an earlier bundle left there is replaced) and seal it."""
    write_bundle(bundle, folder)
    seal(folder)


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Write a bundle's files without sealing the folder, so that more can be put beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "parts", ignore_errors=True)
    parts = []
    for place, (weight, part) in enumerate(bundle.parts):
        name = f"parts/{place}"
        write_json(folder / name / "part.json", part.save(folder / name))
        parts.append({"kind": part.kind, "weight": weight, "folder": name})
    np.save(folder / "background.npy", bundle.background, allow_pickle=False)
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
        },
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what a bundle says of itself, after checking every file; needs no TensorFlow.

    Raises:
        BundleError: not a bundle, of another version, or a file was changed; it is named.

    """
    check_seal(Path(folder))
    manifest: dict[str, Any] = read_json(Path(folder) / MANIFEST)
    if manifest.get("format") not in FORMATS_READ:
        raise BundleError(
            N_("The bundle has format {got}; this version of medcore reads format {expected}. Train the model again."),
            got=str(manifest.get("format")),
            expected=FORMAT,
        )
    return manifest


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle back, after checking every file.

    Raises:
        BundleError: not a bundle, of another version, or a file was changed; it is named.

    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    try:
        parts = tuple((float(p["weight"]), _load_part(folder / p["folder"], p["kind"])) for p in manifest["parts"])
        return Bundle(
            classes=tuple(manifest["classes"]),
            schema=Schema.from_dict(manifest["schema"]),
            recipe=Recipe.from_dict(manifest["recipe"]),
            codebook=CodeBook.from_dict(manifest["codebook"]),
            parts=parts,
            calibrator=Calibrator.from_dict(manifest["calibrator"]),
            background=np.load(folder / "background.npy", allow_pickle=False),
            manifest=manifest,
        )
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise BundleError(
            N_("The bundle {folder} is incomplete or of another version. Train the model again."), folder=folder.name
        ) from error


def _load_part(folder: Path, kind: str) -> Part:
    return part_classes()[kind].load(folder, read_json(folder / "part.json"))
