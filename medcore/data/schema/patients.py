"""Who is the same patient: from an identifying column, or from part of its text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

# The record's own counter at the end of a name, after a separator: S01_1, A-17 (2), 张三/3
COUNTER = r"^(?P<patient>.+?)[\s_\-./#:(（]+(?P<record>\d{1,4})[)）]?$"
# A stem shared by very many records is a study or a site rather than a patient,
# and a handful of stems are groups rather than patients.
MOST_RECORDS_OF_A_PATIENT = 12
FEWEST_PATIENTS = 10


def patient_codes(values: pd.Series, *, use_part: bool = True) -> npt.NDArray[np.int64]:
    """Give the patients numbers 0, 1, … in order of appearance.

    A row without an identifier is a patient of its own. With ``use_part`` the
    part of the name before a counter is the patient where :func:`patient_part`
    finds one.
    """
    part = patient_part(values) if use_part else None
    codes, uniques = pd.factorize(values if part is None else part)
    codes = codes.astype(np.int64)
    missing = codes < 0
    codes[missing] = len(uniques) + np.arange(int(missing.sum()))
    return codes


def patient_part(values: pd.Series) -> pd.Series | None:
    """Find the patient inside names such as ``phon_R01_S01_1``; None where there is none.

    That is the case when no name comes twice, nearly all end in a counter after
    a separator, and the parts before it come a few times each.

    >>> names = pd.Series([f"S{i:02d}_{j}" for i in range(12) for j in (1, 2, 3)])
    >>> patient_part(names).nunique()
    12
    >>> patient_part(pd.Series([f"ID-{i}" for i in range(100)])) is None
    True
    """
    names = values.dropna().astype(str).str.strip()
    if len(names) < 2 * FEWEST_PATIENTS or names.duplicated().any():
        return None
    parts = names.str.extract(COUNTER)["patient"]
    if parts.isna().mean() > 0.02:
        return None
    sizes = parts.value_counts()
    if len(sizes) < FEWEST_PATIENTS or not 2 <= sizes.median() <= MOST_RECORDS_OF_A_PATIENT:
        return None
    found: pd.Series = parts.where(parts.notna(), names).reindex(values.index)
    return found
