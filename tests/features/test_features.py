import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from medcore.errors import MissingColumnsError
from medcore.features import MIN_CATEGORY_ROWS, UNSEEN, CodeBook, FeatureMaker, Layout

KINDS = {"age": "numeric", "sex": "category", "pain": "category", "flat": "numeric"}


def ward(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    pain = np.array(["none"] * (n // 2) + ["mild"] * (n // 3) + ["severe"] * (n - n // 2 - n // 3), dtype=object)
    table = pd.DataFrame(
        {
            "age": rng.normal(60, 10, n),
            "sex": np.where(np.arange(n) % 3 == 0, "f", "m").astype(object),
            "pain": pain,
            "flat": np.full(n, 7.0),
        }
    )
    table.loc[0:4, "age"] = np.nan
    table.loc[5:9, "sex"] = None
    return table


def test_categories_are_numbered_by_falling_frequency():
    book = CodeBook.fit(ward(), KINDS)
    assert book.categories[2] == ("none", "mild", "severe")
    assert book.n_categories == (0, 2, 3, 0)


def test_missing_is_nan_and_unseen_is_minus_one():
    book = CodeBook.fit(ward(), KINDS)
    new = pd.DataFrame({"flat": [1.0], "pain": ["torture"], "sex": [None], "age": [np.nan], "more": [1]})
    codes = book.transform(new).codes
    assert codes.shape == (1, 4)
    assert np.isnan(codes[0, 0])
    assert np.isnan(codes[0, 1])
    assert codes[0, 2] == UNSEEN


def test_a_rare_category_is_not_kept():
    table = ward()
    table.loc[: MIN_CATEGORY_ROWS - 2, "pain"] = "unique story of one patient"
    book = CodeBook.fit(table, KINDS)
    assert "unique story of one patient" not in json.dumps(book.to_dict())
    assert (book.transform(table).codes[: MIN_CATEGORY_ROWS - 1, 2] == UNSEEN).all()


def test_a_lacking_predictor_is_named():
    with pytest.raises(MissingColumnsError, match="pain"):
        CodeBook.fit(ward(), KINDS).transform(ward().drop(columns="pain"))


def test_a_code_book_survives_json():
    book = CodeBook.fit(ward(), KINDS)
    again = CodeBook.from_dict(json.loads(json.dumps(book.to_dict())))
    np.testing.assert_array_equal(again.transform(ward()), book.transform(ward()))
    assert again.categories == book.categories


def test_infinite_values_count_as_missing():
    table = ward()
    table.loc[10, "age"] = np.inf
    assert np.isnan(CodeBook.fit(table, KINDS).transform(table).codes[10, 0])


def test_numeric_columns_are_scaled_like_scikit_learn_after_median_filling():
    codes = CodeBook.fit(ward(), KINDS).transform(ward()).codes
    matrix = FeatureMaker(tuple(KINDS.values())).fit_transform(codes)
    filled = pd.Series(codes[:, 0]).fillna(pd.Series(codes[:, 0]).median()).to_numpy()[:, None]
    np.testing.assert_allclose(matrix[:, 0], StandardScaler().fit_transform(filled)[:, 0], atol=1e-5)


def test_blocks_cover_every_column_once_and_a_constant_has_none():
    codes = CodeBook.fit(ward(), KINDS).transform(ward()).codes
    maker = FeatureMaker(tuple(KINDS.values())).fit(codes)
    assert [b.stop - b.start for b in maker.blocks_] == [2, 3, 3, 0]
    assert [i for b in maker.blocks_ for i in range(b.start, b.stop)] == list(range(maker.n_columns_))
    names = maker.get_feature_names_out(list(KINDS))
    assert list(names[:2]) == ["age", "age (missing)"]
    assert len(names) == maker.n_columns_


def test_nothing_is_estimated_from_rows_that_were_not_fitted():
    codes = CodeBook.fit(ward(), KINDS).transform(ward()).codes
    layout = Layout.of(codes, tuple(KINDS.values()))
    changed = codes.copy()
    changed[40:, 0] = 1e6
    first = FeatureMaker(tuple(KINDS.values())).fit(codes[:40], layout=layout).transform(codes[:40])
    second = FeatureMaker(tuple(KINDS.values())).fit(changed[:40], layout=layout).transform(changed[:40])
    np.testing.assert_array_equal(first, second)


def test_folds_of_one_layout_have_matrices_of_one_shape():
    codes = CodeBook.fit(ward(), KINDS).transform(ward()).codes
    layout = Layout.of(codes, tuple(KINDS.values()))
    widths = {
        FeatureMaker(tuple(KINDS.values())).fit(codes[a:b], layout=layout).n_columns_ for a, b in [(0, 30), (30, 60)]
    }
    assert len(widths) == 1


def test_a_maker_survives_json_and_cloning():
    codes = CodeBook.fit(ward(), KINDS).transform(ward()).codes
    maker = FeatureMaker(tuple(KINDS.values()), scaling="robust").fit(codes)
    again = FeatureMaker.from_dict(json.loads(json.dumps(maker.to_dict())))
    np.testing.assert_array_equal(again.transform(codes), maker.transform(codes))
    assert clone(maker).get_params() == maker.get_params()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-1e12, 1e12)), st.one_of(st.none(), st.sampled_from(["a", "b", "ö", ""]))
        ),
        min_size=1,
        max_size=40,
    )
)
def test_any_table_becomes_a_finite_matrix(rows):
    table = pd.DataFrame(
        {"x": pd.Series([r[0] for r in rows], dtype=float), "c": pd.Series([r[1] for r in rows], dtype=object)}
    )
    codes = CodeBook.fit(table, {"x": "numeric", "c": "category"}).transform(table).codes
    maker = FeatureMaker(("numeric", "category")).fit(codes)
    assert np.isfinite(maker.transform(codes)).all()
    assert np.isfinite(maker.transform(np.array([[np.nan, UNSEEN], [np.nan, np.nan]]))).all()
