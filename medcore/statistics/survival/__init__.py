"""Statistics of outcomes with a time: follow-up is censored, and other events may come first.

``life_table`` counts who is at risk, ``incidence`` has Kaplan–Meier and Aalen–Johansen with their
variances and influences, ``censoring`` the reverse Kaplan–Meier estimate and weights by its
inverse, ``concordance`` Harrell's and Uno's C, ``rates`` events by person-time.

Everywhere ``duration`` (n,) is the time to the first event or to the end of follow-up, in any one
unit, and ``event`` (n,) says what ended it: 0 censored, 1 the event in question, 2 and above an
event that competes with it. At equal times events come before censoring, as in R's ``survival``.
"""
