"""Tables made for this project: rows that are no patients, sheets and names, as Chinese hospitals export them."""

import pandas as pd
import pytest

from medcore.data.reading.table import read_table
from tests.cases.conftest import FILES

NAMES = ["年龄", "性别", "血钾", "血红蛋白", "死亡"]


@pytest.mark.parametrize(
    ("folder", "file", "aside", "told"),
    [
        ("v28_cn_two_header_rows", "train.xlsx", {"titles": 1}, "2"),
        ("v29_cn_footer", "train.csv", {"footers": 3}, "62, 63, 64"),
        ("v30_cn_units_row", "train.csv", {"units": 1}, "1"),
        ("v32_cn_hidden_sheet", "train.xlsx", {}, "编码对照"),
        ("v34_cn_repeated_header", "train.csv", {"repeated": 2}, "22, 43"),
        ("v35_cn_title_lines", "train.csv", {}, "2"),
        ("v36_trailing_tabs", "train.txt", {}, ""),
    ],
)
def test_the_patients_are_the_same_and_what_is_none_of_them_is_told(case, values, folder, file, aside, told):
    cohort = case(folder, file)
    assert cohort.frame.columns.tolist() == NAMES and dict(cohort.source.aside) == aside
    plain = values("v31_gb18030_rare")[NAMES]
    pd.testing.assert_frame_equal(values(folder, file), plain)
    assert told in str(cohort.repairs[0]) and cohort.schema["血红蛋白"].unit == "g/L"
    assert cohort.schema["死亡"].levels == ("否", "是")


def test_titles_over_chinese_names_are_descriptions(case):
    columns = case("v28_cn_two_header_rows", "train.xlsx").schema.columns
    assert [c.description for c in columns] == ["基本信息", "基本信息", "检验结果", "检验结果", "结局"]


def test_a_character_of_four_bytes_is_read(case, values):
    assert case("v31_gb18030_rare").source.encoding == "gb18030" and not case("v31_gb18030_rare").repairs
    assert set(values("v31_gb18030_rare")["病区"]) == {"东区", "㐂园病区"}


def test_a_hidden_sheet_of_a_chinese_name_can_be_chosen(case):
    assert case("v32_cn_hidden_sheet", "train.xlsx").source.hidden_sheets == ("编码对照",)
    hidden = read_table(FILES / "v32_cn_hidden_sheet" / "train.xlsx", overrides={"sheet": "编码对照"})
    assert hidden.frame.columns.tolist() == ["编码", "名称"] and hidden.n_rows == 300


def test_merged_numbers_of_admissions_group_their_rows(case):
    cohort = case("v33_cn_merged_ids", "train.xlsx")
    assert cohort.schema["住院号"].role == "group" and cohort.frame["住院号"].nunique() == 20
    assert "40" in str(cohort.repairs[0])


def test_a_long_chinese_table_is_told_to_be_pivoted_first(findings):
    long = next(f for f in findings("v37_cn_long_table") if f.code == "table.long")
    assert (long.severity, long.columns) == ("error", ("病历号", "检验项目", "结果", "单位"))


def test_a_record_of_redcap_that_comes_back_groups_its_rows(case):
    schema = case("v38_redcap_labels").schema
    roles = {name: schema[name].role for name in schema.names[:3]}
    assert roles == {"record_id": "group", "redcap_repeat_instance": "ignored", "redcap_data_access_group": "site"}
    assert schema["visit_complete"].role == "ignored" and schema["ethnicity___1"].sensitive
