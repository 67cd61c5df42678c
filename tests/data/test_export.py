import pandas as pd
import pytest

from medcore.data.describe.export import to_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_cell_or_heading_starts_a_formula(start: str) -> None:
    text = to_csv(pd.DataFrame({f"{start}HYPERLINK(1)": [f"{start}1+1", None, "safe"]}))
    assert all(not line.lstrip('"').startswith(start) for line in text.splitlines())


def test_negative_numbers_stay_numbers() -> None:
    assert to_csv(pd.DataFrame({"base_excess": [-2.5, 1.0]})) == "base_excess\n-2.5\n1.0\n"
