"""The signalling questions of PROBAST, with its extension for artificial intelligence, and what is known of each.

Sources: Wolff et al., Ann Intern Med 2019;170:51; Moons et al., BMJ 2025;388:e082505. The wording is our own
short form. Which risk of bias follows is for a reader to judge.
"""

from __future__ import annotations

from medcore.i18n import N_

QUESTIONS: tuple[tuple[str, str, str], ...] = (
    ("1.1", N_("Were the sources of data appropriate?"), "source"),
    ("1.2", N_("Were inclusions and exclusions appropriate?"), "eligibility"),
    ("2.1", N_("Were predictors defined and assessed alike for all?"), "predictors_chosen"),
    ("2.2", N_("Were predictors assessed without knowledge of the outcome?"), ""),
    ("2.3", N_("Are all predictors available when the model is to be used?"), "intended_use"),
    ("3.1", N_("Was the outcome determined appropriately, and alike for all?"), "outcome_definition"),
    ("3.2", N_("Were predictors excluded from the definition of the outcome?"), ""),
    ("3.3", N_("Was the outcome determined without knowledge of the predictors?"), ""),
    ("3.4", N_("Was the time between predictors and outcome appropriate?"), "outcome_definition"),
    ("4.1", N_("Were there enough patients with the outcome?"), "auto:sample_size"),
    ("4.2", N_("Were continuous and categorical predictors handled appropriately?"), "auto:specification,models"),
    ("4.3", N_("Were all enrolled patients in the analysis?"), "auto:flow"),
    ("4.4", N_("Were missing data handled appropriately?"), "auto:preparation"),
    ("4.5", N_("Was selecting predictors by their single associations avoided?"), "auto:models+predictors_chosen"),
    ("4.6", N_("Were complexities of the data (several rows a patient, sites) accounted for?"), "auto:models"),
    ("4.7", N_("Were discrimination and calibration both judged?"), "auto:results"),
    ("4.8", N_("Were overfitting and optimism accounted for?"), "auto:models"),
    ("4.9", N_("Is the model given in full, and is it the one that was judged?"), "auto:specification"),
    ("AI 1", N_("Were data for training, tuning and judging kept apart?"), "auto:models"),
    ("AI 2", N_("Was class imbalance handled without distorting the risks?"), "auto:models"),
    ("AI 3", N_("Was performance judged in the groups that matter (fairness)?"), "auto:subgroups"),
)
"""Number, question, and where something is known of it, as in the items of TRIPOD+AI; nothing: only people know."""
