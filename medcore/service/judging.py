"""A released model judged on patients whose outcome is known; nothing of them is kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from medcore.errors import SettingsError, TargetError
from medcore.evaluation import confusion, evaluate
from medcore.i18n import N_
from medcore.service.answers import told_of
from medcore.service.bodies import EvaluateForm
from medcore.service.opened import OpenModel
from medcore.studies import Store
from medcore.studies.stores.register_store import Call


def judge(store: Store, person: str, used: OpenModel, form: EvaluateForm) -> dict[str, Any]:
    """Return the figures of a model on some patients, with their intervals, and the confusion matrix.

    Raises:
        TargetError: an outcome is none of the model's classes, or the model tells no classes apart.

    """
    bundle = used.model.bundle
    if bundle.schema.follow_up is not None or bundle.schema.number is not None:
        raise TargetError(
            N_("The service judges models that tell classes apart; judge this one by python -m medcore evaluate.")
        )
    classes = list(bundle.classes)
    unknown = next((p.outcome for p in form.patients if p.outcome not in classes), None)
    if unknown is not None:
        raise TargetError(N_("An outcome is none of the model's classes, which are {classes}."), classes=classes)
    outcome = np.array([classes.index(p.outcome) for p in form.patients], dtype=np.int64)
    if len(np.unique(outcome)) < 2:
        raise SettingsError(N_("All patients have the same outcome: nothing can be judged by them."))
    risk = bundle.predict(used.model.frame([p.values for p in form.patients]))
    store.keep_calls([Call(person, used.release, (), len(outcome), "evaluate")])
    figures = evaluate(outcome, risk, bundle.classes, ordered=bundle.target.ordered).to_dict()
    event, limit = bundle.target.event, used.model.threshold if form.threshold is None else form.threshold
    matrix = None
    if event is not None:
        matrix = confusion((outcome == event).astype(np.float64), risk[:, event], limit).to_dict()
    return {**told_of(used), "n": len(outcome), "evaluation": figures, "confusion_matrix": matrix, "threshold": limit}
