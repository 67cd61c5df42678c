"""The items of TRIPOD+AI, and which of them only people can answer.

Source of the items: Collins et al., BMJ 2024;385:e078378, table of the
TRIPOD+AI checklist. The wording here is our own short form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medcore.i18n import N_, _, parted
from medcore.reporting.formats.document import Table

ASKED: Mapping[str, str] = {
    "intended_use": N_("Who will use the model, for which patients, at which moment, and to decide what"),
    "background": N_("Medical background and reasons for this model"),
    "inequalities": N_("Known health inequalities that the model could touch"),
    "source": N_("Source of the data, and dates of its collection"),
    "setting": N_("Setting: hospitals, wards, countries"),
    "eligibility": N_("Who was eligible, and who was left out"),
    "treatments": N_("Treatments that patients received"),
    "outcome_definition": N_("How and when the outcome was assessed, and by whom"),
    "predictors_chosen": N_("How the predictors were chosen and measured, and when"),
    "ethics": N_("Ethical approval and consent"),
    "funding": N_("Funding and conflicts of interest"),
    "registration": N_("Protocol and registration"),
    "sharing": N_("Availability of data and code"),
    "involvement": N_("Involvement of patients and the public"),
    "interpretation": N_("Interpretation, and comparison with other models"),
    "next_steps": N_("Next steps: further validation, use, monitoring"),
}
"""What only people know, by key; an empty answer is printed as "not stated"."""

ITEMS: tuple[tuple[str, str, str], ...] = (
    ("1", N_("Title"), "auto:title"),
    ("2", N_("Abstract"), "auto:summary+source,setting,registration"),
    ("3a", N_("Background: healthcare context"), "background"),
    ("3b", N_("Background: target population and intended use"), "intended_use"),
    ("3c", N_("Background: health inequalities"), "inequalities"),
    ("4", N_("Objectives"), "auto:summary"),
    ("5a–b", N_("Data: sources and dates"), "source"),
    ("6a", N_("Participants: setting"), "setting"),
    ("6b", N_("Participants: eligibility"), "eligibility"),
    ("6c", N_("Participants: treatments"), "treatments"),
    ("7", N_("Data preparation"), "auto:preparation"),
    ("8a–c", N_("Outcome: definition and assessment"), "outcome_definition"),
    ("9a–c", N_("Predictors: choice and definition"), "predictors_chosen"),
    ("10", N_("Sample size"), "auto:sample_size"),
    ("11", N_("Missing data"), "auto:preparation"),
    ("12a–b", N_("Analysis: use of the data, handling of predictors"), "auto:preparation"),
    ("12c", N_("Analysis: model, settings, internal validation"), "auto:models"),
    ("12d", N_("Analysis: differences between clusters"), "auto:clusters"),
    ("12e", N_("Analysis: measures of performance"), "auto:measures"),
    ("12f", N_("Analysis: recalibration"), "auto:models"),
    ("12g", N_("Analysis: how predictions are made"), "auto:specification,models"),
    ("13", N_("Class imbalance"), "auto:models"),
    ("14", N_("Fairness"), "auto:subgroups"),
    ("15", N_("Model output: risk and threshold"), "auto:threshold"),
    ("16", N_("Training and evaluation compared"), "auto:external,compared"),
    ("17", N_("Ethical approval"), "ethics"),
    ("18a–b", N_("Funding and conflicts of interest"), "funding"),
    ("18c–d", N_("Protocol and registration"), "registration"),
    ("18e–f", N_("Availability of data and code"), "sharing"),
    ("19", N_("Patient and public involvement"), "involvement"),
    ("20a", N_("Flow of participants"), "auto:flow"),
    ("20b", N_("Characteristics of participants"), "auto:table_one"),
    ("20c", N_("Predictors in training and evaluation compared"), "auto:external,compared"),
    ("21", N_("Participants and events in each analysis"), "auto:flow"),
    ("22", N_("Model specification"), "auto:specification"),
    ("23a", N_("Performance with intervals, overall and by subgroup"), "auto:results"),
    ("23b", N_("Differences between clusters"), "auto:clusters"),
    ("24", N_("Model updating"), "auto:updated,recalibrated"),
    ("25", N_("Interpretation"), "interpretation"),
    ("26", N_("Limitations"), "auto:limits"),
    ("27a", N_("Use: missing or poor input"), "auto:limits"),
    ("27b–c", N_("Use: users, next steps"), "next_steps"),
)
"""Number, short form, and where it is answered: a key of :data:`ASKED`, or parts of the report, the first that is there.

After a plus stand keys of :data:`ASKED` that belong to the item as well.
"""

PLACES: Mapping[str, str] = {
    "title": N_("Title"),
    "summary": N_("Summary"),
    "card": N_("Model card"),
    "preparation": N_("Preparation of the data"),
    "sample_size": N_("Sample size"),
    "missing": N_("Predictors"),
    "models": N_("Models"),
    "measures": N_("Measures of performance"),
    "threshold": N_("Threshold"),
    "flow": N_("Flow of patients"),
    "table_one": N_("Characteristics of the patients"),
    "versions": N_("Versions and identity"),
    "specification": N_("The model itself"),
    "results": N_("Performance"),
    "subgroups": N_("Subgroups"),
    "clusters": N_("Subgroups"),
    "candidates": N_("Models side by side"),
    "updated": N_("Models side by side"),
    "external": N_("External validation"),
    "recalibrated": N_("External validation"),
    "compared": N_("Characteristics of the patients"),
    "limits": N_("Limits"),
}
"""The parts of the report by key: their headings. Several keys may be answered under one heading."""


def part(key: str) -> str:
    """Return the heading of a part of the report."""
    return _(PLACES[key])


def not_stated(answer: str | None) -> str:
    """Return an answer, or say that there is none."""
    return answer.strip() if answer and answer.strip() else _("not stated")


def checklist(answers: Mapping[str, str], parts: frozenset[str]) -> Table:
    """List the items: where the report answers them, what people answered, or "not stated".

    ``parts`` are the keys of :data:`PLACES` that this report has.
    """
    head = (_("Item"), _("What"), _("Where, or what was answered"))
    return Table.of(_("Where each item is answered"), head, answered(ITEMS, answers, parts))


def answered(
    items: Sequence[tuple[str, str, str]], answers: Mapping[str, str], parts: frozenset[str]
) -> list[tuple[str, str, str]]:
    """Return number, words and answer of items or questions."""
    rows = []
    for number, item, place in items:
        answer = not_stated(answers.get(place))
        if place.startswith("auto:"):
            places, _plus, asked = place.removeprefix("auto:").partition("+")
            there = [key for key in places.split(",") if key in parts]
            answer = _("See “{part}”", part=_(PLACES[there[0]])) if there else _("not stated")
            lacking = [_(ASKED[key]) for key in asked.split(",") if key and not answers.get(key, "").strip()]
            if there and lacking:
                answer = _("{answer}; not stated: {questions}", answer=answer, questions=parted(lacking))
        rows.append((number, _(item), answer))
    return rows
