"""Commands that look at a table and learn from it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcore import commands
from medcore.commands.options import (
    OWN_OPTIONS,
    asked,
    how_of,
    number_options,
    order_of,
    outcome_options,
    reading_options,
    time_options,
)
from medcore.commands.parsers.common import command_in
from medcore.i18n import _

if TYPE_CHECKING:
    from medcore.data.splitting.split import SplitKind


def profile(group: Any) -> None:
    """Say what a table holds."""
    command = command_in(
        group,
        "profile",
        lambda o: commands.profile(
            o.data,
            target=o.target,
            positive=o.positive,
            order=order_of(o),
            how=how_of(o),
            classes=o.outcome == "classes",
            asked=asked(o),
        ),
        _("Say what a table holds and what is wrong with it."),
    )
    command.add_argument("data", type=Path, metavar="DATA")
    command.add_argument("--target", metavar="COL", help=_("the column to predict"))
    outcome_options(command)
    time_options(command)
    number_options(command)
    reading_options(command, columns=True)


def train(group: Any) -> None:
    """Train a model."""
    text = _("Train a model and judge it by cross-validation and a locked test set.")
    command_in(group, "train", _run_train, text, options=_train_options)


def _train_options(command: argparse.ArgumentParser) -> None:
    """Add the options of a training, which tell of every model and every setting."""
    from medcore.models.contract.candidate import every_model, hint
    from medcore.models.contract.setting_field import FIELDS
    from medcore.models.contract.titles import title

    command.add_argument("data", type=Path, metavar="DATA")
    command.add_argument("--target", required=True, metavar="COL", help=_("the column to predict"))
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help=_("the folder for the bundle"))
    outcome_options(command)
    time_options(command)
    number_options(command)
    _predictor_options(command)
    reading_options(command, columns=True)
    _patient_options(command)
    _training_options(command)
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = "\n".join(
        (
            *(f"--model {model}: {title(model)}. {_(hint(model))}" for model in every_model()),
            *(f"--set {field.words(name)}" for name, field in FIELDS.items() if name not in OWN_OPTIONS),
        )
    )


def _predictor_options(command: argparse.ArgumentParser) -> None:
    """Add what says which columns are predictors."""
    command.add_argument(
        "--drop", action="append", default=[], metavar="A,B", help=_("columns that must not be predictors")
    )
    command.add_argument(
        "--split-column",
        action="append",
        default=[],
        metavar="COL",
        help=_(
            "a column of several measurements a cell, such as 120/80 or E4V5M6, to be read as a column for each; may be given again"
        ),
    )


def _patient_options(command: argparse.ArgumentParser) -> None:
    """Add the columns by which patients are kept on one side of the split."""
    command.add_argument("--group", metavar="COL", help=_("the patient; one patient never straddles the split"))
    command.add_argument("--time", metavar="COL", help=_("a date; the latest patients become the test set"))
    command.add_argument("--site", metavar="COL", help=_("the hospital; whole sites become folds and the test set"))


def _training_options(command: argparse.ArgumentParser) -> None:
    """Add what is trained, on how many patients, how long and how thoroughly."""
    from medcore.models.contract.candidate import AUTO, every_model
    from medcore.models.contract.setting_field import FIELDS

    command.add_argument("--model", choices=every_model(), default=AUTO)
    command.add_argument(
        "--test-size", type=float, default=0.2, metavar="F", help=_("share of patients locked away; 0 trains on all")
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="N", help=_("the seed of the split and of the training")
    )
    command.add_argument("--folds", type=int, default=5, metavar="N", help=_("parts of the cross-validation"))
    epochs = FIELDS["epochs"]
    command.add_argument("--epochs", type=int, default=None, metavar="N", help=_(epochs.help))
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=_("any other setting, for example learning_rate=0.001 or layers=64,32; may be given again"),
    )
    command.add_argument(
        "--search",
        type=float,
        default=None,
        metavar="MINUTES",
        help=_("search for better settings for so many minutes"),
    )
    command.add_argument(
        "--stability",
        type=int,
        default=0,
        metavar="N",
        help=_(
            "repeat the modelling on N bootstrap samples: how stable what is predicted is, and figures corrected for optimism"
        ),
    )
    command.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help=_("write the learning curves as TensorBoard logs")
    )


def _run_train(options: argparse.Namespace) -> commands.Result:
    from medcore.data.splitting.split import SplitSettings

    kind: SplitKind = "time" if options.time else "site" if options.site else "random"
    return commands.train(
        options.data,
        target=options.target,
        out=options.out,
        positive=options.positive,
        order=order_of(options),
        how=how_of(options),
        classes=options.outcome == "classes",
        split_columns=options.split_column,
        drop=options.drop,
        roles={role: getattr(options, role) for role in ("group", "time", "site") if getattr(options, role)},
        settings=commands.train_settings(
            model=options.model,
            seed=options.seed,
            epochs=options.epochs,
            search_minutes=options.search,
            others=options.set,
        ),
        split=SplitSettings(kind=kind, test_size=options.test_size, n_folds=options.folds, seed=options.seed),
        tensorboard=options.tensorboard,
        n_refits=options.stability,
        asked=asked(options),
    )
