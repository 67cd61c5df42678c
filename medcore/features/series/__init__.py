"""Measurements over time: one column a measurement, its results in steps of time; for models that read them in order."""

from __future__ import annotations

from medcore.features.series.encoder import steps_of as steps_of
from medcore.features.series.encoder import told as told
from medcore.features.series.kind import SERIES as SERIES
