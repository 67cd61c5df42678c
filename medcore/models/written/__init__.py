"""A logistic regression written down: what it asks, its equation with intervals, and a score of whole points.

Made while training, from the training rows; kept with the run's results, so that a report, a page and a
shell read the same numbers. Knows the learners and the bundle's parts; knows no format it is written in.
"""
