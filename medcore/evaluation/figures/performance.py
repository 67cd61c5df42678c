"""Evaluation: every summary figure of a model's risks, for two classes or more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.evaluation.figures.auroc import on_logit_scale
from medcore.evaluation.figures.confusion import Confusion, confusion
from medcore.evaluation.figures.estimates import (
    CONSTANT_RISK,
    NAN,
    ONE_CLASS,
    SEPARATED,
    Estimate,
    Floats,
    from_draws,
    missing,
    normal,
)
from medcore.evaluation.figures.event import (
    ANALYTIC,
    ERRORS,
    METRICS,
    Pieces,
    analytic_method,
    calibration_error,
    estimates,
    pieces,
    too_few,
)
from medcore.evaluation.figures.folds import NO_DISCRIMINATION, by_fold, tells_nobody_apart, widened
from medcore.evaluation.figures.resampling import Draws, Ints, clustered_variance, default_n_boot, draw
from medcore.evaluation.figures.weighting import effective_number, linearised, proportion, weighed
from medcore.evaluation.figures.words import METRICS as NAMES
from medcore.evaluation.figures.words import with_interval
from medcore.i18n import N_, Message
from medcore.notebook import NotebookTable, ShownInNotebooks
from medcore.statistics.many_classes import hand_till, polytomous_discrimination
from medcore.statistics.ordered_classes import generalised_c, ordinal_c, ranked_probability_terms
from medcore.statistics.scores import class_log_loss_terms
from medcore.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(ShownInNotebooks):
    """The figures by which a set of predicted risks is judged.

    ``metrics`` holds, for two classes, the figures of the positive class (the
    last of ``classes``); for more, means over classes of one-against-the-rest
    figures (macro), except ``brier`` (summed over classes), ``log_loss`` and
    ``accuracy``; for classes in an order also the ordinal c-indices ``orc`` and
    ``generalised_c`` and the ranked probability score ``rps``. ``cumulative`` then holds
    the figures of being in a class or a higher one, by the name of that class. ``per_class`` is filled for more than two classes only, and so
    is ``table``, the counts of true class (rows) by most probable class
    (columns). ``confusion`` is there when a threshold was given (two classes).
    ``n_effective`` is there when patients were weighted: as many equally weighted
    ones would tell as much (Kish 1965). Counts are of patients in any case. ``n_folds`` is
    there when the risks were out of fold: the intervals are then for the model trained
    on all patients (evaluations kept before had intervals for those of the folds, and none).
    """

    n: int
    classes: tuple[str, ...]
    class_counts: Mapping[str, int]
    metrics: Mapping[str, Estimate]
    per_class: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    cumulative: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    confusion: Confusion | None = None
    table: tuple[tuple[int, ...], ...] = ()
    n_patients: int | None = None
    n_boot: int = 0
    seed: int = 0
    n_effective: float | None = None
    n_folds: int | None = None

    @property
    def target(self) -> Target:
        """What is predicted."""
        return Target(len(self.classes), bool(self.cumulative))

    @property
    def n_events(self) -> int | None:
        """Rows with the positive class; None with more than two classes (see ``class_counts``)."""
        event = self.target.event
        return None if event is None else self.class_counts[self.classes[event]]

    def delivered(self) -> Message | None:
        """Say whose figures out-of-fold intervals are meant to hold; None where the risks were not out of fold."""
        if not self.n_folds or self.n_folds < 2:
            return None
        return Message(_DELIVERED, {"share": f"{100 * (self.n_folds - 1) / self.n_folds:.0f}"})

    def notebook_table(self) -> NotebookTable:
        """Show every figure with its 95 % interval."""
        caption = str(Message(N_("{n} patients judged"), {"n": f"{self.n:,}"}))
        header = (str(Message(N_("Measure"))), str(Message(N_("Value (95 % interval)"))))
        rows = [(str(Message(NAMES.get(name, name))), with_interval(value)) for name, value in self.metrics.items()]
        return NotebookTable(caption, header, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        metrics = {name: e.to_dict() for name, e in self.metrics.items()}
        return {
            "n": self.n,
            "n_events": self.n_events,
            "n_patients": self.n_patients,
            "n_effective": self.n_effective,
            "n_folds": self.n_folds,
            "classes": list(self.classes),
            "class_counts": dict(self.class_counts),
            "metrics": metrics,
            **{
                part: {c: {name: e.to_dict() for name, e in m.items()} for c, m in getattr(self, part).items()}
                for part in ("per_class", "cumulative")
            },
            "confusion": self.confusion.to_dict() if self.confusion else None,
            "table": [list(row) for row in self.table],
            "n_boot": self.n_boot,
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evaluation:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            n=data["n"],
            classes=tuple(data["classes"]),
            class_counts=dict(data["class_counts"]),
            metrics={name: Estimate.from_dict(e) for name, e in data["metrics"].items()},
            **{
                part: {c: {k: Estimate.from_dict(e) for k, e in m.items()} for c, m in data.get(part, {}).items()}
                for part in ("per_class", "cumulative")
            },
            confusion=Confusion.from_dict(data["confusion"]) if data.get("confusion") else None,
            table=tuple(tuple(row) for row in data.get("table", ())),
            n_patients=data.get("n_patients"),
            n_effective=data.get("n_effective"),
            n_folds=data.get("n_folds"),
            n_boot=data.get("n_boot", 0),
            seed=data.get("seed", 0),
        )


_DELIVERED = N_(
    "The out-of-fold intervals are meant for the model that is delivered, which learnt from all training patients: they "
    "are as wide as of {share} % of the patients (the calibration slope's on the scale of its reciprocal, that of "
    "calibration in the large as wide as of all), and the AUROC's reaches up from the mean over folds where that is higher."
)


def evaluate(
    outcome: Ints,
    risk: Floats,
    classes: Sequence[str],
    *,
    groups: Ints | None = None,
    weights: Floats | None = None,
    folds: Ints | None = None,
    restarted: bool = False,
    threshold: float | None = None,
    ordered: bool = False,
    seed: int = 0,
    n_boot: int | None = None,
) -> Evaluation:
    """Judge predicted risks against what happened, every figure with its 95 % interval.

    ``outcome`` (n,) holds class indices, ``risk`` (n, K) a column a class.
    ``groups`` (n,) are patient codes where patients repeat: intervals then
    resample patients. ``weights`` (n,), 0 or more, say for how many patients each row
    stands; only their ratios matter, and a row of weight 0 is as if it were absent.
    ``folds`` (n,) say which model gave which risk, where these are out of fold: a model
    whose risks do not differ within any fold has no AUROC or slope, for what differs
    between folds is no discrimination, and the mean over folds is given where it is
    another than that of the pooled risks; intervals are for the model that learnt from all
    patients (:mod:`~medcore.evaluation.figures.folds`), which ``restarted`` says was trained from another random
    start than those of the folds. ``ordered`` says that more than two ``classes`` stand in
    their order, the lowest first. ``n_boot`` tables are drawn (by default 1,000, fewer for very large tables). A
    figure that cannot be computed is NaN with its reason. Raises ValueError when
    the arrays do not fit each other.
    """
    checked(outcome, risk, len(classes), groups)
    kept, weight = weighed(weights, len(outcome))
    outcome, risk = outcome[kept], risk[kept]
    groups = None if groups is None else groups[kept]
    folds = None if folds is None else folds[kept]
    n_boot = n_boot or default_n_boot(len(outcome))
    draws = draw(len(outcome), groups, n_boot=n_boot, seed=seed)
    names = tuple(str(c) for c in classes)
    counts = np.bincount(outcome, minlength=len(names))
    shared: dict[str, Any] = {
        "n": len(outcome),
        "classes": names,
        "class_counts": {c: int(k) for c, k in zip(names, counts, strict=True)},
        "n_patients": None if groups is None else len(np.unique(groups)),
        "n_boot": n_boot,
        "seed": seed,
        "n_effective": None if weight is None else effective_number(weight),
        "n_folds": None if folds is None or weight is not None else len(np.unique(folds)),
    }
    judged = _Judged(outcome, risk, draws, groups, weight, folds if weight is None else None, restarted)
    target = Target(len(names), ordered)
    if target.event is not None:
        return Evaluation(**_of_event(judged, target.event, threshold), **shared)
    return Evaluation(**_of_classes(judged, names, target), **shared)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is judged: outcomes (n,) and risks (n, K), the tables drawn, and how rows belong together and weigh."""

    outcome: Ints
    risk: Floats
    draws: Draws
    groups: Ints | None
    weight: Floats | None
    folds: Ints | None
    """Which model gave which risk, where that counts: not where rows weigh."""
    restarted: bool
    """Whether the delivered model began from another random start than those of the folds."""


