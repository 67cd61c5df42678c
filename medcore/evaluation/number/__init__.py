"""Predicted numbers against what was measured: how far off, calibrated or not, and between which limits.

Arrays in, frozen results out, in the outcome's own unit; intervals from each patient's influence, as for risks by a time.
"""
