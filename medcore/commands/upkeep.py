"""The commands of whoever runs an installation: start it, look it over, copy all of it, put it back."""

from __future__ import annotations

from pathlib import Path

from medcore.commands.result import Result
from medcore.i18n import N_, _
from medcore.safe_files import keep_new_files_private
from medcore.settings import Settings

STATES = {"ok": N_("ok"), "warning": N_("warning"), "error": N_("ERROR")}


def app(*, host: str, port: int) -> None:
    """Start the dashboard and stay until it is stopped."""
    from medcore.jobs.web.serve import serve

    serve(host, port)


def doctor() -> Result:
    """Check an installation; the exit code is 2 where something keeps it from its work."""
    keep_new_files_private()
    from medcore.upkeep.doctor.catalogue import examine

    found = examine(Settings.from_env())
    worst = next((state for state in ("error", "warning") if any(d.found.state == state for d in found)), "ok")
    lines = []
    for one in found:
        lines.append(f"[{_(STATES[one.found.state])}] {_(one.check.title)}: {one.found.seen}")
        if one.found.remedy is not None:
            lines.append(f"    → {one.found.remedy}")
    data = {"state": worst, "checks": [one.to_dict() for one in found]}
    return Result(data, tuple(lines), code=2 if worst == "error" else 0)


def backup(*, out: Path, keys: bool) -> Result:
    """Write everything of the installation to one file."""
    keep_new_files_private()
    from medcore.upkeep.backup import back_up

    done = back_up(Settings.from_env(), out, keys=keys)
    lines = [
        _("{n} files, {mb} MB, are in {file}.", n=done.n_files, mb=f"{done.n_bytes / 1e6:.1f}", file=out),
        _("The keys are in it: keep it as you keep the patients' data.")
        if keys
        else _("The keys are not in it: keep the folder's keys apart, without them nothing in it can be read."),
    ]
    if done.lost:
        lines.append(_("{n} files that studies need were missing already.", n=len(done.lost)))
    return Result({"out": str(out), **done.to_dict()}, tuple(lines))


def rekey() -> Result:
    """Seal everything under a new key."""
    keep_new_files_private()
    from medcore.upkeep.rekey import rekey as seal_anew

    done = seal_anew(Settings.from_env())
    lines = [
        _("{n} files and {rows} rows of the database are sealed under a new key.", n=done.n_files, rows=done.n_rows),
        _("Keep a copy of the new key apart from the data, and the old one as long as you keep backups made under it."),
    ]
    if done.damaged:
        lines.append(_("{n} files could not be opened and were left as they are.", n=len(done.damaged)))
    return Result(done.to_dict(), tuple(lines))


def restore(archive: Path) -> Result:
    """Put everything back into an empty installation."""
    keep_new_files_private()
    from medcore.upkeep.backup import restore as put_back

    done = put_back(Settings.from_env(), archive)
    lines = [_("{n} files were checked and put back.", n=done.n_files)]
    if not done.keys:
        lines.append(_("The backup has no keys: put them back into the data folder before you start medcore."))
    if done.lost:
        lines.append(_("{n} files that studies need were missing already.", n=len(done.lost)))
    return Result(done.to_dict(), tuple(lines))
