"""Ask for the settings of a training run, with defaults that need no change."""

from __future__ import annotations

from typing import Any

import streamlit as st

from medcore.data.cohort import Schema
from medcore.i18n import _
from medcore.models.contract.candidate import hint, offered
from medcore.models.contract.checks import check_installed
from medcore.models.contract.setting_field import FIELDS, asked_for
from medcore.models.contract.settings import TrainSettings, layers_of
from medcore.targets import EventTime, Number
from medcore.ui.kit.shown.inputs import choice
from medcore.ui.kit.text import markup
from medcore.ui.kit.words import model_name
from medcore.ui.train.search import ask_search


def ask_settings(schema: Schema) -> TrainSettings:
    """Draw the questions and return the settings, for models that suit the outcome and what is read of a patient.

    Raises:
        SettingsError: an answer is outside what can work, or the model needs a package that is not installed; the message names it.

    """
    target, read = schema.target, schema.predictors
    over_time, notes = any(c.over_time for c in read), any(c.kind == "note" for c in read)
    model = choice(_("Model"), offered(target, over_time=over_time, notes=notes), key="train.model", show=model_name)
    st.html(f'<p class="mc-caption">{markup(_(hint(model)))}</p>')
    check_installed(model)
    answers: dict[str, Any] = {"model": model}
    asked = asked_for(model)
    if "effort" in asked:
        field = FIELDS["effort"]
        words = field.choices or {}
        answers["effort"] = choice(
            _(field.label),
            tuple(words),
            key="train.effort",
            show=lambda effort: _(words[effort]),
            help=_(field.help),
        )
    if not isinstance(target, EventTime | Number):
        answers["search_minutes"] = ask_search(model)
    with st.expander(_("Settings"), icon=":material/tune:", key="train.settings"):
        names = [name for name in asked if name != "effort"]
        half = -(-len(names) // 2)
        for column, some in zip(st.columns(2) if names else (), (names[:half], names[half:]), strict=False):
            with column:
                answers |= {name: _ask(name) for name in some}
        answers["seed"] = _ask("seed")
    return TrainSettings(**answers)


def _ask(name: str) -> Any:
    """Ask for one setting, as its field says; the usual value is there already."""
    field, usual = FIELDS[name], getattr(TrainSettings(), name)
    kept: dict[str, Any] = {"key": f"train.{name}", "help": _(field.help), "persist_state": "session"}
    if field.shown == "layers":
        return layers_of(st.text_input(_(field.label), ", ".join(map(str, usual)), **kept))
    if field.shown == "choice":
        words = field.choices or {}
        return st.selectbox(_(field.label), tuple(words), format_func=lambda value: _(words[value]), **kept)
    if field.shown == "share":
        return float(st.slider(_(field.label), *field.limits, usual, step=field.step, **kept))
    kept |= {"step": 1} if field.whole else {"step": field.step, "format": "%.5f"}
    return st.number_input(_(field.label), *field.limits, usual, **kept)
