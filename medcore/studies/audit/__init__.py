"""The audit trail: who did what and when, each entry chained to the one before; never changed, never erased.

``chain`` is the arithmetic, ``head`` what is kept outside the database, ``entries``
what is written and read, ``actions`` the sentences. Knows the tables and nothing else of the store.
"""
