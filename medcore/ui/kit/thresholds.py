"""The threshold in force: one for a run's outcome on every page, in reports and records."""

from __future__ import annotations

import re

import streamlit as st

from medcore.evaluation.curves.thresholds import choose_threshold
from medcore.models.run.number.results import NumberResults
from medcore.models.run.results import Results
from medcore.models.run.timed.results import TimedResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.targets import EventTime, Target
from medcore.ui.kit import links
from medcore.ui.kit.cache import once
from medcore.ui.kit.state import state

LOWEST, HIGHEST = 0.001, 0.999


def threshold_key(run_id: str, class_index: int, target: Target) -> str:
    """By what the session remembers a threshold: the run, the class where there are more than two, the horizon if any."""
    if isinstance(target, EventTime):
        return f"{run_id}.{target.main:g}"
    return f"{run_id}.{class_index}" if target.event is None else run_id


def threshold_of(
    study: StudyRecord, run: RunRecord, results: Results | TimedResults | NumberResults, class_index: int
) -> float:
    """Return the risk from which a patient counts as positive.

    It is the one set in this session, else the one kept for the study, else the
    model's own; of more than two classes Youden's on the training patients. Of a number it is
    the one set in this session, else the mean of the training patients.
    """
    key = threshold_key(run.id, class_index, results.target)
    of_number = isinstance(results, NumberResults)
    _take_up(key, of_number=of_number)
    kept = state().thresholds.get(key)
    if kept is not None:
        remember(key, kept, of_number=of_number)
        return kept
    if isinstance(results, NumberResults):
        return threshold_of_mean(results)
    if isinstance(results, Results) and results.target.event is None:
        return once(lambda: _youden(results, class_index), "threshold", run.id, class_index)
    choice = study.choice
    if choice is not None and choice.run_id == run.id and choice.threshold is not None and about_the_run(results):
        return choice.threshold
    return float(results.manifest.get("threshold") or 0.5)


def threshold_of_mean(results: NumberResults) -> float:
    """Return the mean of the training patients, in three figures."""
    return float(f"{results.cross_validated.mean:.3g}")


def about_the_run(results: Results | TimedResults) -> bool:
    """Whether risks are about the horizon that the run was trained for, of which the kept threshold is."""
    follow_up = (results.manifest.get("schema") or {}).get("follow_up") or {}
    return not isinstance(results.target, EventTime) or results.target.main == follow_up.get("main")


def keep_threshold(run: RunRecord, results: NumberResults, threshold: float) -> None:
    """Keep the threshold set for a predicted number, for the session."""
    if threshold != threshold_of_mean(results) or threshold_key(run.id, 0, results.target) in state().thresholds:
        remember(threshold_key(run.id, 0, results.target), threshold, of_number=True)


def remember(key: str, threshold: float, *, of_number: bool = False) -> None:
    """Let the session read a run at a threshold, and the address say so."""
    state().thresholds[key] = threshold
    links.keep("threshold", f"{threshold:g}" if of_number else f"{100 * threshold:.1f}", threshold)


def _take_up(key: str, *, of_number: bool = False) -> None:
    """Take a threshold, in per cent or as a number, from the address."""
    said = links.asked("threshold", state().thresholds.get(key))
    if of_number:
        if said and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", said):
            state().thresholds[key] = float(said)
    elif said and said.replace(".", "", 1).isdecimal() and LOWEST <= float(said) / 100 <= HIGHEST:
        state().thresholds[key] = round(float(said) / 100, 3)
        slider = f"evaluate.threshold.{key}"
        if slider in st.session_state:
            st.session_state[slider] = round(float(said), 1)


def _youden(results: Results, class_index: int) -> float:
    training = results.training
    split = results.target.split(class_index, training.outcome, training.risk)
    return choose_threshold(*split, "youden").threshold
