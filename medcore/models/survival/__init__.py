"""Models of an event with a time, one file a model: each answers with a cumulative incidence for every cause.

What they are given and give back is as in ``learners``; a file that has ``CANDIDATES`` is found by being there.
``intervals`` has what those share that predict the hazard of each interval.
"""
