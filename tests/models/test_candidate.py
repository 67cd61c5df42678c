"""One record a model: whatever lists models reads it, and a new model is one file."""

import subprocess
import sys
from textwrap import dedent

import pytest

from medcore.data.findings import Finding
from medcore.explanation import explain
from medcore.models import learners
from medcore.models.bundle.bundle import load_bundle
from medcore.models.bundle.coalitions import BundleRisk
from medcore.models.contract.candidate import (
    candidates,
    offered,
    part_classes,
    registered,
    searched_with,
    settings_read,
)
from medcore.models.contract.titles import title
from medcore.models.run.results import save_trained
from medcore.targets import EventTime, Number

A_NEW_MODEL = dedent(
    '''
    """Everybody's risk is that of the outcome among patients below or above a column's median."""

    from dataclasses import dataclass
    from typing import ClassVar

    import numpy as np

    from medcore.features import Rows
    from medcore.models.contract.candidate import Candidate
    from medcore.models.contract.task import Fitted, Part, clean


    @dataclass(frozen=True, slots=True)
    class StumpPart(Part):
        kind: ClassVar[str] = "stump"
        column: int
        cut: float
        risks: tuple

        def risk(self, rows, /):
            codes = Rows.of(rows).codes
            return clean(np.asarray(self.risks)[(codes[:, self.column] > self.cut).astype(int)], len(self.risks[0]))

        def save(self, folder, /):
            return {"column": self.column, "cut": self.cut, "risks": [list(r) for r in self.risks]}

        @classmethod
        def load(cls, folder, data, /):
            return cls(data["column"], data["cut"], tuple(map(tuple, data["risks"])))


    def fit_stump(task, reporter):
        oof = np.empty((task.n, task.n_classes))
        for fold in range(task.n_folds):
            oof[task.held_out(fold)] = _stump(task, task.training(fold)).risk(task.codes[task.held_out(fold)])
            reporter.tell("folds", (fold + 1) / task.n_folds)
        return Fitted(oof, _stump(task, np.arange(task.n)))


    def _stump(task, rows):
        cut = float(np.nanmedian(task.codes[rows, 0]))
        above = task.codes[rows, 0] > cut
        shares = [np.bincount(task.outcome[rows[above == side]], minlength=task.n_classes) + 1.0 for side in (0, 1)]
        return StumpPart(0, cut, tuple(tuple((s / s.sum()).tolist()) for s in shares))


    CANDIDATES = (
        Candidate(
            name="stump", title="Decision stump", hint="One cut.", order=25, menu=9, share=0.1,
            learner=fit_stump, part=StumpPart, missing="branch",
        ),
    )
    '''
)


@pytest.fixture
def one_more_model(tmp_path, monkeypatch):
    (tmp_path / "stump.py").write_text(A_NEW_MODEL)
    monkeypatch.setattr(learners, "__path__", [*learners.__path__, str(tmp_path)])
    registered.cache_clear()
    yield "stump"
    sys.modules.pop("medcore.models.learners.stump", None)
    monkeypatch.undo()
    registered.cache_clear()


def test_a_new_model_is_one_file(one_more_model, ward, tmp_path):
    assert one_more_model in offered()
    assert str(title(one_more_model)) == "Decision stump"
    trained = ward.train(one_more_model)
    assert {c.name for c in trained.candidates} == {"prevalence", "logistic", "stump"}
    assert trained.results.candidate("stump").cross_validated.metrics["auroc"].value > 0.6
    assert all(isinstance(f, Finding) for f in trained.findings)
    save_trained(trained, tmp_path / "bundle")
    frame = ward.cohort.frame
    kept = load_bundle(tmp_path / "bundle")
    assert (kept.predict(frame) == trained.bundle.predict(frame)).all()
    found = explain(BundleRisk(kept), kept.background.codes[0], kept.background.codes[1:9], columns=kept.predictors)
    assert found.additivity_residual < 1e-9


def test_the_order_is_that_of_every_run_before():
    names = [
        "prevalence",
        "logistic",
        "kernel",
        "forest",
        "extra_trees",
        "boosting",
        "network",
        "tower",
        "bert",
        "seed",
        "searched",
    ]
    assert [name for name, candidate in candidates().items() if not candidate.ordered] == names
    assert searched_with("auto") == ("logistic", "forest", "extra_trees", "boosting")
    of_classes = {"prevalence", "logistic", "ordinal", "kernel", "forest", "boosting", "network", "tower", "bert"}
    by_when = {c.part.kind for c in candidates(EventTime(2)).values()}
    numbers = {c.part.kind for c in candidates(Number()).values()}
    assert set(part_classes()) == of_classes | by_when | numbers
    assert not of_classes & by_when and not (of_classes | by_when) & numbers


def test_every_setting_that_a_model_reads_exists():
    from medcore.models.contract.settings import TrainSettings

    assert settings_read(candidates()) <= set(TrainSettings().to_dict())


def test_reading_the_records_imports_no_heavy_library():
    code = """
        import sys
        from medcore.models.contract.candidate import candidates
        assert candidates()
        print([n for n in ("tensorflow", "keras", "sklearn.ensemble", "lightgbm", "optuna", "skops") if n in sys.modules])
    """
    told = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
