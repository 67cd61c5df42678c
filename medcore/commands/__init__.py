"""What each command does: the rooms' functions in the order of the work.

Nothing is computed here. Each function returns a :class:`Result`, which prints
as one JSON object or as a short text.
"""

from __future__ import annotations

from medcore.commands.judging import Recalibrate, evaluate
from medcore.commands.patients import explain, explain_all, predict
from medcore.commands.result import Result
from medcore.commands.studies import export_study, import_study, share_study
from medcore.commands.tables import OWN_OPTIONS, profile, train, train_settings
from medcore.commands.trail import export_trail, show_trail, verify_trail
from medcore.commands.upkeep import backup, doctor, rekey, restore
from medcore.commands.use.releasing import end_token, list_tokens, make_token, release, releases, serve, withdraw
from medcore.commands.use.watching import Watching, alarms, card, watch
from medcore.commands.written import model, reproduce

__all__ = [
    "OWN_OPTIONS",
    "Recalibrate",
    "Result",
    "Watching",
    "alarms",
    "app",
    "backup",
    "card",
    "doctor",
    "evaluate",
    "explain",
    "explain_all",
    "export_study",
    "import_study",
    "export_trail",
    "model",
    "predict",
    "profile",
    "reproduce",
    "rekey",
    "restore",
    "share_study",
    "show_trail",
    "train",
    "train_settings",
    "end_token",
    "list_tokens",
    "make_token",
    "release",
    "releases",
    "serve",
    "withdraw",
    "verify_trail",
    "watch",
]


def app(*, host: str, port: int) -> None:
    """Start the dashboard and stay until it is stopped."""
    from medcore.jobs.web.serve import serve

    serve(host, port)
