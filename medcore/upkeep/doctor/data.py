"""Folder, keys, database, files, room: where what people work on is kept."""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from pathlib import Path

from medcore.errors import SettingsError
from medcore.i18n import N_, Message
from medcore.safe_files import KEY_BYTES
from medcore.sealing.keys import key_file, keys_of
from medcore.settings import Settings
from medcore.studies.database import check_database, newest_revision, open_database
from medcore.studies.kept.files import FileStore
from medcore.studies.upkeep.counts import count_everything
from medcore.studies.upkeep.opening import try_to_open
from medcore.studies.upkeep.snapshot import files_named_now
from medcore.upkeep.backup import own_files
from medcore.upkeep.doctor.check import Found, doubtful, well, wrong

LOW_ROOM, NO_ROOM = 10 << 30, 1 << 30
GIB = 1 << 30


def folder(settings: Settings) -> Found:
    """See whether the data folder is closed to other users of the machine."""
    there = settings.data_dir
    if not there.is_dir():
        return well(N_("{folder} is not there yet; it is made at the first start."), folder=str(there))
    others = [path for path in _everything(there) if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    if not others:
        return well(N_("{folder}, closed to other users."), folder=str(there))
    return wrong(
        Message(
            N_("{n} files or folders in {folder} are open to other users."), {"n": len(others), "folder": str(there)}
        ),
        Message(N_("Start medcore, which closes them; or run: chmod -R go-rwx {folder}"), {"folder": str(there)}),
    )


def _everything(there: Path) -> list[Path]:
    found = [there]
    for place, folders, files in os.walk(there):
        found += [Path(place) / name for name in (*folders, *files) if not (Path(place) / name).is_symlink()]
    return [path for path in found if path.exists()]


def keys(settings: Settings) -> Found:
    """See whether every key is long enough to be one."""
    there = [path for path in own_files(settings) if path.suffix == ".key"]
    short = [path.name for path in there if path.stat().st_size < KEY_BYTES]
    if short:
        return wrong(
            Message(N_("Damaged keys: {files}."), {"files": short}),
            Message(N_("Restore them from your backup; medcore does not use a damaged key."), {}),
        )
    return well(N_("{n} keys, none of them damaged."), n=len(there))


def sealing_key(settings: Settings) -> Found:
    """See whether the key that seals is there, closed to others, and opens what is kept."""
    path = key_file(settings.data_dir)
    if path is not None and path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        mode = f"{stat.S_IMODE(path.stat().st_mode):o}"
        return wrong(
            Message(
                N_("The sealing key {file} can be read by others (mode {mode})."), {"file": str(path), "mode": mode}
            ),
            Message(N_("Close it to them: chmod 600 {file}"), {"file": str(path)}),
        )
    if not settings.data_dir.is_dir():
        return well(N_("The sealing key is made at the first start."))
    found = try_to_open(settings)
    if found.closed:
        return wrong(
            Message(
                N_("{n} of {all} files do not open under the sealing key."),
                {"n": len(found.closed), "all": found.n_files},
            ),
            Message(
                N_("They were changed, or sealed under a key that is not here: restore them, or put that key back."), {}
            ),
        )
    if found.n_open:
        return doubtful(
            Message(
                N_("{n} of {all} files are not sealed: an earlier version kept them."),
                {"n": found.n_open, "all": found.n_files},
            ),
            Message(N_("Stop medcore and run: python -m medcore rekey"), {}),
        )
    where = N_("Number {number}, in {file}: it opened {files} files and {values} names of the database.")
    return well(
        where,
        number=keys_of(settings.data_dir).newest_id.hex(),
        file="MEDCORE_KEY" if path is None else str(path),
        files=found.n_files,
        values=found.n_values,
    )


def database(settings: Settings) -> Found:
    """See whether the database is whole, writable and of this version."""
    check_database(settings)
    counts, engine = count_everything(settings), open_database(settings)
    return well(
        N_("{kind}, revision {revision}: {studies} studies, {runs} training runs."),
        kind=engine.dialect.name,
        revision=newest_revision(),
        studies=counts.studies,
        runs=sum(counts.runs.values()),
    )


def files(settings: Settings) -> Found:
    """Keep, read and remove a file in the store, and look for every file that the database names."""
    store, name = FileStore(settings), f"doctor/{uuid.uuid4().hex}"
    try:
        store.write(name, b"medcore")
        kept = store.read(name)
    finally:
        store.remove("doctor")
    if kept != b"medcore":
        raise SettingsError(N_("The file store gave back other bytes than it was given."))
    named = files_named_now(settings)
    lost = [one for one in named if not store.exists(one)]
    if lost:
        return wrong(
            Message(N_("{n} of {all} files that studies need are missing."), {"n": len(lost), "all": len(named)}),
            Message(
                N_("Restore the file store from your backup; studies whose tables are missing can be uploaded again."),
                {},
            ),
        )
    return well(N_("Files can be kept, and all {n} that studies need are there."), n=len(named))


def room(settings: Settings) -> Found:
    """See how much room is left on the disk."""
    there = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    seen = Message(N_("{gb} GB free."), {"gb": f"{free / GIB:.1f}"})
    remedy = Message(
        N_("Make room on the disk of {folder}, or move the folder to a larger one."), {"folder": str(settings.data_dir)}
    )
    if free < NO_ROOM:
        return wrong(seen, remedy)
    return doubtful(seen, remedy) if free < LOW_ROOM else Found("ok", seen)
