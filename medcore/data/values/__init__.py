"""What one cell says: numbers, dates, words, and the names of columns.

``typed`` reads a whole column as its schema says; ``numbers``, ``dates`` and ``words``
read single cells and know no schema. Bottom of the room: knows only the cohort's words.
"""
