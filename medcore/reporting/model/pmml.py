"""The model in the Predictive Model Markup Language (PMML 4.4, Data Mining Group), for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from medcore.data.values.folding import fold_text
from medcore.models.learners.equation import Term
from medcore.models.selection.calibration import CURVES, Calibrator
from medcore.models.written.inputs import Input
from medcore.models.written.specification import Specification

NAMESPACE = "http://www.dmg.org/PMML-4_4"
SMALLEST = 1e-7
"""Risks are kept within this and 1, as :func:`~medcore.models.contract.task.clean` does."""
WHOLE_NUMBER = r"^(-?[0-9]+)\.0$"
"""How other programs write the whole numbers of a coded category; :func:`~medcore.data.values.folding.fold_texts` reads them so too."""
Node = ET.Element
Operand = Node | float | str


def to_pmml(model: Specification, manifest: Mapping[str, Any]) -> str:
    """Write the model as a RegressionModel, with the version and date of the bundle's manifest; ``risk_…`` among its output fields are the bundle's risks."""
    root = Node("PMML", {"xmlns": NAMESPACE, "version": "4.4"})
    ordered = model.equation.ordered
    words = "Proportional odds" if ordered else "Logistic regression"
    header = _add(root, "Header", description=f"{words} of {model.outcome}; for research use, not a medical device")
    _add(header, "Application", name="medcore", version=str(manifest["versions"]["medcore"]))
    _add(header, "Timestamp").text = str(manifest["created"])
    target = _unused("outcome", model)
    _dictionary(root, model, target)
    regression = _add(
        root,
        "RegressionModel",
        modelName="medcore",
        functionName="classification",
        algorithmName=f"ridge {words.lower()} with restricted cubic splines",
        normalizationMethod="logit" if ordered else "softmax",
        targetFieldName=target,
    )
    schema = _add(regression, "MiningSchema")
    _add(schema, "MiningField", name=target, usageType="target")
    for source in model.inputs:
        _add(schema, "MiningField", name=source.name, usageType="active", invalidValueTreatment="asMissing")
    _output(_add(regression, "Output"), model)
    derived = _add(regression, "LocalTransformations")
    for place, source in enumerate(model.inputs):
        _field(derived, f"input.{place}", _prepared(source), categorical=not source.numeric)
    for number, term in enumerate(model.equation.terms, 1):
        _field(derived, f"term.{number}", _term(term, model.inputs[term.place]))
    for k, name in enumerate(model.classes):
        _table(regression, model, k, name)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _table(regression: Node, model: Specification, k: int, name: str) -> None:
    """Write a class's numbers. PMML adds ordered classes up from the lowest: ours with their signs turned, and none for the highest."""
    equation = model.equation
    sign, there = (-1.0 if equation.ordered else 1.0), k < len(equation.intercepts)
    table = _add(
        regression,
        "RegressionTable",
        targetCategory=name,
        intercept=repr(sign * equation.intercepts[k] if there else 0.0),
    )
    for number, term in enumerate(equation.terms if there else (), 1):
        _add(table, "NumericPredictor", name=f"term.{number}", coefficient=repr(sign * term.coefficients[k]))


def _add(parent: Node, tag: str, **attributes: str) -> Node:
    return ET.SubElement(parent, tag, attributes)


def _unused(name: str, model: Specification) -> str:
    """Return the outcome's name, with a mark if a predictor has it too."""
    wanted = model.outcome or name
    return f"{wanted} (outcome)" if wanted in {i.name for i in model.inputs} else wanted


