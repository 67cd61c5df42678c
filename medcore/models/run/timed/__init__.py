"""A run of an event with its time: trained, kept, and repeated for its stability.

It uses what every run has (``run.training``, ``run.results``); these do not know it.
"""
