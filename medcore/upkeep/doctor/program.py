"""Python, packages, processor, fonts: what was installed."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import subprocess
import sys
from pathlib import Path

from medcore.charts.drawing.static import FONT_FILE
from medcore.i18n import N_, Message
from medcore.settings import ROOT, Settings
from medcore.upkeep.doctor.check import Found, well, wrong

PYTHONS = ((3, 11), (3, 12), (3, 13))
SET_UP_AGAIN = Message(N_("Run: make setup"), {})
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")
MOST_NAMED = 8


def python(_settings: Settings) -> Found:
    """See whether this Python is one that medcore is tested with."""
    found = platform.python_version()
    if sys.version_info[:2] in PYTHONS:
        return well(N_("Python {found}."), found=found)
    return wrong(
        Message(N_("Python {found}."), {"found": found}),
        Message(N_("Install Python 3.11, 3.12 or 3.13, then run: make setup PYTHON=/path/to/python3.12"), {}),
    )


def packages(_settings: Settings) -> Found:
    """Compare every package with the version that was pinned and tested."""
    wanted = pinned(lock_file())
    differing = {name: (version, _installed(name)) for name, version in wanted.items() if _installed(name) != version}
    if not differing:
        return well(N_("{n} packages, all as pinned in {file}."), n=len(wanted), file=lock_file().name)
    told = [f"{name} {here or '–'} ({version})" for name, (version, here) in differing.items()]
    return wrong(
        Message(
            N_("{n} packages are missing or not as pinned in {file}: {packages}."),
            {"n": len(differing), "file": lock_file().name, "packages": told[:MOST_NAMED]},
        ),
        SET_UP_AGAIN,
    )


def lock_file() -> Path:
    """Return the list of pinned packages for this Python: the lock file, or where there is none the short list."""
    lock = ROOT / "requirements" / f"py{sys.version_info[0]}{sys.version_info[1]}.txt"
    return lock if lock.exists() else ROOT / "requirements.txt"


def pinned(file: Path) -> dict[str, str]:
    r"""Read the packages and versions that a list pins.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    ...     _ = file.write("# a list\nnumpy==2.4.6 \\\n    --hash=sha256:ab\npsycopg[binary]==3.3.9\n")
    ...     file.flush()
    ...     pinned(Path(file.name))
    {'numpy': '2.4.6', 'psycopg': '3.3.9'}
    """
    return {m[1].lower(): m[2] for line in file.read_text().splitlines() if (m := PIN.match(line)) and _here(line)}


def _here(line: str) -> bool:
    """Whether a line is meant for this system and Python."""
    from packaging.markers import Marker

    _pin, semicolon, marker = line.rstrip("\\ ").partition(";")
    return not semicolon or Marker(marker.strip()).evaluate()


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor(_settings: Settings) -> Found:
    """See whether the processor has the instructions that TensorFlow is built with, and OpenMP is there."""
    cpu = Path("/proc/cpuinfo")
    if platform.machine() in {"x86_64", "AMD64"} and cpu.exists() and " avx " not in f"{cpu.read_text()} ":
        return wrong(
            Message(N_("The processor lacks AVX, which TensorFlow needs."), {}),
            Message(N_("Use a machine, or a setting of the virtual machine, whose processor has AVX."), {}),
        )
    # In a process of its own: a library that the system lacks is told as an error of loading.
    if subprocess.run([sys.executable, "-c", "import lightgbm"], capture_output=True, check=False).returncode:
        return wrong(
            Message(N_("LightGBM cannot be loaded: the system lacks the OpenMP library."), {}),
            Message(N_("Install it: sudo apt install libgomp1"), {}),
        )
    return well(N_("{machine}, and OpenMP is there."), machine=platform.machine())


def fonts(_settings: Settings) -> Found:
    """See whether reports and charts have their font, Chinese characters included."""
    from matplotlib.ft2font import FT2Font

    try:
        there = bool(FT2Font(str(FONT_FILE)).get_char_index(ord("险")))
    except (OSError, RuntimeError):
        there = False
    if there:
        return well(N_("The font of reports is there, with Chinese characters."))
    return wrong(
        Message(N_("The font of reports, {file}, is missing or damaged."), {"file": FONT_FILE.name}),
        Message(N_("Run in medcore's folder: git checkout assets/fonts"), {}),
    )
