"""How a value of each kind of column is typed in and changed on the Patient page; one file a kind.

Knows ``ui/kit`` and :mod:`medcore.features`; kinds never import one another.
"""
