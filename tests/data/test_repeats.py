import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import default_recipe
from medcore.data.preparation.replay import prepare
from medcore.data.quality import inspect
from medcore.data.schema.inference import choose_target, infer_schema
from medcore.data.splitting.repeats import joined, repeats
from medcore.data.splitting.split import SplitSettings, make_split


def noise(n, seed=0, columns=6):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, columns)).round(3)), rng.integers(0, 2, n)


def categories(n, levels, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({k: rng.choice(list("abcdef")[:m], n) for k, m in enumerate(levels)}), rng.integers(0, 2, n)


def prepared_of(frame, outcome):
    table = frame.rename(columns=lambda c: f"x{c}").astype(str).assign(died=np.where(outcome == 1, "yes", "no"))
    cohort = Cohort(table, choose_target(infer_schema(table), table, "died", positive="yes"), "0" * 64, "t.csv")
    return cohort, prepare(cohort, default_recipe(cohort.schema))


@pytest.mark.parametrize("copies", [2, 5, 20])
def test_records_entered_several_times_are_copies(copies):
    frame, outcome = noise(300)
    found = repeats(pd.concat([frame] * copies, ignore_index=True), np.tile(outcome, copies))
    assert (found.n_rows, found.n_records) == (300 * copies, 300)
    np.testing.assert_array_equal(found.unit[:300], found.unit[-300:])


def test_a_few_copies_among_many_rows_are_found():
    frame, outcome = noise(500, columns=3)
    rows = np.r_[np.arange(500), [3, 7, 7]]
    found = repeats(frame.iloc[rows], outcome[rows])
    assert (found.n_rows, found.n_records) == (5, 2)


@pytest.mark.parametrize("levels", [(2, 3), (2, 2, 2, 2), (4, 3, 2, 2, 2)])
def test_patients_alike_by_chance_are_no_copies(levels):
    assert repeats(*categories(400, levels)) is None


def test_columns_that_say_the_same_prove_nothing_twice():
    frame, outcome = categories(400, (6, 5))
    again = pd.concat([frame, frame.add_prefix("again "), frame.add_prefix("and again ")], axis=1)
    assert repeats(again, outcome) is None
    celsius = np.random.default_rng(1).normal(37, 1, 400).round(1)
    assert repeats(frame.assign(c=celsius, f=(celsius * 1.8 + 32).round(2)).drop(columns=1), outcome) is None


@pytest.mark.parametrize("n", [400, 1500, 4000])
def test_a_category_with_its_dummy_columns_makes_no_patients_copies(n):
    frame, outcome = categories(n, (2, 2, 2))
    kind = np.random.default_rng(6).choice([1, 2, 3], n, p=[0.75, 0.18, 0.07])
    table = frame.assign(**{f"kind{k}": (kind == k).astype(int) for k in (1, 2, 3)}, kind=kind)
    assert repeats(table, outcome) is None
    assert repeats(table.drop(columns="kind"), outcome) is None
    prepared = prepared_of(table, outcome)[1]
    folds = make_split(prepared, SplitSettings(test_size=0.0)).folds
    rare = np.array([(folds[kind == 2] == fold).mean() for fold in range(5)])
    assert np.ptp(rare) < 0.2  # none of the folds is without them


def test_patients_of_the_same_age_and_stage_are_no_copies():
    rng = np.random.default_rng(8)
    stage = rng.choice(4, 4000, p=[0.5, 0.3, 0.15, 0.05])
    age = rng.poisson(20 + 15 * stage)
    assert (
        repeats(pd.DataFrame({"stage": stage, "age": age, "site": rng.choice(2, 4000)}), (stage > 2).astype(int))
        is None
    )


def test_a_record_that_chance_repeats_seldom_is_a_copy_among_common_ones():
    frame, outcome = categories(600, (6, 6, 6, 6))
    frame["age"] = np.random.default_rng(2).integers(20, 90, 600)
    rows = np.r_[np.arange(600), np.arange(40)]
    found = repeats(frame.iloc[rows], outcome[rows])
    assert 40 <= found.n_records <= 43  # one chance pair in fifty may be taken for a copy


def test_equal_rows_with_other_outcomes_are_no_copies():
    frame, outcome = noise(200)
    assert repeats(pd.concat([frame, frame], ignore_index=True), np.r_[outcome, 1 - outcome]) is None


def test_copies_of_two_patients_join_them():
    unit, groups = np.array([0, 1, 0, 2, 3]), np.array([5, 5, 6, 7, 8])
    wholes = joined(unit, groups)
    assert len({*wholes[:3]}) == 1
    assert len({*wholes}) == 3


def test_no_copy_straddles_a_split_and_the_finding_says_why():
    frame, outcome = noise(150)
    twice = pd.concat([frame, frame], ignore_index=True)
    _cohort, prepared = prepared_of(twice, np.tile(outcome, 2))
    split = make_split(prepared, SplitSettings())
    side = np.where(split.test, -1, split.folds)
    np.testing.assert_array_equal(side[:150], side[150:])
    assert [f.n_rows for f in split.findings if f.code == "split.copies"] == [300]


def test_a_table_of_two_categories_is_split_as_ever_and_raises_no_alarm():
    cohort, prepared = prepared_of(*categories(400, (3, 4)))
    split = make_split(prepared, SplitSettings())
    assert split.wholes is None
    assert not [f.code for f in (*split.findings, *inspect(cohort)) if f.code in ("split.copies", "rows.duplicate")]
