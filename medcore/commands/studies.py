"""The commands that take a study of the installation out as one file, bring one in, and share one."""

from __future__ import annotations

from pathlib import Path

from medcore.commands.result import Result
from medcore.errors import InputError, NotFoundError
from medcore.i18n import N_, _
from medcore.safe_files import write_whole
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store, StudyRecord
from medcore.studies.people.roles import SHARES, Share


def export_study(study: str, *, out: Path) -> Result:
    """Write a study, named by its number or its name, with everything of it, as one archive.

    Raises:
        NotFoundError: there is no such study; those that are there are named.

    """
    store = Store(Settings.from_env())
    found = named_study(store, study)
    data = store.export_study(found.owner, found.id)
    write_whole(out, data)
    line = _(
        "“{name}” is written to {out}. It holds the patients’ rows: keep it as you keep the table.",
        name=found.name,
        out=out,
    )
    return Result(_told(found) | {"out": str(out), "n_bytes": len(data)}, (line,))


def import_study(archive: Path, *, name: str | None = None) -> Result:
    """Bring a study in from an archive as a new one; nothing is kept if anything of it is at fault."""
    try:
        data = archive.read_bytes()
    except OSError as error:
        raise InputError(
            N_("{file} cannot be read ({reason})."), file=str(archive), reason=error.strerror or type(error).__name__
        ) from None
    made = Store(Settings.from_env()).import_study(LOCAL_OWNER, data, name=name)
    line = _(
        "“{name}” is brought in with {n} training run(s), as study {id}.", name=made.name, n=made.n_runs, id=made.id
    )
    return Result(_told(made), (line,))


def share_study(study: str, *, person: str | None, role: Share | None) -> Result:
    """Share a study with somebody who signs in here, or no more (no role); without a person, say with whom it is shared.

    Raises:
        NotFoundError: there is no such study, or it is not shared with that person.
        SettingsError: it cannot be shared with that person.

    """
    store = Store(Settings.from_env())
    found = named_study(store, study)
    if person is not None:
        store.share_study(found.owner, found.id, person, role)
    shares = store.shares(found.owner, found.id)
    lines = [
        _("“{name}” is shared with {person}: {what}.", name=found.name, person=who, what=_(SHARES[what]))
        for who, what in shares.items()
    ]
    nobody = _("“{name}” is shared with nobody.", name=found.name)
    return Result({"study": found.id, "name": found.name, "shared": shares}, tuple(lines) or (nobody,))


def _told(study: StudyRecord) -> dict[str, object]:
    return {"study": study.id, "name": study.name, "n_rows": study.n_rows, "n_runs": study.n_runs}


def named_study(store: Store, study: str) -> StudyRecord:
    """Return a study by its number or its name; NotFoundError names those there are."""
    studies = store.list_studies(LOCAL_OWNER)
    found = [s for s in studies if study in (s.id, s.name)]
    if len(found) != 1:
        raise NotFoundError(
            N_("{n} studies are called “{name}”. Give one of these numbers: {known}"),
            n=len(found),
            name=study,
            known="; ".join(f"{s.id} ({s.name})" for s in (found or studies)[:20]) or "–",
        )
    return found[0]