def _dictionary(root: Node, model: Specification, target: str) -> None:
    fields = _add(root, "DataDictionary")
    kind = "ordinal" if model.equation.ordered else "categorical"
    outcome = _add(fields, "DataField", name=target, optype=kind, dataType="string")
    for name in model.classes:
        _add(outcome, "Value", value=name)
    for source in model.inputs:
        words = {"displayName": source.label} if source.label else {}
        if not source.numeric:  # no list of values: another one is no missing one
            _add(fields, "DataField", name=source.name, **words, optype="categorical", dataType="string")
            continue
        field = _add(fields, "DataField", name=source.name, **words, optype="continuous", dataType="double")
        margins = zip(("leftMargin", "rightMargin"), source.plausible, strict=True)
        given = {name: repr(float(margin)) for name, margin in margins if margin is not None}
        if given:
            _add(field, "Interval", closure="closedClosed", **given)
        for code in source.missing_codes:
            _add(field, "Value", value=repr(code), property="missing")


def _field(parent: Node, name: str, expression: Node, *, categorical: bool = False) -> None:
    kind = ("categorical", "string") if categorical else ("continuous", "double")
    _add(parent, "DerivedField", name=name, optype=kind[0], dataType=kind[1]).append(expression)


def _apply(function: str, *operands: Operand) -> Node:
    """Write a function of PMML; a text is the name of a field, a number a constant."""
    node = Node("Apply", {"function": function})
    node.extend(_ref(o) if isinstance(o, str) else _constant(o) if isinstance(o, float) else o for o in operands)
    return node


def _ref(field: str) -> Node:
    return Node("FieldRef", {"field": field})


def _constant(value: float | str) -> Node:
    node = Node("Constant", {"dataType": "double" if isinstance(value, float) else "string"})
    node.text = repr(value) if isinstance(value, float) else value
    return node


def _prepared(source: Input) -> Node:
    """Write what the recipe makes of an answer: ages capped, missing values replaced."""
    known = _ref(source.name)
    if source.capped:
        old = _apply("and", _apply("greaterThan", source.name, 90.0), _apply("lessThan", source.name, 130.0))
        capped = _apply("if", old, 90.0, source.name)
        known = _apply("if", _apply("isNotMissing", source.name), capped)  # nothing else: missing stays missing
    if any(fold_text(f"{name}.0") == name for name in source.categories):
        whole = _apply("replace", source.name, _constant(WHOLE_NUMBER), _constant("$1"))
        known = _apply("if", _apply("isNotMissing", source.name), whole)
    if source.absent is None:
        return known
    if source.numeric:
        return _apply("if", _apply("isMissing", source.name), source.absent, known)
    replaced = source.categories[int(source.absent)] if source.absent >= 0 else "0"
    return _apply("if", _apply("isMissing", source.name), _constant(replaced), known)


def _term(term: Term, source: Input) -> Node:
    field = f"input.{term.place}"
    missing = _apply("isMissing", field)
    if term.kind == "missing":
        return _apply("if", missing, 1.0, 0.0)
    if term.kind == "level" and term.level >= 0:
        return _is(field, source.categories[term.level])
    if term.kind == "level":
        known = _apply("sum", *(_is(field, name) for name in source.categories))
        return _apply("if", missing, 0.0, _apply("-", 1.0, known))
    filled = _apply("if", missing, term.fill, field)
    shaped = _spline(filled, term.knots, term.curve) if term.knots else filled
    return _apply("/", _apply("-", shaped, term.centre), term.scale)


def _is(field: str, category: str) -> Node:
    """Write 1 for a category and 0 for any other, or for none."""
    return Node("NormDiscrete", {"field": field, "value": category, "mapMissingTo": "0"})


def _spline(value: Node, knots: Sequence[float], curve: int) -> Node:
    """Write one curve of a restricted cubic spline (:func:`~medcore.models.learners.splines.spline_term`)."""
    first, before_last, last = knots[0], knots[-2], knots[-1]
    own = knots[curve]
    towards = (last - own) / (last - before_last)
    end = 3.0 * ((last - own) ** 2 - (last - before_last) ** 2 * towards)

    def cube(knot: float) -> Node:
        inside = _apply("min", _apply("max", value, first), last)
        return _apply("pow", _apply("max", _apply("-", inside, knot), 0.0), 3.0)

    bent = _apply("-", cube(own), _apply("*", cube(before_last), towards))
    beyond = _apply("*", _apply("max", _apply("-", value, last), 0.0), end)
    return _apply("/", _apply("+", bent, beyond), (last - first) ** 2)


