"""The documentation site: built strictly, every link holds, nothing comes from elsewhere, every command and name is told."""

import re

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

import medcore
from medcore.cli import parser
from medcore.settings import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_the_site_is_built_and_fetches_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert {"index.html", "tutorial.html", "architecture.html"} <= {page.name for page in pages}
    loaded = r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=[\"'](?:https?:)?//"
    assert [page.name for page in pages if re.search(loaded, page.read_text(encoding="utf-8"))] == []
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", styles)


def test_the_reference_tells_every_command_and_every_public_name():
    reference = ROOT / "docs" / "reference"
    commands = next(action for action in parser()._actions if action.dest == "command").choices
    told = (reference / "command-line.md").read_text(encoding="utf-8")
    assert [name for name in commands if f"`{name}" not in told] == []
    names = (reference / "python.md").read_text(encoding="utf-8")
    assert [name for name in medcore.__all__ if f"`{name}`" not in names] == []
