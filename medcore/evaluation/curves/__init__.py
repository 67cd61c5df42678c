"""Figures at every threshold: ROC, precision–recall, calibration, decision curves.

``thresholds`` chooses one of them from a stated rule. May know figures.
"""
