"""Models, lengths of time and estimates are said as a person says them."""

import math
import re

import pytest

from medcore.evaluation.figures.estimates import Estimate
from medcore.i18n import _, language
from medcore.models.contract.candidate import hint, offered
from medcore.models.contract.setting_field import FIELDS
from medcore.models.contract.settings import layers_of
from medcore.settings import ROOT
from medcore.studies.records import RUN_STATES
from medcore.ui.kit import words
from medcore.ui.kit.shown.tables import with_interval


def test_every_model_and_state_has_words() -> None:
    assert all(hint(model) for model in offered())
    assert set(RUN_STATES) == set(words.RUN_STATES)
    assert all(field.label and field.help for field in FIELDS.values())


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "–"), (0.2, "1 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (9000, "2.5 h")]
)
def test_durations(seconds: float | None, said: str) -> None:
    assert words.duration(seconds) == said


def test_words_follow_the_language() -> None:
    with language("zh_CN"):
        assert words.model_name("logistic") == "逻辑回归"
        assert words.duration(30) == "30 秒"


def test_an_estimate_is_shown_with_its_interval() -> None:
    assert with_interval(Estimate(0.81234, 0.7, 0.9, "delong")) == "0.812 (0.700 to 0.900)"
    assert with_interval(Estimate(math.nan)) == "–"


def test_layers_are_read_with_any_comma() -> None:
    assert layers_of("64，32、16 8") == (64, 32, 16, 8)


def test_intervals_signs_and_per_cent_have_one_form_in_each_language() -> None:
    estimate = Estimate(-0.0412, -0.1, 0.02, "delong")
    assert f"{estimate:+.3f}" == "−0.041 (−0.100 to +0.020)"
    assert f"{estimate.times(100):.1f}" == "−4.1 (−10.0 to 2.0)"
    assert _("At a threshold of {percent} %.", percent="20.0") == "At a threshold of 20.0%."
    with language("zh_CN"):
        assert f"{estimate:.3f}" == "−0.041（−0.100～0.020）"
        assert _("At a threshold of {percent} %.", percent="20.0") == "阈值为 20.0%。"


def test_a_blank_parts_latin_letters_and_digits_from_chinese() -> None:
    sentence = "Risk of {name}: {n} of {total} patients, threshold {threshold}."
    values = {"n": "3", "total": "4", "threshold": "18%"}
    with language("zh_CN"):
        assert _(sentence, name="hypothyroid", **values) == "hypothyroid 的风险：4 名患者中的 3 名，阈值 18%。"
        assert _(sentence, name="冠心病", **values).startswith("冠心病的风险：")


def test_the_glossary_says_what_the_catalogue_says() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| [^|]+\. \|$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.M
    )
    with language("zh_CN"):
        said = {english: _(english) for english, _chinese in rows}
    assert len(rows) > 30
    assert {e: (c, said[e]) for e, c in rows if said[e] not in (e, c)} == {}
