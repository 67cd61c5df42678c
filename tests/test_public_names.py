import ast
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


def test_no_class_name_means_two_things() -> None:
    places: dict[str, list[str]] = {}
    for file in Path(medcore.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(file.name)
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
