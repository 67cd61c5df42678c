"""Which rows of a table are its names, which are patients, and which are neither.

``headers`` finds the names, ``aside`` the rows that are no patients, ``marks`` the words
and units they are known by. Knows no file format.
"""
