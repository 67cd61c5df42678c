"""The threshold in force: one for a run's outcome on every page, in reports and records."""

from __future__ import annotations

import streamlit as st

from medcore.evaluation.curves.thresholds import choose_threshold
from medcore.models.run.results import Results
from medcore.studies.records import RunRecord, StudyRecord
from medcore.targets import Target
from medcore.ui.kit import links
from medcore.ui.kit.cache import once
from medcore.ui.kit.state import state

LOWEST, HIGHEST = 0.001, 0.999


def threshold_key(run_id: str, class_index: int, target: Target) -> str:
    """By what the session remembers a threshold: the run, and the class where there are more than two."""
    return f"{run_id}.{class_index}" if target.event is None else run_id


def threshold_of(study: StudyRecord, run: RunRecord, results: Results, class_index: int) -> float:
    """Return the risk from which a patient counts as positive.

    It is the one set in this session, else the one kept for the study, else the
    model's own; of more than two classes Youden's on the training patients.
    """
    key = threshold_key(run.id, class_index, results.target)
    _take_up(key)
    kept = state().thresholds.get(key)
    if kept is not None:
        remember(key, kept)
        return kept
    if results.target.event is None:
        return once(lambda: _youden(results, class_index), "threshold", run.id, class_index)
    choice = study.choice
    if choice is not None and choice.run_id == run.id and choice.threshold is not None:
        return choice.threshold
    return float(results.manifest.get("threshold") or 0.5)


def remember(key: str, threshold: float) -> None:
    """Let the session read a run at a threshold, and the address say so."""
    state().thresholds[key] = threshold
    links.keep("threshold", f"{100 * threshold:.1f}", threshold)


def _take_up(key: str) -> None:
    """Take a threshold, in per cent, from the address."""
    said = links.asked("threshold", state().thresholds.get(key))
    if said and said.replace(".", "", 1).isdecimal() and LOWEST <= float(said) / 100 <= HIGHEST:
        state().thresholds[key] = round(float(said) / 100, 3)
        slider = f"evaluate.threshold.{key}"
        if slider in st.session_state:
            st.session_state[slider] = round(float(said), 1)


def _youden(results: Results, class_index: int) -> float:
    training = results.training
    split = results.target.split(class_index, training.outcome, training.risk)
    return choose_threshold(*split, "youden").threshold
