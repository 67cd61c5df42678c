"""One name for one thing: findings, the search and tables call a model the same."""

import pytest

from medcore.i18n import LANGUAGES, language
from medcore.models.contract.candidate import AUTO, candidates, offered
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.trials import SearchOutcome, Trial
from medcore.models.run.advice import advise
from medcore.ui.kit.words import model_name


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_finding_calls_every_part_what_the_tables_call_it(ward, code):
    results = ward.train("logistic").results
    found = advise(results, TrainSettings.preset("auto"), dict.fromkeys((AUTO, *candidates()), 0.1), "none")
    with language(code):
        said = str(next(f.message for f in found if f.code == "model.parts"))
        assert [name for name in (AUTO, *candidates()) if f"{model_name(name)} 10%" not in said] == []


def test_the_best_of_a_search_is_called_what_the_tables_call_it():
    best = Trial(number=0, model="boosting", settings={"depth": 3}, loss=0.4, seconds=1.0)
    outcome = SearchOutcome(trials=(best,), best=best, fold_choices=(), minutes=1, n_fits=1)
    with language("zh_CN"):
        assert "梯度提升树" in str(outcome.finding(searched=0.4, usual=0.5).message)


def test_every_model_that_can_be_trained_has_a_name():
    assert [name for name in (*offered(), *candidates()) if model_name(name) == name] == []


def test_findings_of_earlier_runs_are_still_translated():
    from medcore.i18n import _

    with language("zh_CN"):
        assert (_("boosted trees"), _("network")) == (model_name("boosting"), model_name("network"))
