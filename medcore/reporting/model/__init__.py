"""The model itself as a file that others can use: a calculator for the browser, PMML, a table of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from medcore.errors import BundleError, SettingsError
from medcore.i18n import N_
from medcore.models.run.results import Results
from medcore.models.written.specification import Specification
from medcore.reporting.model.calculator import to_calculator
from medcore.reporting.model.pmml import to_pmml
from medcore.reporting.model.table import to_csv

MODEL_FORMATS: Mapping[str, Callable[[Specification, Results], str]] = {
    "html": to_calculator,
    "pmml": lambda model, results: to_pmml(model, results.manifest),
    "csv": to_csv,
}


def written_model(results: Results) -> Specification:
    """Return the logistic regression of a run as it was written down.

    Raises:
        BundleError: the run trained none, or before models were written down.

    """
    if results.specification is None:
        raise BundleError(
            N_(
                "This run holds no equation: its logistic regression was not written down when it was trained. Train the model again."
            )
        )
    return results.specification


def render_model(results: Results, file_name: str) -> bytes:
    """Write the model in the format that a file name ends in: ``.html``, ``.pmml`` or ``.csv``.

    Raises:
        SettingsError: another ending; the message names those there are.
        BundleError: the run holds no equation.

    """
    kind = file_name.rsplit(".", 1)[-1].lower()
    if kind not in MODEL_FORMATS:
        raise SettingsError(
            N_("A model cannot be written as “{name}”. Let its name end in one of: {known}."),
            name=file_name,
            known=[f".{known}" for known in MODEL_FORMATS],
        )
    return MODEL_FORMATS[kind](written_model(results), results).encode("utf-8")


__all__ = ["MODEL_FORMATS", "render_model", "written_model"]
