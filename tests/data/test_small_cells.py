"""No hidden count can be worked out from the counts and totals that are shown."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from medcore.data.describe.small_cells import FEWEST_TOLD, hidden_cells

STRATA = st.tuples(st.integers(2, 6), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.one_of(st.integers(0, 8), st.integers(0, 200)))
)


def bounds(counts, hidden, cell) -> tuple[float, float]:
    """The lowest and highest value of a hidden cell that agree with all that is shown: linear programming."""
    places = [tuple(p) for p in np.argwhere(hidden)]
    rows, columns = counts.shape
    equations, right = [], []
    for r in range(rows):  # the first cell is the sum of the others
        equations.append([(1.0 if c == 0 else -1.0) if i == r else 0.0 for i, c in places])
        right.append(-sum((1.0 if c == 0 else -1.0) * counts[r, c] for c in range(columns) if not hidden[r, c]))
    for c in range(columns):
        equations.append([1.0 if j == c else 0.0 for _i, j in places])
        right.append(counts[:, c].sum() - counts[~hidden[:, c], c].sum())
    found = []
    for sign in (1.0, -1.0):
        goal = [sign if p == cell else 0.0 for p in places]
        solved = linprog(goal, A_eq=equations, b_eq=right, bounds=(0, None), method="highs")
        assert solved.status == 0
        found.append(sign * solved.fun)
    return found[0], found[1]


@settings(max_examples=60, deadline=None)
@given(STRATA)
def test_no_hidden_cell_can_be_derived_by_subtraction(strata) -> None:
    counts = np.column_stack([strata.sum(axis=1), strata])
    hidden = hidden_cells(counts)
    assert hidden[(counts > 0) & (counts < FEWEST_TOLD)].all()
    if (counts[:, 0] > 0).sum() < 2:
        return  # all patients are in one row: its cells are the columns' totals, which the table's head says
    for cell in np.argwhere(hidden & (counts > 0) & (counts < FEWEST_TOLD)):
        low, high = bounds(counts, hidden, tuple(cell))
        assert high - low > 0.5, (counts, hidden, cell)


@settings(max_examples=60, deadline=None)
@given(STRATA)
def test_what_is_hidden_of_all_patients_does_not_depend_on_the_strata(strata) -> None:
    everybody = strata.sum(axis=1)
    other = np.column_stack([everybody, everybody // 2, everybody - everybody // 2])
    first = hidden_cells(np.column_stack([everybody, strata]))
    second = hidden_cells(other)
    shown_in_both = first[:, 0] == second[:, 0]
    small = (everybody > 0) & (everybody < FEWEST_TOLD)
    assert (first[small, 0] & second[small, 0]).all()
    assert shown_in_both.all()


def test_nothing_is_hidden_where_no_count_is_small() -> None:
    assert not hidden_cells(np.array([[30, 10, 20], [70, 40, 30], [0, 0, 0]])).any()


def test_the_cheapest_cells_are_hidden_beside_a_small_one() -> None:
    counts = np.array([[13, 3, 10], [300, 100, 200], [50, 20, 30]])
    assert hidden_cells(counts).tolist() == [[False, True, True], [False, False, False], [False, True, True]]
