"""Ask for the settings of a training run, with defaults that need no change."""

from __future__ import annotations

from typing import Any

import streamlit as st

from medcore.i18n import N_, _
from medcore.models.contract.candidate import AUTO, by_epochs, hint, offered
from medcore.models.contract.settings import ACTIVATIONS, EFFORTS, OPTIMIZERS, TrainSettings, layers_of
from medcore.ui.kit.inputs import choice
from medcore.ui.kit.text import markup
from medcore.ui.kit.words import model_name
from medcore.ui.train.search import ask_search

EFFORT_WORDS = {"quick": N_("Quick"), "thorough": N_("Thorough")}
ACTIVATION_WORDS = {"relu": "ReLU", "sigmoid": "Sigmoid", "tanh": "tanh", "gelu": "GELU", "selu": "SELU"}
OPTIMIZER_WORDS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}


def ask_settings() -> TrainSettings:
    """Draw the questions and return the settings.

    Raises:
        SettingsError: an answer is outside what can work; the message names it.

    """
    model = choice(_("Model"), offered(), key="train.model", show=model_name)
    st.html(f'<p class="mc-caption">{markup(_(hint(model)))}</p>')
    answers: dict[str, Any] = {"model": model}
    if model == AUTO:
        answers["effort"] = choice(
            _("Effort"),
            EFFORTS,
            key="train.effort",
            show=lambda effort: _(EFFORT_WORDS[effort]),
            help=_(
                "Quick takes seconds to a few minutes; thorough trains more and larger models for several times as long."
            ),
        )
    answers["search_minutes"] = ask_search(model)
    with st.expander(_("Settings"), icon=":material/tune:", key="train.settings"):
        if by_epochs(model):
            answers |= _network_settings()
        answers["seed"] = _whole(
            _("Random seed"),
            "train.seed",
            0,
            2**32 - 1,
            TrainSettings().seed,
            _("The same seed, table and settings give the same numbers."),
        )
    return TrainSettings(**answers)


def _network_settings() -> dict[str, Any]:
    usual = TrainSettings()
    left, right = st.columns(2)
    with left:
        layers = st.text_input(
            _("Layers (units, from first to last)"),
            ", ".join(map(str, usual.layers)),
            key="train.layers",
            persist_state="session",
            help=_("How many units each hidden layer has, for example 128, 64, 32."),
        )
        epochs = _whole(
            _("Epochs"),
            "train.epochs",
            1,
            100_000,
            usual.epochs,
            _("How often the network sees every training patient."),
        )
        batch_size = _whole(
            _("Batch size"),
            "train.batch_size",
            1,
            1_000_000,
            usual.batch_size,
            _("How many patients the network sees between two corrections."),
        )
        learning_rate = st.number_input(
            _("Learning rate"),
            1e-8,
            10.0,
            usual.learning_rate,
            step=1e-4,
            format="%.5f",
            key="train.learning_rate",
            persist_state="session",
            help=_("The size of each correction; too large diverges, too small takes long."),
        )
        activation = st.selectbox(
            _("Activation"),
            ACTIVATIONS,
            format_func=ACTIVATION_WORDS.__getitem__,
            key="train.activation",
            persist_state="session",
            help=_("The bend in each unit that lets layers learn curves."),
        )
    with right:
        optimizer = st.selectbox(
            _("Optimiser"),
            OPTIMIZERS,
            format_func=OPTIMIZER_WORDS.__getitem__,
            key="train.optimizer",
            persist_state="session",
            help=_("How corrections are made from errors."),
        )
        dropout = _share(
            _("Dropout"),
            "train.dropout",
            0.9,
            usual.dropout,
            _("The share of units silenced at each step, against overfitting."),
        )
        validation = _share(
            _("Validation share"),
            "train.validation",
            0.5,
            usual.validation_share,
            _("The share of the training patients set aside to watch the learning; never the locked test set."),
        )
        patience = _whole(
            _("Early stopping (epochs without progress; 0 is off)"),
            "train.early_stopping",
            0,
            100_000,
            usual.early_stopping,
            _("Stop, and go back to the best epoch, when the validation loss has not fallen for this many epochs."),
        )
        n_seeds = _whole(
            _("Networks in each fold"),
            "train.n_seeds",
            1,
            50,
            usual.n_seeds,
            _("Several networks from different starts are averaged, and show how stable each patient's risk is."),
        )
    return {
        "layers": layers_of(layers),
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "activation": activation,
        "optimizer": optimizer,
        "dropout": dropout,
        "validation_share": validation,
        "early_stopping": patience,
        "n_seeds": n_seeds,
    }


def _whole(label: str, key: str, low: int, high: int, usual: int, tip: str) -> int:
    return int(st.number_input(label, low, high, usual, step=1, key=key, help=tip, persist_state="session"))


def _share(label: str, key: str, high: float, usual: float, tip: str) -> float:
    return float(st.slider(label, 0.0, high, usual, step=0.05, key=key, help=tip, persist_state="session"))
