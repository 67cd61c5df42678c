"""Risks of a patient mixed with others, for Shapley values, without writing the rows down.

Each kind of part has its own way; what begins with sums over columns is summed once.
May know bundle and learners; explanation knows only ``BundleRisk``.
"""
