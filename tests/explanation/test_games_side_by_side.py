"""Games of several threads do not wait for one another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from medcore.explanation.shapley.game import Game


def test_a_game_whose_model_stands_still_holds_up_no_other() -> None:
    go, at_it = threading.Event(), threading.Event()

    def risk(codes: np.ndarray) -> np.ndarray:
        return np.column_stack([1 - codes[:, 0], codes[:, 0]])

    def standing_still(codes: np.ndarray) -> np.ndarray:
        at_it.set()
        assert go.wait(30)
        return risk(codes)

    def game(model) -> Game:
        return Game.of(
            model, np.array([0.9, 1.0]), np.array([[0.2, 0.0], [0.4, 1.0]]), class_index=1, scale="probability"
        )

    slow, quick = game(standing_still), game(risk)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lambda: slow.grand_and_empty)
        assert at_it.wait(30)
        try:
            second = threads.submit(lambda: quick.grand_and_empty).result(timeout=10)
        finally:
            go.set()
        assert first.result()[0] == second[0]
    assert quick.grand_and_empty is second
