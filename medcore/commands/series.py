"""The options that say how a second, long table of measurements goes with the patients' table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from medcore.data.long import FORMS, SERIES_FORMS, Pivot
from medcore.data.values.time.spans import read_span
from medcore.errors import SettingsError
from medcore.i18n import N_, _

if TYPE_CHECKING:
    from medcore.data.cohort import Cohort, Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAsked:
    """A file of measurements over time and what its columns are; what is not said is proposed from the file.

    ``until`` is the time after the index, such as 48h, up to which measurements are known; ``late`` the last part of
    it that is summed up once more by itself, none where nothing is said.
    """

    file: Path | None = None
    sheet: str | None = None
    patient: str | None = None
    known_as: str | None = None
    analyte: str | None = None
    value: str | None = None
    unit: str | None = None
    when: str | None = None
    when_unit: str | None = None
    index: str | None = None
    until: str | None = None
    late: str | None = None
    forms: Sequence[str] = ()

    def joined(self, cohort: Cohort, own: Path, *, like: Schema | None = None) -> Cohort:
        """Return the cohort with the summaries of its patients' series; as it is where none is asked for.

        New patients' measurements are looked for in their ``own`` file where it has them in another sheet.
        """
        from medcore.data.reading.long.series import with_series
        from medcore.data.reading.measurements import read_measurements

        trained = like.series if like is not None else None
        file = own if self.file is None and trained is not None and cohort.source.long_sheets else self.file
        if file is None:
            if trained is not None:
                raise SettingsError(
                    N_(
                        "This model was trained with a second table of measurements over time; give that of these patients with --series."
                    )
                )
            if any(getattr(self, f.name) for f in fields(self) if f.name != "file"):
                raise SettingsError(
                    N_("--series-sheet, --id, --by, --value, --at, --index, --until, --late and --take need --series.")
                )
            return cohort
        if like is not None and trained is None:
            raise SettingsError(N_("This model was trained without a table of measurements; leave --series out."))
        long = read_measurements(file, pivot=trained, sheet=self.sheet or "")
        return with_series(cohort, long, trained or self._pivot(long, cohort.schema), like=like)

    def _pivot(self, long: Cohort, patients: Schema) -> Pivot:
        from medcore.data.schema.long import propose_series

        proposed = propose_series(long.schema, patients, long.frame)
        asked = {name: getattr(self, name) for name in proposed}
        if asked["patient"] is not None and asked["known_as"] is None:
            asked["known_as"] = ""
        chosen = {name: found if asked[name] is None else asked[name] for name, found in proposed.items()}
        chosen |= {"sheet": self.sheet} if self.sheet else {}
        if not chosen["analyte"] and not self.value:  # one row a visit: each other column is a measurement
            chosen |= {"value": "", "unit": ""}
        by_visit = not chosen["analyte"] and not chosen["value"]
        lacking = [
            option
            for option, name in _MUST.items()
            if not chosen[name] and not (by_visit and name in ("analyte", "value"))
        ]
        if lacking:
            raise SettingsError(
                N_("The table of measurements does not say which of its columns are what; give {options}."),
                options=lacking,
            )
        until = _until(self.until)
        return Pivot.of_series(
            chosen,
            until=until,
            late=0.0 if self.late is None else _hours(self.late),
            forms=self.forms or SERIES_FORMS,
            when_unit=self.when_unit or "",
        )


_MUST = {"--id": "patient", "--by": "analyte", "--value": "value", "--at": "when"}


def _until(until: str | None) -> float:
    """Read the time up to which measurements are known, as hours after the index."""
    if until is None:
        raise SettingsError(
            N_(
                "What is known when the risk is asked for? Give the time after the index with --until, such as 48h or 3d; later measurements are left out."
            )
        )
    return _hours(until)


def _hours(text: str) -> float:
    """Read a time with its unit as hours; a nought needs none."""
    hours = read_span(text, "h")
    if hours is None or not (any(letter.isalpha() for letter in text) or hours[0] == 0):
        raise SettingsError(N_("“{text}” is no time with its unit, such as 48h, 90min or 3d."), text=text)
    return hours[0]


def series_options(command: argparse.ArgumentParser, *, columns: bool) -> None:
    """Take the options about a second, long table; those about its columns only where a model is trained."""
    group = command.add_argument_group(_("measurements over time, in a second table with one row a measurement"))
    group.add_argument(
        "--series",
        type=Path,
        metavar="FILE",
        help=_("the table of measurements, or a zip of text files that continue one another"),
    )
    group.add_argument(
        "--series-sheet",
        metavar="NAME",
        help=_("the sheet of that workbook, or the file in that archive (the one with most rows)"),
    )
    if not columns:
        return
    group.add_argument(
        "--id",
        metavar="COL",
        help=_(
            "the column that names the patient in both tables; MRN=id where the measurements say MRN and the patients' table id"
        ),
    )
    group.add_argument(
        "--by",
        metavar="COL",
        help=_(
            "the column that names what was measured; left out where each row is a visit with a column a measurement"
        ),
    )
    group.add_argument("--value", metavar="COL", help=_("the column of results"))
    group.add_argument("--units", metavar="COL", help=_("the column of units, if there is one"))
    group.add_argument("--at", metavar="COL", help=_("when it was measured: a date, or a time since the index"))
    group.add_argument("--at-unit", metavar="UNIT", help=_("the unit of times that are plain numbers: min, h or d"))
    group.add_argument("--index", metavar="COL", help=_("the date from which times count, in either table"))
    group.add_argument(
        "--until", metavar="TIME", help=_("the time after the index up to which measurements are known, such as 48h")
    )
    group.add_argument(
        "--late",
        metavar="TIME",
        help=_(
            "the last part of the time before --until, summed up once more by itself, such as 12h (none by default)"
        ),
    )
    group.add_argument(
        "--take",
        metavar="FORM|FORM",
        help=_("what is taken of a patient's measurements: {forms}").format(forms="|".join(FORMS)),
    )


def series_of(options: argparse.Namespace) -> SeriesAsked:
    """Put the options about a second table together."""
    if not hasattr(options, "by"):
        return SeriesAsked(file=options.series, sheet=options.series_sheet)
    named, _equals, known_as = (options.id or "").partition("=")
    return SeriesAsked(
        file=options.series,
        sheet=options.series_sheet,
        patient=named.strip() or None,
        known_as=known_as.strip() or None,
        analyte=options.by,
        value=options.value,
        unit=options.units,
        when=options.at,
        when_unit=options.at_unit,
        index=options.index,
        until=options.until,
        late=options.late,
        forms=[form.strip() for form in options.take.split("|")] if options.take else (),
    )
