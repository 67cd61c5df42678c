"""An outcome in an order: trained, judged, explained, kept and refused where there is no order."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import qr
from statsmodels.miscmodels.ordinal_model import OrderedModel

from medcore.errors import SettingsError
from medcore.explanation import explain
from medcore.features import Rows
from medcore.models.bundle.bundle import load_bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.contract.candidate import automatic, offered
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter
from medcore.models.deployed.external import validate
from medcore.models.learners.ordinal import OrdinalPart, _fit_path, fit_ordinal
from medcore.models.learners.splines import Splines
from medcore.models.run.results import read_results, save_trained
from medcore.models.run.training import task_of
from medcore.statistics.ordered_classes import ordinal_c
from medcore.targets import Target
from tests.models.conftest import Ward, patients


@pytest.fixture(scope="module")
def stages() -> Ward:
    """Stages I to IV, recognised by their words."""
    frame = patients(320, n_classes=4)
    roman = {f"stage {k}": f"stage {name}" for k, name in enumerate(("I", "II", "III", "IV"))}
    return Ward.of(frame.assign(outcome=frame["outcome"].map(roman).astype("str")), positive=None)


@pytest.fixture(scope="module")
def trained(stages):
    return stages.train("ordinal")


@pytest.fixture(scope="module")
def task(stages):
    return task_of(stages.prepared, stages.split, TrainSettings(model="ordinal"))


def test_the_target_knows_the_order_and_its_cuts(stages):
    assert stages.prepared.target == Target(4, ordered=True)
    assert stages.prepared.classes == ("stage I", "stage II", "stage III", "stage IV")
    assert (Target(4, ordered=True).cuts, Target(4).cuts, Target(2).cuts) == ((4, 5, 6), (), ())


def test_every_figure_of_an_order_is_there_and_read_back(trained, tmp_path):
    judged = trained.results.cross_validated
    assert {"orc", "generalised_c", "rps"} <= set(judged.metrics)
    assert list(judged.cumulative) == ["stage II", "stage III", "stage IV"]
    outcome, risk = trained.results.training.outcome, trained.results.training.risk
    assert judged.metrics["orc"].value == ordinal_c(outcome, risk)[0]
    assert judged.metrics["orc"].low < judged.metrics["orc"].value < judged.metrics["orc"].high
    assert judged.cumulative["stage III"]["auroc"].value > 0.75
    save_trained(trained, tmp_path / "bundle")
    kept = read_results(tmp_path / "bundle")
    assert kept.cross_validated.to_dict() == judged.to_dict()
    assert kept.target.ordered


def test_the_part_is_statsmodels_where_the_penalty_is_weak(task):
    (part,) = _fit_path(task, np.arange(task.n), np.array([1e9]), Splines())
    matrix = part.matrix(task.rows)
    rank = np.linalg.matrix_rank(matrix - matrix.mean(axis=0))
    own = matrix[:, qr(matrix - matrix.mean(axis=0), pivoting=True, mode="r")[1][:rank]]
    theirs = OrderedModel(task.outcome, own, distr="logit").fit(method="bfgs", gtol=1e-8, disp=False)
    np.testing.assert_allclose(part.risk(task.rows), theirs.predict(own), atol=1e-5)


def test_it_orders_better_than_a_regression_that_knows_no_order(trained):
    own, free = (trained.results.candidate(name).cross_validated.metrics for name in ("ordinal", "logistic"))
    assert own["rps"].value < free["rps"].value
    assert "model.simple_is_as_good" not in {f.code for f in trained.findings}


def test_it_is_kept_explained_and_judged_anew(trained, stages, tmp_path):
    save_trained(trained, tmp_path / "bundle")
    kept, frame = load_bundle(tmp_path / "bundle"), stages.cohort.frame
    assert (kept.predict(frame) == trained.bundle.predict(frame)).all()
    assert kept.target.ordered
    found = explain(BundleRisk(kept), kept.background.codes[0], kept.background.codes[1:9], columns=kept.predictors)
    assert found.additivity_residual < 1e-6
    assert list(validate(kept, stages.cohort).evaluation.cumulative) == ["stage II", "stage III", "stage IV"]


def test_its_coalitions_are_the_rows_written_down(trained, task):
    ((_weight, part),) = trained.bundle.parts
    layered = part.coalitions()
    scores = layered.shares(task.rows)[:, 0].sum(axis=1)
    below = 1 / (1 + np.exp(scores - layered.weights["thresholds"]))
    ours = np.diff(np.column_stack([np.zeros(task.n), below, np.ones(task.n)]), axis=1)
    np.testing.assert_allclose(ours, part.risk(task.rows), atol=1e-5)


def test_a_class_that_no_row_has_gets_no_risk(task):
    rows = np.flatnonzero(task.outcome != 1)
    for part in _fit_path(task, rows, np.array([1.0]), Splines()):
        assert part.risk(task.rows)[:, 1].max() < 1e-6
    none = replace(task, rows=Rows(np.full_like(task.codes, 1.0)))
    flat = fit_ordinal(none, ProgressReporter(NullFollower(), {})).part
    assert isinstance(flat, OrdinalPart)
    assert np.ptp(flat.risk(none.rows), axis=0).max() < 1e-9


def test_auto_trains_it_for_an_order_alone_and_menus_offer_it_there(stages):
    assert "ordinal" in automatic(300, stages.prepared.target)
    assert not {"ordinal"} & {*automatic(300, Target(4)), *automatic(300, Target(2)), *offered(Target(4))}
    assert "ordinal" in offered(Target(4, ordered=True))


def test_it_is_refused_where_there_is_no_order(ward):
    with pytest.raises(SettingsError, match="order"):
        ward.train("ordinal")
