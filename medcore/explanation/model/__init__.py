"""A whole model: what it uses over many patients, along columns, how stably.

May know shapley and patient.
"""
