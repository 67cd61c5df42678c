"""What each command does: the rooms' functions in the order of the work.

Nothing is computed here. Each function returns a :class:`Result`, which prints
as one JSON object or as a short text. Each name is imported when it is first used: a command waits for what it needs,
and not for what all others need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medcore.first_use import imported_when_used

if TYPE_CHECKING:
    from medcore.commands.judging import Recalibrate as Recalibrate
    from medcore.commands.judging import evaluate as evaluate
    from medcore.commands.patients import explain as explain
    from medcore.commands.patients import explain_all as explain_all
    from medcore.commands.patients import predict as predict
    from medcore.commands.result import Result as Result
    from medcore.commands.studies import export_study as export_study
    from medcore.commands.studies import import_study as import_study
    from medcore.commands.studies import share_study as share_study
    from medcore.commands.tables import profile as profile
    from medcore.commands.tables import train as train
    from medcore.commands.tables import train_settings as train_settings
    from medcore.commands.trail import export_trail as export_trail
    from medcore.commands.trail import show_trail as show_trail
    from medcore.commands.trail import verify_trail as verify_trail
    from medcore.commands.upkeep import app as app
    from medcore.commands.upkeep import backup as backup
    from medcore.commands.upkeep import doctor as doctor
    from medcore.commands.upkeep import rekey as rekey
    from medcore.commands.upkeep import restore as restore
    from medcore.commands.use.releasing import end_token as end_token
    from medcore.commands.use.releasing import list_tokens as list_tokens
    from medcore.commands.use.releasing import make_token as make_token
    from medcore.commands.use.releasing import release as release
    from medcore.commands.use.releasing import releases as releases
    from medcore.commands.use.releasing import serve as serve
    from medcore.commands.use.releasing import withdraw as withdraw
    from medcore.commands.use.watching import Watching as Watching
    from medcore.commands.use.watching import alarms as alarms
    from medcore.commands.use.watching import card as card
    from medcore.commands.use.watching import watch as watch
    from medcore.commands.written import model as model
    from medcore.commands.written import reproduce as reproduce

_NAMES = {
    "judging": ("Recalibrate", "evaluate"),
    "patients": ("explain", "explain_all", "predict"),
    "result": ("Result",),
    "studies": ("export_study", "import_study", "share_study"),
    "tables": ("profile", "train", "train_settings"),
    "trail": ("export_trail", "show_trail", "verify_trail"),
    "upkeep": ("app", "backup", "doctor", "rekey", "restore"),
    "use.releasing": ("end_token", "list_tokens", "make_token", "release", "releases", "serve", "withdraw"),
    "use.watching": ("Watching", "alarms", "card", "watch"),
    "written": ("model", "reproduce"),
}
_HOME = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}

__all__ = list(_HOME)

__getattr__ = imported_when_used(__name__, _HOME)
