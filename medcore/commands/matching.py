"""The options ``--map`` and ``--map-level``: columns and values that a new table calls otherwise than the model does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medcore.commands.asked import Asked
from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import required_columns
from medcore.data.reading.table import read_table
from medcore.data.schema.matching import propose_names, read_levels, read_names, with_levels, with_names
from medcore.errors import MissingColumnsError
from medcore.i18n import N_

if TYPE_CHECKING:
    from medcore.models.bundle.bundle import Bundle


def read_mapped(
    data: Path,
    bundle: Bundle,
    pairs: Sequence[str],
    *,
    levels: Sequence[str] = (),
    outcome: str | None = None,
    asked: Asked | None = None,
) -> tuple[Cohort, dict[str, str]]:
    """Read a table and give its columns the names the model knows.

    ``asked`` says how the file is to be read. ``levels`` are pairs of values, "column:theirs=ours". Returns the table and what was mapped, the model's name by the table's.
    ``outcome`` is the outcome's name where it is needed too. Raises SettingsError
    for a pair that cannot be, MissingColumnsError for columns that are lacking:
    its message proposes the pairs that would mend it.
    """
    cohort = (asked or Asked()).read(data, like=bundle.schema)
    names = read_names(pairs, bundle.schema.names)
    cohort = with_names(cohort, names)
    needed = [*required_columns(bundle.schema, bundle.recipe), *([outcome] if outcome else [])]
    _require(cohort, needed)
    cohort = with_levels(cohort, bundle.schema, read_levels(levels, known_levels(bundle)))
    return cohort, {here: name for name, here in names.items()}


def known_levels(bundle: Bundle) -> dict[str, Sequence[str]]:
    """Return the values of each category the model knows, the outcome's among them."""
    book = bundle.codebook
    levels: dict[str, Sequence[str]] = {c: v for c, v in zip(book.columns, book.categories, strict=True) if v}
    if bundle.schema.outcome is not None:
        levels[bundle.schema.outcome.name] = bundle.classes
    return levels


def read_mapped_if_there(data: Path, pairs: Sequence[str], bundle: Bundle) -> Cohort:
    """Read a further table (a background sample), mapping those of the columns that it has."""
    cohort = read_table(data, like=bundle.schema)
    names = read_names(pairs, bundle.schema.names)
    present = set(map(str, cohort.frame.columns))
    return with_names(cohort, {name: here for name, here in names.items() if here in present})


def _require(cohort: Cohort, needed: Sequence[str]) -> None:
    present = [str(c) for c in cohort.frame.columns]
    lacking = [name for name in needed if name not in present]
    if not lacking:
        return
    proposed = {name: here for name, here in propose_names(needed, present).items() if name in lacking and here}
    if not proposed:
        raise MissingColumnsError.between(wanted=needed, got=present, table=cohort.name)
    raise MissingColumnsError(
        N_("{table} lacks the column(s) {lacking}. If these are meant, add: {options}"),
        table=cohort.name,
        lacking=lacking,
        options=" ".join(f'--map "{here}={name}"' for name, here in proposed.items()),
    )
