from io import BytesIO

import pandas as pd
import pytest
from openpyxl import load_workbook

from medcore.data.describe.export import to_csv, to_xlsx


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_cell_or_heading_starts_a_formula(start: str) -> None:
    text = to_csv(pd.DataFrame({f"{start}HYPERLINK(1)": [f"{start}1+1", None, "safe"]}))
    assert all(not line.lstrip('"').startswith(start) for line in text.splitlines())


def test_negative_numbers_stay_numbers() -> None:
    assert to_csv(pd.DataFrame({"base_excess": [-2.5, 1.0]})) == "base_excess\n-2.5\n1.0\n"


def test_characters_that_xml_cannot_hold_are_written_as_excel_writes_them() -> None:
    cells = ["a\x0bb", "c\ufffed", "e\x00", "ä\n中\U0001f600"]
    book = load_workbook(BytesIO(to_xlsx(pd.DataFrame({"no\x0bte": cells}))))
    written = [cell.value for (cell,) in book.active.iter_rows()]
    assert written == ["no_x000B_te", "a_x000B_b", "c_xFFFE_d", "e_x0000_", cells[-1]]
