"""Composite rows that a network mixes itself are those that are written down."""

import numpy as np
import pytest

from medcore.data.recipe import default_recipe, prepare
from medcore.data.samples import load_sample
from medcore.data.splitting import SplitSettings, make_split
from medcore.explanation import explain
from medcore.models.mixing import BundleRisk
from medcore.models.settings import TrainSettings
from medcore.models.training import train


@pytest.fixture(scope="module")
def network():
    cohort = load_sample("heart")
    recipe = default_recipe(cohort.schema)
    prepared = prepare(cohort, recipe)
    split = make_split(prepared, SplitSettings())
    settings = TrainSettings(model="seed", epochs=5, layers=(16, 8))
    return train(prepared, split, settings, schema=cohort.schema, recipe=recipe, cohort_sha256=cohort.sha256).bundle


def numbers(found):
    return np.array([c.contribution for c in found.contributions])


def test_mixed_rows_have_the_risk_of_rows_written_down(network):
    background, row = network.background[:30], network.background[40].copy()
    row[[0, 2]] = np.nan
    rng = np.random.default_rng(0)
    rows, present = rng.integers(0, 30, 5_000), rng.random((5_000, len(row))) < 0.5
    found = BundleRisk(network).mixer(row, background).risk(rows, present)
    np.testing.assert_allclose(found, network.risk(np.where(present, row, background[rows])), atol=2e-6)


@pytest.mark.parametrize("scale", ["probability", "log_odds"])
def test_explanations_are_those_of_the_rows_written_down(network, scale):
    background, row = network.background[:12], network.background[40]
    options = {"columns": network.predictors, "scale": scale}
    mixed = explain(BundleRisk(network), row, background, **options)
    written = explain(network.risk, row, background, **options)
    assert mixed.method == "exact"
    assert mixed.additivity_residual < 1e-6
    np.testing.assert_allclose(numbers(mixed), numbers(written), atol=2e-5)
