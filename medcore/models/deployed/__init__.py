"""A frozen bundle meets new patients: judged, compared, recalibrated, kept as a version."""
