"""Who is in the training folds and who in the locked test set.

``split.make_split`` is the way in; whole patients stay together (``allotment``), and
time, site or a given column may decide (``rules``). May know preparation.
"""
