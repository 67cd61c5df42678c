"""A run written down as a script that trains again and compares every figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from medcore.errors import BundleError
from medcore.i18n import N_

_SCRIPT = '''"""Train again what medcore {version} trained, and compare every figure: python {name} {tables}

What is named is what was brought then; the SHA-256 is checked. Networks may differ in the
last digits on another processor: what differs by more than {tolerance} is printed and ends the script with 1.
"""

import json
import sys

from medcore import SplitSettings, TrainSettings, read_table, train_cohort
from medcore.data.cohort import Schema
from medcore.data.preparation.recipe import Recipe
from medcore.data.reading.long.series import with_series
from medcore.data.reading.measurements import read_measurements

PLAN = json.loads({plan!r})


def main(table, *series):
    schema = Schema.from_dict(PLAN["schema"])
    cohort = read_table(table, overrides=PLAN["reading"])
    for measurements in series:
        cohort = with_series(cohort, read_measurements(measurements, pivot=schema.series), schema.series)
    if cohort.sha256 != PLAN["data_sha256"]:
        sys.exit("This is not the table of that run: its SHA-256 is another one.")
    trained = train_cohort(
        cohort.with_schema(schema),
        TrainSettings.from_dict(PLAN["settings"]),
        recipe=Recipe.from_dict(PLAN["recipe"]),
        split=SplitSettings.from_dict(PLAN["split"]),
    )
    sides = {{"cross_validated": trained.results.cross_validated, "test": trained.results.tested}}
    differences = 0
    for side, metrics in PLAN["figures"].items():
        for name, then in metrics.items():
            now = sides[side].metrics[name].value
            same = then["value"] is None or abs(now - then["value"]) <= {tolerance}
            differences += not same
            print(f"{{'same' if same else 'DIFFERS'}}  {{side}} {{name}}: {{then['value']}} then, {{now}} now")
    return 1 if differences else 0


if __name__ == "__main__":
    if len(sys.argv) != {n_arguments}:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
'''
TOLERANCE = 1e-9
"""Figures of the same code on the same machine are equal; this allows for another order of additions."""


def tables_of(manifest: Mapping[str, Any]) -> str:
    """Name the tables that a bundle's model was trained on, as a usage line does."""
    return "TABLE MEASUREMENTS" if manifest["schema"].get("series") else "TABLE"


def _word(text: object) -> str:
    """Return a name or a version as it may stand in a script's text, whoever wrote it: nothing else of a bundle does but as data."""
    return "".join(letter if letter.isalnum() or letter in "._+- " else "_" for letter in str(text)[:100])


def reproduction(manifest: Mapping[str, Any], name: str = "reproduce.py") -> str:
    """Return a Python script that trains a bundle's model again and compares its figures with those kept.

    Raises:
        BundleError: the bundle says by when, or it does not say how its patients were split and was trained before that was kept.

    """
    if manifest.get("outcome") == "event_time":
        raise BundleError(N_("A training of an outcome with its time cannot be written as a script yet."))
    if "plan" not in manifest:
        raise BundleError(
            N_(
                "The bundle does not say how its patients were split: it was trained by an earlier medcore. Train it again."
            )
        )
    plan = {name: manifest[name] for name in ("schema", "recipe", "settings", "data_sha256")}
    plan |= manifest["plan"]
    plan["figures"] = {side: manifest[side] for side in ("cross_validated", "test") if manifest[side]}
    return _SCRIPT.format(
        version=_word(manifest["versions"]["medcore"]),
        name=_word(name),
        tables=tables_of(manifest),
        n_arguments=1 + len(tables_of(manifest).split()),
        plan=json.dumps(plan, ensure_ascii=False, sort_keys=True),
        tolerance=TOLERANCE,
    )
