"""Hostile files handed to the reader of uploads as the web server does."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from typing import Any

import psutil
from files import UPLOADS
from names import CANARY

from medcore.errors import MedcoreError
from medcore.jobs.web.uploads import MEMORY_BYTES, be_ready, read_upload


class Watch:
    """The most memory of any child, in bytes, looked at every 20 ms."""

    def __init__(self) -> None:
        self.most, self.stopped = 0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self) -> None:
        """Look until it is stopped."""
        me = psutil.Process()
        while not self.stopped.wait(0.02):
            for child in me.children(recursive=True):
                try:
                    self.most = max(self.most, child.memory_info().rss)
                except psutil.Error:
                    continue


def uploads(n: int, seed: int) -> dict[str, Any]:
    """Read every upload as the web server does."""
    be_ready()
    watch, answers, slowest = Watch(), Counter[str](), 0.0
    by_kind: Counter[str] = Counter()
    unclear = []
    for number in range(n):
        make = UPLOADS[number % len(UPLOADS)]
        name, data = make(random.Random(seed * 100_003 + number))
        began = time.monotonic()
        try:
            read_upload(name, data)
            answers["table"] += 1
        except MedcoreError as error:
            answers["one sentence"] += 1
            if "Traceback" in str(error) or CANARY in str(error):
                unclear.append(str(error))
        except (SystemExit, KeyboardInterrupt):  # whoever stops this script
            raise
        except BaseException as error:
            answers[f"{type(error).__name__} in {make.__name__}"] += 1
        by_kind[make.__name__] += 1
        if os.environ.get("HOSTILE_LOUD"):
            print(number, make.__name__, len(data), round(time.monotonic() - began, 1), dict(answers), flush=True)
        slowest = max(slowest, time.monotonic() - began)
    watch.stopped.set()
    return {
        "uploads": n, "answers": dict(answers), "kinds": dict(by_kind), "most memory of a reader MB": round(watch.most / 1e6),
        "stated MB": round(MEMORY_BYTES / 1e6), "slowest s": round(slowest, 1), "unclear": unclear,
    }  # fmt: skip