def _of_event(judged: _Judged, place: int, threshold: float | None) -> dict[str, Any]:
    """Judge the risk of the event, one of two classes."""
    groups, weight, risk = judged.groups, judged.weight, judged.risk[:, place]
    event = (judged.outcome == place).astype(float)
    figures = estimates(pieces(event, risk, judged.draws, weight), groups)
    if judged.folds is not None:
        figures |= by_fold(event, risk, judged.folds, groups, figures, restarted=judged.restarted)
    matrix = None if threshold is None else confusion(event, risk, threshold, groups=groups, weights=weight)
    return {"metrics": figures, "confusion": matrix}


def _of_classes(judged: _Judged, names: tuple[str, ...], target: Target) -> dict[str, Any]:
    """Judge the risks of more than two classes: over all, for each class, and at each cut where they have an order."""
    outcome, risk, groups, weight = judged.outcome, judged.risk, judged.groups, judged.weight
    parts = [pieces((outcome == k).astype(float), risk[:, k], judged.draws, weight) for k in range(len(names))]
    predicted = risk.argmax(1)
    table = np.bincount(outcome * len(names) + predicted, minlength=len(names) ** 2).reshape(len(names), -1)
    figures = _macro(parts, groups) | _whole(outcome, risk, parts, judged.draws, groups, weight)
    if weight is None:
        figures |= _of_many(outcome, risk, groups, {**_RANKED, **(_ORDERED if target.ordered else {})})
    if target.ordered:
        figures["rps"] = _mean(ranked_probability_terms(outcome, risk), groups, weight)
    figures["accuracy"] = proportion(predicted == outcome, weight)
    per_class = {c: estimates(p, groups) for c, p in zip(names, parts, strict=True)}
    cumulative = {
        names[target.lowest(cut)]: estimates(pieces(*target.split(cut, outcome, risk), judged.draws, weight), groups)
        for cut in target.cuts
    }
    if judged.folds is not None:
        folds = judged.folds
        figures = widened(figures, folds)
        asked = [*enumerate(per_class.values()), *zip(target.cuts, cumulative.values(), strict=True)]
        for question, values in asked:
            split = target.split(question, outcome, risk)
            values |= by_fold(*split, folds, groups, values, restarted=judged.restarted)
        if tells_nobody_apart(risk, folds):
            ranked = [name for name in (*_RANKED, *_ORDERED) if name in figures]
            figures |= {name: missing(CONSTANT_RISK) for name in (*NO_DISCRIMINATION, *ranked)}
    return {
        "metrics": figures,
        "per_class": per_class,
        "cumulative": cumulative,
        "table": tuple(tuple(int(v) for v in row) for row in table),
    }


