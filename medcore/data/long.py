"""The form by which a table of one row a result becomes one of one row a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from medcore.errors import SettingsError
from medcore.i18n import N_, Message

Form = Literal["first", "last", "minimum", "maximum", "mean", "sd", "total", "count", "slope", "since", "sequence"]
FORMS: tuple[Form, ...] = get_args(Form)
SEQUENCE: Form = "sequence"
"""The results themselves in steps of time, for models that read them in their order; of a table beside the patients' only."""
SERIES_FORMS: tuple[Form, ...] = tuple(form for form in FORMS if form != SEQUENCE)
"""What sums up a patient's measurements over time, taken where nothing is said."""
LATE_FORMS: tuple[Form, ...] = ("minimum", "maximum", "mean")
"""What is taken once more of the last part of the time before the end; first, last and since would say the same again."""
FROM_FILE = "from file"
"""The column that says which file of an archive a row is from: a patient's, where there is a file a patient."""
Window = tuple[float | None, float | None]
"""Days after the index date, both ends included; before it is negative, None is open."""
LONGEST_IN_HOURS = 3.0
"""Days from which on a span is written in days."""


SUMMARY_WORDS: Mapping[Form, str] = {
    "first": N_("{analyte}, first"),
    "last": N_("{analyte}, last"),
    "minimum": N_("{analyte}, lowest"),
    "maximum": N_("{analyte}, highest"),
    "mean": N_("{analyte}, mean"),
    "sd": N_("{analyte}, standard deviation"),
    "total": N_("{analyte}, sum"),
    "count": N_("{analyte}, number of results"),
    "slope": N_("{analyte}, slope"),
    "since": N_("{analyte}, time since the last"),
    "sequence": N_("{analyte}, over time"),
}


LATE_WORDS: Mapping[Form, str] = {
    "minimum": N_("{analyte}, lowest of the last {late}"),
    "maximum": N_("{analyte}, highest of the last {late}"),
    "mean": N_("{analyte}, mean of the last {late}"),
}


