"""The same work from a shell: ``python -m medcore COMMAND``.

Results go to standard output (with ``--json`` exactly one JSON object), progress
and logs to standard error. The exit code is 0 when done, 2 when the input is at
fault, 1 when medcore is.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from medcore import commands
from medcore.commands.options import (
    asked,
    how_of,
    number_options,
    order_of,
    outcome_options,
    reading_options,
    time_options,
)
from medcore.data.splitting.split import SplitKind, SplitSettings
from medcore.errors import InputError, MedcoreError
from medcore.i18n import _, best_language, use_language
from medcore.models.contract.candidate import AUTO, every_model, hint
from medcore.models.contract.setting_field import FIELDS
from medcore.models.contract.settings import STRENGTHS
from medcore.models.contract.titles import title
from medcore.settings import check_names
from medcore.studies.people.roles import SHARES

logger = logging.getLogger("medcore")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    use_language(best_language(os.environ.get("LC_ALL") or os.environ.get("LANG")))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    options = parser().parse_args(arguments)
    try:
        check_names(os.environ)
        result = options.run(options)
        if result is not None:
            sys.stdout.write(result.as_json() if options.json else result.as_text())
            sys.stdout.write("\n")
            return int(result.code)
    except InputError as error:
        return _fail(str(error), 2)
    except MedcoreError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail(_("Stopped."), 1)
    except BrokenPipeError:
        return 1
    except Exception as error:
        logger.debug("Unexpected error", exc_info=True)
        return _fail(
            _(
                "medcore failed ({kind}). Nothing was changed. Set MEDCORE_DEBUG=1 for details.",
                kind=type(error).__name__,
            ),
            1,
        )
    return 0


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    top = argparse.ArgumentParser(prog="medcore", description=_("Clinical risk models that say how far to trust them."))
    commands_ = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _profile(commands_)
    _train(commands_)
    _evaluate(commands_)
    _predict(commands_)
    _explain(commands_)
    _model(commands_)
    _reproduce(commands_)
    _studies(commands_)
    _app(commands_)
    _audit(commands_)
    _upkeep(commands_)
    return top


def _fail(message: str, code: int) -> int:
    if os.environ.get("MEDCORE_DEBUG"):
        logger.exception(message)
    else:
        sys.stderr.write(f"medcore: {message}\n")
    return code


def _command(group: Any, name: str, run: Callable[..., Any], text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = group.add_parser(name, help=text, description=text, allow_abbrev=False)
    command.add_argument("--json", action="store_true", help=_("print one JSON object"))
    command.set_defaults(run=run)
    return command


def _profile(group: Any) -> None:
    command = _command(
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


def _train(group: Any) -> None:
    command = _command(
        group, "train", _run_train, _("Train a model and judge it by cross-validation and a locked test set.")
    )
    command.add_argument("data", type=Path, metavar="DATA")
    command.add_argument("--target", required=True, metavar="COL", help=_("the column to predict"))
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help=_("the folder for the bundle"))
    outcome_options(command)
    time_options(command)
    number_options(command)
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
    reading_options(command, columns=True)
    command.add_argument("--group", metavar="COL", help=_("the patient; one patient never straddles the split"))
    command.add_argument("--time", metavar="COL", help=_("a date; the latest patients become the test set"))
    command.add_argument("--site", metavar="COL", help=_("the hospital; whole sites become folds and the test set"))
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
            "repeat the modelling on N bootstrap samples: how stable the risks are, and figures corrected for optimism"
        ),
    )
    command.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help=_("write the learning curves as TensorBoard logs")
    )
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = "\n".join(
        (
            *(f"--model {model}: {title(model)}. {_(hint(model))}" for model in every_model()),
            *(f"--set {field.words(name)}" for name, field in FIELDS.items() if name not in commands.OWN_OPTIONS),
        )
    )


def _run_train(options: argparse.Namespace) -> commands.Result:
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


def _evaluate(group: Any) -> None:
    command = _command(
        group,
        "evaluate",
        lambda o: commands.evaluate(
            o.bundle,
            o.data,
            target=o.target,
            threshold=o.threshold,
            report=o.report,
            recalibrate=commands.Recalibrate.of(o.recalibrate, o.out),
            mapping=o.map,
            weight=o.weight,
            levels=o.map_level,
            new_levels=[name for part in o.new_levels for name in _names(part)],
            asked=asked(o),
        ),
        _("Judge a frozen model on new patients."),
    )
    _model_and_table(command)
    command.add_argument("--target", metavar="COL", help=_("the outcome's column, if it has another name here"))
    command.add_argument(
        "--threshold", type=float, metavar="P", help=_("the risk from which a patient counts as positive")
    )
    command.add_argument(
        "--weight", metavar="COL", help=_("the column that says for how many patients each row stands")
    )
    command.add_argument(
        "--new-levels",
        action="append",
        default=[],
        metavar="COL",
        help=_("categories whose values are truly new, unknown to the model"),
    )
    command.add_argument("--report", type=Path, metavar="FILE", help=_("write a report: .html, .pdf or .docx"))
    command.add_argument(
        "--recalibrate", choices=STRENGTHS, help=_("recalibrate to these patients and keep a new version under --out")
    )
    command.add_argument("--out", type=Path, metavar="DIR", help=_("the folder for the recalibrated version"))


def _model_and_table(command: argparse.ArgumentParser) -> None:
    """Take a bundle and a table of new patients, whose columns may have other names."""
    command.add_argument("bundle", type=Path, metavar="BUNDLE")
    command.add_argument("data", type=Path, metavar="DATA")
    command.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="THEIRS=OURS",
        help=_("a column's name in the table, and the name the model knows it by; may be given again"),
    )
    command.add_argument(
        "--map-level",
        action="append",
        default=[],
        metavar="COL:THEIRS=OURS",
        help=_("a category's value in the table, and the value the model knows, for example sex:1=Male"),
    )
    reading_options(command, columns=False)


def _predict(group: Any) -> None:
    command = _command(
        group,
        "predict",
        lambda o: commands.predict(o.bundle, o.data, out=o.out, mapping=o.map, levels=o.map_level, asked=asked(o)),
        _("Write the risk of every patient to a CSV file."),
    )
    _model_and_table(command)
    command.add_argument("--out", required=True, type=Path, metavar="CSV")


def _explain(group: Any) -> None:
    command = _command(
        group,
        "explain",
        _run_explain,
        _("Say why the model gives one patient that risk."),
    )
    _model_and_table(command)
    who = command.add_mutually_exclusive_group(required=True)
    who.add_argument("--row", type=int, metavar="N", help=_("the patient's row, counted from 0"))
    who.add_argument("--all", action="store_true", help=_("every patient of the table, into the file named by --out"))
    command.add_argument("--out", type=Path, metavar="CSV", help=_("where --all writes a line a patient"))
    command.add_argument("--background", type=Path, metavar="CSV", help=_("the patients to compare with"))
    command.add_argument("--class", dest="class_name", metavar="NAME", help=_("the class whose risk is explained"))
    command.add_argument(
        "--horizon",
        metavar="TIME",
        help=_("the time by which the risk is explained, such as 5y, where the model says by when"),
    )


def _run_explain(options: argparse.Namespace) -> commands.Result:
    common = {
        "background": options.background,
        "class_name": options.class_name,
        "horizon": options.horizon,
        "mapping": options.map,
        "levels": options.map_level,
        "asked": asked(options),
    }
    if options.all:
        return commands.explain_all(options.bundle, options.data, out=options.out, **common)
    return commands.explain(options.bundle, options.data, row=options.row, **common)


def _reproduce(group: Any) -> None:
    command = _command(
        group,
        "reproduce",
        lambda o: commands.reproduce(o.bundle, out=o.out),
        _("Write a script that trains a bundle's model again and compares every figure."),
    )
    command.add_argument("bundle", type=Path, metavar="BUNDLE")
    command.add_argument("--out", required=True, type=Path, metavar="SCRIPT")


def _model(group: Any) -> None:
    command = _command(
        group,
        "model",
        lambda o: commands.model(o.bundle, out=o.out),
        _("Write the regression itself as a file that others can compute with."),
    )
    command.add_argument("bundle", type=Path, metavar="BUNDLE")
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FILE",
        help=_("a calculator (.html), PMML (.pmml) or a table (.csv)"),
    )


def _studies(group: Any) -> None:
    command = _command(
        group,
        "export-study",
        lambda o: commands.export_study(o.study, out=o.out),
        _("Write a study of this installation, with its table, runs and models, as one archive."),
    )
    command.add_argument("study", metavar="STUDY", help=_("the study's number or its name"))
    command.add_argument("--out", required=True, type=Path, metavar="ZIP")
    command = _command(
        group,
        "import-study",
        lambda o: commands.import_study(o.archive, name=o.name),
        _("Bring a study in from an archive that export-study wrote."),
    )
    command.add_argument("archive", type=Path, metavar="ZIP")
    command.add_argument("--name", help=_("what the study is to be called here"))

    command = _command(
        group,
        "share-study",
        lambda o: commands.share_study(o.study, person=o.person, role=None if o.role == "none" else o.role),
        _("Share a study of this installation with somebody who signs in, or say with whom it is shared."),
    )
    command.add_argument("study", metavar="STUDY", help=_("the study's number or its name"))
    command.add_argument("--with", dest="person", metavar="NAME", help=_("by the name that person signs in with"))
    as_what = _("to read (reader), to change and train (modeller), or no more (none)")
    command.add_argument("--as", dest="role", choices=[*SHARES, "none"], default="reader", help=as_what)


def _app(group: Any) -> None:
    command = _command(group, "app", lambda o: commands.app(host=o.host, port=o.port), _("Start the dashboard."))
    command.add_argument("--port", type=int, default=8501)
    command.add_argument("--host", default="127.0.0.1")


def _audit(group: Any) -> None:
    trail = group.add_parser("audit", help=_("Show the audit trail, or find out whether anybody changed it."))
    parts = trail.add_subparsers(dest="part", required=True, metavar="PART")
    command = _command(
        parts,
        "verify",
        lambda o: commands.verify_trail(heads=o.head),
        _("Follow the trail from its first entry to its last; exit code 1 when anything was changed."),
    )
    command.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="N:LINK",
        help=_("a head that was kept elsewhere, as “audit verify” printed it; may be given again"),
    )
    command = _command(
        parts,
        "show",
        lambda o: commands.show_trail(study=o.study, who=o.who, action=o.action, since=o.since, last=o.last),
        _("Show who did what and when."),
    )
    command.add_argument("--study", metavar="ID", help=_("only of this study"))
    command.add_argument("--who", metavar="NAME", help=_("only of this person"))
    command.add_argument("--action", metavar="NAME", help=_("only this action, for example patient.viewed"))
    command.add_argument("--since", metavar="DATE", help=_("only since this day"))
    command.add_argument("--last", type=int, default=20, metavar="N", help=_("how many of the newest"))
    command = _command(
        parts,
        "export",
        lambda o: commands.export_trail(out=o.out),
        _("Take the whole trail out, with its verification."),
    )
    command.add_argument("--out", type=Path, metavar="FILE", help=_("a JSON file; without it, standard output"))


def _upkeep(group: Any) -> None:
    _command(
        group,
        "doctor",
        lambda _o: commands.doctor(),
        _("Check this installation and say what to do; exit code 2 when something keeps it from its work."),
    )
    command = _command(
        group,
        "backup",
        lambda o: commands.backup(out=o.out, keys=not o.without_keys),
        _("Write database, files and keys to one file, also while medcore is at work."),
    )
    command.add_argument("--out", required=True, type=Path, metavar="FILE", help=_("a new file, such as medcore.tar"))
    command.add_argument("--without-keys", action="store_true", help=_("leave the keys out, to be kept apart"))
    command = _command(
        group,
        "restore",
        lambda o: commands.restore(o.archive),
        _("Check a backup and put it back into an empty installation."),
    )
    command.add_argument("archive", type=Path, metavar="FILE")
    _command(
        group,
        "rekey",
        lambda _o: commands.rekey(),
        _("Seal all of this installation's data under a new key; medcore must be stopped."),
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
