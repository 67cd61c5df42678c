"""A patient's measurements over time, where they were kept with the study."""

from __future__ import annotations

import streamlit as st

from medcore.charts.patients.series import side_by_side
from medcore.data.reading.long.measured import PatientSeries, measured_of
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import cohort, once
from medcore.ui.kit.shown.figures import figure


def measured_lines(study: StudyRecord, row: int, *, who: str, key: str) -> bool:
    """Draw the measurements of the patient in a row (from 0) of a study's table; say whether there are any."""
    found: tuple[PatientSeries, ...] = once(lambda: measured_of(cohort(study), row), "measured", study.identity, row)
    if found:
        drawn = side_by_side(found, who=who)
        for number, (place, chart) in enumerate(zip(st.columns(len(drawn)), drawn, strict=True)):
            with place:
                figure(chart, key=f"{key}.{number}" if number else key)
    return bool(found)