def checked(outcome: Ints, risk: Floats, n_classes: int, groups: Ints | None) -> None:
    """Raise ValueError unless the arrays fit each other and hold what they should."""
    if risk.ndim != 2 or risk.shape != (len(outcome), n_classes):
        raise ValueError(
            f"risk has shape {risk.shape}; expected ({len(outcome)}, {n_classes}): a row a patient, a column a class"
        )
    if not len(outcome):
        raise ValueError("there are no patients to evaluate")
    if not np.isfinite(risk).all() or risk.min() < 0 or risk.max() > 1 + 1e-6:
        raise ValueError("risk holds values that are missing or outside 0 to 1")
    if outcome.min() < 0 or outcome.max() >= n_classes:
        raise ValueError(f"outcome holds class indices outside 0 to {n_classes - 1}")
    if groups is not None and len(groups) != len(outcome):
        raise ValueError(f"groups has {len(groups)} entries; expected {len(outcome)}")


def _macro(parts: list[Pieces], groups: Ints | None) -> dict[str, Estimate]:
    """Average each figure over the classes that have it, with intervals that respect their correlation."""
    out: dict[str, Estimate] = {}
    few = next((reason for p in parts if (reason := too_few(p.outcome, groups)) is not None), None)
    for name in METRICS:
        have = [p for p in parts if not np.isnan(p.values[name])]
        if not have:
            out[name] = missing(parts[0].reasons.get(name, ONE_CLASS))
            continue
        value = float(np.mean([p.values[name] for p in have]))
        if few is not None and name not in ERRORS:
            out[name] = Estimate(value, reason=few)
        elif name in ANALYTIC:
            influence = np.sum([p.influence[name] for p in have], axis=0) / len(have)
            out[name] = _macro_analytic(name, value, influence, groups, weighted=parts[0].weighted)
        elif name in ERRORS:
            limits = [p.chance.get(name) for p in have]  # their mean is reached only if all classes err together
            known = [limit for limit in limits if limit is not None]
            out |= calibration_error(name, value, float(np.mean(known)) if len(known) == len(have) else None)
        else:
            with np.errstate(invalid="ignore"):
                resampled = np.mean([p.draws[name] for p in have], axis=0)
            about = float(np.mean([p.about[name] for p in have]))
            out[name] = from_draws(value, resampled, clustered=groups is not None, about=about)
    return out


