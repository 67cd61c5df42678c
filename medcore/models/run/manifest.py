"""The manifest: where a bundle came from, how good it is, and what it is not for."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from medcore.data.splitting.split import Split
from medcore.evaluation import Evaluation
from medcore.i18n import N_
from medcore.models.contract.settings import TrainSettings
from medcore.settings import ROOT

if TYPE_CHECKING:
    from medcore.models.run.results import Results

PROJECT = ROOT / "pyproject.toml"
PACKAGES = ("medcore", "tensorflow", "keras", "scikit-learn", "lightgbm", "numpy", "pandas", "skops")
INTENDED_USE = N_("For research use; not a medical device.")
LIMITS = (
    N_("At best the risks hold for patients like those the model was trained on; check the flags of every prediction."),
    N_("Contributions say what the model used, not why a patient is ill."),
    N_("Judge the model on your own patients before you rely on it."),
)
#: Of bundles kept before: still to be translated.
EARLIER_LIMITS = (
    N_("The risks hold for patients like those the model was trained on; check the flags of every prediction."),
)
YOUDEN = N_("Youden's index on out-of-fold risks")
BACKGROUND_NOTE = N_(
    "The bundle holds {n} rows of training patients (without names or outcome) for explanations: protect it like the data."
)


def describe(
    results: Results,
    settings: TrainSettings,
    split: Split,
    *,
    cohort_sha256: str,
    weights: Mapping[str, float],
    n_background: int,
) -> dict[str, Any]:
    """Say of a run what whoever gets the bundle must know; JSON-ready, in English."""
    made = provenance(settings, split, cohort_sha256=cohort_sha256, weights=weights, n_background=n_background)
    return made | {
        "n_train": len(results.training.outcome),
        "n_test": len(results.test.outcome) if results.test else 0,
        "class_counts": dict(results.cross_validated.class_counts),
        "threshold": youden_threshold(results),
        "threshold_rationale": YOUDEN,
        "cross_validated": _figures(results.cross_validated),
        "test": _figures(results.tested) if results.tested else None,
    }


def provenance(
    settings: TrainSettings, split: Split, *, cohort_sha256: str, weights: Mapping[str, float], n_background: int
) -> dict[str, Any]:
    """Say how a model was made and what it is for, whatever it predicts."""
    return {
        "model": settings.model,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": settings.seed,
        "data_sha256": cohort_sha256,
        "settings": settings.to_dict(),
        "versions": {"python": platform.python_version()} | {name: package_version(name) for name in PACKAGES},
        "split": {"kind": split.kind, "n_folds": split.n_folds, "seed": split.seed},
        "weights": dict(weights),
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "background": {"n_rows": n_background, "note": BACKGROUND_NOTE.format(n=n_background)},
    }


def youden_threshold(results: Results) -> float:
    """Return the risk at which sensitivity plus specificity is highest out of fold; 0.5 for more than two classes."""
    if results.target.event is None:
        return 0.5
    risk, event = results.training.risk[:, 1], results.training.outcome == 1
    order = np.argsort(-risk, kind="stable")
    gain = np.cumsum(event[order]) / max(event.sum(), 1) - np.cumsum(~event[order]) / max((~event).sum(), 1)
    last = np.append(np.diff(risk[order]) != 0, True)  # only where the next risk differs
    return float(np.clip(risk[order][np.flatnonzero(last)[np.argmax(gain[last])]], 0.001, 0.999))


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    return {name: estimate.to_dict() for name, estimate in evaluation.metrics.items()}


@cache
def package_version(name: str) -> str:
    """Return the version of an installed package; medcore's own also where it runs from its source folder."""
    try:
        return version(name)
    except PackageNotFoundError:
        return str(tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"])
