"""Every word that a person sees is wrapped for translation, and translated."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from medcore.settings import ROOT

SOURCES = sorted(
    [*ROOT.glob("pages/*.py"), *(ROOT / "medcore" / "ui").rglob("*.py"), *(ROOT / "medcore" / "charts").rglob("*.py")]
)
WRAPPERS = {"_", "N_"}
SPOKEN_KEYWORDS = {
    "alt", "caption", "help", "hovertemplate", "label", "name", "placeholder", "subtitle", "text", "title",
    "title_text", "x_title", "y_title",
}  # fmt: skip
SHOWN_AS_THEY_ARE = {"medcore", "ReLU", "Sigmoid", "Language · 语言"}
MARKUP = re.compile(r"<[^>]*>|<[^>]*$|^[^<]*>|:material/\w+:|%\{[^}]*\}|&\w+;|\*\*")
# Calls whose texts are not for reading: keys of state, addresses, colours, formats.
UNSPOKEN = re.compile(
    r"^(st\.(set_page_config|get_option|query_params.*|session_state.*|container|columns|fragment|cache_\w+|Page|logo)|"
    r".*\.(get|pop|startswith|endswith|replace|split|join|strip|sub|compile|match|update|setdefault|format|items)|"
    r"getattr|open|isinstance|print|sorted|len|str|int|float|range|rgba|translucent)$"
)


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func)


def words_in(node: ast.AST) -> str:
    """The literal text of an expression outside of translation, markup removed."""
    if isinstance(node, ast.Call):
        return ""
    if isinstance(node, ast.Constant):
        return MARKUP.sub(" ", node.value) if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        whole = "".join(v.value if isinstance(v, ast.Constant) else "\0" for v in node.values)
        return MARKUP.sub(" ", whole).replace("\0", " ")
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add):
        return ""  # a path
    if isinstance(node, (ast.BinOp, ast.IfExp, ast.List, ast.Tuple)):
        return " ".join(words_in(child) for child in ast.iter_child_nodes(node))
    return ""


def unwrapped(source: str) -> Iterator[tuple[int, str]]:
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or name_of(call) in WRAPPERS or UNSPOKEN.match(name_of(call)):
            continue
        shown = name_of(call).startswith(("st.", "components."))
        spoken = [a for a in call.args if shown] + [k.value for k in call.keywords if k.arg in SPOKEN_KEYWORDS]
        for node in spoken:
            text = " ".join(words_in(node).split())
            if text not in SHOWN_AS_THEY_ARE and re.search(r"[A-Z]\w|\w +[a-z]\w|[\u4e00-\u9fff]", text):
                yield node.lineno, text


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_text_is_shown_unwrapped(path: Path) -> None:
    assert list(unwrapped(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        'st.button("Start training")',
        'st.html("<p>Ready to go</p>")',
        'st.html(f"<p>Found {n} patients</p>")',
        'components.header(_("Train"), "What it is for")',
        'theme.new_figure(title="A finding", alt=_("x"))',
        'st.text_input(_("Name"), help="Type it here")',
        'st.caption("训练")',
    ],
)
def test_an_unwrapped_text_is_found(line: str) -> None:
    assert list(unwrapped(line))


@pytest.mark.parametrize(
    "line",
    [
        'st.button(_("Start training"), key="train.start", icon=":material/play_arrow:")',
        """st.html(f'<p class="mc-worker {look}" role="status">{markup(text)}</p>')""",
        'figure.add_scatter(x=x, mode="lines", name=_("Training"), hovertemplate="%{y:.3f}")',
    ],
)
def test_a_wrapped_text_is_not(line: str) -> None:
    assert not list(unwrapped(line))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_wrapped_sentences_are_literal(path: Path) -> None:
    calls = [c for c in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(c, ast.Call) and name_of(c) == "_"]
    formatted = [c.lineno for c in calls if isinstance(c.args[0], ast.JoinedStr)]
    assert formatted == []


def test_every_sentence_is_translated() -> None:
    script = ROOT / "assets" / "locale" / "update.py"
    result = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def inside_f_strings(source: str) -> list[int]:
    strings = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr)]
    calls = [c for s in strings for c in ast.walk(s) if isinstance(c, ast.Call) and name_of(c) in WRAPPERS]
    return [c.lineno for c in calls if isinstance(c.args[0], ast.Constant)]


@pytest.mark.parametrize("path", [*ROOT.glob("medcore/**/*.py"), *ROOT.glob("pages/*.py")], ids=lambda p: p.name)
def test_no_sentence_hides_inside_a_formatted_string(path: Path) -> None:
    """The catalogues are made by reading tokens, and a formatted string is one token."""
    assert inside_f_strings(path.read_text("utf-8")) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_may_be_left_empty_says_so_in_the_language_of_the_page(source: Path) -> None:
    """Streamlit's own words of an empty choice are English."""
    silent = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and name_of(node) in ("st.multiselect", "st.selectbox"):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            empty = name_of(node) == "st.multiselect" or ast.unparse(given.get("index", ast.Constant(0))) == "None"
            if empty and "placeholder" not in given:
                silent.append(f"{source.name}:{node.lineno}")
    assert silent == []
