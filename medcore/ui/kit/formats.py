"""The formats that a document may be taken away in, with their media types."""

from __future__ import annotations

from collections.abc import Mapping

from medcore.i18n import N_

FORMATS: Mapping[str, tuple[str, str]] = {
    "pdf": (N_("PDF, to print or attach"), "application/pdf"),
    "docx": (
        N_("Word, for the manuscript"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "html": (N_("HTML, to read on screen"), "text/html"),
}
