"""Shapley values of a game that knows no table: exact, sampled, regression-adjusted.

``explain.explain`` chooses the estimator; ``game`` is what they play. Knows no bundle.
"""
