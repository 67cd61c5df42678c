import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.errors import SettingsError
from medcore.targets import Target


def prepared_of(outcome, groups=None, time=None, sites=None, source=None, n_classes=None):
    outcome = np.asarray(outcome, dtype=np.int64)
    n = len(outcome)
    classes = tuple(str(i) for i in range(n_classes or outcome.max() + 1))
    return Prepared(
        predictors=pd.DataFrame({"x": np.zeros(n)}),
        kinds={"x": "numeric"},
        outcome=outcome,
        classes=classes,
        target=Target.of(classes),
        rows=np.arange(n),
        groups=None if groups is None else np.asarray(groups, dtype=np.int64),
        time=None if time is None else np.asarray(time),
        sites=None if sites is None else np.asarray(sites, dtype=object),
        sensitive=pd.DataFrame(index=range(n)),
        log=(),
        set_aside={},
        source=pd.DataFrame(source or {}, index=range(n)),
    )


def straddlers(split, groups):
    side = pd.Series(np.where(split.test, -1, split.folds))
    return int((side.groupby(np.asarray(groups)).nunique() > 1).sum())


def test_random_parts_keep_the_share_of_events():
    outcome = (np.random.default_rng(1).random(30_000) < 0.05).astype(int)
    split = make_split(prepared_of(outcome), SplitSettings(n_folds=10))
    assert abs(split.test.mean() - 0.2) < 0.001
    for part in split.parts():
        assert abs(part.class_counts[1] / part.n_rows - outcome.mean()) < 0.001


@pytest.mark.parametrize("share", [0.05, 0.3, 0.55])
@pytest.mark.parametrize("n", [120, 920, 5000])
def test_the_test_set_takes_its_share_of_every_class_to_within_two_rows(n, share):
    outcome = (np.random.default_rng(n).random(n) < share).astype(int)
    test = make_split(prepared_of(outcome), SplitSettings()).parts()[0]
    wanted = 0.2 * np.bincount(outcome)
    assert np.abs(np.array(test.class_counts) - wanted).max() <= 2


@pytest.mark.parametrize("n", [50, 137, 768, 5000])
def test_folds_of_a_random_split_differ_by_few_rows(n):
    outcome = (np.random.default_rng(n).random(n) < 0.3).astype(int)
    split = make_split(prepared_of(outcome), SplitSettings(test_size=0.0))
    sizes = [p.n_rows for p in split.parts()]
    events = [p.class_counts[1] for p in split.parts()]
    assert max(sizes) - min(sizes) <= 2
    assert max(events) - min(events) <= 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 120), st.integers(2, 5), st.sampled_from(["random", "time", "site"]))
def test_no_patient_is_ever_on_two_sides(seed, n_patients, n_folds, kind):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_patients, 3 * n_patients)
    prepared = prepared_of(
        rng.integers(0, 2, len(groups)),
        groups,
        rng.integers(0, 50, len(groups)),
        rng.choice(list("abcdefg"), len(groups)),
    )
    try:
        split = make_split(prepared, SplitSettings(kind=kind, n_folds=n_folds, seed=seed))
    except SettingsError:
        return
    assert straddlers(split, groups) == 0
    assert ((split.folds == -1) == split.test).all()
    for k in range(split.n_folds):
        assert len(np.unique(prepared.outcome[split.folds == k])) == 2


