"""With how many decimals a quantity is measured, as its values say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MOST_DECIMALS, LOOKED_AT = 3, 10_000
SHARE = 0.95


def usual_decimals(values: npt.NDArray[np.float64]) -> int:
    """With how many decimals nearly all of the numbers were measured, NaN for none; at most :data:`MOST_DECIMALS`.

    >>> usual_decimals(np.array([88.4, 91.0, np.nan])), usual_decimals(np.array([3.0])), usual_decimals(np.array([]))
    (1, 0, 0)
    """
    known = values[~np.isnan(values)][:LOOKED_AT]
    near = (
        bool(np.isclose(np.quantile(np.abs(known - known.round(d)), SHARE), 0, atol=1e-9)) for d in range(MOST_DECIMALS)
    )
    return next((d for d, is_so in enumerate(near) if is_so), MOST_DECIMALS) if len(known) else 0
