"""A tiny file of random weights in the form of the package's: two layers, 32 wide, and a vocabulary of words and letters."""

from __future__ import annotations

import struct

import numpy as np

WIDTH, HEADS, INNER, LAYERS = 32, 2, 64, 3


def blocks(values):
    """Write float32 as blocks of 32 weights of four bits with a scale, as ggml's Q4_0."""
    rows = values.astype(np.float32).reshape(-1, 32)
    largest = rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
    scale = (largest / -8).astype("<f2")
    inverse = np.divide(1, scale.astype(np.float32), out=np.zeros(len(rows), np.float32), where=scale != 0)
    told = np.clip(rows * inverse[:, None] + 8.5, 0, 15).astype(np.uint8)
    packed = told[:, :16] | (told[:, 16:] << 4)
    return np.concatenate([scale[:, None].view(np.uint8), packed], axis=1).tobytes()


def file_of(words, seed=0):
    """Return the content of a file whose pieces are these words, each behind a space, and the letters that they have."""
    random = np.random.default_rng(seed)
    letters = sorted({letter for word in words for letter in word})
    texts = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", *("\u2581" + word for word in words), *letters]
    scores = [0.0] * 4 + [-3.0] + [-4.0 - 0.01 * i for i in range(len(words))] + [-9.0] * len(letters)
    head = b"E5S1" + struct.pack("<I7i", 1, WIDTH, LAYERS, HEADS, INNER, len(texts), 512, 2)
    head += struct.pack("<fi", 1e-12, 32) + struct.pack("<5i", len(texts), 0, 2, 1, 3)
    written = [text.encode() for text in texts]
    ends = np.concatenate([[0], np.cumsum([len(text) for text in written])])
    head += struct.pack("<Q", int(ends[-1])) + ends.astype("<u4").tobytes()
    head += np.array(scores, "<f4").tobytes() + b"".join(written)
    head += struct.pack("<iI", 0, 0)
    return head + _arrays(len(head), random, len(texts))


def _arrays(before, random, n_words):
    arrays = {"emb.word": random.normal(0, 1, (n_words, WIDTH)), "emb.pos": random.normal(0, 0.1, (512, WIDTH))}
    arrays |= {"emb.type": np.zeros((2, WIDTH)), "emb.ln.w": np.ones(WIDTH), "emb.ln.b": np.zeros(WIDTH)}
    sizes = dict.fromkeys(("q", "k", "v", "ao"), (WIDTH, WIDTH)) | {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}
    for place in range(LAYERS):
        for name, size in sizes.items():
            arrays[f"l{place}.{name}.w"] = random.normal(0, size[1] ** -0.5, size)
            arrays[f"l{place}.{name}.b"] = random.normal(0, 0.1, size[0])
        for name in ("aln", "oln"):
            arrays[f"l{place}.{name}.w"], arrays[f"l{place}.{name}.b"] = np.ones(WIDTH), np.zeros(WIDTH)
    kernels = {name for name in arrays if name.endswith(".w") and "ln" not in name} | {"emb.word"}
    data = {name: blocks(a) if name in kernels else a.astype("<f4").tobytes() for name, a in arrays.items()}
    size = 4 + sum(2 + len(name) + 21 for name in arrays)
    start, directory = before + size, struct.pack("<i", len(arrays))
    for name, a in arrays.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", name in kernels, a.size, start, len(data[name]))
        start += len(data[name])
    return directory + b"".join(data.values())
