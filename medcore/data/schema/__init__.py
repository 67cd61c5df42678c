"""What each column is: kind, role, unit, plausible range, missing codes, and why.

``inference.infer_schema`` guesses, ``dictionary`` lets people write it down and give it
back, ``matching`` finds the same columns in another hospital's table. May know values.
"""
