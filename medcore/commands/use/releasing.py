"""The commands that release models, take them back, make tokens and serve."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from medcore.commands.result import Result
from medcore.commands.studies import named_study
from medcore.errors import InputError, NotFoundError, SettingsError
from medcore.i18n import N_, _
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, RunRecord, Store, StudyRecord
from medcore.studies.use_records import RELEASE_STATES, Terms, TokenRecord


def release(
    study: str,
    *,
    run: int | None,
    name: str,
    use: str,
    patients: str,
    threshold: float | None = None,
    until: str | None = None,
    codes: Path | None = None,
) -> Result:
    """Release a finished run of a study (without a number the chosen or newest one) as the next version of a model.

    Raises:
        NotFoundError: there is no such study or run.
        SettingsError: it cannot be released; it says why.

    """
    from medcore.models.bundle.bundle import load_bundle

    store = Store(Settings.from_env())
    found = named_study(store, study)
    chosen = _run(store, found, run)
    folder = store.result_folder(found.owner, chosen.id)
    terms = Terms(
        intended_use=use,
        for_whom=patients,
        threshold=_threshold(found, chosen, threshold),
        valid_until=_day(until),
        figures=figures_of(load_bundle(folder).manifest),
        codes=_codes(codes, folder, threshold) if codes else {},
    )
    made = store.release(found.owner, chosen.id, name, terms)
    line = _(
        "Run {number} of “{study}” is released as {model} {version}.",
        number=chosen.number,
        study=found.name,
        model=made.model,
        version=made.version,
    )
    return Result(made.to_dict(), (line,))


def figures_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that a bundle's manifest holds, which its release is judged by."""
    return {name: manifest[name] for name in ("cross_validated", "test") if manifest.get(name)}


def withdraw(name: str, *, version: int | None, why: str) -> Result:
    """Take a version of a model back, the newest if none is named."""
    store = Store(Settings.from_env())
    versions = [r for r in store.releases(LOCAL_OWNER, model=name) if r.withdrawn_at is None]
    found = next((r for r in versions if version in {None, r.version}), None)
    if found is None:
        raise NotFoundError(N_("There is no such version of {model} in use."), model=name)
    gone = store.withdraw(found.owner, found.id, why)
    return Result(gone.to_dict(), (_("{model} {version} is withdrawn.", model=name, version=gone.version),))


def releases() -> Result:
    """List the released models with their versions."""
    found = Store(Settings.from_env()).releases(LOCAL_OWNER)
    lines = tuple(f"{r.model} {r.version}: {_(RELEASE_STATES[r.state])}, {r.released_at:%Y-%m-%d}" for r in found)
    return Result({"releases": [r.to_dict() for r in found]}, lines or (_("No model is released."),))


def make_token(label: str, *, days: int, model: str | None) -> Result:
    """Make a token for a program; it is said once."""
    token, made = Store(Settings.from_env()).new_token(LOCAL_OWNER, label, days=days, model=model)
    said = _("The token {number} holds until {day}. It is not shown again:", number=made.id[:8], day=_until(made))
    return Result(_told(made) | {"token": token}, (said, token))


def list_tokens() -> Result:
    """List the tokens, without themselves."""
    found = Store(Settings.from_env()).tokens(LOCAL_OWNER)
    words = (_("holds until {day}", day=_until(token)) if token.holds else _("over") for token in found)
    lines = tuple(f"{token.id[:8]} {token.label}: {said}" for token, said in zip(found, words, strict=True))
    return Result({"tokens": [_told(t) for t in found]}, lines or (_("There is no token."),))


def end_token(number: str) -> Result:
    """End a token: it opens nothing any more."""
    ended = Store(Settings.from_env()).end_token(LOCAL_OWNER, number)
    return Result(_told(ended), (_("The token {number} is ended.", number=ended.id[:8]),))


def serve(**where: Any) -> None:
    """Answer programs until it is stopped."""
    from medcore.service.serve import Serving
    from medcore.service.serve import serve as answer

    answer(Serving(**where))


def _run(store: Store, study: StudyRecord, number: int | None) -> RunRecord:
    done = [run for run in store.list_runs(study.owner, study.id) if run.state == "done"]
    chosen = study.choice.run_id if study.choice else None
    if number is None:
        done.sort(key=lambda run: (run.id != chosen, -run.number))
    found = next((run for run in done if number in {None, run.number}), None)
    if found is None:
        raise NotFoundError(N_("“{study}” has no finished training run of this number."), study=study.name)
    return found


def _threshold(study: StudyRecord, run: RunRecord, given: float | None) -> float | None:
    """Return the threshold that was given, else the study's own; None for the bundle's."""
    if given is None and study.choice is not None and study.choice.run_id == run.id:
        return study.choice.threshold
    return given


def _codes(file: Path, folder: Any, threshold: float | None) -> dict[str, Any]:
    from medcore.explanation.patient.released import ReleasedModel
    from medcore.service.records.codes import check_codes

    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            N_("{file} cannot be read as JSON ({kind})."), file=str(file), kind=type(error).__name__
        ) from None
    if not isinstance(given, dict):
        raise InputError(N_("{file} has to hold an entry for each column."), file=str(file))
    check_codes(given, ReleasedModel.open(folder, threshold))
    return given


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SettingsError(N_("{text} is no day; write it as 2027-12-31."), text=text) from None


def _until(token: TokenRecord) -> str:
    return f"{token.expires_at:%Y-%m-%d}"


def _told(token: TokenRecord) -> dict[str, Any]:
    return {
        "number": token.id,
        "label": token.label,
        "model": token.model,
        "expires_at": token.expires_at.isoformat(),
        "holds": token.holds,
    }
