"""Another key for everything that is sealed, and a seal for what an earlier version left open."""

from __future__ import annotations

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.jobs.cluster.processes import stop_local_cluster
from medcore.safe_files import IN_USE, holding, new_key
from medcore.sealing import Keys, keys_of
from medcore.sealing.keys import key_file, mark, write_keys
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.owners import LOCAL_OWNER
from medcore.studies.stores.whole.resealing import Resealed


def rekey(settings: Settings) -> Resealed:
    """Seal everything under a new key, and forget the old one when nothing needs it any more.

    Where the environment holds the key, the new one is put before the old one there first.
    Killed at any moment it can be begun again: both keys are kept until everything is sealed.

    Raises:
        SettingsError: medcore is at work, or the environment holds one key only.

    """
    with holding(settings.data_dir / IN_USE, alone=True):
        stop_local_cluster(settings)
        keys, file = keys_of(settings.data_dir), key_file(settings.data_dir)
        if len(keys.keys) == 1:
            if file is None:
                raise SettingsError(
                    N_(
                        "MEDCORE_KEY holds one key. Write the new one before it, with a comma between the two, and give the command again; afterwards take the old one away."
                    )
                )
            write_keys(settings.data_dir, Keys((new_key(), *keys.keys)))
        forget_engines()
        store = Store(settings)
        done = store.seal_again()
        store.note_of_installation(LOCAL_OWNER, "key.changed")
        newest = Keys((keys_of(settings.data_dir).newest,))
        if file is not None:
            write_keys(settings.data_dir, newest)
        else:
            mark(settings.data_dir, newest)
        forget_engines()
        return done
