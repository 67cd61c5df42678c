import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcore.features import CodedColumn, Payload, Rows, stack

NOTES = st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=1, max_size=12)


def notes(texts: list[str | None]) -> Rows:
    """One number and one text a row."""
    contents = np.array([text or "" for text in texts], dtype="U8")
    codes, payload = Payload.of(contents, np.array([text is not None for text in texts]))
    return Rows.from_columns([CodedColumn(np.arange(len(texts), dtype=float)), CodedColumn(codes, payload)], len(texts))


def test_numbers_and_categories_are_the_array_itself():
    codes = np.arange(6.0).reshape(3, 2)
    rows = Rows.of(codes)
    assert rows.codes is codes
    assert not rows.payloads
    np.testing.assert_array_equal(np.asarray(rows), codes)
    assert rows.take(1).shape == (1, 2)


@given(NOTES, NOTES)
def test_the_same_content_has_the_same_code_in_every_table(ours, theirs):
    mine, others = notes(ours).column(1), notes(theirs).column(1)
    for code, text in zip(mine.codes, ours, strict=True):
        for other, its_text in zip(others.codes, theirs, strict=True):
            if text is not None and its_text is not None:
                assert (code == other) == (np.array(text, "U8") == np.array(its_text, "U8"))


@given(NOTES, st.data())
def test_mixed_rows_know_the_contents_of_both_sides(texts, data):
    ours = notes(texts)
    theirs = notes(data.draw(st.permutations(texts)))
    present = np.array(data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))))
    mixed = ours.mix(np.column_stack([present, present]), theirs)
    for row, mine in enumerate(present):
        source, column = (ours if mine else theirs).column(1), mixed.column(1)
        if np.isnan(source.codes[row]):
            assert np.isnan(column.codes[row])
        else:
            assert column.take([row]).contents()[0] == source.take([row]).contents()[0]


def test_missing_is_the_same_as_missing_and_one_row_goes_with_all():
    rows = Rows.of(np.array([[1.0, np.nan], [2.0, 3.0]]))
    np.testing.assert_array_equal(rows.differs(rows.take(0)), [[False, False], [True, True]])


def test_rows_are_kept_with_no_content_but_their_own(tmp_path):
    rows = notes(["one", "two", None, "one"])
    rows.take([0, 2, 3]).save(tmp_path, "background")
    again = Rows.load(tmp_path, "background")
    np.testing.assert_array_equal(again.codes, rows.codes[[0, 2, 3]])
    assert again.payloads[1].contents.tolist() == ["one"]
    Rows(np.zeros((2, 2))).save(tmp_path, "others")
    assert not Rows.load(tmp_path, "others").payloads
    assert not (tmp_path / "others.payloads.npz").exists()


def test_columns_and_stacked_rows_keep_their_contents():
    rows = stack([notes(["one"]), notes(["two", "one"])])
    assert rows.columns(np.array([1])).column(0).contents().tolist() == ["one", "two", "one"]
    with pytest.raises(ValueError, match="no content"):
        notes(["one"]).with_codes(rows.codes).column(1).contents()


def test_objects_are_no_contents():
    with pytest.raises(ValueError, match="numbers or of text"):
        Payload.of(np.array([{"a": 1}], dtype=object))