def _macro_analytic(name: str, value: float, influence: Floats, groups: Ints | None, *, weighted: bool) -> Estimate:
    if name != "auroc":
        return linearised(value, influence, groups, analytic_method(groups, weighted=weighted), weighted=weighted)
    if not 0 < value < 1:
        return missing(SEPARATED, value)
    plain = "weighted" if weighted else "delong_logit"
    return on_logit_scale(value, influence, groups, plain if groups is None else f"{plain}_cluster")


_Ranking = Callable[[Ints, Floats], tuple[float, Floats]]
_RANKED: Mapping[str, _Ranking] = {"hand_till": hand_till, "pdi": polytomous_discrimination}
_ORDERED: Mapping[str, _Ranking] = {"orc": ordinal_c, "generalised_c": generalised_c}


def _of_many(outcome: Ints, risk: Floats, groups: Ints | None, ranked: Mapping[str, _Ranking]) -> dict[str, Estimate]:
    """Return the figures of discrimination between all classes, each on the log-odds scale; none where a class is absent.

    They have no interval where a class has fewer patients than an AUROC needs for one.
    """
    few = next(
        (r for k in range(risk.shape[1]) if (r := too_few((outcome == k).astype(float), groups)) is not None), None
    )
    method = "influence_logit" if groups is None else "influence_logit_cluster"
    out = {}
    for name, figure in ranked.items():
        value, influence = figure(outcome, risk)
        known = 0 < value < 1 and np.isfinite(influence).all()
        told = on_logit_scale(value, influence, groups, method) if known else missing(ONE_CLASS, value)
        out[name] = Estimate(value, reason=few) if few is not None and known else told
    return out


def _whole(
    outcome: Ints, risk: Floats, parts: list[Pieces], draws: Draws, groups: Ints | None, weights: Floats | None
) -> dict[str, Estimate]:
    """Return the figures that take all classes together: Brier score, its scaled form, log loss."""
    clustered = groups is not None
    brier = float(sum(p.values["brier"] for p in parts))
    drawn = np.sum([p.draws["brier"] for p in parts], axis=0)
    about = float(sum(p.about["brier"] for p in parts))
    weight = np.ones(len(outcome)) if weights is None else weights
    shares = np.bincount(outcome, weights=weight, minlength=len(parts)) / weight.sum()
    spread = float((shares * (1 - shares)).sum())
    drawn_classes = draws.by_cell(outcome, len(parts), weights)
    drawn_shares = drawn_classes / drawn_classes.sum(1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn_scaled = 1 - drawn / (drawn_shares * (1 - drawn_shares)).sum(1)
    scaled = 1 - brier / spread if spread > 0 else NAN
    return {
        "brier": from_draws(brier, drawn, clustered=clustered, about=about),
        "scaled_brier": from_draws(
            scaled, drawn_scaled, clustered=clustered, about=1 - about / spread if spread > 0 else None
        ),
        "log_loss": _mean(class_log_loss_terms(outcome, risk), groups, weights),
    }


def _mean(terms: Floats, groups: Ints | None, weights: Floats | None) -> Estimate:
    """Return the mean of each patient's loss (n,) with its normal interval."""
    weight = np.ones(len(terms)) if weights is None else weights
    mean = float(np.average(terms, weights=weight))
    return normal(mean, clustered_variance((terms - mean) * weight / weight.sum(), groups), "normal")
