"""Numbers of patients from publications and from the programs of their authors.

Development: Riley 2020 (BMJ 2020;368:m441), worked examples (pre-eclampsia: 30 parameters,
event share 0.05, R² 0.05), and the tests of CRAN's pmsampsize. Judging: the tests of CRAN's
pmvalsampsize (0.018, AUROC 0.8), and its Python edition 0.2.1 with a million simulated
patients, whose slope criterion therefore varies by half a per cent. Judging of numbers:
the values of Archer 2021 as the R program ssclip gives them (R² 0.5 with widths 0.1, 0.2 and
10 at a variance of 400), and CRAN's pmsampsize 1.1.3, by which a residual standard deviation
known to within 10 % needs 234 + p patients for p predictors and an intercept.
"""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import beta, norm

from medcore.errors import SettingsError
from medcore.statistics.sample_size.development import multinomial_sample_size, ordinal_sample_size, riley_sample_size
from medcore.statistics.sample_size.validation import for_auroc, for_o_e, for_slope, size_if_possible, validation_size
from medcore.statistics.sample_size.validation_of_numbers import for_residual_variance, validation_size_of_numbers

MIDDLES = (np.arange(100_000) + 0.5) / 100_000


def test_pre_eclampsia_needs_what_the_bmj_says():
    size = riley_sample_size(30, 0.05, 0.05)
    assert (size.shrinkage, size.prevalence, size.error) == (5249, 73, 544)
    assert size.required == 5249


@pytest.mark.parametrize(
    ("parameters", "share", "r2", "shrinkage", "prevalence"),
    [
        (24, 0.174, 0.288, 623, 221),
        (24, 0.174, 0.55, 255, 221),
        (36, 0.174, 0.288, 934, 221),
        (24, 0.25, 0.288, 623, 289),
    ],
)
def test_development_sizes_are_those_of_pmsampsize(parameters, share, r2, shrinkage, prevalence):
    size = riley_sample_size(parameters, share, r2)
    assert (size.shrinkage, size.prevalence) == (shrinkage, prevalence)


def test_the_fourth_criterion_is_left_out_where_it_was_not_derived():
    assert riley_sample_size(31, 0.2).error is None
    assert riley_sample_size(30, 0.2).error > 0


def test_two_classes_need_no_more_as_a_multinomial_model():
    binary, multinomial = riley_sample_size(12, 0.3), multinomial_sample_size(12, (0.7, 0.3))
    assert (multinomial.shrinkage, multinomial.optimism) == (binary.shrinkage, binary.optimism)
    assert multinomial.r2 == pytest.approx(binary.r2, abs=1e-12)


def test_more_classes_count_the_parameters_of_every_equation_and_the_rarest_pair():
    three = multinomial_sample_size(10, (0.6, 0.3, 0.1))
    assert three.n_parameters == 20
    rarest_pair = riley_sample_size(10, 0.25).shrinkage / 0.4
    assert three.shrinkage == pytest.approx(rarest_pair, abs=3)
    assert multinomial_sample_size(10, (0.6, 0.3, 0.1, 0.0)) == three


def test_five_sorts_of_ovarian_tumour_need_what_pate_says():
    """13,135 patients for 17 parameters (Stat Methods Med Res 2023;32:555; 13,136 in the tests of its program multsampsize).

    C of each pair becomes R² as there: log odds normal, as far apart as C says; integrated here, simulated there.
    """
    events = np.array([2557, 186, 176, 467, 120])
    c = (0.85, 0.92, 0.99, 0.95, 0.75, 0.95, 0.87, 0.87, 0.71, 0.82)
    r2 = []
    for (i, j), area in zip(combinations(range(5), 2), c, strict=True):
        share, gap = events[j] / (events[i] + events[j]), np.sqrt(2) * norm.ppf(area)
        x = np.linspace(-9, 9 + gap, 40_001)
        one, other = share * norm.pdf(x - gap), (1 - share) * norm.pdf(x)
        p = one / (one + other)
        known = np.trapezoid(one * np.log(p / share) + other * np.log((1 - p) / (1 - share)), x)
        r2.append(1 - np.exp(-2 * known))
    size = multinomial_sample_size(17, tuple(events / events.sum()), r2_of_pairs=r2)
    assert size.shrinkage == pytest.approx(13_136, rel=0.01)


def test_an_order_needs_one_equation_alone():
    binary, ordered = riley_sample_size(12, 0.3), ordinal_sample_size(12, (0.7, 0.3))
    assert (ordered.n_parameters, ordered.shrinkage, ordered.optimism) == (12, binary.shrinkage, binary.optimism)
    shares = (0.5, 0.3, 0.2)
    one, many = ordinal_sample_size(10, shares), multinomial_sample_size(10, shares)
    assert (one.n_parameters, many.n_parameters) == (10, 20)
    assert (one.max_r2, one.prevalence) == (many.max_r2, many.prevalence)
    r2 = 0.15 * one.max_r2
    assert one.shrinkage == np.ceil(10 / ((0.9 - 1) * np.log(1 - r2 / 0.9)))
    with pytest.raises(SettingsError):
        multinomial_sample_size(10, (1.0, 0.0))


def test_judging_sizes_are_those_of_pmvalsampsize():
    assert (for_o_e(0.018, 1.0), for_auroc(0.8, 0.018)) == (905, 4252)
    assert (for_o_e(0.43), for_auroc(0.8, 0.43)) == (510, 308)
    assert for_slope(norm.ppf(MIDDLES, -5, 2.5)) == pytest.approx(4544, rel=0.005)
    p = beta.ppf(MIDDLES, 1.33, 1.75)
    assert for_slope(np.log(p / (1 - p))) == pytest.approx(2136, rel=0.005)


def test_the_largest_criterion_decides_and_nonsense_is_refused():
    risk = beta.ppf(MIDDLES[::100], 1.33, 1.75)
    size = validation_size(risk, 0.8, 0.43)
    assert size.required == max(size.o_e, size.slope, size.auroc) == size.slope
    assert size.required_events == pytest.approx(0.43 * size.required, abs=1)
    for bad in ((np.full(9, 0.3), 0.8), (risk, 0.5), (risk, 1.0)):
        with pytest.raises(SettingsError):
            validation_size(*bad)
        assert size_if_possible(*bad, 0.3) is None


def test_judging_numbers_needs_what_archer_says():
    size = validation_size_of_numbers(0.5, 20.0, 10.0)
    assert (size.r2, size.mean, size.slope, size.variance, size.required) == (769, 31, 386, 235, 769)
    assert [for_residual_variance(1 + p) for p in (0, 1, 25)] == [234, 235, 259]
    assert validation_size_of_numbers(0.9, 20.0, 100.0).required == 235
    for bad in ((0.0, 1.0, 1.0), (0.5, 0.0, 1.0), (0.5, 1.0, 0.0)):
        with pytest.raises(SettingsError):
            validation_size_of_numbers(*bad)
