import ast
import os
import subprocess
import sys
from pathlib import Path

import medcore


def test_public_names_are_sorted_and_all_there() -> None:
    assert list(medcore.__all__) == sorted(medcore.__all__)
    assert all(callable(getattr(medcore, name)) for name in medcore.__all__)


def test_importing_medcore_loads_neither_tensorflow_nor_streamlit_nor_shap() -> None:
    code = "import sys, medcore, medcore.data.samples; medcore.load_sample('heart'); print([m for m in ('tensorflow', 'streamlit', 'shap') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_threads_of_the_linear_algebra_are_told_when_to_sleep_before_it_is_loaded() -> None:
    """OpenBLAS reads its environment once, so it must be written before NumPy is there; what somebody set stays."""
    code = "import os, sys, medcore; print(os.environ['OPENBLAS_THREAD_TIMEOUT'], 'numpy' in sys.modules)"
    for set_by_somebody, expected in (({}, "16 False"), ({"OPENBLAS_THREAD_TIMEOUT": "20"}, "20 False")):
        plain = {name: value for name, value in os.environ.items() if name != "OPENBLAS_THREAD_TIMEOUT"}
        command, environment = [sys.executable, "-c", code], plain | set_by_somebody
        result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert result.stdout.strip() == expected


def test_help_and_refusals_of_the_shell_wait_for_nothing_that_reads_tables_computes_or_keeps() -> None:
    code = """
import contextlib, io, sys
from medcore.cli import main
for asked in (["--help"], ["audit", "--help"], ["predict", "--help"], ["profile"], ["evaluate", "--calls", "x"]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        main(asked)
print({"pandas", "scipy", "sklearn", "sqlalchemy", "tensorflow", "streamlit"} & set(sys.modules))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_no_class_name_means_two_things() -> None:
    places: dict[str, list[str]] = {}
    for file in Path(medcore.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(file.name)
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
