"""A run of a number: trained, kept and repeated on samples.

It uses what every run has (``run.training``, ``run.results``); these do not know it.
"""
