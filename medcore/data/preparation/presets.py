"""Recipes with a name, and what is wrong with them said beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from medcore.data.cohort import Schema
from medcore.data.preparation.recipe import Recipe, default_recipe
from medcore.data.preparation.steps import Step
from medcore.i18n import N_, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named recipe for any table; ``wrong`` says why a careful person would not use it."""

    key: str
    title: Message
    recipe: Callable[[Schema], Recipe]
    wrong: tuple[Message, ...] = ()


def article_recipe(schema: Schema) -> Recipe:
    """Return the recipe of the article this project began from: fill with 0, drop duplicates, one-hot."""
    del schema
    return Recipe(
        (
            Step("missing_codes", on=False),
            Step("tidy_categories"),
            Step("implausible_values", on=False),
            Step("dates_to_intervals", on=False),
            Step("set_text_aside"),
            Step("fill_zero"),
            Step("patient_part", on=False),
            Step("drop_rows_without_outcome"),
            Step("drop_duplicate_rows"),
        )
    )


def one_row_recipe(schema: Schema) -> Recipe:
    """Return the proposed recipe with only the last row of every patient."""
    return default_recipe(schema).switch("last_row_per_patient", True)


PRESETS: Mapping[str, Preset] = {
    preset.key: preset
    for preset in (
        Preset(key="default", title=Message(N_("Proposed by medcore")), recipe=default_recipe),
        Preset(
            key="one_row",
            title=Message(N_("Proposed, with the last row of every patient")),
            recipe=one_row_recipe,
            wrong=(
                Message(
                    N_(
                        "The last row is known only in hindsight: it fits a question asked at the end of a stay, not at its beginning."
                    )
                ),
            ),
        ),
        Preset(
            key="article",
            title=Message(N_("The article's recipe: fill with 0, drop duplicates, one-hot")),
            recipe=article_recipe,
            wrong=(
                Message(
                    N_(
                        "A missing blood pressure is not a pressure of 0: the model learns who was not measured as if it were a value."
                    )
                ),
                Message(N_("Codes for missing and impossible values are kept as if they had been measured.")),
                Message(N_("Equal rows may be different patients; dropping them changes how frequent the outcome is.")),
                Message(N_("It is kept as the baseline that everything else must beat.")),
            ),
        ),
    )
}


def preset_of(recipe: Recipe, schema: Schema) -> str | None:
    """Name the preset that a recipe is, or None when it is a choice of one's own."""
    done = [s for s in recipe.steps if s.on]
    return next((key for key, p in PRESETS.items() if [s for s in p.recipe(schema).steps if s.on] == done), None)
