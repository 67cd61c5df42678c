"""The losses of the trainer, their slopes, and the standing of members, against independent numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from medcore.models.trainer.epoch import Rules, loss_gradient, moment_scales
from medcore.models.trainer.metrics import ensemble_log_loss, log_loss_each, risk_of, weighted_mean
from medcore.models.trainer.state import Standing

RULES = Rules("adam", 0.9, 0.999, 0.0, None, 0.0, 0.0, bagging=False)


@pytest.fixture(params=[1, 4], ids=["two classes", "four classes"])
def seen(request) -> tuple[np.ndarray, np.ndarray]:
    """Return logits (M, B, k, C) and classes (M, B)."""
    rng = np.random.default_rng(7)
    classes = max(2, request.param)
    return rng.normal(0, 3, (2, 50, 3, request.param)).astype(np.float32), rng.integers(0, classes, (2, 50))


def as_risk(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float64)
    return expit(logits) if logits.shape[-1] == 1 else softmax(logits, -1)


def test_losses_are_those_of_scikit_learn(seen) -> None:
    logits, target = seen
    classes, risk = range(max(2, logits.shape[-1])), as_risk(logits)
    for submodel in range(3):
        ours = log_loss_each(logits, target)[..., submodel].ravel().mean()
        chosen = risk[:, :, submodel].reshape(-1, risk.shape[-1])
        assert ours == pytest.approx(log_loss(target.ravel(), chosen.squeeze(), labels=list(classes)), rel=1e-5)
    mean = risk.mean(2).reshape(-1, risk.shape[-1]).squeeze()
    assert ensemble_log_loss(logits, target).mean() == pytest.approx(
        log_loss(target.ravel(), mean, labels=list(classes)), rel=1e-5
    )
    np.testing.assert_allclose(risk_of(logits), risk.mean(2), rtol=1e-5, atol=1e-7)


def test_losses_of_extreme_logits_stay_finite() -> None:
    far = np.array([[[[300.0]], [[-300.0]]]], np.float32)
    target = np.array([[0, 1]])
    np.testing.assert_allclose(log_loss_each(far, target).ravel(), [300.0, 300.0])
    np.testing.assert_allclose(ensemble_log_loss(far, target).ravel(), [300.0, 300.0])


@pytest.mark.parametrize("changes", [{}, {"label_smoothing": 0.2}, {"focal_gamma": 2.0}])
def test_slopes_are_those_of_small_differences_of_the_loss(seen, changes) -> None:
    logits, target = seen
    classes = max(2, logits.shape[-1])
    rules = replace(RULES, **changes)

    def loss(values: np.ndarray) -> np.ndarray:
        risk = as_risk(values)
        risk = np.concatenate([1 - risk, risk], -1) if classes == 2 else risk
        wanted = np.eye(classes)[target][:, :, None] * (1 - rules.label_smoothing) + rules.label_smoothing / classes
        return (-wanted * np.log(risk) * (1 - risk) ** rules.focal_gamma).sum(-1)

    import tensorflow as tf

    slope = loss_gradient(tf.constant(logits), target, rules).numpy()
    for c in range(logits.shape[-1]):
        step = np.zeros(logits.shape[-1])
        step[c] = 1e-4
        numeric = (loss(logits + step) - loss(logits - step)) / 2e-4
        np.testing.assert_allclose(slope[..., c], numeric, rtol=2e-3, atol=2e-4)


def test_rows_that_count_nothing_do_not_change_a_mean_even_when_their_loss_is_infinite() -> None:
    loss = np.array([[[1.0, np.inf, 3.0]]])
    assert weighted_mean(loss, np.array([[[1.0, 0.0, 0.5]]]), np.array([2])) == pytest.approx(1.25)
    assert np.isnan(weighted_mean(loss, np.zeros((1, 1, 3)), np.array([0]))).all()


def test_a_member_stops_after_its_patience_and_its_best_weights_stay() -> None:
    standing = Standing.first(np.zeros((2, 1), np.float32))
    steps = np.array([3, 2])
    for epoch, losses in enumerate([[1.0, 1.0], [2.0, 0.9], [2.0, 0.8], [0.1, 0.7]], start=1):
        standing = standing.judged(np.full((2, 1), epoch, np.float32), np.array(losses), steps, 2)
    assert standing.active.tolist() == [False, True]
    assert standing.best.ravel().tolist() == [1.0, 4.0]
    assert standing.done.tolist() == [9, 8]


def test_a_member_does_no_more_steps_than_its_rows_fill() -> None:
    standing = replace(Standing.first(np.zeros((3, 1))), active=np.array([True, True, False]), done=np.array([5, 7, 9]))
    learns, before = standing.steps(np.array([2, 3, 3]), 4)
    assert learns.tolist() == [[True, True, False], [True, True, False], [False, True, False], [False] * 3]
    assert before.tolist() == [[5, 7, 9], [6, 8, 9], [7, 9, 9], [7, 10, 9]]


def test_the_first_correction_of_adam_makes_the_first_step_as_long_as_the_learning_rate() -> None:
    # With bias correction, first moment 0.1·g and second 0.001·g² give a step of g / |g|.
    assert moment_scales(RULES, np.array([0]))[0] * 0.1 / np.sqrt(0.001) == pytest.approx(1.0, rel=1e-6)
    assert moment_scales(replace(RULES, optimizer="sgd"), np.array([0, 9])).tolist() == [1.0, 1.0]
