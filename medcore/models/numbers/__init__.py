"""Models of a number, one file a model: each answers with the number itself, (n, 1), where others answer with risks.

What they are given and give back is as in ``learners``; a file that has ``CANDIDATES`` is found by being there.
"""
