"""Preloaded by the workers of tests: all that a worker is told at its start, without what a first click waits for.

What a run needs it then imports by itself; importing it before takes six processor seconds a worker.
"""

from medcore.jobs.cluster import preload

preload.warm_up = lambda: None
dask_setup = preload.dask_setup
