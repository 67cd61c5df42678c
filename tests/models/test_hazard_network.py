"""The network that predicts hazards: its likelihood, its slope, and that it is kept as it was."""

import numpy as np
import pytest

from medcore.data.splitting.split import SplitSettings
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.network.parts import pack
from medcore.models.network.table import TableNetwork
from medcore.models.run.cohort import train_cohort
from medcore.models.survival.intervals import incidence_of
from medcore.models.trainer.epoch import Rules, loss_gradient
from medcore.models.trainer.hazards import coded, hazard_loss_each, mean_hazard_loss
from medcore.models.trainer.predict import TrainedNetworks
from tests.models.test_event_time import cohort, ward

ENTERED, WHAT = np.array([[3, 1, 2, 0]]), np.array([[0, 1, 2, 0]])


def logits(n_causes: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1, 4, 2, 3 * n_causes)).astype(np.float32)


def likelihood(hazards: np.ndarray, entered: int, what: int) -> float:
    """Multiply out what one patient (J, C) survived and had."""
    total = 1.0
    for j in range(entered):
        last = what > 0 and j == entered - 1
        total *= hazards[j, what - 1] if last else 1.0 - hazards[j].sum()
    return float(total)


@pytest.mark.parametrize("n_causes", [1, 2])
def test_the_loss_is_the_negative_log_likelihood_of_the_times(n_causes: int) -> None:
    what = np.minimum(WHAT, n_causes)
    target = coded(ENTERED, what, n_causes)
    odds = np.exp(logits(n_causes).astype(np.float64).reshape(4, 2, 3, n_causes))
    hazards = odds / (1 + odds.sum(-1, keepdims=True))
    wanted = [[-np.log(likelihood(hazards[i, k], ENTERED[0, i], what[0, i])) for k in range(2)] for i in range(4)]
    assert hazard_loss_each(logits(n_causes), target, n_causes)[0] == pytest.approx(np.array(wanted), abs=1e-5)
    mean = [-np.log(likelihood(hazards[i].mean(0), ENTERED[0, i], what[0, i])) for i in range(4)]
    assert mean_hazard_loss(logits(n_causes), target, n_causes)[0] == pytest.approx(np.array(mean), abs=1e-5)


@pytest.mark.parametrize("n_causes", [1, 2])
def test_the_slope_is_that_of_the_loss(n_causes: int) -> None:
    import tensorflow as tf

    rules = Rules("adam", 0.9, 0.999, 0.0, None, 0.0, 0.0, False, n_causes)
    target = coded(ENTERED, np.minimum(WHAT, n_causes), n_causes).astype(np.int32)
    slope = loss_gradient(tf.constant(logits(n_causes)), tf.constant(target), rules).numpy()
    step = 1e-2
    for column in range(slope.shape[-1]):
        up, down = logits(n_causes), logits(n_causes)
        up[..., column] += step
        down[..., column] -= step
        change = hazard_loss_each(up, target, n_causes) - hazard_loss_each(down, target, n_causes)
        assert change / (2 * step) == pytest.approx(slope[..., column], abs=2e-3)


def test_hazards_of_competing_causes_make_shares_that_sum_to_one() -> None:
    hazards = np.random.default_rng(1).dirichlet(np.ones(3), size=(5, 4))[..., :2]
    curve = incidence_of(hazards, np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 4.0]))
    assert 1 - curve[:, :, 1].sum(axis=1) == pytest.approx(np.prod(1 - hazards.sum(axis=2), axis=1))
    assert (np.diff(curve, axis=2) >= 0).all()


def test_the_network_learns_and_is_kept_as_it_was(tmp_path) -> None:
    rows = cohort(ward(160, competing=True), competing=["2"])
    settings, split = TrainSettings(model="network", epochs=5), SplitSettings(test_size=0, n_folds=2)
    trained = train_cohort(rows, settings, split=split, folder=tmp_path / "bundle")
    judged = trained.results.cross_validated.by(730.5)
    assert judged.mean_risk == pytest.approx(judged.observed.value, abs=0.12)
    assert (trained.results.training.curve.sum(axis=1) <= 1 + 1e-9).all()
    again = load_bundle(tmp_path / "bundle")
    assert again.predict(rows.frame) == pytest.approx(trained.bundle.predict(rows.frame), abs=1e-6)


@pytest.mark.parametrize("n_intervals", [3, 0])
def test_keras_files_give_the_same_hazards_those_of_before_a_shared_score_too(n_intervals: int) -> None:
    rng = np.random.default_rng(2)
    network = TableNetwork(4, 6, (5,), "relu", 0.0, 2, 0, 0, n_causes=2, n_intervals=n_intervals)
    weights = {part.name: rng.normal(0, 0.5, part.shape).astype(np.float32) for part in network.parts}
    trained = TrainedNetworks(network, pack(network.parts, weights)[None], np.zeros((1, 0), np.float32), 4)
    (model,), x = trained.keras_models(), rng.normal(size=(7, 4)).astype(np.float32)
    again = TrainedNetworks.from_keras([model])
    assert again.architecture == network and again.hazards(x) == pytest.approx(trained.hazards(x), abs=1e-6)
    assert np.asarray(model(x, training=False)).reshape(7, 3, 2) == pytest.approx(trained.hazards(x), abs=1e-5)


def test_one_score_orders_patients_alike_in_every_interval() -> None:
    import tensorflow as tf

    network = TableNetwork(4, 3, (), "relu", 0.0, 1, 0, 0, n_causes=1, n_intervals=3)
    weights = network.initial(np.random.default_rng(0), 4) | {"linear": np.ones((4, 1), np.float32)}
    named = {name: tf.constant(value[None]) for name, value in weights.items()}
    x = np.random.default_rng(1).normal(size=(1, 9, 4)).astype(np.float32)
    logits = network.logits(named, {}, tf.constant(x), None).numpy()[0, :, 0]
    assert logits[:, 0] == pytest.approx(logits[:, 2]) and np.ptp(logits[:, 0]) > 1
