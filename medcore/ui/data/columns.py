"""Edit what each column is, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from medcore.data.cohort import Column, Schema
from medcore.data.describe.profile import profile
from medcore.data.preparation.fixes import change_column
from medcore.data.reading.beside.codebooks import apply_file
from medcore.data.schema.dictionaries.dictionary import read_labels, save_dictionary, write_labels
from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import cohort, once, store
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.shown.tables import download

ROLE_WORDS: Mapping[str, str] = {
    "outcome": N_("outcome"),
    "predictor": N_("predictor"),
    "identifier": N_("identifier"),
    "group": N_("patient (group)"),
    "time": N_("time"),
    "site": N_("site"),
    "sensitive": N_("for subgroups only"),
    "ignored": N_("left out"),
}
KIND_WORDS: Mapping[str, str] = {
    "numeric": N_("number"),
    "category": N_("category"),
    "boolean": N_("yes / no"),
    "date": N_("date"),
    "text": N_("free text"),
    "note": N_("note, read by its words and phrases"),
    "series": N_("measurements over time"),
}
SEPARATOR = " | "


def columns_form(study: StudyRecord) -> None:
    """Show every column with kind, role, unit, range and codes, each editable; save on request."""
    names = _chosen(study.schema)
    shown = _rows(study, names)
    edited = st.data_editor(
        shown,
        key=f"data.columns.{study.identity}.{len(names)}",
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * max(len(shown), 1), 620),
        column_config=_config(over_time=any(c.over_time for c in study.schema.columns)),
        disabled=("name", "missing", "reason"),
    )
    changed = _edited(study.schema, shown, edited)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            _("Save these columns"), key="data.columns.save", type="primary", disabled=changed == study.schema
        ):
            store().save_schema(study.owner, study.id, changed)
            st.rerun()
        download(
            _("Data dictionary (CSV)"),
            save_dictionary(study.schema),
            file_name="data-dictionary.csv",
            mime="text/csv",
            key="data.columns.dictionary",
        )
    _upload_dictionary(study)


def _chosen(schema: Schema) -> list[str]:
    """Ask which columns to show; all of a small table."""
    if len(schema.columns) <= 15:
        return list(schema.names)
    with st.container(horizontal=True):
        wanted = st.text_input(_("Find a column by name"), key="data.columns.find").casefold()
        roles = st.multiselect(
            _("Only these roles"),
            list(ROLE_WORDS),
            format_func=lambda r: _(ROLE_WORDS[r]),
            key="data.columns.roles",
            placeholder=_("Choose a value"),
        )
    found = [c for c in schema.columns if wanted in f"{c.name} {c.label}".casefold()]
    return [c.name for c in found if not roles or c.role in roles]


def _rows(study: StudyRecord, names: list[str]) -> pd.DataFrame:
    missing = _missing(study)
    rows = [_row(study.schema[n], missing[n]) for n in names]
    return pd.DataFrame(rows, columns=list(_config()))


def _missing(study: StudyRecord) -> dict[str, float]:
    """Return the share (0–1) of each column's cells that hold no value, the same figure as the profile shows."""
    found = once(lambda: profile(cohort(study)), "profile", study.identity)
    return {c.name: c.missing for c in found.columns}


def _row(column: Column, missing: float) -> dict[str, Any]:
    return {
        "name": column.name,
        "label": column.label,
        "role": _(ROLE_WORDS[column.role]),
        "kind": _(KIND_WORDS[column.kind]),
        "unit": column.unit or "",
        "low": column.low,
        "high": column.high,
        "level_labels": write_labels(column.level_labels),
        "codes": SEPARATOR.join(column.missing_codes),
        "sensitive": column.sensitive,
        "missing": 100 * missing,
        "reason": str(column.reason) if column.reason else "",
    }


def _config(*, over_time: bool = False) -> dict[str, Any]:
    """Say how each of the columns is edited; only a table of measurements makes some of results ``over_time``."""
    config = st.column_config
    return {
        "name": config.TextColumn(_("Column"), pinned=True),
        "label": config.TextColumn(
            _("Label"), help=_("What the column is, in words: charts, tables and reports show it.")
        ),
        "role": config.SelectboxColumn(_("Role"), options=[_(w) for w in ROLE_WORDS.values()], required=True),
        "kind": config.SelectboxColumn(
            _("Kind"), options=[_(w) for kind, w in KIND_WORDS.items() if over_time or kind != "series"], required=True
        ),
        "unit": config.TextColumn(_("Unit")),
        "low": config.NumberColumn(_("Plausible from")),
        "high": config.NumberColumn(_("to")),
        "level_labels": config.TextColumn(
            _("What the codes mean"),
            help=_("Code = meaning, several separated by a vertical bar: 1 = male | 2 = female."),
        ),
        "codes": config.TextColumn(_("Codes for missing"), help=_("Several codes are separated by a vertical bar |.")),
        "sensitive": config.CheckboxColumn(
            _("Subgroup"), help=_("Results are also broken down by this column, such as age or sex.")
        ),
        "missing": config.NumberColumn(
            _("Missing"),
            format="%.0f%%",
            help=_("Empty cells and codes for missing, as the profile counts them."),
        ),
        "reason": config.TextColumn(_("Why it was read so"), width="large"),
    }


def _edited(schema: Schema, before: pd.DataFrame, after: pd.DataFrame) -> Schema:
    """Return the schema with the cells that were edited."""
    roles = {_(word): role for role, word in ROLE_WORDS.items()}
    kinds = {_(word): kind for kind, word in KIND_WORDS.items()}
    read: Mapping[str, Callable[[Any], dict[str, Any]]] = {
        "label": lambda text: {"label": (text or "").strip()},
        "role": lambda word: {"role": roles[word]},
        "kind": lambda word: {"kind": kinds[word], "levels": ()},
        "unit": lambda text: {"unit": (text or "").strip() or None},
        "low": lambda number: {"low": _number(number)},
        "high": lambda number: {"high": _number(number)},
        "level_labels": lambda text: {"level_labels": read_labels(text or "")},
        "codes": lambda text: {"missing_codes": tuple(c.strip() for c in (text or "").split("|") if c.strip())},
        "sensitive": lambda on: {"sensitive": on},
    }
    for old, new in zip(before.to_dict("records"), after.to_dict("records"), strict=True):
        fields: dict[str, Any] = {}
        for name, understood in read.items():
            if not _same(old[name], new[name]):
                fields |= understood(new[name])
        if fields:
            schema = change_column(schema, str(old["name"]), **fields)
    return schema


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) or (pd.isna(old) and pd.isna(new))


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _upload_dictionary(study: StudyRecord) -> None:
    with st.expander(_("Load a codebook or data dictionary")):
        file = st.file_uploader(
            _(
                "A sheet that names the columns and says what their codes are, REDCap's dictionary, or the CSV saved here"
            ),
            type=["csv", "tsv", "txt", "xlsx", "xls", "ods"],
            key="data.dictionary.file",
        )
        if file is not None and st.button(_("Take what it says"), key="data.dictionary.apply"):
            with errors_shown():
                schema = apply_file(study.schema, cohort(study).frame, (file.name, file.getvalue()))
                store().save_schema(study.owner, study.id, schema)
                st.rerun()
