"""A reader of the parts of PMML 4.4 that a written model uses, after the standard's own rules.

It knows nothing of medcore: fields, mining schema, functions, RegressionModel, output fields. Missing
is None; a function of a missing value is refused, as JPMML does, but for isMissing and isNotMissing.
"""

import math
import re
from xml.etree import ElementTree as ET

P = "{http://www.dmg.org/PMML-4_4}"
FUNCTIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "min": min,
    "max": max,
    "sum": lambda *a: math.fsum(a),
    "pow": lambda a, b: a**b,
    "exp": math.exp,
    "ln": math.log,
    "greaterThan": lambda a, b: a > b,
    "lessThan": lambda a, b: a < b,
    "and": lambda *a: all(a),
    "replace": lambda text, pattern, by: re.sub(pattern, re.sub(r"\$(\d)", r"\\\1", by), text),
}


def read_pmml(text: str, answers: list[dict[str, str]]) -> list[dict[str, float]]:
    """Return the output fields of every patient."""
    root = ET.fromstring(text.encode("utf-8"))
    model = root.find(f"{P}RegressionModel")
    order = [child.tag.removeprefix(P) for child in model]
    wanted = ["MiningSchema", "Output", "LocalTransformations", "RegressionTable"]
    assert [tag for at, tag in enumerate(order) if tag not in order[:at]] == wanted, "the order that the schema asks"
    target = model.find(f"{P}MiningSchema/{P}MiningField[@usageType='target']").get("name")
    ordinal = root.find(f"{P}DataDictionary/{P}DataField[@name='{target}']").get("optype") == "ordinal"
    assert model.get("normalizationMethod") == ("logit" if ordinal else "softmax")
    return [_scored(root, model, answer) for answer in answers]


def _scored(root, model, answer: dict[str, str]) -> dict[str, float]:
    fields = {f.get("name"): _read(f, answer.get(f.get("name"), "")) for f in root.find(f"{P}DataDictionary")}
    for field in model.find(f"{P}LocalTransformations"):
        fields[field.get("name")] = _value(field[0], fields)
    scores = {}
    for table in model.findall(f"{P}RegressionTable"):
        parts = [float(p.get("coefficient")) * fields[p.get("name")] for p in table]
        scores[table.get("targetCategory")] = float(table.get("intercept")) + math.fsum(parts)
    probabilities = _up(scores) if model.get("normalizationMethod") == "logit" else _softmax(scores)
    found: dict[str, float] = {}
    for field in model.find(f"{P}Output"):
        if field.get("feature") == "probability":
            found[field.get("name")] = probabilities[field.get("value")]
        else:
            found[field.get("name")] = _value(field[0], fields | found)
    return found


def _softmax(scores: dict[str, float]) -> dict[str, float]:
    most = max(scores.values())
    odds = {name: math.exp(score - most) for name, score in scores.items()}
    return {name: own / sum(odds.values()) for name, own in odds.items()}


def _up(scores: dict[str, float]) -> dict[str, float]:
    """Ordinal: the logit's inverse is the share of a class and those below it; the highest class has the rest."""
    below = [1 / (1 + math.exp(-score)) for score in scores.values()][:-1]
    return dict(zip(scores, (b - a for a, b in zip([0.0, *below], [*below, 1.0], strict=True)), strict=True))


def _read(field, text: str):
    """Read a cell: empty, a code for missing or outside the interval (treated as missing) is None."""
    if text == "":
        return None
    if field.get("dataType") == "string":
        return text
    value = float(text)
    missing = [float(v.get("value")) for v in field.findall(f"{P}Value") if v.get("property") == "missing"]
    interval = field.find(f"{P}Interval")
    low, high = (-math.inf, math.inf)
    if interval is not None:
        low, high = float(interval.get("leftMargin", -math.inf)), float(interval.get("rightMargin", math.inf))
    return None if value in missing or not low <= value <= high else value


def _value(node, fields):
    tag = node.tag.removeprefix(P)
    if tag == "FieldRef":
        return fields[node.get("field")]
    if tag == "Constant":
        return float(node.text) if node.get("dataType") == "double" else (node.text or "")
    if tag == "NormDiscrete":
        given = fields[node.get("field")]
        return float(node.get("mapMissingTo") if given is None else given == node.get("value"))
    if tag == "NormContinuous":
        points = [(float(n.get("orig")), float(n.get("norm"))) for n in node]
        x = min(max(fields[node.get("field")], points[0][0]), points[-1][0])
        at = max(i for i in range(len(points) - 1) if points[i][0] <= x)
        (x0, y0), (x1, y1) = points[at : at + 2]
        return y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    assert tag == "Apply", tag
    name = node.get("function")
    if name in ("isMissing", "isNotMissing"):
        return (_value(node[0], fields) is None) == (name == "isMissing")
    if name == "if":
        condition = _value(node[0], fields)
        if condition is None or (not condition and len(node) == 2):
            return None
        return _value(node[1 if condition else 2], fields)
    operands = [_value(child, fields) for child in node]
    assert all(o is not None for o in operands), "strict readers (JPMML) refuse a function of a missing value"
    return FUNCTIONS[name](*operands)
