"""How fast and how well are tables taken in? ``python benchmarks/intake.py DATA [--peer PYTHON]``.

DATA is a folder of real tables; for each that is known here the encoding, the
outcome among the proposals, the codes for missing, the roles and the findings
are checked, and the time and memory of reading and of reading with findings are
measured in a process of their own. ``--peer`` is the Python of an environment
that has ydata-profiling, which profiles the same tables in the same run.
A generated file of 250 MB is read for its memory. Ends with code 1 when a check fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEGABYTE = 1e6


@dataclass(frozen=True)
class Expected:
    """What a table holds, from its own documentation."""

    target: str | None
    encoding: str = "utf-8"
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    no_errors: bool = False


ZERO = ("0",)
EXPECTED = {
    "heart_4_sites.csv": Expected(
        "disease", codes={"chol": ZERO, "trestbps": ZERO}, roles={"site": "site"}, findings=("leakage.",)
    ),
    "pima_diabetes.csv": Expected(
        "Outcome",
        codes=dict.fromkeys(("Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI"), ZERO),
        no_errors=True,
    ),
    "breast_wdbc.csv": Expected("diagnosis", findings=("columns.correlated",), no_errors=True),
    "hepatitis.csv": Expected("Class", findings=("outcome.few_events",)),
    "chronic_kidney_disease.csv": Expected("classification", findings=("categories.untidy", "leakage.separation")),
    "early_diabetes_sylhet.csv": Expected("Class", findings=("rows.duplicate",)),
    "cardiotocography.csv": Expected("fetal_health", no_errors=True),
    "thyroid.csv": Expected(
        "diagnosis", roles={"patient_id": "identifier"}, findings=("values.implausible", "outcome.rare_class")
    ),
    "parkinsons.csv": Expected("status", roles={"name": "group"}, findings=("patients.repeated",)),
    "eicu_demo_icu.csv": Expected(
        "hospitaldischargestatus",
        codes={"predictedhospitalmortality": ("-1",)},
        roles={"uniquepid": "group", "hospitalid": "site"},
        findings=("patients.repeated", "leakage."),
    ),
    "diabetes130_hospitals.csv.gz": Expected(
        "readmitted",
        codes={"max_glu_serum": ("None",), "A1Cresult": ("None",)},
        roles={"patient_nbr": "group", "encounter_id": "identifier"},
        findings=("patients.repeated",),
    ),
    "covid_wuhan_zh.csv": Expected(
        "出院方式", roles={"PATIENT_ID": "group"}, findings=("patients.repeated", "missing.")
    ),
    "covid_wuhan_zh_gb18030.csv": Expected(None, encoding="gb18030", roles={"PATIENT_ID": "group"}),
}
READ = """
from medcore.data.reading.table import read_table
cohort = read_table(PATH)
"""
INSPECT = (
    READ
    + """
from medcore.data.quality import inspect
found = inspect(cohort)
"""
)
PEER = """
import warnings; warnings.filterwarnings("ignore")
import pandas
from ydata_profiling import ProfileReport
frame = pandas.read_csv(PATH)
ProfileReport(frame, minimal=True, progress_bar=False).to_html()
"""
MEASURE = """
import json, re, sys, time
def peak():
    return round(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1)) / 1000)
PATH = sys.argv[1]
before, start, cpu = peak(), time.perf_counter(), time.process_time()
{work}
print(json.dumps({{"seconds": round(time.perf_counter() - start, 2), "cpu": round(time.process_time() - cpu, 2),
                   "megabytes": peak() - before}}))
"""


def measure(work: str, path: Path, *, python: str = sys.executable) -> dict[str, float]:
    """Run a piece of work on a file in a fresh process; seconds include its imports."""
    done = subprocess.run(
        [python, "-c", MEASURE.format(work=work), str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"failed": done.returncode}
    return json.loads(done.stdout.splitlines()[-1])


def check(path: Path, expected: Expected) -> list[str]:
    """Return what is not as it should be in a table; empty when all is."""
    from medcore.data.quality import inspect
    from medcore.data.reading.table import read_table
    from medcore.data.schema.inference import propose_targets

    cohort = read_table(path)
    wrong = []
    if cohort.source.encoding != expected.encoding:
        wrong.append(f"encoding {cohort.source.encoding}")
    proposals = [p.column for p in propose_targets(cohort.frame, cohort.schema)[:3]]
    if expected.target and expected.target not in proposals:
        wrong.append(f"target {expected.target} not among {proposals}")
    wrong += [
        f"codes of {c}: {cohort.schema[c].missing_codes}"
        for c, v in expected.codes.items()
        if cohort.schema[c].missing_codes != v
    ]
    wrong += [f"role of {c}: {cohort.schema[c].role}" for c, v in expected.roles.items() if cohort.schema[c].role != v]
    found = inspect(cohort)
    codes = {f.code for f in found}
    wrong += [f"no finding {code}" for code in expected.findings if not any(c.startswith(code) for c in codes)]
    if expected.no_errors:
        wrong += [f"false alarm {f.code}" for f in found if f.severity == "error"]
    return wrong


def large_file(folder: Path, megabytes: int) -> Path:
    """Write a table of many laboratory values."""
    import numpy as np

    rng, path = np.random.default_rng(0), folder / "large.csv"
    with path.open("w") as file:
        file.write(",".join(["id", "sex", "hospital", *(f"lab {i}" for i in range(26)), "disease"]) + "\n")
        first = 0
        while file.tell() < megabytes * MEGABYTE:
            labs = rng.normal(100, 20, (20_000, 26)).round(3)
            sex, hospital = rng.choice(["Male", "Female", ""], 20_000), rng.choice(["North", "South"], 20_000)
            event = rng.integers(0, 2, 20_000)
            file.writelines(
                f"{first + i},{sex[i]},{hospital[i]},{','.join(map(str, labs[i]))},{event[i]}\n" for i in range(20_000)
            )
            first += 20_000
    return path


def large(megabytes: int) -> dict[str, Any]:
    """Measure reading a large file: the peak above a bare process, in multiples of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = large_file(Path(folder), megabytes)
        result: dict[str, Any] = measure(READ, path)
        size = path.stat().st_size / MEGABYTE
    return result | {"file_megabytes": round(size), "times_the_file": round(result["megabytes"] / size, 2)}


def main() -> int:
    """Run everything and print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peer", help="the Python of an environment with ydata-profiling")
    parser.add_argument("--only", nargs="*", help="names of the tables to look at")
    parser.add_argument("--large", type=int, default=250, help="megabytes of the generated file; 0 for none")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    failed = 0
    for name, expected in EXPECTED.items():
        path = options.data / name
        if not path.exists() or (options.only is not None and name not in options.only):
            continue
        wrong = check(path, expected)
        failed += bool(wrong)
        line: dict[str, Any] = {
            "table": name,
            "wrong": wrong,
            "read": measure(READ, path),
            "inspected": measure(INSPECT, path),
        }
        if options.peer:
            line["ydata_profiling_minimal"] = measure(PEER, path, python=options.peer)
        print(json.dumps(line, ensure_ascii=False), flush=True)
    if options.large:
        result = large(options.large)
        failed += result["times_the_file"] >= 4
        print(json.dumps({"large": result}), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    started = time.perf_counter()
    code = main()
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    sys.exit(code)