@dataclass(frozen=True, slots=True)
class Summarised:
    """What a column sums up: results of an ``analyte`` in one ``form``, perhaps of the ``late`` part alone.

    ``decimals`` are those that it is shown with where it is computed and not one of the results.
    """

    analyte: str
    form: Form
    late: str = ""
    decimals: int | None = None

    def words(self, unit: str | None) -> Message:
        """Say what the column is called, where its key keeps the name of the form; a slope without a unit is one a day."""
        if self.late and self.form in LATE_WORDS:
            return Message(LATE_WORDS[self.form], {"analyte": self.analyte, "late": self.late})
        template = N_("{analyte}, slope a day") if self.form == "slope" and not unit else SUMMARY_WORDS[self.form]
        return Message(template, {"analyte": self.analyte})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot:
    """How results become columns: who, what, how much, in which unit, when, and what is taken of several.

    ``patient``, ``analyte`` and ``value`` name columns of the long table; ``unit``,
    ``when`` and ``index`` may be empty. ``forms`` say what is taken of a patient's
    results of one analyte; ``windows`` of which days, counted from the ``index`` date, or as
    ``when`` itself counts them where it holds hours or days (``when_unit``) and no date. ``since`` is the time
    from a patient's last result to the end of the window, in hours. ``late_forms`` say what is taken once more
    of the results of the last ``late`` days before a window's end, by themselves. With ``beside`` the long
    table lies beside that of the patients, and every column made of it is named by its form; it may then
    have one row a visit, where ``analyte`` and ``value`` are empty and each other column is a measurement.
    ``written`` is the column of ``when`` as it was learnt, by which that of new patients is read. ``known_as`` is what the
    patients' table calls ``patient``, where that is another name, and ``sheet`` the one of the file that was chosen.
    """

    patient: str
    analyte: str
    value: str
    unit: str = ""
    when: str = ""
    when_unit: str = ""
    index: str = ""
    forms: tuple[Form, ...] = ("first",)
    windows: tuple[Window, ...] = ()
    late: float = 0.0
    late_forms: tuple[Form, ...] = ()
    beside: bool = False
    written: Mapping[str, Any] = field(default_factory=dict)
    known_as: str = ""
    sheet: str = ""

    def __post_init__(self) -> None:
        unknown = [f for f in (*self.forms, *self.late_forms) if f not in FORMS]
        if unknown or not self.forms:
            raise SettingsError(
                N_("There is no form {unknown} of a patient's results. The forms are: {known}."),
                unknown=unknown,
                known=list(FORMS),
            )
        if self.windows and not self.when:
            raise SettingsError(N_("A window of time needs the time of each result: name its column."))
        if "since" in self.forms and not self.ends:
            raise SettingsError(N_("The time since the last result needs a window with an end."))
        if self.late_forms and not (self.late > 0 and self.ends):
            raise SettingsError(N_("The last part of a window needs a length, and a window with an end."))
        if SEQUENCE in self.forms and not (self.beside and self.ends):
            raise SettingsError(
                N_("Results over time need a table of measurements beside the patients', and a window with an end.")
            )
        if "slope" in self.forms and not self.when:
            raise SettingsError(N_("A slope needs the date of each result: name its column."))

    @property
    def ends(self) -> bool:
        """Whether every window has an end."""
        return bool(self.windows) and all(high is not None for _low, high in self.windows)

    @property
    def late_span(self) -> str:
        """The length of the last part as names of columns have it: 12h, or 90d."""
        return f"{24 * self.late:g}h" if self.late < LONGEST_IN_HOURS else f"{self.late:g}d"

    @property
    def by_visit(self) -> bool:
        """Whether the table beside the patients' has one row a visit, and each column that is not named here is a measurement."""
        return self.beside and not self.analyte and not self.value

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the long table that it needs."""
        return tuple(c for c in (self.patient, self.analyte, self.value, self.unit, self.when, self.index) if c)

    @classmethod
    def of_series(
        cls,
        named: Mapping[str, str],
        *,
        until: float,
        late: float = 0.0,
        forms: Sequence[str] = SERIES_FORMS,
        when_unit: str = "",
    ) -> Pivot:
        """Take the columns of a table of measurements beside the patients' table, by field, known ``until`` so many hours.

        What was measured in the last ``late`` hours of them is summed up once more by itself; 0 for not.
        Raises SettingsError where that is no part of the time, but all of it.
        """
        if 0 < until <= late:
            raise SettingsError(
                N_("The last {late} hours are no part of the {until} hours before; give a shorter last part, or 0."),
                late=f"{late:g}",
                until=f"{until:g}",
            )
        again = {"late": late / 24, "late_forms": [f for f in LATE_FORMS if f in forms]} if late else {}
        window = {"windows": [(None, until / 24)], "when_unit": when_unit, "beside": True}
        return cls.from_dict({**named, "forms": forms, **window, **again})

    def summarises(self, name: str) -> bool:
        """Say whether a column of this name is a summary that it makes beside the patients' table.

        >>> Pivot(patient="id", analyte="test", value="x", beside=True).summarises("HR first")
        True
        """
        return self.beside and name.rpartition(" ")[2] in (*self.forms, *self.late_forms) and " " in name

    def is_sequence(self, name: str) -> bool:
        """Say whether a column of this name holds the results themselves, in steps of time."""
        return SEQUENCE in self.forms and self.summarises(name) and name.endswith(f" {SEQUENCE}")

    def measurement_of(self, name: str) -> str:
        """Return the measurement that a column of this name sums up; the name itself where it is no summary.

        >>> pivot = Pivot.of_series({"patient": "id", "analyte": "test", "value": "x", "when": "at"}, until=48, late=12)
        >>> pivot.measurement_of("HR last 12h mean"), pivot.measurement_of("HR last"), pivot.measurement_of("Age")
        ('HR', 'HR', 'Age')
        """
        return name.rpartition(" ")[0].removesuffix(f" last {self.late_span}") if self.summarises(name) else name

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        data = asdict(self) | {"forms": list(self.forms), "windows": [list(w) for w in self.windows]}
        data["late_forms"] = list(self.late_forms)
        return {k: v for k, v in data.items() if v or k not in _LATER}

    def option(self) -> str:
        """Write it as a command line takes it."""
        named = {k: getattr(self, k) for k in ("patient", "analyte", "value", "unit", "when", "when_unit", "index")}
        parts = [f"{k}={v}" for k, v in named.items() if v] + ["forms=" + "|".join(self.forms)]
        return f'--pivot "{",".join(parts)}"'

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Pivot:
        """Read what :meth:`to_dict` wrote; raise SettingsError for what cannot be."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(data) - known)
        by_visit = data.get("beside") and not data.get("analyte") and not data.get("value")
        lacking = [name for name in ("patient", *(() if by_visit else ("analyte", "value"))) if not data.get(name)]
        if unknown or lacking:
            raise SettingsError(
                N_("A pivot takes {known}; it was given {unknown} and lacks {lacking}."),
                known=sorted(known),
                unknown=unknown,
                lacking=lacking,
            )
        chosen = dict(data)
        chosen |= {name: tuple(data[name]) for name in ("forms", "late_forms") if name in data}
        if "windows" in data:
            chosen["windows"] = tuple((_day(low), _day(high)) for low, high in data["windows"])
        return cls(**chosen)


_LATER = ("when_unit", "late", "late_forms", "beside", "written", "known_as", "sheet")
"""Fields that came after the first pivots: written only where they say something, so that those keep their identity."""


def read_pivot(text: str) -> Pivot:
    """Read a pivot as it is written on a command line.

    Raises SettingsError for what cannot be understood.

    >>> p = read_pivot("patient=MRN, analyte=test, value=result, when=drawn, index=admitted, forms=first|maximum, days=-7..0")
    >>> p.patient, p.forms, p.windows
    ('MRN', ('first', 'maximum'), ((-7.0, 0.0),))
    """
    chosen: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise SettingsError(
                N_(
                    "“{part}” is no part of a pivot. Write, for example: patient=MRN,analyte=test,value=result,unit=unit,when=date,forms=first|maximum"
                ),
                part=part.strip(),
            )
        if name == "days":
            chosen["windows"] = [_window(piece) for piece in value.split("|")]
        else:
            chosen[name] = [piece.strip() for piece in value.split("|")] if name == "forms" else value
    return Pivot.from_dict(chosen)


def _window(text: str) -> Sequence[str]:
    low, dots, high = text.partition("..")
    if not dots:
        raise SettingsError(
            N_("“{text}” is no span of days. Write the first and the last day after the index date: -7..0"), text=text
        )
    return (low.strip(), high.strip())


def _day(value: Any) -> float | None:
    try:
        return None if value in (None, "") else float(value)
    except (TypeError, ValueError):
        raise SettingsError(N_("A day of a window is {got}; it must be a number."), got=value) from None
