"""Bring the catalogues up to date with the source: ``python assets/locale/update.py``.

Every room has one catalogue a language, ``assets/locale/<language>/<room>.po``.
New sentences are added with an empty translation, sentences that are gone are
dropped, translations are kept. With ``--check`` nothing is written and the exit
code is 1 when a catalogue is out of date or a translation is missing.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

LOCALE_DIR = Path(__file__).resolve().parent
ROOT = LOCALE_DIR.parent.parent
LANGUAGES = ("zh_CN",)
KEYWORDS: dict[str, None] = {"_": None, "N_": None}


def room_of(path: Path) -> str:
    """Name the catalogue of a source file: its room in medcore, ``pages``, or ``medcore`` itself."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "medcore":
        return parts[1] if len(parts) > 2 else "medcore"
    return "pages"


def extract() -> dict[str, Catalog]:
    """Read every wrapped sentence in the source, by room."""
    rooms: dict[str, Catalog] = defaultdict(lambda: Catalog(charset="utf-8", fuzzy=False))
    for path in sorted([*ROOT.glob("medcore/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]):
        if not path.exists():
            continue
        for _line, sentence, _comments, _context in extract_from_file("python", path, keywords=KEYWORDS):
            if isinstance(sentence, str) and sentence:
                location = (path.relative_to(ROOT).as_posix(), 0)
                rooms[room_of(path)].add(sentence, locations=[location])
    return dict(rooms)


def translations(path: Path, language: str) -> dict[str, str]:
    """Read the translations of a catalogue, which may not be there yet."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale=language) if m.id and m.string}


def merged(template: Catalog, path: Path, language: str, elsewhere: dict[str, str]) -> Catalog:
    """Keep the translations there are, for the sentences there are now; one that moved brings its own along."""
    known = elsewhere | translations(path, language)
    catalog = Catalog(locale=language, charset="utf-8", fuzzy=False)
    for message in template:
        if message.id:
            files = sorted({f for f, _ in message.locations})
            catalog.add(message.id, known.get(message.id, ""), locations=[(f, 0) for f in files])
    return catalog


def text_of(catalog: Catalog) -> bytes:
    """Write a catalogue as bytes, sorted, without dates or line numbers so that diffs stay small."""
    buffer = BytesIO()
    write_po(buffer, catalog, omit_header=True, sort_output=True, include_lineno=False, width=0)
    return buffer.getvalue()


def main(arguments: list[str]) -> int:
    """Update or check every catalogue; name the untranslated sentences."""
    check, only = "--check" in arguments, [a for a in arguments if not a.startswith("-")]
    problems = 0
    for language in LANGUAGES:
        said: dict[str, tuple[str, str]] = {}
        elsewhere = {
            sentence: words
            for path in sorted((LOCALE_DIR / language).glob("*.po"))
            for sentence, words in translations(path, language).items()
        }
        for room, template in sorted(extract().items()):
            if only and room not in only:
                continue
            path = LOCALE_DIR / language / f"{room}.po"
            catalog = merged(template, path, language, elsewhere)
            text = text_of(catalog)
            if check and (not path.exists() or path.read_bytes() != text):
                print(f"{path.relative_to(ROOT)} is out of date: run make messages")
                problems += 1
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text)
            for message in catalog:
                if message.id and not message.string:
                    print(f"{language}/{room}: not translated: {message.id!r}")
                    problems += 1
                other, words = said.setdefault(message.id, (room, message.string))
                if message.id and words != message.string:
                    print(
                        f"{language}: {other} and {room} translate {message.id!r} in two ways: {words}, {message.string}"
                    )
                    problems += 1
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
