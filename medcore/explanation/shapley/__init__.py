"""Shapley values of a game that knows no table: exact, sampled, regression-adjusted.

Of wide tables by ``pairs`` of coalitions that tell of every column. ``explain.explain`` chooses the estimator; ``game`` is what they play. Knows no bundle.
"""
