"""A run of a number: trained and kept.

It uses what every run has (``run.training``, ``run.results``); these do not know it.
"""
