"""What is wrong with measurements over time beside an outcome: taken after it, or telling it by having been taken."""

import numpy as np
import pandas as pd
import pytest

from medcore.data.long import Pivot
from medcore.data.preparation.event_time import choose_event_time
from medcore.data.preparation.fixes import apply_fix
from medcore.data.preparation.recipe import default_recipe
from medcore.data.quality import inspect
from medcore.data.reading.long.series import with_series
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target

N = 200
NAMED = {"patient": "id", "analyte": "test", "value": "result", "when": "at"}


def ward(*, count_tells=False, seed=3):
    """Patients who die at some hour after admission or not, and their measurements, none of the dead."""
    random = np.random.default_rng(seed)
    died = random.random(N) < 0.4
    stay = random.uniform(10, 400, N).round(1)
    per_patient = np.where(died, 12, 4) if count_tells else np.full(N, 6)
    who = np.repeat(np.arange(N), per_patient)
    long = pd.DataFrame({"id": who, "at": (random.random(len(who)) * np.minimum(stay, 90)[who]).round(2)})
    long = long.assign(test="HR", result=random.normal(80, 9, len(who)).round(1))
    begun = pd.Timestamp("2024-03-01 08:00")
    table = pd.DataFrame(
        {
            "id": np.arange(N),
            "age": random.integers(30, 90, N),
            "admitted": begun.strftime("%Y-%m-%d %H:%M"),
            "died": np.where(died, "yes", "no"),
            "death date": [(begun + pd.Timedelta(hours=h)).strftime("%Y-%m-%d %H:%M") if d else "" for h, d in zip(stay, died, strict=True)],
            "days": stay / 24,
        }
    )  # fmt: skip
    return table, long, died & (stay < 48)


def joined(table, long, pivot):
    cohort, long = (read_table((f"{k}.csv", f.to_csv(index=False).encode())) for k, f in enumerate((table, long)))
    return with_series(cohort, long, pivot)


def found(cohort, code):
    return [f for f in inspect(cohort) if f.code == code]


def dated(table, long):
    begun = pd.Timestamp("2024-03-01 08:00")
    at = [(begun + pd.Timedelta(hours=h)).strftime("%Y-%m-%d %H:%M") for h in long["at"]]
    cohort = joined(
        table.drop(columns="days"), long.assign(at=at), Pivot.of_series({**NAMED, "index": "admitted"}, until=48)
    )
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, "died", positive="yes"))  # fmt: skip


def followed(table, long):
    cohort = joined(table.drop(columns="death date"), long, Pivot.of_series(NAMED, until=48, when_unit="h"))
    schema = choose_event_time(cohort, "died", when="days", event="yes", horizons=("5d",), unit="days")
    return cohort.with_schema(schema)


@pytest.mark.parametrize("of", [dated, followed])
def test_outcomes_before_the_end_of_the_measurements_are_found(of):
    table, long, early = ward()
    (told,) = found(of(table, long), "leakage.measured_after")
    assert told.severity == "error" and told.n_rows == early.sum() and "48 hours" in str(told.message)
    assert "; 0 of them" in str(told.message)


def test_measurements_after_the_outcome_are_counted():
    table, long, early = ward()
    of_early = long["id"].map(pd.Series(early))
    stay = long["id"].map(24 * table["days"])
    late = long.assign(at=np.where(of_early & (stay < 46), stay + 1, long["at"]))
    n = len(late.loc[of_early & (stay < 46), "id"].unique())
    (told,) = found(dated(table, late), "leakage.measured_after")
    assert n > 5 and f"; {n} of them" in str(told.message)


def test_nothing_is_said_where_the_outcome_comes_later_or_counts_from_another_day():
    table, long, early = ward()
    kept = ~early
    alive = table[kept].assign(id=range(kept.sum()))
    after = long[long["id"].isin(np.flatnonzero(kept))]
    after = after.assign(id=after["id"].map({old: new for new, old in enumerate(np.flatnonzero(kept))}))
    assert not found(dated(alive, after), "leakage.measured_after")
    assert not found(followed(alive, after), "leakage.measured_after")
    # Follow-up that begins where the measurements end: many are measured "after" its end.
    another = table.assign(days=np.random.default_rng(0).uniform(0, 9, N).round(2))
    assert not found(followed(another, long.assign(at=long["at"] % 48)), "leakage.measured_after")


def test_being_measured_as_the_strongest_signal_is_found_and_mended():
    table, long, _early = ward(count_tells=True)
    cohort = dated(table, long)
    (told,) = found(cohort, "missing.measured_at_all")
    assert "“HR count”" in str(told.message) and told.fix is not None
    schema, _recipe = apply_fix(told.fix, cohort.schema, default_recipe(cohort.schema))
    assert {schema["HR count"].role, schema["HR since"].role} == {"ignored"}
    assert not found(cohort.with_schema(schema), "missing.measured_at_all")
    assert not found(dated(*ward()[:2]), "missing.measured_at_all")