def test_many_repeated_patients_are_split_whole_and_evenly():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 9000, 15_000)
    outcome = (rng.random(15_000) < 0.1).astype(int)
    split = make_split(prepared_of(outcome, groups), SplitSettings())
    assert split.kind == "group"
    assert straddlers(split, groups) == 0
    assert abs(split.test.mean() - 0.2) < 0.01
    sizes = [p.n_rows for p in split.parts()[1:]]
    assert max(sizes) / min(sizes) < 1.05


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    outcome = np.tile([0, 1, 0], 100)
    first, again, other = (make_split(prepared_of(outcome), SplitSettings(seed=s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.folds, again.folds)
    assert (first.folds != other.folds).any()


def test_a_test_size_of_zero_trains_on_all_rows():
    split = make_split(prepared_of([0, 1] * 20), SplitSettings(test_size=0))
    assert not split.test.any()
    assert [p.fold for p in split.parts()] == [0, 1, 2, 3, 4]


def test_a_split_by_time_tests_on_the_latest_patients():
    time = np.arange("2020-01-01", "2020-04-10", dtype="datetime64[D]")
    split = make_split(prepared_of([0, 1] * 50, time=time), SplitSettings(kind="time"))
    assert time[split.test].min() > time[split.train].max()
    assert split.test.sum() == 20
    assert (np.diff(split.folds[split.train]) >= 0).all()


def test_rows_of_one_moment_stay_together_in_a_split_by_time():
    years = np.repeat([2018.0, 2019.0, 2020.0, np.nan], 25)
    split = make_split(prepared_of([0, 1] * 50, time=years), SplitSettings(kind="time", n_folds=2))
    assert set(years[split.test]) == {2020.0}
    assert split.findings[0].code == "split.no_time"
    assert split.findings[0].n_rows == 25


def test_a_named_site_is_left_out_and_the_others_are_folds():
    sites = np.repeat(["A", "B", "C", "D"], 30)
    split = make_split(prepared_of([0, 1] * 60, sites=sites), SplitSettings(kind="site", site="B"))
    assert set(sites[split.test]) == {"B"}
    assert split.n_folds == 3
    for k in range(3):
        assert len(set(sites[split.folds == k])) == 1
    assert (split.findings[0].code, split.findings[0].severity) == ("split.fewer_folds", "info")
    assert "Add sites" in str(split.findings[0].remedy)


def test_without_a_named_site_whole_sites_make_up_the_test_set():
    sites = np.repeat(["A", "B", "C", "D"], [10, 40, 25, 25])
    split = make_split(prepared_of([0, 1] * 50, sites=sites), SplitSettings(kind="site"))
    assert split.test.any()
    assert not set(sites[split.test]) & set(sites[split.train])


def test_a_patient_of_two_sites_belongs_to_the_site_of_most_rows():
    sites = ["A", "A", "B", *["A"] * 9, *["B"] * 10, *["C"] * 10]
    groups = [0, 0, 0, *range(1, 30)]
    split = make_split(prepared_of([0, 1] * 16, groups, sites=sites), SplitSettings(kind="site", site="B"))
    assert not split.test[2]
    assert split.test.sum() == 10
    assert (split.findings[0].code, split.findings[0].n_rows) == ("split.moved_rows", 1)


def test_a_given_column_marks_the_test_rows():
    marked = ["train", "Test", "train", "train"] * 10
    prepared = prepared_of([0, 0, 1, 1] * 10, source={"part": marked})
    split = make_split(prepared, SplitSettings(kind="column", column="part"))
    assert split.test.tolist() == [m == "Test" for m in marked]
    assert split.findings[0].code == "split.test_lacks_class"


def test_a_rare_class_means_fewer_folds_and_says_so():
    split = make_split(prepared_of([0] * 60 + [1] * 3), SplitSettings(test_size=0))
    assert split.n_folds == 3
    assert [f.code for f in split.findings] == ["split.fewer_folds"]


@pytest.mark.parametrize(
    ("outcome", "groups", "wanted", "words"),
    [
        (
            [0, 1] * 4,
            [0, 0, 1, 1, 2, 2, 2, 2],
            SplitSettings(n_folds=5, test_size=0),
            "5 folds are asked of 3 patients",
        ),
        ([0] * 30 + [1], None, SplitSettings(test_size=0), "class “1” has too few"),
        ([0, 1] * 4, None, SplitSettings(kind="time"), "role “time”"),
        ([0, 1] * 4, None, SplitSettings(kind="site"), "role “site”"),
        ([0, 1] * 4, None, SplitSettings(kind="column"), "needs the column's name"),
    ],
)
def test_a_split_that_cannot_be_made_says_why(outcome, groups, wanted, words):
    with pytest.raises(SettingsError, match=words):
        make_split(prepared_of(outcome, groups), wanted)


@pytest.mark.parametrize("fields", [{"kind": "dice"}, {"test_size": 1.0}, {"test_size": -0.1}, {"n_folds": 1}])
def test_settings_that_cannot_work_are_refused(fields):
    with pytest.raises(SettingsError):
        SplitSettings(**fields)


def test_settings_and_results_are_plain_json():
    wanted = SplitSettings(kind="time", seed=4)
    assert SplitSettings.from_dict(wanted.to_dict()) == wanted
    result = make_split(prepared_of([0, 1] * 20), SplitSettings()).to_dict()
    assert result["n_train"] + result["n_test"] == 40
    assert sum(p["n_rows"] for p in result["parts"]) == 40
