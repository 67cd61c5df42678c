"""The page on a month of a model in use: one page, in both languages, with what changed first."""

import pytest

from medcore.i18n import language
from medcore.monitoring.watch import WatchPlan, watch
from medcore.reporting.formats.document import Bullets, Paragraph
from medcore.reporting.formats.pdf import paged
from medcore.reporting.watching import SIZES, MonthReport, month_report, write_month_report
from tests.monitoring.years import (
    COLUMNS,
    month_of,
    with_codes,
    with_odds,
    year,
    year_by_time,
    year_of_classes,
    year_of_numbers,
)


@pytest.fixture(scope="module")
def inputs() -> MonthReport:
    made = year(0, 6_000)
    august = month_of(made) == 8
    for column in COLUMNS[:6]:
        made = with_codes(made, august, column, lambda v: 10 * v + 30)
    return MonthReport(
        found=watch(with_odds(made, august, 4.0), WatchPlan(threshold=0.2)), month="2025-08", name="Death"
    )


@pytest.mark.parametrize("words", ["en", "zh_CN"])
def test_a_month_with_many_changes_is_one_page(inputs: MonthReport, words: str) -> None:
    assert write_month_report(inputs, "august.pdf", words=words).startswith(b"%PDF")
    with language(words):
        assert any(paged(month_report(inputs, most=most, charts=charts))[1] == 1 for most, charts in SIZES[:5])


def test_changes_come_first_and_their_number_is_said(inputs: MonthReport) -> None:
    first, told = month_report(inputs).blocks[:2]
    assert isinstance(first, Paragraph)
    assert first.strong
    assert first.text == f"{len(inputs.found.changes('2025-08'))} change(s) in 2025-08"
    assert isinstance(told, Bullets)
    assert told.items[-1].startswith("… and")


def test_the_page_says_what_treatment_does_to_the_figures_and_that_the_estimate_is_one(inputs: MonthReport) -> None:
    page = write_month_report(inputs, "august.html").decode()
    assert "Whoever acts on an alert may prevent" in page
    assert "An estimate from the risks alone" in page
    assert "For research use; not a medical device." in page


@pytest.mark.parametrize(
    ("made", "row"),
    [
        (year_by_time, "Events observed over expected"),
        (year_of_classes, "AUROC, severe"),
        (year_of_numbers, "Inside the prediction interval"),
    ],
)
def test_the_page_has_the_figures_of_whatever_is_predicted(made, row: str) -> None:
    found = watch(made(0, 3_000), WatchPlan(threshold=0.3))
    page = write_month_report(MonthReport(found=found, month="2025-08", name="Stay"), "august.html").decode()
    assert row in page
    assert ("Expected AUROC" in page) == bool(found.expected)
