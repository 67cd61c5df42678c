"""medcore: clinical risk models that can be trusted, from a table of patients.

>>> import medcore
>>> cohort = medcore.load_sample("heart")
>>> cohort.n_rows
920

The names below are the public ones. Each is imported when it is first used, so
that ``import medcore`` stays light and never loads TensorFlow by itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from medcore.first_use import imported_when_used

if TYPE_CHECKING:
    from medcore.data.cohort import Cohort as Cohort
    from medcore.data.cohort import Column as Column
    from medcore.data.cohort import Schema as Schema
    from medcore.data.findings import Finding as Finding
    from medcore.data.long import Pivot as Pivot
    from medcore.data.preparation.recipe import Recipe as Recipe
    from medcore.data.preparation.recipe import default_recipe as default_recipe
    from medcore.data.preparation.recipe import prepare as prepare
    from medcore.data.quality import inspect as inspect
    from medcore.data.reading.long.series import with_series as with_series
    from medcore.data.reading.measurements import read_measurements as read_measurements
    from medcore.data.reading.table import read_table as read_table
    from medcore.data.samples import load_sample as load_sample
    from medcore.data.samples import samples as samples
    from medcore.data.schema.inference import choose_target as choose_target
    from medcore.data.schema.inference import propose_targets as propose_targets
    from medcore.data.splitting.split import SplitSettings as SplitSettings
    from medcore.data.splitting.split import make_split as make_split
    from medcore.errors import InputError as InputError
    from medcore.errors import MedcoreError as MedcoreError
    from medcore.evaluation import Evaluation as Evaluation
    from medcore.evaluation import evaluate as evaluate
    from medcore.explanation import Explanation as Explanation
    from medcore.explanation import explain_row as explain_row
    from medcore.models.bundle.bundle import Bundle as Bundle
    from medcore.models.bundle.bundle import load_bundle as load_bundle
    from medcore.models.bundle.bundle import save_bundle as save_bundle
    from medcore.models.contract.settings import TrainSettings as TrainSettings
    from medcore.models.deployed.external import predict_table as predict_table
    from medcore.models.deployed.external import validate as validate
    from medcore.models.run.cohort import train_cohort as train_cohort
    from medcore.models.run.training import train as train

# OpenBLAS's threads turn idle for 2**26 cycles, 25 ms, after every product of matrices before they sleep: half of the
# processor time of a training on a few hundred rows. With 2**16 numbers and threads are the same (decision 104).
# OpenBLAS reads it where NumPy is imported, here and in all processes that this one starts.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "16")

_HOME = {
    "Bundle": "medcore.models.bundle.bundle",
    "Cohort": "medcore.data.cohort",
    "Column": "medcore.data.cohort",
    "Evaluation": "medcore.evaluation",
    "Explanation": "medcore.explanation",
    "Finding": "medcore.data.findings",
    "InputError": "medcore.errors",
    "MedcoreError": "medcore.errors",
    "Pivot": "medcore.data.long",
    "Recipe": "medcore.data.preparation.recipe",
    "Schema": "medcore.data.cohort",
    "SplitSettings": "medcore.data.splitting.split",
    "TrainSettings": "medcore.models.contract.settings",
    "choose_target": "medcore.data.schema.inference",
    "default_recipe": "medcore.data.preparation.recipe",
    "evaluate": "medcore.evaluation",
    "explain_row": "medcore.explanation",
    "inspect": "medcore.data.quality",
    "load_bundle": "medcore.models.bundle.bundle",
    "load_sample": "medcore.data.samples",
    "make_split": "medcore.data.splitting.split",
    "predict_table": "medcore.models.deployed.external",
    "prepare": "medcore.data.preparation.recipe",
    "propose_targets": "medcore.data.schema.inference",
    "read_measurements": "medcore.data.reading.measurements",
    "read_table": "medcore.data.reading.table",
    "samples": "medcore.data.samples",
    "save_bundle": "medcore.models.bundle.bundle",
    "train": "medcore.models.run.training",
    "train_cohort": "medcore.models.run.cohort",
    "validate": "medcore.models.deployed.external",
    "with_series": "medcore.data.reading.long.series",
}

__all__ = list(_HOME)


__getattr__ = imported_when_used(__name__, _HOME)


def __dir__() -> list[str]:
    return list(__all__)
