"""Summary figures of risks against outcomes, each with its interval.

``performance.evaluate`` gathers them; ``estimates`` and ``resampling`` find intervals.
The other parts of evaluation build on this one; it knows none of them.
"""
