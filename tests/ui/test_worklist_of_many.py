"""A list of very many patients: looked through for what was typed, and cautions that tell patients apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medcore.data.shown import Shown
from medcore.ui.patient.choice import in_words
from medcore.ui.patient.many.listing import Listing
from medcore.ui.patient.many.opening import looked_up


@pytest.fixture
def listing() -> Listing:
    names = pd.DataFrame({"patient": ["A-9", "7", "B-1", "B-1"]})
    rows = np.arange(4)
    return Listing(identity="x", frame=names, names=names, rows=rows, lines=rows + 2, risk=np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("typed", "place"), [("Row 4", 2), ("3", 1), ("A-9", 0), (" A-9 ", 0), ("7", 1), ("B-1", None), ("nobody", None)]
)
def test_a_row_or_an_identifier_opens_the_one_patient_who_has_it(listing, typed, place) -> None:
    assert looked_up(listing, typed) == place


def test_a_value_that_most_training_patients_lacked_is_no_caution() -> None:
    flags = "imputed:weight; imputed:age; unseen_category:weight"
    assert in_words("imputed:weight", Shown, {"weight"}) == ""
    told = in_words(flags, Shown, {"weight"})
    assert "age" in told and told.count("weight") == 1
