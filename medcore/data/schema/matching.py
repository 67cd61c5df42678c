"""Match the columns of a new table to those a model knows, where they are called differently."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from medcore.data.cohort import Cohort, Schema
from medcore.data.values.typed import read_values
from medcore.errors import MissingColumnsError, SettingsError
from medcore.i18n import N_

LEAST_ALIKE = 0.55
"""Names less alike than this are not proposed (1 is the same, ignoring case, signs and units in brackets)."""
PART_OF_A_NAME, SHORTEST_PART = 0.7, 3
"""How alike a name is to one that it is a part of (chol, cholesterol), from so many letters on."""
_UNIT = re.compile(r"[(\[（][^)\]）]*[)\]）]")


def propose_names(wanted: Sequence[str], got: Sequence[str]) -> dict[str, str | None]:
    """Propose for each wanted column the one of the table that is meant; ``None`` where none is alike.

    A column of the table is proposed once at most, the most alike pairs first.

    >>> propose_names(["age", "sex"], ["Age (years)", "SEX", "ward"])
    {'age': 'Age (years)', 'sex': 'SEX'}
    """
    found: dict[str, str | None] = {name: name if name in got else None for name in wanted}
    free = [name for name in got if name not in found.values()]
    lacking = [name for name, here in found.items() if here is None]
    pairs = sorted(((_alike(a, b), a, b) for a in lacking for b in free), key=lambda p: -p[0])
    for alike, name, here in pairs:
        if alike >= LEAST_ALIKE and found[name] is None and here not in found.values():
            found[name] = here
    return found


def with_names(cohort: Cohort, names: Mapping[str, str]) -> Cohort:
    """Return a table whose columns have the names a model knows: ``names`` is by the model's name.

    A column of the table that has such a name already, and is not the one meant,
    gives it up. Raises MissingColumnsError when the table lacks a column.
    """
    present = [str(c) for c in cohort.frame.columns]
    lacking = [here for here in names.values() if here not in present]
    if lacking:
        raise MissingColumnsError.between(wanted=lacking, got=present, table=cohort.name)
    changed = {here: name for name, here in names.items() if here != name}
    dropped = [name for name in changed.values() if name in present and name not in changed]
    columns = tuple(
        replace(c, name=changed.get(c.name, c.name)) for c in cohort.schema.columns if c.name not in dropped
    )
    return replace(
        cohort,
        frame=cohort.frame.drop(columns=dropped).rename(columns=changed),
        schema=replace(cohort.schema, columns=columns),
    )


def with_levels(cohort: Cohort, schema: Schema, levels: Mapping[str, Mapping[str, str]]) -> Cohort:
    """Return a table whose categories have the values a model knows: theirs → ours, by column.

    Other values of these columns stay. ``schema`` is the model's; a column that the
    table lacks is left alone.
    """
    frame = cohort.frame.copy()
    frame.attrs = dict(cohort.frame.attrs)
    for name, changed in levels.items():
        if name in frame.columns:
            column = replace(schema[name], levels=())
            texts = read_values(cohort.frame[[name]], Schema((column,))).frame[name]
            frame[name] = texts.map(lambda v, changed=changed: changed.get(v, v), na_action="ignore")
    return replace(cohort, frame=frame)


def read_levels(pairs: Sequence[str], known: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Read "column:their value=our value" as :func:`with_levels` takes it.

    ``known`` are the values the model knows, by column. Raises SettingsError for a
    text of another form, a column that is no category of the model, a value that it
    does not know, and a value of the table that comes twice.

    >>> read_levels(["sex:1=Male", "sex:0=Female"], {"sex": ["Male", "Female"]})
    {'sex': {'1': 'Male', '0': 'Female'}}
    """
    levels: dict[str, dict[str, str]] = {}
    for pair in pairs:
        name = max((c for c in known if pair.startswith(f"{c}:")), key=len, default=None)
        if name is None:
            raise SettingsError(
                N_(
                    "“{pair}” does not name a category of the model. Write column:value in the table=value in the model. "
                    "Categories: {columns}."
                ),
                pair=pair,
                columns=list(known) or "–",
            )
        rest = pair[len(name) + 1 :]
        parts = [(rest[:i].strip(), rest[i + 1 :].strip()) for i, letter in enumerate(rest) if letter == "="]
        fits = [(theirs, ours) for theirs, ours in parts if theirs and ours in known[name]]
        if not fits or fits[0][0] in levels.get(name, {}):
            raise SettingsError(
                N_("“{pair}” must say once for a value of the table which value of {column} it is: one of {levels}."),
                pair=pair,
                column=name,
                levels=list(known[name]),
            )
        levels.setdefault(name, {})[fits[0][0]] = fits[0][1]
    return levels


def read_names(pairs: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Read "their name=our name" as :func:`with_names` takes it: the table's name by the model's.

    ``known`` are the names the model knows. A name may hold "=": the split at
    which the right side is a known name is taken. Raises SettingsError for text
    without "=", for a name the model does not know, and for one that comes twice.

    >>> read_names(["Age (years)=age", "T=0=troponin"], ["age", "troponin"])
    {'age': 'Age (years)', 'troponin': 'T=0'}
    """
    names: dict[str, str] = {}
    for pair in pairs:
        here, name = _split(pair, known)
        if name in names or here in names.values():
            raise SettingsError(
                N_("In “{pair}” a column is named that is mapped already: each column stands for one other."), pair=pair
            )
        names[name] = here
    return names


def _split(pair: str, known: Sequence[str]) -> tuple[str, str]:
    places = [i for i, letter in enumerate(pair) if letter == "="]
    parts = [(pair[:i].strip(), pair[i + 1 :].strip()) for i in places]
    found = [(here, name) for here, name in parts if here and name in known]
    if found:
        return found[0]
    if not parts or not all(parts[-1]):
        raise SettingsError(
            N_("“{pair}” does not say which column is which. Write: name in the table=name in the model."), pair=pair
        )
    raise SettingsError(
        N_("The model has no column “{name}” (in “{pair}”). The nearest it has: {near}."),
        name=parts[-1][1],
        pair=pair,
        near=sorted(known, key=lambda k: -_alike(k, parts[-1][1]))[:3],
    )


def _alike(a: str, b: str) -> float:
    one, other = _plain(a), _plain(b)
    if not one or not other:
        return 0.0
    shorter, longer = sorted((one, other), key=len)
    part = PART_OF_A_NAME if len(shorter) >= SHORTEST_PART and shorter in longer else 0.0
    return max(part, SequenceMatcher(None, one, other).ratio())


def _plain(name: str) -> str:
    """Reduce a name to its letters and digits, without case and without a unit in brackets."""
    bare = "".join(c for c in _UNIT.sub("", name).casefold() if c.isalnum())
    return bare or "".join(c for c in name.casefold() if c.isalnum())
