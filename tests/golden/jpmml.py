"""Have JPMML check and score what medcore writes: ``PYTHONPATH=. python tests/golden/jpmml.py JPMML_PYTHON PMML_XSD > tests/golden/jpmml.json``.

JPMML_PYTHON is an interpreter with ``jpmml-evaluator`` (and Java), PMML_XSD the PMML 4.4 schema that
lies in its ``pmml-model`` jar. Neither is needed by the tests.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

from lxml import etree

from medcore.reporting.model.pmml import to_pmml
from tests.reporting.test_model import CALIBRATORS, written_model
from tests.written_models import random_answers, train_written

SCORE = """
import importlib.metadata, json, sys
from jpmml_evaluator import make_evaluator
case = json.load(open(sys.argv[1]))
model = make_evaluator(sys.argv[2]).verify()
rows = [{k: None if v == "" else v if k == "blood" else float(v) for k, v in a.items()} for a in case["answers"]]
found = [model.evaluate(row) for row in rows]
print(json.dumps([importlib.metadata.version("jpmml-evaluator"), [[row[f"risk_{c}"] for c in case["classes"]] for row in found]]))
"""


def main(python: str, xsd: str) -> None:
    schema, cases, version = etree.XMLSchema(etree.parse(xsd)), [], ""
    with tempfile.TemporaryDirectory() as folder:
        for classes, method, kind in ((2, "then", "logistic"), (3, "temperature", "logistic"), (3, "none", "ordinal")):
            _bundle, results = train_written(Path(folder) / f"{kind}{classes}", classes, model=kind)
            model = replace(written_model(results), calibrator=CALIBRATORS[method], points=None, errors=None)
            text = to_pmml(model, results.manifest)
            schema.assertValid(etree.fromstring(text.encode()))
            case = {
                "specification": model.to_dict(),
                "manifest": {name: results.manifest[name] for name in ("versions", "created")},
                "pmml": text.splitlines(),
                "classes": list(model.classes),
                "answers": random_answers(40, seed=4),
            }
            told, document = Path(folder) / "case.json", Path(folder) / "model.pmml"
            told.write_text(json.dumps(case))
            document.write_text(text)
            command = [python, "-c", SCORE, str(told), str(document)]
            version, case["risk"] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            cases.append(case)
    golden = {
        "source": "JPMML-Evaluator, https://github.com/jpmml/jpmml-evaluator-python",
        "licence": "AGPL-3.0 (JPMML-Evaluator, run beside and not linked); the numbers are facts, no code is copied",
        "version": f"jpmml-evaluator {version} for Python; PMML 4.4 schema of its pmml-model jar",
        "date": date.today().isoformat(),
        "provenance": "tests/golden/jpmml.py: each document is valid by the schema (lxml) and was scored by JPMML",
        "cases": cases,
    }
    sys.stdout.write(json.dumps(golden, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
