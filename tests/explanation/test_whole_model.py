"""The whole model: interactions, effects along a column, importance and groups, against independent calculations."""

from dataclasses import replace
from itertools import combinations
from math import factorial

import numpy as np
import pytest

from medcore.explanation.model import overview
from medcore.explanation.model.batch import as_table, joined
from medcore.explanation.model.effects import accumulated_effect, effect
from medcore.explanation.model.tables import explain_rows
from medcore.explanation.model.whole import FEWEST, ImportanceStability, importance, reason_groups
from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.interactions import pair_interactions
from medcore.models.bundle.bundle import save_bundle


def counted_out(risk, row, background, i, j):
    """The definition: every coalition, its weight by its size, averaged over the background."""
    others = [c for c in range(len(row)) if c not in (i, j)]
    n = len(row)

    def worth(coalition):
        rows = background.copy()
        rows[:, list(coalition)] = row[list(coalition)]
        return risk(rows)[:, 1].mean()

    total = 0.0
    for size in range(len(others) + 1):
        weight = factorial(size) * factorial(n - size - 2) / factorial(n - 1)
        for s in combinations(others, size):
            total += weight * (worth({*s, i, j}) - worth({*s, i}) - worth({*s, j}) + worth(s))
    return total


def test_drawn_interactions_are_those_of_the_definition_within_their_errors(network_risk):
    risk, rng = network_risk(6), np.random.default_rng(1)
    rows, background = rng.normal(size=(3, 6)), rng.normal(size=(8, 6))
    pairs = [(0, 1), (2, 5)]
    found = pair_interactions(risk, rows, background, pairs, class_index=1, n_draws=4_000)
    wanted = np.array([[counted_out(risk, row, background, i, j) for i, j in pairs] for row in rows])
    assert np.abs(found.values - wanted).max() < 4 * found.standard_errors.max()
    assert (np.abs(found.values - wanted) < 4 * found.standard_errors).all()
    assert found.standard_errors.max() < 0.01


def test_columns_that_only_add_up_do_not_interact(logistic_risk):
    rows, background = np.eye(4)[:2], np.zeros((3, 4))
    risk = logistic_risk([1.0, 2.0, -1.0, 0.5])
    found = pair_interactions(risk, rows, background, [(0, 1), (2, 3)], class_index=1, scale="log_odds")
    np.testing.assert_allclose(found.values, 0, atol=1e-9)
    assert found.partner(0) is None


def test_the_strongest_partner_is_the_one_in_the_product():
    def risk(codes):
        p = 0.5 + 0.1 * codes[:, 0] * codes[:, 2] + 0.05 * codes[:, 1]
        return np.column_stack([1 - p, p])

    rng = np.random.default_rng(0)
    found = pair_interactions(risk, rng.normal(size=(6, 3)), rng.normal(size=(20, 3)), [(0, 1), (0, 2), (1, 2)])
    assert found.partner(0) == 2
    assert found.partner(2) == 0


def test_an_additive_effect_is_found_by_both_curves_even_when_columns_go_together():
    rng = np.random.default_rng(0)
    first = rng.uniform(-1, 1, 3_000)
    codes = np.column_stack([first, first + 0.1 * rng.normal(size=3_000)])

    def risk(rows):
        p = 0.4 + 0.2 * rows[:, 0] ** 2 + 0.1 * rows[:, 1]
        return np.column_stack([1 - p, p])

    edges, path = accumulated_effect(risk, codes, 0, class_index=1)
    wanted = 0.2 * edges**2
    np.testing.assert_allclose(path - path.mean(), wanted - wanted.mean(), atol=2e-3)
    assert np.interp(codes[:, 0], edges, path).mean() == pytest.approx(risk(codes)[:, 1].mean())


def test_no_curve_is_drawn_through_one_value():
    edges, path = accumulated_effect(lambda c: np.ones((len(c), 2)), np.full((9, 1), 2.0), 0, class_index=1)
    assert not len(edges)
    assert not len(path)


@pytest.fixture(scope="module")
def explained(bundle, table):
    return explain_rows(bundle, table.iloc[:60])


@pytest.fixture(scope="module")
def reference(bundle, table):
    codes = bundle.encode(table)
    return Reference.from_arrays(
        bundle.codebook,
        bundle.classes,
        codes,
        (table["disease"] == "yes").to_numpy().astype(int),
        bundle.risk(codes),
        np.arange(len(table)),
    )


