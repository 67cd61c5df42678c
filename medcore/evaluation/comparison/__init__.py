"""Two models on the same patients, and one model against itself fitted again.

May know figures and curves.
"""
