"""What a worker does before its first task, so that no person waits for it."""

from __future__ import annotations

from importlib import import_module

# Imported in the order in which a run needs them; TensorFlow takes the longest.
ROOMS = ("tensorflow", "keras", "sklearn.ensemble", "sklearn.linear_model", "lightgbm", "skops.io")


def warm_up() -> None:
    """Import everything that training and predicting use."""
    for name in ROOMS:
        import_module(name)
    for name in ("training", "bundle", "trainer", "results"):
        import_module(f"medcore.models.{name}")
