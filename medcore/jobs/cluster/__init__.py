"""The Dask cluster: local processes that outlive a page, or one that is named.

Knows nothing of runs or questions.
"""
