"""Composite rows that a model mixes itself are those that are written down."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample
from medcore.data.schema.inference import choose_target
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.explanation import explain
from medcore.features import FeatureMaker
from medcore.models.bundle.coalitions import BundleRisk, n_sums
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter
from medcore.models.learners.boosting import fit_boosting
from medcore.models.learners.forest import fit_forest
from medcore.models.learners.kernel import RandomFourierFeatures
from medcore.models.learners.networks import fit_network, fit_seed_network
from medcore.models.run.training import task_of, train

SPLIT = SplitSettings(n_folds=2)
LEARNERS = {"forest": fit_forest, "boosting": fit_boosting, "network": fit_network, "seed": fit_seed_network}


def trained(cohort, model, **options):
    recipe = default_recipe(cohort.schema)
    prepared = prepare(cohort, recipe)
    split = make_split(prepared, SPLIT)
    settings = TrainSettings(model=model, **options)
    return train(prepared, split, settings, schema=cohort.schema, recipe=recipe, cohort_sha256=cohort.sha256).bundle


def fitted(cohort, model, **options):
    """The part that a training run would keep, without the judging."""
    prepared = prepare(cohort, default_recipe(cohort.schema))
    task = task_of(prepared, make_split(prepared, SPLIT), TrainSettings(model=model, **options))
    return LEARNERS[model](task, ProgressReporter(NullFollower(), {})).part


def kernel_of(bundle):
    """A kernel part nobody fitted, on the bundle's columns."""
    rng = np.random.default_rng(0)
    book = bundle.codebook
    maker = FeatureMaker(book.kinds).fit(bundle.background)
    F, D, K = maker.transform(bundle.background.codes[:1]).shape[1], 200, len(bundle.classes)
    directions, phases = rng.normal(size=(F, D)) / 3, rng.uniform(0, 2 * np.pi, D)
    coefficients = rng.normal(size=(D, K))
    return RandomFourierFeatures(
        maker,
        directions.astype(np.float32),
        phases.astype(np.float32),
        coefficients.astype(np.float32),
        rng.normal(size=K),
    )


def ensemble_of(cohort):
    """Every kind of part, as an `auto` bundle has them."""
    bundle = trained(cohort, "logistic")
    parts = [part for _, part in bundle.parts] + [fitted(cohort, model, epochs=3) for model in LEARNERS]
    parts.append(kernel_of(bundle))
    weights = np.arange(1, 1 + len(parts)) / np.arange(1, 1 + len(parts)).sum()
    return replace(bundle, parts=tuple(zip(weights.tolist(), parts, strict=True)))


@pytest.fixture(scope="module")
def network():
    return trained(load_sample("heart"), "seed", epochs=5, layers=(16, 8))


@pytest.fixture(scope="module")
def ensemble():
    return ensemble_of(load_sample("heart"))


