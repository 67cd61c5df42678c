"""A fine-tuned BERT as part of a bundle: the frozen layers, and what each member learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker, Rows
from medcore.features.text.base import PACKAGE, SHA256
from medcore.features.text.pieces import Segment
from medcore.models.bert.fine_tuning import Learnt, read_totals
from medcore.models.bert.head import NoteHead
from medcore.models.bert.layers import BertShape
from medcore.models.bert.segments import Notes, read_frozen
from medcore.models.bert.weights import Frozen
from medcore.models.bundle.files import inside
from medcore.models.contract.task import Part, Risk, clean
from medcore.sealing import Folder, get_arrays, put_arrays

MOST_KEPT = 50_000
"""Segments whose scores are kept in memory, some hundred bytes each: explanations ask about the same ones again and again."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Which predictors are notes, ``notes`` (C,), and what makes a matrix of the ``others`` (Q,)."""

    notes: NDArray[np.intp]
    others: NDArray[np.intp]
    maker: FeatureMaker

    def table(self, rows: Rows) -> Floats:
        """Return the other columns of rows, and which notes are missing: (n, F)."""
        missing = np.isnan(rows.codes[:, self.notes])
        return np.concatenate([self.maker.transform(rows.columns(self.others)), missing], axis=1, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class BertPart(Part):
    """Members whose risks are averaged; ``columns[i]`` is what the member ``learnt[i]`` reads.

    A note's logit is the mean over its tokens of what each gives, so that a segment has a score by itself, and
    an explanation that puts phrases together asks the network about each phrase once.
    """

    kind: ClassVar[str] = "bert"
    frozen: Frozen
    columns: tuple[Columns, ...]
    learnt: tuple[Learnt, ...]
    n_classes: int
    background: Mapping[Segment, Floats] = field(default_factory=dict, repr=False)
    """The scores of the segments of patients whom explanations compare with: worked out once, and kept in a bundle."""
    _scores: dict[Segment, Floats] = field(default_factory=dict, repr=False)

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        rows = Rows.of(rows)
        notes = Notes.of(rows, self.columns[0].notes.tolist())
        scores = self._of_segments(notes.segments)
        there = notes.there
        found = np.zeros((len(rows), self.n_classes))
        for member, (columns, learnt) in enumerate(zip(self.columns, self.learnt, strict=True)):
            logits = columns.table(rows) @ learnt.head.table + learnt.head.bias
            logits -= there.astype(np.float32) @ learnt.head.of_the_mean
            for c, shares in enumerate(notes.shares):
                logits += shares @ scores[:, member, c]
            odds = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
            found += odds / odds.sum(axis=1, keepdims=True)
        return clean(found / len(self.learnt), self.n_classes)

    def knowing(self, background: Rows, /) -> Self:
        """Return the part with the scores of these rows' notes."""
        segments = Notes.of(background, self.columns[0].notes.tolist()).segments
        return replace(self, background=dict(zip(segments, self._of_segments(segments), strict=True)))

    def _of_segments(self, segments: tuple[Segment, ...]) -> Floats:
        """Return what the tokens of each segment give together, by member, column and class: (S, M, C, K)."""
        asked = [segment for segment in segments if segment not in self.background]
        new = tuple(segment for segment in asked if segment not in self._scores)
        if len(self._scores) + len(new) > MOST_KEPT:
            self._scores.clear()
            new = tuple(asked)
        if new:
            read = read_frozen(self.frozen, new)
            by_member = [
                np.einsum("sh,chk->sck", read_totals(self.frozen.shape, one.layers, read), one.head.by_token)
                for one in self.learnt
            ]
            self._scores.update(zip(new, np.stack(by_member, axis=1), strict=True))
        shape = (len(self.learnt), len(self.columns[0].notes), self.n_classes)
        known = (self.background.get(segment, self._scores.get(segment)) for segment in segments)
        return np.array(list(known), np.float32).reshape(-1, *shape)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write frozen layers as the package holds them, and what was learnt in half precision, without pickle."""
        put_arrays(folder / "bert_frozen.npz", {"ids": self.frozen.ids, **self.frozen.arrays})
        for place, one in enumerate(self.learnt):
            layers = {f"{i}.{name}": a.astype(np.float16) for i, w in enumerate(one.layers) for name, a in w.items()}
            head = {f"head.{name}": getattr(one.head, name) for name in NoteHead.__dataclass_fields__}
            put_arrays(folder / f"bert_{place}.npz", {**layers, **head})
        if self.background:
            put_arrays(folder / "bert_background.npz", _written(self.background))
        return {
            "shape": self.frozen.shape.to_dict(),
            "base": {"package": PACKAGE, "sha256": SHA256},
            "n_classes": self.n_classes,
            "columns": [
                {"notes": c.notes.tolist(), "others": c.others.tolist(), "maker": c.maker.to_dict()}
                for c in self.columns
            ],
        }

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        shape = BertShape(**data["shape"])
        arrays = get_arrays(inside(folder, "bert_frozen.npz"))
        frozen = Frozen(shape, arrays["ids"], {name: a for name, a in arrays.items() if name != "ids"})
        columns = tuple(
            Columns(np.array(c["notes"], np.intp), np.array(c["others"], np.intp), FeatureMaker.from_dict(c["maker"]))
            for c in data["columns"]
        )
        files = (inside(folder, f"bert_{place}.npz") for place in range(len(columns)))
        learnt = tuple(_learnt(get_arrays(file), shape) for file in files)
        kept = folder / "bert_background.npz"
        background = _read_back(get_arrays(kept)) if kept.is_file() else {}
        return cls(frozen, columns, learnt, int(data["n_classes"]), background)


def _written(scores: Mapping[Segment, Floats]) -> dict[str, Any]:
    """Write segments, one after the other, with their scores (S, M, C, K)."""
    lengths = [len(segment) for segment in scores]
    pieces = np.array([piece for segment in scores for piece in segment], np.int32)
    return {"lengths": np.array(lengths), "pieces": pieces, "scores": np.stack(list(scores.values()))}


def _read_back(arrays: Mapping[str, Any]) -> dict[Segment, Floats]:
    """Read what :func:`_written` wrote."""
    ends = np.cumsum(arrays["lengths"])
    parted = np.split(arrays["pieces"], ends[:-1])
    return {tuple(each.tolist()): score for each, score in zip(parted, arrays["scores"], strict=True)}


def _learnt(arrays: Mapping[str, Any], shape: BertShape) -> Learnt:
    def under(prefix: str) -> dict[str, Floats]:
        return {
            name.removeprefix(prefix): array.astype(np.float32)
            for name, array in arrays.items()
            if name.startswith(prefix)
        }

    return Learnt(tuple(under(f"{i}.") for i in range(shape.trained)), NoteHead(**under("head.")))
