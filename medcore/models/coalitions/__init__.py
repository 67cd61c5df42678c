"""Parts on composite rows, for Shapley values, without writing the rows out.

``layers`` for what begins with sums over the columns (``networks`` takes networks apart
so), ``pairs`` for what having each column changes about them, ``trees`` for leaves that a composite row can reach. Knows no bundle and no learner:
a part says by ``Part.coalitions`` which of them is its way; ``bundle.coalitions`` pools them.
"""
