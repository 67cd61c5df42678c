"""Notes: free text as one column. A code is the key of the note's word counts, never of its sentences."""

from __future__ import annotations

from medcore.features.text.kind import NOTE as NOTE
