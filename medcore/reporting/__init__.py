"""Results in, a document out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.reporting.classes.study_report import study_report
from medcore.reporting.formats.document import Document
from medcore.reporting.formats.docx import to_docx
from medcore.reporting.formats.html import to_html
from medcore.reporting.formats.pdf import to_pdf
from medcore.reporting.inputs import NumberReportInputs, ReportInputs, TimedReportInputs
from medcore.reporting.numbers import number_report
from medcore.reporting.timed.report import timed_report

FORMATS: Mapping[str, Callable[[Document], bytes]] = {
    "html": lambda document: to_html(document).encode("utf-8"),
    "pdf": to_pdf,
    "docx": to_docx,
}


def render(document: Document, file_name: str) -> bytes:
    """Write a document in the format that a file name ends in: ``.html``, ``.pdf`` or ``.docx``."""
    return FORMATS[check_format(file_name)](document)


def check_format(file_name: str) -> str:
    """Return the format that a file name ends in; raise SettingsError for one that cannot be written."""
    kind = file_name.rsplit(".", 1)[-1].lower()
    if kind not in FORMATS:
        raise SettingsError(
            N_("A report cannot be written as “{name}”. Let its name end in one of: {known}."),
            name=file_name,
            known=[f".{known}" for known in FORMATS],
        )
    return kind


__all__ = [
    "FORMATS",
    "Document",
    "NumberReportInputs",
    "ReportInputs",
    "TimedReportInputs",
    "check_format",
    "number_report",
    "render",
    "study_report",
    "timed_report",
]
