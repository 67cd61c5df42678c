"""Numbers: measurements, and dates counted from another date. A code is the number itself."""

from __future__ import annotations

from medcore.features.numeric.kind import NUMERIC as NUMERIC
