"""Studies whose models are trained once a process, for what looks at their patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_wine
from streamlit.testing.v1 import AppTest

from medcore.data.cohort import Cohort
from medcore.data.reading.table import read_table
from medcore.data.samples import load_sample
from medcore.data.schema.inference import choose_target
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.owners import LOCAL_OWNER


def three_wines() -> Cohort:
    data = load_wine(as_frame=True)
    frame = data.frame.iloc[:, [0, 1, 2, 9]].assign(kind=data.target.map({0: "barolo", 1: "grignolino", 2: "barbera"}))
    cohort = read_table(("wine.csv", frame.to_csv(index=False).encode()))
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, "kind"))


def eight_classes_of_280_columns() -> Cohort:
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 8, 320)
    x = rng.normal(size=(320, 280)) + (kind[:, None] == np.arange(280) % 8)
    frame = pd.DataFrame(np.where(rng.random(x.shape) < 0.2, np.nan, x).round(2)).add_prefix("marker_")
    frame["marker_7"] = 1.0
    frame["kind"] = [f"type {k}" for k in kind]
    cohort = read_table(("wide.csv", frame.to_csv(index=False).encode()))
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, "kind"))


MADE: Mapping[str, Callable[[], Cohort]] = {
    "heart": lambda: load_sample("heart"),
    "wine": three_wines,
    "wide": eight_classes_of_280_columns,
}


@dataclass
class Explained:
    """An installation of heart disease (yes or no), wine (three classes) and a wide table of eight; each is trained when asked for."""

    home: Path
    studies: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """Return the study of a name, with a finished run; in the environment of this installation."""
        if name not in self.studies:
            settings = Settings.from_env()
            assert settings.data_dir == self.home
            store = Store(settings)
            study = store.create_study(LOCAL_OWNER, name, MADE[name]())
            run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic"))
            perform_run(settings, LOCAL_OWNER, run.id, train_study)
            assert store.get_run(LOCAL_OWNER, run.id).state == "done"
            self.studies[name] = study.id
        return self.studies[name]


def opened(app: AppTest, place: int = 0, part: str | None = None) -> AppTest:
    """Open a patient of the list by its place, and one of the questions about that patient."""
    picker = next(s for s in app.selectbox if s.label == "Open a patient")
    picker.select_index(place).run()
    assert not app.exception
    if part is not None:
        next(s for s in app.segmented_control if s.key == "patient.part").set_value(part).run()
        assert not app.exception
    return app