def _output(output: Node, model: Specification) -> None:
    """Write the way from PMML's probabilities to the risks: clipped, recalibrated, clipped again."""
    names = [f"probability.{k}" for k in range(len(model.classes))]
    for name, value in zip(names, model.classes, strict=True):
        _add(
            output, "OutputField", name=name, optype="continuous", dataType="double", feature="probability", value=value
        )
    if not model.equation.ordered:
        most = _transformed(output, "probability.largest", _apply("max", *names))
        names = [_transformed(output, f"odds.{k}", _apply("/", name, most)) for k, name in enumerate(names)]
    for stage in ("part", "bundle"):
        names = _cleaned(output, names, stage)
    step: Calibrator | None = model.calibrator
    number = 0
    while step is not None:
        if step.method != "none":
            number += 1
            names = _recalibrated(output, names, step, f"recalibrated.{number}")
            names = _cleaned(output, names, f"recalibrated.{number}.clipped")
        step = step.then
    for name, value in zip(names, model.classes, strict=True):
        _transformed(output, f"risk_{value}", _ref(name))


def _transformed(output: Node, name: str, expression: Node) -> str:
    field = _add(output, "OutputField", name=name, optype="continuous", dataType="double", feature="transformedValue")
    field.append(expression)
    return name


def _cleaned(output: Node, names: Sequence[str], stage: str) -> list[str]:
    clipped = [
        _transformed(output, f"{stage}.{k}.raw", _apply("min", _apply("max", name, SMALLEST), 1.0))
        for k, name in enumerate(names)
    ]
    total = _transformed(output, f"{stage}.sum", _apply("sum", *clipped))
    return [_transformed(output, f"{stage}.{k}", _apply("/", name, total)) for k, name in enumerate(clipped)]


def _recalibrated(output: Node, names: Sequence[str], step: Calibrator, stage: str) -> list[str]:
    p = step.parameters
    if step.method in ("temperature", "vector", "shift"):
        shift = p.get("shift", (0.0,) * len(names))
        odds = [
            _transformed(
                output,
                f"{stage}.{k}.odds",
                _apply("exp", _apply("+", _apply("*", _apply("ln", name), p["power"][0]), shift[k])),
            )
            for k, name in enumerate(names)
        ]
        total = _transformed(output, f"{stage}.odds", _apply("sum", *odds))
        return [_transformed(output, f"{stage}.{k}", _apply("/", name, total)) for k, name in enumerate(odds)]
    if step.method in CURVES:
        curve: Node = Node("NormContinuous", {"field": names[1], "outliers": "asExtremeValues"})
        for x, y in zip(p["x"], p["y"], strict=True):
            _add(curve, "LinearNorm", orig=repr(x), norm=repr(y))
        risk = _transformed(output, f"{stage}.1", curve if len(p["x"]) > 1 else _constant(p["y"][0]))
    else:
        within = _transformed(
            output, f"{stage}.within", _apply("min", _apply("max", names[1], SMALLEST), 1.0 - SMALLEST)
        )
        ln, ln_not = _apply("ln", within), _apply("ln", _apply("-", 1.0, within))
        if step.method == "platt":
            score = _apply("+", _apply("*", _apply("-", ln, ln_not), p["slope"][0]), p["intercept"][0])
        else:
            a, b, c = p["abc"]
            score = _apply("+", _apply("-", _apply("*", ln, a), _apply("*", ln_not, b)), c)
        risk = _transformed(
            output, f"{stage}.1", _apply("/", 1.0, _apply("+", 1.0, _apply("exp", _apply("*", score, -1.0))))
        )
    return [_transformed(output, f"{stage}.0", _apply("-", 1.0, risk)), risk]
