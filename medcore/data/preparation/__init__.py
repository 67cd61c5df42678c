"""The preparation of a cohort as readable steps, replayed unchanged on new patients.

``recipe`` says which steps, ``replay`` carries them out, ``methods`` tells them in words
for a paper. May know values and schema.
"""
