"""All checks, in the order in which their faults cause one another."""

from __future__ import annotations

from medcore.errors import MedcoreError
from medcore.i18n import N_, Message
from medcore.jobs.logs import log_without_values
from medcore.settings import Settings
from medcore.upkeep.doctor import computing, data, program
from medcore.upkeep.doctor.check import UNEXPECTED, Diagnosis, Examination, Found

CHECKS = (
    Examination("python", N_("Python"), program.python),
    Examination("packages", N_("Packages"), program.packages),
    Examination("processor", N_("Processor"), program.processor),
    Examination("fonts", N_("Fonts"), program.fonts),
    Examination("folder", N_("Data folder"), data.folder),
    Examination("room", N_("Disk room"), data.room),
    Examination("keys", N_("Keys"), data.keys),
    Examination("sealing", N_("Sealing key"), data.sealing_key),
    Examination("database", N_("Database"), data.database),
    Examination("files", N_("File store"), data.files),
    Examination("memory", N_("Memory"), computing.memory),
    Examination("certificates", N_("Certificates"), computing.certificates),
    Examination("scheduler", N_("Scheduler"), computing.scheduler),
)


def examine(settings: Settings) -> tuple[Diagnosis, ...]:
    """Look at everything; a check that fails is a finding, and the others go on."""
    return tuple(Diagnosis(check, _looked(check, settings)) for check in CHECKS)


def _looked(check: Examination, settings: Settings) -> Found:
    try:
        return check.look(settings)
    except MedcoreError as error:  # says itself what to do
        return Found("error", error.message)
    except Exception as error:
        log_without_values(error)
        return Found("error", Message(UNEXPECTED, {"kind": type(error).__name__}))
