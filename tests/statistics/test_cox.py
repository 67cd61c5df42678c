"""Cox regression and its baseline against R's survival (golden/cox.R has script, version and date)."""

import json
from pathlib import Path

import numpy as np
import pytest

from medcore.statistics.cox import RiskSets, cox_loss, fit_cox, score_gains

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "cox.json").read_text(encoding="utf-8"))
COLUMNS = ("age", "pressure", "ill")


def arrays(name: str, columns: tuple[str, ...] = COLUMNS):
    data = GOLDEN[name]["data"]
    matrix = np.column_stack([np.asarray(data[c], dtype=np.float64) for c in columns])
    return matrix, np.asarray(data["time"], dtype=np.float64), np.asarray(data["status"])


@pytest.mark.parametrize("name", ["ties", "censored_late", "ridge"])
def test_coefficients_with_ties_and_with_a_penalty_are_those_of_r(name: str) -> None:
    matrix, time, status = arrays(name)
    found = fit_cox(matrix, time, status == 1, penalty=GOLDEN[name]["penalty"])
    assert found.coefficients == pytest.approx(GOLDEN[name]["coefficients"], abs=1e-6)
    if name != "ridge":
        loss = cox_loss(matrix @ found.coefficients, RiskSets.of(time, status == 1))
        assert -loss == pytest.approx(GOLDEN[name]["loglik"], abs=1e-6)


@pytest.mark.parametrize("name", ["ties", "censored_late"])
def test_new_patients_have_the_incidence_that_r_gives_them(name: str) -> None:
    matrix, time, status = arrays(name)
    found = fit_cox(matrix, time, status == 1)
    new = np.column_stack([GOLDEN["new"][c] for c in COLUMNS]).astype(np.float64)
    hazard = np.exp(new @ found.coefficients)[:, None] * found.cumulative(np.asarray(GOLDEN["times"], dtype=np.float64))
    assert -np.expm1(-hazard) == pytest.approx(np.asarray(GOLDEN[name]["incidence"]), abs=1e-6)


def test_a_single_event_has_the_coefficient_and_baseline_of_r() -> None:
    matrix, time, status = arrays("one_event", ("age",))
    found = fit_cox(matrix, time, status == 1)
    assert found.coefficients == pytest.approx([GOLDEN["one_event"]["coefficient"]], abs=1e-6)
    assert found.cumulative(np.array([time.max()])) == pytest.approx([GOLDEN["one_event"]["baseline"]], abs=1e-6)


def test_a_stronger_penalty_draws_all_coefficients_to_zero_and_no_event_tells_nothing() -> None:
    matrix, time, status = arrays("ties")
    strong, weak = (np.abs(fit_cox(matrix, time, status == 1, penalty=p).coefficients).sum() for p in (1e4, 0.1))
    assert strong < 0.05 < weak
    nothing = fit_cox(matrix, time, status == 7, penalty=1.0)
    assert nothing.coefficients.tolist() == [0.0, 0.0, 0.0]
    assert nothing.cumulative(np.array([100.0])).tolist() == [0.0]


def test_the_score_statistic_is_about_what_a_column_adds_to_the_likelihood() -> None:
    matrix, time, status = arrays("ties")
    sets = RiskSets.of(time, status == 1)
    without = fit_cox(matrix[:, :2], time, status == 1)
    gain = score_gains(matrix[:, :2], matrix[:, 2:], [np.array([0])], sets, without)[0]
    with_it = fit_cox(matrix, time, status == 1)
    twice = 2 * (cox_loss(matrix[:, :2] @ without.coefficients, sets) - cox_loss(matrix @ with_it.coefficients, sets))
    assert gain == pytest.approx(twice, rel=0.15)