def test_a_partial_dependence_is_the_mean_over_patients_given_the_value(bundle, reference):
    found = effect(bundle.risk, reference, "age", class_index=1)
    rng = np.random.default_rng(0)
    patients = reference.codes[rng.choice(len(reference.codes), found.n, replace=False)].copy()
    patients[:, reference.columns.index("age")] = found.values[4]
    assert found.partial[4] == pytest.approx(bundle.risk(patients)[:, 1].mean())
    assert not len(effect(bundle.risk, reference, "sex", class_index=1).accumulated)


def test_importance_is_the_mean_size_inside_its_interval(explained):
    found = importance(explained)
    np.testing.assert_allclose(found.mean, np.abs(explained.contributions).mean(axis=0))
    assert (found.low <= found.mean).all()
    assert (found.mean <= found.high).all()
    assert (np.diff(found.mean[found.order]) <= 0).all()


def test_bootstrap_intervals_have_the_width_of_the_standard_error(explained):
    found = importance(explained)
    sizes = np.abs(explained.contributions)
    wanted = 2 * 1.96 * sizes.std(axis=0, ddof=1) / np.sqrt(len(sizes))
    np.testing.assert_allclose(found.high - found.low, wanted, rtol=0.15)


def test_patients_with_the_same_reasons_are_grouped_and_small_groups_left_out(explained):
    rng = np.random.default_rng(0)
    middles = np.zeros((3, 5))
    middles[0, 0], middles[1, 1] = 0.4, -0.3
    labels = np.repeat([0, 1, 2], [25, 25, 3])
    middles[2, 2] = 0.5
    parts = {
        "contributions": middles[labels] + 0.01 * rng.normal(size=(53, 5)),
        "prediction": np.array([0.7, 0.1, 0.5])[labels],
    }
    groups = reason_groups(replace(explained, **parts), labels == 0)
    assert [g.n for g in groups] == [25, 25]
    assert [g.reasons[0][0] for g in groups] == list(explained.columns[:2])
    assert groups[0].mean_risk == pytest.approx(0.7)
    assert all(g.observed is None for g in groups)
    assert all(g.n >= FEWEST for g in groups)


def test_patients_too_few_to_part_are_one_group(bundle, table):
    assert [g.n for g in reason_groups(explain_rows(bundle, table.iloc[:7]))] == [7]


def test_pieces_of_a_table_are_the_table(bundle, table, explained):
    pieces = [explain_rows(bundle, table.iloc[a:b]) for a, b in ((0, 10), (10, 11), (11, 60))]
    whole = joined(pieces)
    np.testing.assert_array_equal(whole.contributions, explained.contributions)
    assert whole.values == explained.values
    assert whole.rows.tolist() == list(range(60))


def test_a_table_for_a_file_adds_up_and_has_errors(explained):
    lines = as_table(explained)
    changes = lines[[c for c in lines.columns if c.startswith("contribution: ")]]
    np.testing.assert_allclose(lines["base_value"] + changes.sum(axis=1), lines["risk"], atol=1e-9)
    assert sum(c.startswith("standard error: ") for c in lines.columns) == 5


def test_two_models_that_rank_alike_agree():
    alike = ImportanceStability(
        columns=("a", "b", "c"), models=("x", "y"), shares=np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]])
    )
    apart = ImportanceStability(
        columns=("a", "b", "c"), models=("x", "y"), shares=np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    )
    assert alike.agreement == pytest.approx(1)
    assert apart.agreement == pytest.approx(-1)


def test_a_worker_answers_about_the_whole_model(bundle, table, reference, tmp_path):
    folder = tmp_path / "bundle"
    save_bundle(bundle, folder)
    piece = overview.explain_table(folder, table.iloc[:3], class_name="yes", scale="probability")
    assert piece.prediction.shape == (3,)
    pairs = overview.interactions_of(folder, ("age", "cholesterol", "pain"), class_name="yes")
    assert len(pairs.pairs) == 3
    assert overview.stability_of(folder, class_name="yes").models == ("logistic",)
    assert overview.effect_of(folder, reference, "age", class_name="yes", unit="years").numeric
    drawn = overview.map_of(folder, reference.patients.take(3), reference, "age", "sex", class_index=1)
    assert drawn.risk.shape == (2, len(drawn.x_values))
