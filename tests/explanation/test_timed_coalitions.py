"""Models that say by when mix rows themselves too, and one patient of their average is explained exactly."""

from dataclasses import replace

import numpy as np
import pytest

from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.explanation import explain
from medcore.features import Rows
from medcore.models.bundle.coalitions import BundleRisk, n_sums
from medcore.models.contract.candidate import candidates
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter
from medcore.models.run.cohort import train_cohort
from medcore.models.run.training import task_of
from tests.explanation.test_coalitions import differences, numbers
from tests.models.test_event_time import cohort, ward

KINDS = {"cox": "cox", "network": "hazard_network", "forest": "intervals", "boosting": "intervals"}
SPLIT = SplitSettings(test_size=0, n_folds=2)


@pytest.fixture(scope="module", params=[False, True], ids=["one cause", "competing"])
def average(request):
    """Every kind of part, as an automatic choice has them; the ward is a category with many levels, which trees read as a number."""
    frame = ward(150, competing=request.param)
    frame["ward"] = np.random.default_rng(1).choice(list("ABCDEFGHIJKL"), len(frame))
    rows = cohort(frame, competing=["2"] if request.param else [])
    bundle = train_cohort(rows, TrainSettings(model="cox"), split=SPLIT).bundle
    prepared = prepare(rows, default_recipe(rows.schema))
    task = task_of(prepared, make_split(prepared, SPLIT), TrainSettings(model="cox", epochs=3))
    known = candidates(task.target)
    others = [known[name].learner(task, ProgressReporter(NullFollower(), {})).part for name in list(KINDS)[1:]]
    return replace(bundle, parts=tuple((0.25, part) for part in (bundle.parts[0][1], *others)))


@pytest.mark.parametrize(("days", "missing"), [(30.0, True), (400.0, False)])
def test_every_kind_of_part_mixes_rows_as_if_they_were_written_down(average, days, missing) -> None:
    row = average.background.codes[40].copy()
    if missing:
        row[::2] = np.nan
    apart = list(differences(average.at(days), row))
    assert [kind for kind, _ in apart[:-1]] == list(KINDS.values())
    assert max(d for _, d in apart) < 2e-6, apart


def test_one_patient_of_the_average_is_explained_as_by_rows_written_down(average) -> None:
    model, codes = average.at(365.25), average.background.codes
    options = {"columns": model.predictors, "class_index": 1}
    found = explain(BundleRisk(model), codes[40], codes[:12], **options)
    written = explain(lambda mixed: model.risk(Rows.of(mixed)), codes[40], codes[:12], **options)
    assert (found.method, written.method) == ("exact", "exact")
    assert found.additivity_residual < 1e-6
    np.testing.assert_allclose(numbers(found), numbers(written), atol=2e-6)


def test_trees_asked_about_every_interval_cost_no_more_than_four_askings(average) -> None:
    trees = [replace(average, parts=((1.0, part),)) for _, part in average.parts[2:]]
    assert all(n_sums(each) <= 200_000 for each in trees)
