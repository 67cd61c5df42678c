"""What runs leave and keep alike, whatever is predicted: bundle, results, candidates, the patients trained on and locked away."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.findings import Finding
from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.split import Split
from medcore.models.bundle.bundle import Bundle, write_bundle
from medcore.models.bundle.files import replacing, seal
from medcore.sealing import Folder, as_folder

P = TypeVar("P")
C = TypeVar("C")
R = TypeVar("R")
Arrays = dict[str, NDArray[Any]]
_UNSEEN = {"oof": "oof", "test": "test_risk", "spread": "spread"}
"""What a candidate predicted, by the name of its array and of its field."""


@dataclass(frozen=True, slots=True)
class TrainedRun(Generic[R]):
    """What a run leaves: a bundle to use, and results to judge it by, which are of what it predicts."""

    bundle: Bundle
    results: R = field(repr=False)
    seconds: float
    prepared: Prepared = field(repr=False)
    split: Split = field(repr=False)

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        results: R,
        manifest: Mapping[str, Any],
        *,
        prepared: Prepared,
        split: Split,
        started: float,
    ) -> Self:
        """Write the manifest into the bundle and, with the schema, into the results; ``started`` is by ``time.perf_counter``."""
        told: R = replace(results, manifest={**manifest, "schema": bundle.schema.to_dict()})  # type: ignore[type-var]
        seconds = time.perf_counter() - started
        return cls(replace(bundle, manifest=manifest), told, seconds=seconds, prepared=prepared, split=split)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What to know about the split and the models."""
        found: tuple[Finding, ...] = self.results.findings  # type: ignore[attr-defined]
        return (*self.split.findings, *found)


class _Sides(Protocol):
    """Results of a run, whatever is predicted."""

    @property
    def training(self) -> Any:
        """The patients trained on."""

    @property
    def test(self) -> Any:
        """Those locked away, or None."""


def pack_sides(results: _Sides, fields: Sequence[str], arrays: Arrays) -> dict[str, list[dict[str, Any]]]:
    """Put both sides' ``fields`` and patient codes beside the other arrays; return what each side's sensitive columns are."""
    columns = {}
    for side, patients in (("training", results.training), ("test", results.test)):
        if patients is not None:
            arrays |= {f"{side}_{name}": getattr(patients, name) for name in fields}
            if patients.groups is not None:
                arrays[f"{side}_groups"] = patients.groups
            columns[side] = _pack_sensitive(patients.sensitive, side, arrays)
    return columns


def unpack_sides(
    made: Callable[..., P],
    fields: Sequence[str],
    columns: Mapping[str, list[Mapping[str, Any]]],
    arrays: Mapping[str, NDArray[Any]],
) -> dict[str, P]:
    """Read back what :func:`pack_sides` put there, as patients that ``made`` makes of it."""
    return {
        side: made(
            **{name: arrays[f"{side}_{name}"] for name in fields},
            groups=arrays.get(f"{side}_groups"),
            sensitive=_unpack_sensitive(side, named, arrays),
        )
        for side, named in columns.items()
    }


def pack_candidates(candidates: Sequence[Any], arrays: Arrays) -> None:
    """Put what each candidate predicted, of training rows unseen and of the locked ones, beside the other arrays."""
    for place, candidate in enumerate(candidates):
        for name in _UNSEEN:
            found = getattr(candidate, _UNSEEN[name], None)
            if found is not None:
                arrays[f"{name}_{place}"] = found


def unpack_candidates(
    made: Callable[..., C],
    judged: Callable[[Mapping[str, Any]], Any],
    figures: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, NDArray[Any]],
    **more: str,
) -> tuple[C, ...]:
    """Read back what :func:`pack_candidates` put there, as candidates that ``made`` makes of it.

    ``judged`` reads figures; ``more`` names fields beyond the usual ones by their array.
    """
    return tuple(
        made(
            name=data["name"],
            weight=data["weight"],
            cross_validated=judged(data["cross_validated"]),
            test=judged(data["test"]) if data["test"] else None,
            oof=arrays[f"oof_{place}"],
            test_risk=arrays.get(f"test_{place}"),
            seconds=data["seconds"],
            **{name: arrays.get(f"{array}_{place}") for name, array in more.items()},
        )
        for place, data in enumerate(figures)
    )


def keep(bundle: Bundle, write: Callable[[Folder], None], folder: Folder) -> None:
    """Keep a run's bundle and what ``write`` writes in one sealed folder; an earlier one there is replaced, wholly or not at all."""
    with replacing(as_folder(folder)) as new:
        write_bundle(bundle, new)
        write(new)
        seal(new)


def _pack_sensitive(sensitive: pd.DataFrame, side: str, arrays: Arrays) -> list[dict[str, Any]]:
    """Put the sensitive columns' arrays beside the others; return what they are called and mean."""
    columns = []
    for place, name in enumerate(sensitive.columns):
        values = sensitive[name]
        numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        codes, levels = (values.to_numpy(dtype=np.float64, na_value=np.nan), None) if numeric else _levels(values)
        arrays[f"{side}_sensitive_{place}"] = codes
        columns.append({"name": str(name), "levels": levels})
    return columns


def _levels(values: pd.Series[Any]) -> tuple[NDArray[Any], list[str]]:
    codes, levels = pd.factorize(values.astype(object).map(str, na_action="ignore"), sort=True)
    return np.asarray(codes), [str(v) for v in levels]


def _unpack_sensitive(side: str, columns: list[Mapping[str, Any]], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Read back what :func:`_pack_sensitive` put there."""
    sensitive: dict[str, Any] = {}
    for place, column in enumerate(columns):
        codes, levels = arrays[f"{side}_sensitive_{place}"], column["levels"]
        sensitive[column["name"]] = (
            codes if levels is None else np.array([*levels, None], dtype=object)[codes]  # code −1: missing
        )
    return pd.DataFrame(sensitive, index=range(len(arrays[f"{side}_rows"])))
