"""The column of a table that says for how many patients each row stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medcore.data.cohort import Cohort
from medcore.data.values.typed import typed
from medcore.errors import InputError, MissingColumnsError
from medcore.i18n import N_

_UNUSABLE = N_(
    "The weights in {column} must be numbers of 0 or more, one in every row; {n} row(s) hold none, the first of them "
    "row {row}, counted from 0. Mend these rows, or give 0 to patients who should not count."
)
_ALL_ZERO = N_("The weights in {column} are all 0, so that no patient counts. Choose another column.")


def read_weights(
    cohort: Cohort, column: str, *, rows: Sequence[int] | npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Read the weights of these rows of a table, in their order.

    Raises MissingColumnsError when there is no such column, InputError when a weight
    is missing, negative or not a number, or when all are 0.
    """
    known = {c.name: c for c in cohort.schema.columns}
    if column not in known:
        raise MissingColumnsError.between(wanted=[column], got=cohort.schema.names, table=cohort.name)
    as_number = replace(known[column], kind="numeric", role="predictor", missing_codes=(), levels=())
    values = typed(cohort.frame[[column]], replace(cohort.schema, columns=(as_number,)))
    weights = values[column].to_numpy(dtype=np.float64)[rows]
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise InputError(_UNUSABLE, column=column, n=len(bad), row=int(rows[bad[0]]))
    if not weights.any():
        raise InputError(_ALL_ZERO, column=column)
    return weights
