"""Choosing: settings by nested search, weights of an ensemble, recalibration.

What is chosen is chosen on training rows only. Knows the contract, and learners by their records only.
"""
