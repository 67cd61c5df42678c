"""Risks fitted to new patients: the ranking stays, the level and the spread are mended.

May know statistics; the figures of an evaluation know nothing of it.
"""