@pytest.fixture(scope="module")
def three_classes():
    """Seventy columns, so that they do not fit into one machine word, with missing cells and a category."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(240, 70)).round(3)
    frame = pd.DataFrame(x, columns=[f"marker_{i:02}" for i in range(70)]).astype(str)
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    frame["ward"] = rng.choice(["north", "south", "east"], len(x))
    frame["stage"] = np.array(["I", "II", "III"])[np.digitize(x[:, 0] + x[:, 1] * x[:, 2], [-0.5, 0.6])]
    cohort = read_table(("drawn.csv", frame.to_csv(index=False).encode()))
    return ensemble_of(cohort.with_schema(choose_target(cohort.schema, cohort.frame, "stage")))


def numbers(found):
    return np.array([c.contribution for c in found.contributions])


def test_mixed_rows_have_the_risk_of_rows_written_down(network):
    background, row = network.background.codes[:30], network.background.codes[40].copy()
    row[[0, 2]] = np.nan
    rng = np.random.default_rng(0)
    rows, present = rng.integers(0, 30, 5_000), rng.random((5_000, len(row))) < 0.5
    found = BundleRisk(network).for_patient(row, background).risk(rows, present)
    np.testing.assert_allclose(found, network.risk(np.where(present, row, background[rows])), atol=2e-6)


@pytest.mark.parametrize("scale", ["probability", "log_odds"])
def test_explanations_are_those_of_the_rows_written_down(network, scale):
    background, row = network.background.codes[:12], network.background.codes[40]
    options = {"columns": network.predictors, "scale": scale}
    mixed = explain(BundleRisk(network), row, background, **options)
    written = explain(network.risk, row, background, **options)
    assert mixed.method == "exact"
    assert mixed.additivity_residual < 1e-6
    np.testing.assert_allclose(numbers(mixed), numbers(written), atol=2e-5)


def differences(bundle, row):
    """How far mixed rows are from rows written down, part by part and then all together."""
    background = bundle.background.codes[:25]
    rng = np.random.default_rng(1)
    rows, present = rng.integers(0, 25, 2_000), rng.random((2_000, len(row))) < rng.random((2_000, 1))
    written = np.where(present, row, background[rows])
    alone = [replace(bundle, parts=((1.0, part),)) for _, part in bundle.parts]
    for each in (*alone, bundle):
        found = BundleRisk(each).for_patient(row, background).risk(rows, present)
        yield each.parts[0][1].kind, np.abs(found - each.risk(written)).max()


@pytest.mark.parametrize("model", ["ensemble", "three_classes"])
@pytest.mark.parametrize("missing", ["as it is", "some missing", "all missing", "unseen"])
def test_every_kind_of_part_mixes_rows_as_if_they_were_written_down(model, missing, request):
    bundle = request.getfixturevalue(model)
    row = bundle.background.codes[40].copy()
    categories = np.array(bundle.codebook.kinds) == "category"
    if missing == "unseen":
        row[categories] = -1
    elif missing != "as it is":
        row[:: 3 if missing == "some missing" else 1] = np.nan
    apart = list(differences(bundle, row))
    assert {kind for kind, _ in apart} >= {"logistic", "forest", "boosting", "network", "kernel"}
    assert max(d for _, d in apart) < 1e-5, apart


def test_an_ensemble_is_explained_exactly_and_adds_up(ensemble):
    found = explain(
        BundleRisk(ensemble), ensemble.background.codes[40], ensemble.background.codes[:5], columns=ensemble.predictors
    )
    written = explain(
        ensemble.risk, ensemble.background.codes[40], ensemble.background.codes[:5], columns=ensemble.predictors
    )
    assert found.method == "exact"
    assert found.additivity_residual < 1e-6
    np.testing.assert_allclose(numbers(found), numbers(written), atol=2e-6)


def test_a_second_patient_and_another_background_are_answered_afresh(ensemble):
    risk, rows, present = BundleRisk(ensemble), np.zeros(1, int), np.ones((1, len(ensemble.predictors)), bool)
    for place in (30, 31):
        for background in (ensemble.background.codes[:5], ensemble.background.codes[5:12]):
            patient = risk.for_patient(ensemble.background.codes[place], background)
            expected = ensemble.risk(ensemble.background.codes[[place]])
            np.testing.assert_allclose(patient.risk(rows, present), expected, atol=2e-6)
            np.testing.assert_allclose(patient.risk(rows, ~present), ensemble.risk(background[:1]), atol=2e-6)


def test_a_larger_model_costs_more_for_a_mixed_row(network, ensemble):
    assert n_sums(ensemble) > n_sums(network) > 0


def changes_told_and_asked(bundle, part, row, background):
    """What having each column changes about coalitions and opposites: as a part tells it, exactly, and asked."""
    rng = np.random.default_rng(2)
    rows, present = rng.integers(0, len(background), 130), rng.random((130, len(row))) < 0.5
    patient = BundleRisk(replace(bundle, parts=((1.0, part),))).for_patient(row, background)
    pairs = patient.pairs(rows, present, lambda risk: risk[:, 1])

    def change(mask):
        """Ask of every column (P, n) at once, with it and without it: thousands of questions of 130 rows take long."""
        one = np.eye(len(row), dtype=bool)[:, None]
        with_it, without = (
            patient.risk(np.tile(rows, len(row)), both.reshape(-1, len(row)))[:, 1].reshape(len(row), -1)
            for both in (mask | one, mask & ~one)
        )
        return with_it - without

    asked = [change(mask) for mask in (present, ~present)]
    return pairs.changes(), pairs.exactly(np.arange(len(row))), np.mean(asked, axis=0).T


@pytest.mark.parametrize("model", ["ensemble", "three_classes"])
def test_a_coalition_and_its_opposite_tell_of_every_column(model, request):
    bundle = request.getfixturevalue(model)
    row, background = bundle.background.codes[40], bundle.background.codes[:25]
    numeric = np.array(bundle.codebook.kinds) == "numeric"
    near = background[:1] + np.where(numeric, [[1e-3], [-2e-3]], 0.0)  # so near that slopes tell it all
    for _, part in bundle.parts:
        _told, exactly, asked = changes_told_and_asked(bundle, part, row, background)
        np.testing.assert_allclose(exactly, asked, atol=5e-6)
        told, _exactly, asked = changes_told_and_asked(bundle, part, background[0], near)
        np.testing.assert_allclose(told, asked, atol=5e-6)


@pytest.mark.parametrize("model", ["ensemble", "three_classes"])
def test_models_that_are_asked_by_themselves_say_together_what_they_say_at_once(model, request):
    bundle = request.getfixturevalue(model)
    row, background = bundle.background.codes[40], bundle.background.codes[:25]
    rng, halves = np.random.default_rng(3), np.arange(25) % 2 == 0
    rows, present, columns = np.arange(25), rng.random((25, len(row))) < 0.5, np.array([0, 3, len(row) - 1])
    for _, part in bundle.parts:
        patient = BundleRisk(replace(bundle, parts=((1.0, part),))).for_patient(row, background).parts[0][1]
        n_models = patient.n_models
        assert n_models >= 1
        apart = patient.apart(rows, np.repeat(present[None], n_models, axis=0), halves, 1)
        pairs = patient.pairs(rows, present)
        worth = np.zeros(pairs.risk.shape)
        worth[..., 1] = 1.0
        np.testing.assert_allclose(apart.outputs.mean(axis=0), pairs.risk[..., 1], atol=2e-6)
        np.testing.assert_allclose(apart.changes.mean(axis=0), pairs.changes(worth), atol=2e-6)
        np.testing.assert_allclose(apart.flipped(columns).mean(axis=0), pairs.flipped(columns)[..., 1], atol=2e-6)
        ends = part.risk(np.vstack([row, background]))[:, 1]
        np.testing.assert_allclose(apart.ends.mean(axis=0), ends, atol=2e-6)


@pytest.mark.parametrize("model", ["ensemble", "three_classes"])
def test_rows_that_differ_in_one_column_are_as_if_they_were_written_down(model, request):
    bundle = request.getfixturevalue(model)
    rows = bundle.background.take(np.repeat(np.arange(6), 7))
    for place in (0, len(bundle.predictors) - 1):
        codes = rows.codes.copy()
        codes[:, place] = bundle.background.codes[: len(codes), place]
        changed = rows.with_codes(codes)
        np.testing.assert_allclose(BundleRisk(bundle).inside(place)(changed), bundle.risk(changed), atol=2e-6)
