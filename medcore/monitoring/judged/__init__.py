"""How good a model is, by what it predicts: one file each for an event, an event by a time, and a number.

``judge`` is what is asked of each, ``of_target`` chooses by the target, and nobody else asks what is predicted.
Figures are evaluation's own; no file here knows another but ``judge``.
"""
