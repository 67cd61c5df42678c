"""The terms of a note: its words, pairs of Chinese characters, and whether a negation stands before them.

A word within the reach of a negation ("denies chest pain", “无发热”) is another term
than the word itself (NegEx; Chapman et al., J Biomed Inform 2001;34:301–310, with
its window of five words). Chinese is written without spaces: pairs of neighbouring
characters find as much as segmented words do (Nie et al., IRAL 2000), need no
dictionary and are the same on every machine. Numbers are no terms: they differ from
note to note, and may be somebody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

REACH = 5
"""Words, or Chinese characters, that a negation reaches."""
NOT = "not "
"""Stands before a negated term."""
_TOKEN = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+(?:['’-][^\W\d_\u3400-\u9fff]+)*|[.;:!?,\n。；：！？，、]")
_NEGATORS = frozenset({"no", "not", "denies", "denied", "deny", "without", "never", "neither", "nor", "absent"})
_ENDS = frozenset({"but", "however", "although", "except"})
_CHINESE_NEGATION = re.compile("否认|未见|没有|不伴|未|无")
_SILENT = _ENDS | frozenset(
    [
        "a",
        "about",
        "after",
        "again",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "between",
        "both",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "down",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "itself",
        "may",
        "me",
        "more",
        "most",
        "must",
        "my",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "same",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
"""English words that say nothing by themselves."""
_SENTENCE = re.compile(r"[^.;!?\n。；！？]*(?:[.;!?。；！？\n]+(?=\s|$|[\u3400-\u9fff])\s*|[.;!?\n。；！？]|$)")


def spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield every term of a note with the place where it stands, from the first character to behind the last.

    >>> [term for term, _start, _end in spans("Denies chest pain. Oedema, 3 days.")]
    ['not chest', 'not pain', 'oedema', 'days']
    >>> [term for term, _start, _end in spans("无发热，咳嗽")]
    ['not 发热', '咳嗽']
    """
    left = 0
    for found in _TOKEN.finditer(text):
        token = found.group()
        if "\u3400" <= token[0] <= "\u9fff":
            yield from _pairs(token, found.start())
            continue
        word = token.lower()
        if word in _NEGATORS or word.endswith(("n't", "n’t")):
            left = REACH
        elif word in _ENDS or not word[0].isalpha():
            left = 0 if word != "," else left
        else:
            if len(word) > 1 and word not in _SILENT:
                yield (NOT + word if left else word), found.start(), found.end()
            left = max(0, left - 1)


def _pairs(run: str, start: int) -> Iterator[tuple[str, int, int]]:
    at, negated = 0, 0
    for negation in (*_CHINESE_NEGATION.finditer(run), None):
        end = negation.start() if negation else len(run)
        if end - at == 1:
            yield (NOT if negated else "") + run[at], start + at, start + end
        for place in range(at, end - 1):
            yield (NOT if place < negated else "") + run[place : place + 2], start + place, start + place + 2
        if negation:
            at, negated = negation.end(), negation.end() + REACH


def sentences(text: str) -> tuple[str, ...]:
    """Part a note into its sentences and lines, which together are the note again.

    >>> sentences("Cough for 3.5 days. Denies fever.")
    ('Cough for 3.5 days. ', 'Denies fever.')
    """
    found: list[str] = []
    for match in _SENTENCE.finditer(text):
        piece = match.group()
        if not piece:
            continue
        if found and not found[-1][-1:].isspace() and found[-1][-1] in ".;!?" and not piece[0].isspace():
            found[-1] += piece  # a point within a number
        else:
            found.append(piece)
    return tuple(found)


MOST_PHRASES = 40
"""Into how many phrases a note is parted at most; of more, neighbours stay together."""
FEW_SENTENCES = 6
"""A note of fewer sentences is parted at its commas too."""
_CLAUSE, _CHINESE_CLAUSE = re.compile(r"(?<=[,，；])\s*(?![,，；\s])"), re.compile(r"(?<=[\u3400-\u9fff][,，；])\s*")
"""Where a clause ends: behind any comma, or only behind one that follows a Chinese character."""


def phrases(text: str) -> tuple[str, ...]:
    """Part a note into what is said one thing at a time, which together is the note again.

    That is its sentences; of a short note also what stands between commas, except where
    a negation may reach across one ("no fever, chills or cough" is one phrase; a Chinese
    comma ends a clause).

    >>> phrases("Short of breath, pale. No fever, chills or cough.")
    ('Short of breath, ', 'pale. ', 'No fever, chills or cough.')
    >>> phrases("活动后气促，无发热。")
    ('活动后气促，', '无发热。')
    """
    found = sentences(text)
    if len(found) < FEW_SENTENCES:
        found = tuple(clause for sentence in found for clause in _clauses(sentence))
    size = -(-len(found) // MOST_PHRASES)
    return tuple("".join(found[at : at + size]) for at in range(0, len(found), size)) if size else ()


def _clauses(sentence: str) -> tuple[str, ...]:
    reaching = "," in sentence and any(term.startswith(NOT) for term, _start, _end in spans(sentence))
    ends = [match.end() for match in (_CHINESE_CLAUSE if reaching else _CLAUSE).finditer(sentence)]
    places = [0, *ends, len(sentence)]
    return tuple(sentence[start:end] for start, end in pairwise(places) if end > start)
