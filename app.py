"""The web server's entrance: ``streamlit run app.py``.

Nothing but the guard in front of the pages and the worker behind them; the
pages begin in ``medcore/ui/main.py``.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config

import medcore.ui
from medcore import jobs
from medcore.charts.drawing.theme import draw_once
from medcore.errors import MedcoreError
from medcore.i18n import _, best_language, use_language
from medcore.jobs.logs import keep_values_out_of_logs, note, write_json_lines
from medcore.jobs.web.entrance import Entrance, LocalEntrance, refuse_unguarded
from medcore.jobs.web.first_paint import FirstPaint
from medcore.jobs.web.guard import Guard
from medcore.jobs.web.memory import share_memory_between_threads
from medcore.jobs.web.uploads import be_ready, keep_uploads_in_memory
from medcore.safe_files import IN_USE, check_keys, close_folder_tree, holding, keep_new_files_private, sweep_left_overs
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.people.sign_in import sign_in_of
from medcore.ui.kit.downloads import forget_closed_tabs, keep_downloads_a_while
from medcore.ui.kit.frame.entry import SignInEntrance
from medcore.ui.kit.navigation import ADDRESSES
from medcore.upkeep.vitals import Vitals

use_language(best_language(os.environ.get("LC_ALL") or os.environ.get("LANG")))

HELD = ExitStack()
"""What this process holds as long as it lives."""


def checked() -> Settings:
    """Refuse to start where it would be unsafe or could not work, with one clear message."""
    try:
        settings = Settings.from_env()
        HELD.enter_context(holding(settings.data_dir / IN_USE, alone=False))
        refuse_unguarded(st.get_option("server.address"), signing_in=sign_in_of(settings) is not None)
        close_folder_tree(settings.data_dir)
        sweep_left_overs(settings.data_dir)
        Store(settings).check()
        check_keys(settings.data_dir)
    except MedcoreError as error:
        sys.stderr.write(f"medcore: {error}\n")
        sys.exit(2)
    return settings


def entrance(settings: Settings) -> Entrance:
    """Return who may come in: whoever signs in, or whoever is on this machine."""
    sign_in = sign_in_of(settings)
    if sign_in is None:
        return LocalEntrance(settings)
    config.set_option("server.allowedHosts", [sign_in.host.strip("[]")])
    return SignInEntrance(settings, sign_in)


def import_what_pages_import() -> None:
    """Import the rooms behind the pages; otherwise the first person waits a second or two for them."""
    for module in walk_packages(medcore.ui.__path__, "medcore.ui."):
        if module.name != "medcore.ui.main":
            import_module(module.name)
    draw_once()
    # What was imported stays: to look through it again holds up everybody for a tenth of a second each time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Wake the worker, import what the first page needs, then say where the pages are."""
    jobs.keep_warm(SETTINGS)
    be_ready()
    import_what_pages_import()
    # Each run of a page asks for seven sections of the theme among all options; none changes while the server runs.
    config.get_options_for_section = cache(config.get_options_for_section)
    if SETTINGS.log == "json":
        write_json_lines()
    note("web server ready", port=st.get_option("server.port"))
    print(  # noqa: T201
        _(
            "medcore is ready: {address}",
            address=SIGN_IN.address if SIGN_IN else f"http://localhost:{st.get_option('server.port')}",
        ),
        flush=True,
    )
    yield
    jobs.stop_keeping(SETTINGS)
    jobs.disconnect(SETTINGS)


keep_new_files_private()
share_memory_between_threads()
keep_values_out_of_logs()
SETTINGS = checked()
keep_uploads_in_memory(SETTINGS)
keep_downloads_a_while()
forget_closed_tabs()
SIGN_IN = sign_in_of(SETTINGS)
app = st.App(
    "medcore/ui/main.py",
    lifespan=lifespan,
    secrets=SIGN_IN.secrets if SIGN_IN else None,
    middleware=[
        Middleware(Guard, settings=SETTINGS, entrance=entrance(SETTINGS), pages=ADDRESSES),
        Middleware(Vitals, settings=SETTINGS),
        Middleware(FirstPaint),
    ],
)
