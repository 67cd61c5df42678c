"""How much memory networks take, said before they are made: a process that runs out is ended without a word."""

from __future__ import annotations

import math
from collections.abc import Sequence

import psutil
from dask.utils import parse_bytes

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.models.network.parts import WeightSpec
from medcore.settings import Settings

_COPIES = 8
"""Weights, two moments, slope, best weights, and what a step and its hand-over hold besides."""


def check_memory(parts: Sequence[WeightSpec], n_members: int) -> None:
    """Refuse networks whose numbers do not fit.

    Raises:
        SettingsError: they take more than is free, or than a worker may use.

    """
    needed = 4 * _COPIES * n_members * sum(math.prod(part.shape) for part in parts)
    free = min(psutil.virtual_memory().available, parse_bytes(Settings.from_env().worker_memory))
    if needed > free:
        raise SettingsError(
            N_(
                "The networks of these layers take about {needed} GB of memory together, and {free} GB may be used. "
                "Choose fewer or smaller layers, for example 128, 64, 32, or set MEDCORE_WORKER_MEMORY higher if there is more."
            ),
            needed=f"{needed / 1e9:.1f}",
            free=f"{free / 1e9:.1f}",
        )
