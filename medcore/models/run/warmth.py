"""What a worker does before its first task, so that no person waits for it."""

from __future__ import annotations

import gc
from importlib import import_module

# skops looks for the home of every function it trusts among all modules there are: before TensorFlow's thousands.
LIBRARIES = ("skops.io", "tensorflow", "keras", "sklearn.ensemble", "sklearn.linear_model", "lightgbm")
MODULES = (
    "run.training",
    "bundle.bundle",
    "trainer.train",
    "run.results",
    "bundle.coalitions",
    "coalitions.networks",
    "coalitions.descent",
    "coalitions.tree_loops",
)


def warm_up() -> None:
    """Import everything that training and predicting use, and wake the compiler with a first small program."""
    gc.disable()  # what is imported stays: nothing to collect meanwhile
    try:
        for name in LIBRARIES:
            import_module(name)
        for name in MODULES:
            import_module(f"medcore.models.{name}")
    finally:
        gc.enable()
    import tensorflow as tf

    tf.function(lambda x: tf.reduce_sum(x * x), jit_compile=True, autograph=False)(tf.ones((4, 4)))
    # To look through it again would cost each collection 0.1 to 0.2 s.
    gc.collect()
    gc.freeze()
