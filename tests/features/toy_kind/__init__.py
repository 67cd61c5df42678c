"""A toy kind of column, "120/80": a blood pressure as one player with two numbers; all there is of it is this folder."""

from tests.features.toy_kind.kind import PRESSURE as PRESSURE
