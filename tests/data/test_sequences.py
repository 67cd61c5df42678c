"""Results in steps of time: the means of pandas, and cells that say what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medcore.data.values.sequences import STEPS, read_sequences, write_sequences


def test_steps_are_the_means_of_pandas_and_gaps_stay_gaps():
    random = np.random.default_rng(5)
    who, hours, values = random.integers(0, 9, 500), random.uniform(-3, 48, 500), random.normal(80, 9, 500).round(1)
    cells = write_sequences(who, hours / 24, values, 10, begin=0.0, end=2.0)
    steps, length = read_sequences(cells)
    assert length == 1.0 and cells[9] is None and steps.shape == (10, STEPS)
    step = np.clip(np.floor(hours), 0, None).astype(int)  # what was known before counts to the first hour
    wanted = pd.Series(values).groupby([who, step]).mean().unstack().reindex(index=range(10), columns=range(STEPS))
    np.testing.assert_allclose(steps, wanted, rtol=1e-5)


def test_what_is_no_sequence_is_read_as_nothing_measured():
    steps, length = read_sequences([None, "80", "1|80,81", f"1|{'x,' * 47}", np.nan])
    assert np.isnan(steps).all() and np.isnan(length)
