"""What moved a risk between two visits is the exact Shapley value of the difference, counted out in another way here."""

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest

from medcore.explanation.patient.visits import between_visits
from medcore.models.bundle.bundle import save_bundle


@pytest.fixture
def folder(bundle, tmp_path):
    save_bundle(bundle, tmp_path / "bundle")
    return tmp_path / "bundle"


def by_orders(bundle, visits: pd.DataFrame) -> dict[str, float]:
    """Change one cell of the table after the other in every order and average; every table there is, is asked at once."""
    names = list(bundle.predictors)
    chosen = [frozenset(some) for n in range(len(names) + 1) for some in combinations(names, n)]
    tables = [visits.iloc[[0]].assign(**{name: visits.iloc[1][name] for name in some}) for some in chosen]
    risk = dict(zip(chosen, bundle.predict(pd.concat(tables, ignore_index=True))[:, 1], strict=True))
    totals = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        for place, name in enumerate(order):
            before = frozenset(order[:place])
            totals[name] += (risk[before | {name}] - risk[before]) / len(orders)
    return totals


@pytest.mark.parametrize("rows", [(0, 1), (2, 9), (5, 5)])
def test_contributions_are_the_average_over_all_orders_of_changing_the_values(folder, bundle, table, rows):
    visits = table.iloc[list(rows)].reset_index(drop=True)
    found = between_visits(folder, visits, class_index=1)
    first, second = bundle.predict(visits)[:, 1]
    assert found.explanation.method == "exact"
    assert found.explanation.base_value == pytest.approx(first, abs=1e-7)
    own = {c.column: c.contribution for c in found.explanation.contributions}
    assert sum(own.values()) == pytest.approx(second - first, abs=1e-6)
    assert found.change == pytest.approx(second - first, abs=1e-7)
    expected = by_orders(bundle, visits)
    np.testing.assert_allclose([own[name] for name in expected], list(expected.values()), atol=1e-6)


def test_what_did_not_change_contributes_nothing_and_what_went_missing_is_told(folder, table):
    visits = table.iloc[[4, 4]].reset_index(drop=True)
    visits.loc[0, ["age", "pain", "cholesterol"]] = ["50", "typical", "200"]
    visits.loc[1, ["age", "pain", "cholesterol"]] = ["70", "typical", None]
    found = between_visits(folder, visits, class_index=1)
    (before, age), *others = found.largest
    assert (before, age.column, age.value) == ("50", "age", "70") and age.contribution > 0
    assert [(was, c.column, c.value) for was, c in others] == [("200", "cholesterol", None)]
